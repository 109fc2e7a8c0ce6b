//! The server of an upload, on which the scripts of cases are based.

use std::time::{Duration, Instant};

use bits_proto::field::{PacketType, SessionId};

use super::entry::{Outcome, Stop, fail};
use super::message::{self, Reply, Request};
use super::scenario::{self, Model};
use super::setup::Setup;

/// The script of an upload.
pub(super) type Scenario = scenario::Scenario<Upload>;

/// The protocol of uploads.
const PROTOCOL: &str = "{7df0354d-249b-430f-820d-3d2a9bef4931}";
/// The target from which the reply is fetched.
pub(super) const REPLY_TARGET: &str = "/bits-conformance/reply.bin";
/// The reply to an upload.
pub(super) const REPLY: &[u8] = b"The reply of the server application.\n";

/// A session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) bytes: Vec<u8>,
    pub(super) is_open: bool,
}

/// A server that follows the specification, and records all requests.
pub(super) struct Upload {
    pub(super) setup: Setup,
    /// All requests without their bodies, in order.
    pub(super) requests: Vec<Request>,
    pub(super) sessions: Vec<Session>,
    /// The entities of closed sessions.
    pub(super) published: Vec<Vec<u8>>,
    /// The number of sessions that the client may create.
    pub(super) max_sessions: usize,
    /// Another content that the client may upload, because the script has changed the file.
    pub(super) other_content: Option<Vec<u8>>,
    /// False if the host in BITS-Host-Id refuses connections.
    pub(super) has_host: bool,
    /// The packet at which the script deviates, if it has not been received.
    missing: Option<(PacketType, usize)>,
    /// Time at which the script deviated first.
    deviated_at: Option<Instant>,
    /// The number of fragments before the last 416, and its offset.
    last_416: Option<(usize, u64)>,
}

impl Model for Upload {
    fn new(setup: Setup) -> Self {
        Self {
            setup,
            requests: Vec::new(),
            sessions: Vec::new(),
            published: Vec::new(),
            max_sessions: 1,
            other_content: None,
            has_host: true,
            missing: None,
            deviated_at: None,
            last_416: None,
        }
    }

    fn record(&mut self, request: &Request) {
        self.requests.push(request.clone());
    }

    fn requests(&self) -> &[Request] {
        &self.requests
    }

    fn respond(&mut self, request: &Request) -> Reply {
        self.ordinary(request)
    }

    fn allow_again(&mut self, request: &Request) {
        self.max_sessions += usize::from(request.is(PacketType::CreateSession));
    }

    fn has_host(&self) -> bool {
        self.has_host
    }

    fn verify(&mut self) -> Outcome {
        let expected = self.setup.content.all();
        match self.published.last() {
            None => return fail("client reports success before the server has published the file"),
            Some(bytes) if *bytes != expected && self.other_content.as_ref() != Some(bytes) => {
                return Err(Stop::Loss(self.setup.content.difference(bytes)));
            }
            Some(_) => {}
        }
        let Some(path) = &self.setup.reply else { return Ok(()) };
        match std::fs::read(path) {
            Ok(bytes) if bytes == REPLY => Ok(()),
            Ok(bytes) => fail(format!("reply differs: it has {} bytes", bytes.len())),
            Err(error) => fail(format!("client reports success without the reply: {error}")),
        }
    }

    /// Requires that the client created no more sessions than it needs.
    fn check(&self) -> Outcome {
        let created = self.of(PacketType::CreateSession).count();
        if created <= self.max_sessions {
            return Ok(());
        }
        fail(format!(
            "client sends {created} Create-Session; {} suffice, as the session still exists",
            self.max_sessions
        ))
    }

    fn not_reached(&self) -> Option<String> {
        let (packet, number) = self.missing.filter(|_| self.deviated_at.is_none())?;
        let received = self.of(packet).count();
        Some(format!(
            "needs {number} {packet} packets, client sends {received}: use smaller fragments"
        ))
    }
}

impl Upload {
    /// Returns the packets of a type.
    pub(super) fn of(&self, packet: PacketType) -> impl DoubleEndedIterator<Item = &Request> {
        self.requests.iter().filter(move |request| request.is(packet))
    }

    /// Returns true for the packet of this type with this number, which counts from 1.
    pub(super) fn is_nth(&mut self, request: &Request, packet: PacketType, number: usize) -> bool {
        if request.is(packet) && self.of(packet).count() == number {
            self.deviated_at.get_or_insert_with(Instant::now);
            return true;
        }
        self.missing = Some((packet, number));
        false
    }

    /// Returns true when it is called for the first time.
    pub(super) fn deviates_once(&mut self) -> bool {
        let is_first = self.deviated_at.is_none();
        self.deviated_at.get_or_insert_with(Instant::now);
        is_first
    }

    /// Returns the time from the deviation to the next request.
    pub(super) fn pause(&self) -> Option<Duration> {
        message::pause(&self.requests, self.deviated_at?)
    }

    /// Requires that the client tries to create a session at most this many times.
    pub(super) fn gives_up_after(&self, tries: usize) -> Outcome {
        match self.of(PacketType::CreateSession).count() {
            count if count <= tries => Ok(()),
            count => fail(format!("client sends {count} Create-Session, which the server refuses")),
        }
    }

    /// Requires that the client repeats the first fragment if it sends another one.
    pub(super) fn repeats_first(&self) -> Outcome {
        match self.offsets().get(1) {
            None | Some(0) => Ok(()),
            Some(offset) => fail(format!(
                "client continues at {offset}, although the first Fragment was not acknowledged"
            )),
        }
    }

    /// Refuses a fragment with 416 and the offset of the session.
    pub(super) fn out_of_sync(&mut self, request: &Request) -> Reply {
        let fragments = self.of(PacketType::Fragment).count();
        let Some(session) = self.session(request) else { return session_not_found() };
        let next = session.bytes.len() as u64;
        let reply = out_of_sync(session);
        self.last_416 = Some((fragments, next));
        reply
    }

    /// Requires that the fragment after a 416 starts at its offset.
    pub(super) fn continues_after_416(&self) -> Outcome {
        let Some((fragments, expected)) = self.last_416 else { return Ok(()) };
        match self.offsets().get(fragments) {
            // The server has the whole file.
            None if expected == self.setup.content.length => Ok(()),
            Some(offset) if *offset == expected => Ok(()),
            Some(offset) => fail(format!(
                "client sends a Fragment at {offset} after a 416 with the offset {expected}"
            )),
            None => {
                fail(format!("client sends no Fragment after a 416 with the offset {expected}"))
            }
        }
    }

    /// Returns the first bytes of all fragments.
    pub(super) fn offsets(&self) -> Vec<u64> {
        let ranges = self.of(PacketType::Fragment).filter_map(Request::range);
        ranges.map(|range| range.first()).collect()
    }

    /// Forgets all sessions, so that the client needs a new one.
    pub(super) fn forget(&mut self) {
        self.sessions.clear();
        self.max_sessions += 1;
    }

    /// Returns the open session of a request.
    pub(super) fn session(&mut self, request: &Request) -> Option<&mut Session> {
        let id = request.field("BITS-Session-Id")?;
        let id = SessionId::try_from(id).ok()?;
        let mut sessions = self.sessions.iter_mut().filter(|it| it.is_open);
        sessions.find(|it| SessionId::try_from(it.id.as_str()).is_ok_and(|it| it == id))
    }

    /// Responds as the specification requires.
    pub(super) fn ordinary(&mut self, request: &Request) -> Reply {
        match (request.method.as_str(), request.packet()) {
            ("GET", _) if request.target.ends_with(REPLY_TARGET) => Reply::new(200).body(REPLY),
            ("GET" | "HEAD", _) => Reply::new(404),
            (_, Some(PacketType::CreateSession)) => self.create(),
            (_, Some(PacketType::Ping)) => Reply::ack(200),
            (_, Some(PacketType::Fragment)) => self.fragment(request),
            (_, Some(PacketType::CloseSession)) => self.end(request, true),
            (_, Some(PacketType::CancelSession)) => self.end(request, false),
            _ => Reply::refusal(400, "0x80070057"),
        }
    }

    fn create(&mut self) -> Reply {
        let number = self.of(PacketType::CreateSession).count();
        let id = format!("{{A0FF5911-4144-45B3-BF27-{number:012X}}}");
        self.sessions.push(Session { id: id.clone(), bytes: Vec::new(), is_open: true });
        Reply::ack(200)
            .field("BITS-Protocol", PROTOCOL)
            .field("BITS-Session-Id", id)
            .field("Accept-Encoding", "identity")
    }

    fn fragment(&mut self, request: &Request) -> Reply {
        let total = self.setup.content.length;
        let reply_url = self.setup.reply.is_some().then_some(REPLY_TARGET);
        let Some(session) = self.session(request) else { return session_not_found() };
        let Some(range) = request.range().filter(|it| it.total() == total) else {
            return Reply::refusal(400, "0x80070057");
        };
        let next = session.bytes.len() as u64;
        if range.first() > next {
            return out_of_sync(session);
        }
        let in_body = |offset: u64| usize::try_from(offset - range.first()).unwrap_or(usize::MAX);
        let end = in_body(range.end()).min(request.body.len());
        session.bytes.extend_from_slice(request.body.get(in_body(next)..end).unwrap_or_default());
        let next = session.bytes.len() as u64;
        let reply = Reply::ack(200)
            .field("BITS-Session-Id", session.id.clone())
            .field("BITS-Received-Content-Range", next.to_string());
        match reply_url.filter(|_| next == total) {
            Some(url) => reply.field("BITS-Reply-URL", url),
            None => reply,
        }
    }

    fn end(&mut self, request: &Request, is_close: bool) -> Reply {
        let total = self.setup.content.length;
        let Some(session) = self.session(request) else { return session_not_found() };
        if is_close && (session.bytes.len() as u64) < total {
            return Reply::refusal(400, "0x80070057");
        }
        session.is_open = false;
        let reply = Reply::ack(200).field("BITS-Session-Id", session.id.clone());
        let bytes = std::mem::take(&mut session.bytes);
        if is_close {
            self.published.push(bytes);
        }
        reply
    }
}

/// The refusal of a packet whose session does not exist.
pub(super) fn session_not_found() -> Reply {
    Reply::refusal(500, "0x8020001F")
}

/// The refusal of a fragment that does not start at the offset of the session.
fn out_of_sync(session: &Session) -> Reply {
    Reply::refusal(416, "0x80070057")
        .field("BITS-Session-Id", session.id.clone())
        .field("BITS-Received-Content-Range", session.bytes.len().to_string())
}
