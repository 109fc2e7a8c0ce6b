//! A client that sends complete or incomplete requests over a socket, and parses the responses.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};

use bits_proto::field::{ReplyUrl, SessionId};
use bits_proto::http1::RequestTarget;
use bits_proto::message::{Ack, AckContext, Extras, HeaderSlots, Request, ResponseHead};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

use crate::server::{IO_TIMEOUT, Server, poll};

pub use crate::packets::*;

/// A connection to a server.
pub struct Connection {
    pub stream: TcpStream,
    buffer: Vec<u8>,
}

/// A response.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    head: Vec<u8>,
    pub body: Vec<u8>,
}

/// A refusal: status, code, context, and received offset.
pub type Refused = (u16, Option<u32>, Option<u32>, Option<u64>);

pub const INVALID_ARGUMENT: Refused = (400, Some(0x8007_0057), Some(5), None);
pub const LENGTH_REQUIRED: Refused = (411, Some(0x8007_0057), Some(5), None);
pub const EXISTS: Refused = (403, Some(0x8007_0050), Some(5), None);
pub const INVALID_NAME: Refused = (403, Some(0x8007_007B), Some(5), None);
pub const ACCESS_DENIED: Refused = (403, Some(0x8007_0005), Some(5), None);
pub const NOT_FOUND: Refused = (500, Some(0x8020_001F), Some(5), None);
pub const TOO_LARGE: Refused = (500, Some(0x8020_0020), Some(5), None);
pub const SMALLER_FRAGMENTS: Refused = (413, None, None, None);
pub const UNAVAILABLE: Refused = (503, None, None, None);
pub const UNAUTHENTICATED: Refused = (401, None, None, None);

/// The refusal of a fragment that does not begin at the received offset.
pub fn out_of_sync(next: u64) -> Refused {
    (416, None, None, Some(next))
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{} bytes of body", String::from_utf8_lossy(&self.head), self.body.len())
    }
}

impl Answer {
    pub fn field(&self, name: &str) -> Option<String> {
        let mut slots = HeaderSlots::new();
        let head = ResponseHead::parse(&self.head, &mut slots).expect("HTTP").complete()?;
        let (_, value) = head.fields().find(|field| field.0.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    pub fn head(&self) -> &[u8] {
        &self.head
    }

    pub fn closes(&self) -> bool {
        self.field("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    /// Returns the Ack, and asserts that it has no deviations.
    #[track_caller]
    pub fn ack(&self, ack_context: &AckContext<'_>) -> Ack<'_> {
        let mut slots = HeaderSlots::new();
        let head = ResponseHead::parse(&self.head, &mut slots).expect("HTTP");
        let decoded = Ack::from_head(&head.complete().expect("a head"), ack_context);
        let decoded = decoded.unwrap_or_else(|error| panic!("{error}: {self:?}"));
        // These statuses may be sent without a code.
        let says_it_all = matches!(self.status, 401 | 413 | 503 | 500);
        assert!(decoded.deviations.is_empty() || says_it_all, "{self:?}");
        assert_eq!(self.field("BITS-Packet-Type").as_deref(), Some("Ack"), "{self:?}");
        assert_eq!(self.field("BITS-Error"), self.field("BITS-Error-Code"));
        assert!(self.body.is_empty(), "{self:?}");
        decoded.message
    }

    /// Returns the refusal.
    #[track_caller]
    pub fn refused(&self) -> Refused {
        let Ack::Refused(refusal) = self.ack(&AckContext::Ping) else { panic!("{self:?}") };
        let code = refusal.code().map(|code| code.get());
        let context = refusal.context().map(|context| context.0);
        (self.status, code, context, refusal.received().map(|received| received.0))
    }

    /// Returns the received offset in the Ack of a fragment.
    #[track_caller]
    pub fn received(&self) -> u64 {
        let ack_context =
            AckContext::Fragment { session_id: None, content_range: None, sent_up_to: None };
        let Ack::Fragment(ack) = self.ack(&ack_context) else { panic!("{self:?}") };
        ack.received.0
    }

    /// Returns the id of the created session.
    #[track_caller]
    pub fn session(&self) -> SessionId<'static> {
        let Ack::CreateSession(ack) = self.ack(&AckContext::CreateSession { offered: None }) else {
            panic!("{self:?}")
        };
        ack.session_id.guid().expect("a GUID").into()
    }

    /// Asserts that a Close-Session, Cancel-Session or Ping was successful.
    #[track_caller]
    pub fn granted(&self, ack_context: &AckContext<'_>) {
        let ack = self.ack(ack_context);
        assert!(!matches!(ack, Ack::Refused(_)), "{self:?}");
    }

    #[track_caller]
    pub fn closed(&self) {
        self.granted(&AckContext::CloseSession { session_id: None });
    }
}

impl Connection {
    pub fn open(server: &Server) -> Self {
        Self::to(server.address).expect("a server that listens")
    }

    pub fn to(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_read_timeout(Some(IO_TIMEOUT))?;
        stream.set_write_timeout(Some(IO_TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Sends bytes. Ignores errors, since a server may respond without reading all of them.
    pub fn raw(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Sends a request with a complete or incomplete body.
    pub fn send(&mut self, target: &str, request: &Request<'_>, body: &[u8]) {
        self.raw([&*head(target, request), body].concat());
    }

    /// Sends a request and reads the response.
    #[track_caller]
    pub fn ask(&mut self, target: &str, request: &Request<'_>, body: &[u8]) -> Answer {
        self.send(target, request, body);
        self.answer()
    }

    /// Sends the head of a request that is not a packet, and reads the response.
    #[track_caller]
    pub fn fetch(&mut self, method: &str, target: &str, fields: &[(&str, &str)]) -> Answer {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: origin.example\r\n");
        for (name, value) in fields {
            head += &format!("{name}: {value}\r\n");
        }
        self.raw(head + "\r\n");
        self.read(method != "HEAD").expect("an answer")
    }

    #[track_caller]
    pub fn answer(&mut self) -> Answer {
        self.try_answer().expect("an answer")
    }

    pub fn try_answer(&mut self) -> io::Result<Answer> {
        self.read(true)
    }

    fn read(&mut self, has_body: bool) -> io::Result<Answer> {
        loop {
            let Some((status, body, head)) = self.head()? else {
                self.more()?;
                continue;
            };
            let head = self.take(head);
            if (100..200).contains(&status) {
                continue;
            }
            let body = if has_body { body } else { 0 };
            while self.buffer.len() < body {
                self.more()?;
            }
            return Ok(Answer { status, head, body: self.take(body) });
        }
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(length);
        std::mem::replace(&mut self.buffer, rest)
    }

    /// Returns the status of the next head, the length of its body, and its own length, if it is
    /// complete.
    fn head(&self) -> io::Result<Option<(u16, usize, usize)>> {
        let mut slots = HeaderSlots::new();
        let head = ResponseHead::parse(&self.buffer, &mut slots).map_err(io::Error::other)?;
        let Some(head) = head.complete() else { return Ok(None) };
        let length =
            head.body_length().known().ok_or_else(|| io::Error::other("no Content-Length"))?;
        let length = usize::try_from(length).map_err(io::Error::other)?;
        Ok(Some((head.line().status.get(), length, head.len())))
    }

    fn more(&mut self) -> io::Result<()> {
        let mut chunk = [0; 65_536];
        match self.stream.read(&mut chunk)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.buffer.extend_from_slice(&chunk[..read]);
                Ok(())
            }
        }
    }

    /// Reads 100 Continue.
    #[track_caller]
    pub fn is_asked_to_continue(&mut self) {
        loop {
            if let Some((status, _, length)) = self.head().expect("HTTP") {
                assert_eq!(status, 100);
                self.take(length);
                return;
            }
            self.more().expect("an interim response");
        }
    }

    /// Returns whether the connection is open, by sending a Ping.
    pub fn is_open(&mut self) -> bool {
        self.send("/", &ping(), b"");
        self.try_answer().is_ok()
    }

    /// Asserts that the server closes the connection without sending anything.
    #[track_caller]
    pub fn ends(&mut self) {
        let end = match self.more() {
            Err(error) => error.kind(),
            Ok(()) => panic!("it says {:?}", String::from_utf8_lossy(&self.buffer)),
        };
        let ended = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset];
        assert!(ended.contains(&end), "{end}");
    }

    /// Closes the connection in both directions.
    pub fn cut(self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// Returns the request target to which BITS-Reply-URL in the response for `target` refers.
pub fn reply_target(url: &[u8], target: &str) -> String {
    const ORIGIN: &str = "http://origin.example";
    let url = ReplyUrl::try_from(url).expect("a URL");
    let url = url.resolve(&format!("{ORIGIN}{target}")).expect("a URL");
    // A static reply may be on another server.
    url.as_str().strip_prefix(ORIGIN).unwrap_or(url.as_str()).to_owned()
}

/// Returns the head of a request.
pub fn head(target: &str, request: &Request<'_>) -> Vec<u8> {
    head_with(target, request, &[])
}

/// Returns the head of a request with additional fields.
pub fn head_with(target: &str, request: &Request<'_>, extras: &[(&str, &str)]) -> Vec<u8> {
    let target = RequestTarget::try_from(target).expect("a target");
    let host = [("Host", "origin.example")];
    let extras = host.iter().chain(extras).copied();
    let extras = Extras::from_fields(Vec::new(), extras).expect("valid fields");
    request.encode(target, &extras).expect("extras of a request").to_vec()
}

/// Creates a session.
#[track_caller]
pub fn create_session(server: &Server, target: &str) -> SessionId<'static> {
    ask(server, target, &create(), b"").session()
}

/// Sends a request on its own connection.
#[track_caller]
pub fn ask(server: &Server, target: &str, request: &Request<'_>, body: &[u8]) -> Answer {
    Connection::open(server).ask(target, request, body)
}

/// Sends a request until the session is not busy.
#[track_caller]
pub fn ask_until_free(server: &Server, target: &str, request: &Request<'_>, body: &[u8]) -> Answer {
    poll("an answer", || {
        let answer = ask(server, target, request, body);
        (answer.status != 503).then_some(answer)
    })
}

/// Uploads an entity in one fragment, or without a fragment if it is empty.
#[track_caller]
pub fn upload(server: &Server, target: &str, entity: &[u8]) {
    let mut connection = Connection::open(server);
    let id = connection.ask(target, &create(), b"").session();
    let total = entity.len() as u64;
    if total > 0 {
        let sent = connection.ask(target, &fragment(id, 0..total, total), entity);
        assert_eq!(sent.received(), total);
    }
    connection.ask(target, &close(id), b"").closed();
}

/// Returns the received offset of a session by sending the last byte, which must not be the next
/// one.
#[track_caller]
pub fn received_offset(server: &Server, target: &str, id: SessionId<'_>, total: u64) -> u64 {
    let answer = ask(server, target, &fragment(id, total - 1..total, total), b"!");
    answer.refused().3.expect("a gap")
}

/// Returns pseudo-random bytes that depend on the seed.
pub fn entity(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}
