//! A server for one destination, with sessions that survive its restarts.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bits_proto::field::ReplyUrl;
use bits_proto::message::{Ack, Extras, HeaderSlots, Request, RequestHead};
use bits_proto::server::{
    Access, Answer, Discard, Notified, Policy, Record, Reply, RequestContext, SessionLimits,
    Sessions, SessionsError, SessionsResponse, Step, StoreBytes, UnreadBody, WorkToken,
};
use uuid::Uuid;

use crate::faults::CurrentFault;
use crate::http::{Body, Connection, Incoming, PIECE, Service, closes, request_len};
use crate::rng::SessionRng;
use crate::storage::{Storage, host_error};

/// The only destination.
pub const TARGET: &str = "/upload/entity";

/// The request target of a reply before and after the session id, as a client derives it from the
/// URL in [`Server::notify`].
const REPLIES: (&str, &str) = ("/upload/BITS-Sessions/Replies/%7B", "%7D/response.bin");

type Table = Sessions<'static, BTreeMap<Uuid, Record>>;
type NextStep = Step<SessionsResponse<'static>>;

pub struct Server {
    policy: Policy<'static>,
    sessions: Table,
    storage: Storage,
    rng: SessionRng,
    current_fault: Arc<CurrentFault>,
    piece: Vec<u8>,
    is_killed: bool,
    /// Number of restarts.
    pub restarts: u64,
    /// Number of bytes that were received more than once.
    pub resent: u64,
}

impl Server {
    /// Creates a server without sessions. With `has_application`, each entity gets a reply.
    pub fn new(
        storage: Storage,
        has_application: bool,
        rng: SessionRng,
        current_fault: Arc<CurrentFault>,
    ) -> io::Result<Self> {
        let policy = Policy::DEFAULT.with_overwrites(true).with_notification(has_application);
        let sessions = Sessions::new(BTreeMap::new(), policy, SessionLimits::default());
        storage.save(sessions.store())?;
        Ok(Self {
            policy,
            sessions,
            storage,
            rng,
            current_fault,
            piece: Vec::new(),
            is_killed: false,
            restarts: 0,
            resent: 0,
        })
    }

    pub fn destination(&self) -> PathBuf {
        self.storage.destination()
    }

    /// Simulates a crash: continues like a new process, from the stored sessions.
    fn restart(&mut self) -> io::Result<()> {
        let mut records = self.storage.load()?;
        // The requests of the previous process are gone, and with them their work.
        records.values_mut().for_each(|record| record.session.recover());
        self.sessions = Sessions::new(records, self.policy, SessionLimits::default());
        self.restarts += 1;
        Ok(())
    }
}

impl Service for Server {
    fn serve(&mut self, connection: &mut Connection) -> io::Result<()> {
        self.expire()?;
        let served = self.serve_messages(connection);
        // A server that was not killed during its work is killed before the connection is closed.
        if self.current_fault.take_server_kill() | std::mem::take(&mut self.is_killed) {
            self.restart()?;
        }
        served
    }
}

impl Server {
    fn serve_messages(&mut self, connection: &mut Connection) -> io::Result<()> {
        loop {
            let head = match connection.read_head(request_len)? {
                Incoming::Head(head) => head,
                Incoming::Unreadable(error) => {
                    let answer = Answer::for_error(&error, None, &self.policy);
                    self.send(&answer.ack(None), answer.unread_body, 0, connection)?;
                    return connection.end();
                }
                Incoming::End => return Ok(()),
            };
            if !self.serve_message(&head, connection)? {
                return connection.end();
            }
        }
    }

    /// Serves a message. Returns whether the connection stays open.
    fn serve_message(&mut self, head: &[u8], connection: &mut Connection) -> io::Result<bool> {
        let mut slots = HeaderSlots::new();
        let head = RequestHead::parse(head, &mut slots).map_err(io::Error::other)?;
        let head = head.complete().ok_or(io::ErrorKind::InvalidData)?;
        let is_last = closes(head.fields());
        let length = head.body_length();
        if head.line().method == "GET" {
            self.send_reply(head.line().target, connection)?;
            return Ok(!is_last && length == 0);
        }
        let request = match Request::from_head(&head, &self.policy.requests) {
            Ok(decoded) => decoded.message,
            Err(error) => {
                let length = head.framing().content_length;
                let answer = Answer::for_error(&error, length, &self.policy);
                let length = length.unwrap_or(0);
                return self.send(&answer.ack(None), answer.unread_body, length, connection);
            }
        };
        let mut body = connection.body(length);
        let answer = self.work(&request, head.line().target, &mut body)?;
        let left = body.left();
        let Some(answer) = answer else { return Ok(false) };
        Ok(self.send(&answer.ack(), answer.unread_body, left, connection)? && !is_last)
    }

    /// Sends an answer and handles the `left` unread bytes of the body.
    fn send(
        &self,
        ack: &Ack<'_>,
        rest: UnreadBody,
        left: u64,
        connection: &mut Connection,
    ) -> io::Result<bool> {
        let closes = (rest == UnreadBody::Close).then_some(("Connection", "close"));
        let extras = Extras::from_fields(Vec::new(), closes).map_err(io::Error::other)?;
        let head = self.policy.encode(ack, &extras).map_err(io::Error::other)?;
        connection.write(&head.to_vec())?;
        if rest == UnreadBody::Close {
            return Ok(false);
        }
        connection.body(left).skip(left)?;
        Ok(true)
    }

    /// Carries out the steps of the session until there is an answer.
    fn work(
        &mut self,
        request: &Request<'_>,
        target: &str,
        body: &mut Body<'_>,
    ) -> io::Result<Option<SessionsResponse<'static>>> {
        let access = match target {
            TARGET if self.destination().exists() => Access::GrantedOverExisting,
            TARGET => Access::Granted,
            _ => Access::Denied,
        };
        let context = RequestContext::new(TARGET, access, now());
        let rng = &mut self.rng;
        let Ok(mut step) = self.sessions.handle_request(request, &context, || rng.bytes());
        loop {
            // Stored before the answer is sent, as the client relies on acknowledged bytes.
            self.storage.save(self.sessions.store())?;
            let report = match step {
                Step::Store(bytes) => self.store(&bytes, body),
                Step::Notify(token) => self.notify(token),
                Step::Commit(token) => self.commit(token),
                Step::Discard(discard) => self.discard(&discard),
                Step::Answer(answer) => return Ok(Some(answer)),
                _ => return Ok(None),
            }?;
            step = report;
        }
    }

    /// Stores the next piece and reports it. The next step asks for the bytes that follow.
    ///
    /// All requests run one after another on one thread, so no late write is possible and one
    /// staging file per session suffices. A server with concurrent requests uses one staging file
    /// per work token.
    fn store(&mut self, bytes: &StoreBytes, body: &mut Body<'_>) -> io::Result<NextStep> {
        let StoreBytes { token, skip, offset, take, .. } = *bytes;
        self.piece.clear();
        if body.skip(skip).is_ok() {
            self.resent += skip;
            body.read_piece(take.min(PIECE), &mut self.piece);
        }
        if self.piece.is_empty() {
            self.sessions.handle_disconnected(token).map_err(io::Error::other)?;
            self.storage.save(self.sessions.store())?;
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let stored = self.storage.store(token.session_id(), offset, &self.piece);
        let length = self.piece.len() as u64;
        self.report(token, stored, |sessions| sessions.handle_stored(token, length, now()))
    }

    /// Notifies the server application of a complete entity. Here it writes a reply, which the
    /// server keeps.
    fn notify(&mut self, token: WorkToken) -> io::Result<NextStep> {
        let id = token.session_id();
        let notified = Notified::new(true, Reply::Kept);
        // A relative URL with backslashes and braces, as Windows servers send it.
        let url = format!(r"BITS-Sessions\Replies\{:X}\response.bin", id.braced());
        let url = ReplyUrl::try_from(&*url).map_err(io::Error::other)?;
        let written = self.storage.write_reply(id);
        self.report(token, written, |sessions| {
            sessions.handle_notified(token, notified, Some(url), now())
        })
    }

    fn commit(&mut self, token: WorkToken) -> io::Result<NextStep> {
        let id = token.session_id();
        let session = self.sessions.store().get(&id).map(|record| record.session);
        let is_empty = session.is_some_and(|session| session.total() == Some(0));
        let committed = self.storage.commit(id, is_empty);
        self.report(token, committed, |sessions| sessions.handle_committed(token))
    }

    fn discard(&mut self, discard: &Discard) -> io::Result<NextStep> {
        let discarded = self.storage.discard(discard);
        self.report(discard.token, discarded, |sessions| sessions.handle_discarded(discard.token))
    }

    /// Reports the result of an operation.
    fn report(
        &mut self,
        token: WorkToken,
        done: io::Result<()>,
        report: impl FnOnce(&mut Table) -> Result<NextStep, SessionsError<Infallible>>,
    ) -> io::Result<NextStep> {
        if self.current_fault.count_server_operation() {
            self.is_killed = true;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let next = match done {
            Ok(()) => report(&mut self.sessions),
            Err(error) => self.sessions.handle_failed(token, host_error(&error)),
        };
        next.map_err(io::Error::other)
    }

    /// Deletes the files of expired sessions.
    fn expire(&mut self) -> io::Result<()> {
        let Ok(discards) = self.sessions.handle_timeout(now());
        for discard in &discards {
            let _ = self.discard(discard)?;
        }
        self.storage.save(self.sessions.store())
    }

    /// Sends a reply. The session id in the URL authorizes the client.
    fn send_reply(&self, target: &str, connection: &mut Connection) -> io::Result<()> {
        let id = target.strip_prefix(REPLIES.0).and_then(|rest| rest.strip_suffix(REPLIES.1));
        let id = id.and_then(|id| Uuid::try_parse(id).ok());
        let id = id.filter(|id| self.sessions.store().contains_key(id));
        let Some(reply) = id.and_then(|id| fs::read(self.storage.reply(id)).ok()) else {
            return connection.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        };
        let length = reply.len();
        connection
            .write(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes())?;
        connection.write(&reply)
    }
}

/// Returns the time since the Unix epoch: sessions outlive the process and its monotonic clock.
fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
