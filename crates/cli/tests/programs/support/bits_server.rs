//! A BITS server on a socket whose reactions are determined by a script.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::SystemTime;

use bits_proto::field::ReplyUrl;
use bits_proto::message::{Extras, HeaderSlots, Request, RequestHead};
use bits_proto::server::{
    Access, Notified, Policy, Record, Reply, RequestContext, SessionLimits, Sessions,
    SessionsResponse, Step,
};
use uuid::Uuid;

use crate::wait::IO_TIMEOUT;

/// A received request.
#[derive(Clone, Debug)]
pub struct Seen {
    /// BITS-Packet-Type, or the method if there is none.
    pub kind: String,
    /// The head as received.
    pub head: String,
    /// Number of the connection.
    pub connection: usize,
    /// Number of earlier requests of the same kind.
    pub earlier: usize,
}

impl Seen {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// The reaction to a request.
pub enum Reaction {
    /// The correct response.
    Correct,
    /// These bytes, and then the correct response.
    CorrectAfter(String),
    /// The correct response, in chunks.
    CorrectInChunks,
    /// This response, after the body is read.
    Respond(String),
    /// This response, and then the connection is closed.
    RespondAndClose(String),
    /// This response, and then silence until the client disconnects.
    RespondAndStall(String),
    /// This response before the body is read. The body is discarded.
    RespondEarly(String),
    /// This number of bytes of the body is stored, then the connection is closed.
    CloseAfterBody(u64),
    /// The request is processed, and the connection is closed without a response.
    LoseResponse,
    /// The request is processed, and there is no response until the client disconnects.
    Silence,
    /// Nothing is read or sent until the client disconnects.
    Stall,
}

type Script = Box<dyn FnMut(&Seen) -> Reaction + Send>;

struct State {
    sessions: Sessions<'static, BTreeMap<Uuid, Record>>,
    stored: HashMap<Uuid, Vec<u8>>,
    entity: Option<Vec<u8>>,
    seen: Vec<Seen>,
    script: Script,
    created: u8,
    access: Access,
    reply_url: Option<String>,
    /// Number of received bytes of bodies.
    read: u64,
    connections: usize,
}

#[derive(Clone)]
pub struct Server {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub fn start(script: impl FnMut(&Seen) -> Reaction + Send + 'static) -> Self {
        Self::start_at("127.0.0.1:0", Policy::DEFAULT, script)
    }

    pub fn start_at(
        address: &str,
        policy: Policy<'static>,
        script: impl FnMut(&Seen) -> Reaction + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).expect("an address to listen at");
        let address = listener.local_addr().expect("the address");
        let state = State {
            sessions: Sessions::new(BTreeMap::new(), policy, SessionLimits::default()),
            stored: HashMap::new(),
            entity: None,
            seen: Vec::new(),
            script: Box::new(script),
            created: 0,
            access: Access::Granted,
            reply_url: None,
            read: 0,
            connections: 0,
        };
        let server = Self { address, state: Arc::new(Mutex::new(state)) };
        let serving = server.clone();
        // The thread ends with the process of the test.
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let (serving, stream) = (serving.clone(), stream.expect("a connection"));
                thread::spawn(move || serving.serve(stream, number));
            }
        });
        server
    }

    /// Serves the same sessions at another address too.
    pub fn also_at(&self, address: &str) {
        let listener = TcpListener::bind(address).expect("an address to listen at");
        let serving = self.clone();
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let (serving, stream) = (serving.clone(), stream.expect("a connection"));
                thread::spawn(move || serving.serve(stream, 1000 + number));
            }
        });
    }

    pub fn with_access(self, access: Access) -> Self {
        self.locked().access = access;
        self
    }

    /// Sets the URL of the reply.
    pub fn with_reply(self, url: Option<&str>) -> Self {
        self.locked().reply_url = url.map(Into::into);
        self
    }

    pub fn url(&self) -> String {
        format!("http://{}/dir/entity", self.address)
    }

    /// Returns the published entity.
    pub fn entity(&self) -> Option<Vec<u8>> {
        self.locked().entity.clone()
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.locked().seen.clone()
    }

    pub fn kinds(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.kind).collect()
    }

    /// Returns the number of sessions.
    pub fn sessions(&self) -> usize {
        self.locked().sessions.store().len()
    }

    /// Returns the number of received bytes of bodies.
    pub fn read(&self) -> u64 {
        self.locked().read
    }

    /// Returns the number of open connections.
    pub fn connections(&self) -> usize {
        self.locked().connections
    }

    /// Loses all sessions.
    pub fn forget(&self) {
        let mut state = self.locked();
        state.forget();
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the server panicked")
    }

    fn serve(&self, stream: TcpStream, connection: usize) {
        self.locked().connections += 1;
        let _ = self.serve_requests(stream, connection);
        self.locked().connections -= 1;
    }

    /// Serves requests until the client disconnects or a request is invalid.
    fn serve_requests(&self, stream: TcpStream, connection: usize) -> Option<()> {
        stream.set_read_timeout(Some(IO_TIMEOUT)).ok()?;
        stream.set_nodelay(true).ok()?;
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        while self.serve_request(&mut reader, &stream, connection)? {}
        stream.shutdown(Shutdown::Both).ok()
    }

    /// Serves a request. Returns whether the connection stays open.
    fn serve_request(
        &self,
        reader: &mut BufReader<TcpStream>,
        mut stream: &TcpStream,
        connection: usize,
    ) -> Option<bool> {
        let bytes = read_head(reader).ok().filter(|head| !head.is_empty())?;
        let mut slots = HeaderSlots::new();
        let head = RequestHead::parse(&bytes, &mut slots).ok()?.complete()?;
        let length = head.body_length();
        let (reaction, limit) = self.see(&bytes, head.line().method, connection);
        match &reaction {
            Reaction::RespondEarly(answer) => {
                stream.write_all(answer.as_bytes()).ok()?;
                stream.shutdown(Shutdown::Write).ok()?;
                // Counts the bytes that were sent before the client disconnected.
                let _ = self.read_body(reader, u64::MAX);
                return Some(false);
            }
            Reaction::Stall => {
                io::copy(reader, &mut io::sink()).ok()?;
                return Some(false);
            }
            _ => {}
        }
        let body = self.read_body(reader, length.min(limit))?;
        match reaction {
            Reaction::Respond(answer) => stream.write_all(answer.as_bytes()).ok()?,
            Reaction::RespondAndClose(answer) => {
                stream.write_all(answer.as_bytes()).ok()?;
                return Some(false);
            }
            Reaction::RespondAndStall(answer) => {
                stream.write_all(answer.as_bytes()).ok()?;
                io::copy(reader, &mut io::sink()).ok()?;
                return Some(false);
            }
            _ => {
                let request = Request::from_head(&head, &Default::default()).ok()?.message;
                let answer = self.locked().work(&request, head.line().target, &body);
                if matches!(reaction, Reaction::Silence) {
                    io::copy(reader, &mut io::sink()).ok()?;
                    return Some(false);
                }
                let (false, Some(answer)) = (matches!(reaction, Reaction::LoseResponse), answer)
                else {
                    return Some(false);
                };
                if let Reaction::CorrectAfter(before) = &reaction {
                    stream.write_all(before.as_bytes()).ok()?;
                }
                let policy = *self.locked().sessions.policy();
                let extras = Extras::from_fields(Vec::new(), [("Server", "scripted")]).ok()?;
                let mut ack = policy.encode(&answer.ack(), &extras).ok()?.to_vec();
                if matches!(reaction, Reaction::CorrectInChunks) {
                    ack = in_chunks(std::str::from_utf8(&ack).ok()?).into_bytes();
                }
                stream.write_all(&ack).ok()?;
            }
        }
        Some(true)
    }

    /// Records a request. Returns the reaction, and the number of bytes of its body to read.
    fn see(&self, head: &[u8], method: &str, connection: usize) -> (Reaction, u64) {
        let head = String::from_utf8_lossy(head).into_owned();
        let mut state = self.locked();
        let mut seen = Seen { kind: String::new(), head, connection, earlier: 0 };
        seen.kind = seen.field("BITS-Packet-Type").unwrap_or(method).to_owned();
        seen.earlier = state.seen.iter().filter(|it| it.kind == seen.kind).count();
        state.seen.push(seen.clone());
        let reaction = (state.script)(&seen);
        let limit = if let Reaction::CloseAfterBody(limit) = reaction { limit } else { u64::MAX };
        (reaction, limit)
    }

    fn read_body(&self, reader: &mut impl io::Read, length: u64) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        let mut piece = vec![0; 256 * 1024];
        while (body.len() as u64) < length {
            let most = piece.len().min((length - body.len() as u64) as usize);
            let read = reader.read(&mut piece[..most]).ok().filter(|read| *read > 0)?;
            body.extend_from_slice(&piece[..read]);
            self.locked().read += read as u64;
        }
        Some(body)
    }
}

impl State {
    fn forget(&mut self) {
        let policy = *self.sessions.policy();
        self.sessions = Sessions::new(BTreeMap::new(), policy, SessionLimits::default());
        self.stored.clear();
    }

    fn work(
        &mut self,
        request: &Request<'_>,
        url: &str,
        body: &[u8],
    ) -> Option<SessionsResponse<'static>> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let context = RequestContext::new(url, self.access, now);
        let created = &mut self.created;
        let random = || {
            *created += 1;
            [*created; 16]
        };
        let Ok(mut step) = self.sessions.handle_request(request, &context, random);
        let mut at = 0;
        loop {
            step = match step {
                Step::Store(bytes) => {
                    at += bytes.skip as usize;
                    let end = body.len().min(at + bytes.take as usize);
                    let Some(piece) = body.get(at..end).filter(|it| !it.is_empty()) else {
                        self.sessions.handle_disconnected(bytes.token).ok()?;
                        return None;
                    };
                    let entity = self.stored.entry(bytes.token.session_id()).or_default();
                    assert_eq!(entity.len() as u64, bytes.offset);
                    entity.extend_from_slice(piece);
                    at = end;
                    self.sessions.handle_stored(bytes.token, piece.len() as u64, now).ok()?
                }
                Step::Notify(token) => {
                    let notified = Notified::new(true, Reply::Kept);
                    let url = self.reply_url.clone();
                    let url = url.as_deref().and_then(|url| ReplyUrl::try_from(url).ok());
                    self.sessions.handle_notified(token, notified, url, now).ok()?
                }
                Step::Commit(token) => {
                    self.entity = Some(self.stored.remove(&token.session_id()).unwrap_or_default());
                    self.sessions.handle_committed(token).ok()?
                }
                Step::Discard(discard) => {
                    self.stored.remove(&discard.token.session_id());
                    self.sessions.handle_discarded(discard.token).ok()?
                }
                Step::Answer(answer) => return Some(answer),
                _ => return None,
            };
        }
    }
}

/// Reads a head. Returns nothing if the client has disconnected.
fn read_head(reader: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head)? == 0 {
            return Ok(Vec::new());
        }
    }
    Ok(head)
}

/// Returns a response without a body.
pub fn status(status: u16, fields: &[&str]) -> String {
    let mut answer = format!("HTTP/1.1 {status} Scripted\r\nContent-Length: 0\r\n");
    for field in fields {
        answer.push_str(field);
        answer.push_str("\r\n");
    }
    answer + "\r\n"
}

/// Returns a response without a body as reverse proxies may send it: with an empty body in chunks.
pub fn in_chunks(response: &str) -> String {
    let chunked = response.replace("Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n");
    assert_ne!(chunked, response, "the response has no Content-Length");
    chunked + "0\r\n\r\n"
}

/// Returns a refusing Ack.
pub fn refusal(number: u16, code: &str) -> String {
    let code = format!("BITS-Error-Code: {code}");
    status(number, &["BITS-Packet-Type: Ack", &code, "BITS-Error-Context: 0x5"])
}
