//! A complete upload server on `std::net`, to copy and adapt: one thread per connection, sessions
//! in a file, one staging file per work token, published entities in a folder.
//!
//! ```sh
//! cargo run --example minimal_server -- FOLDER 127.0.0.1:8080
//! ```
//!
//! It accepts uploads to `/uploads/NAME`. `docs/EMBEDDING.md` explains the rules that it follows.

pub(crate) mod storage;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use bits_proto::http1::{HeadScanner, Progress};
use bits_proto::message::{Ack, Extras, HeaderSlots, Request, RequestHead};
use bits_proto::server::{
    Access, Answer, HostError, Policy, Record, RequestContext, SessionLimits, Sessions,
    SessionsError, SessionsResponse, Step, StoreBytes, UnreadBody, WorkToken,
};
use uuid::Uuid;

use self::storage::{Storage, host_error};

type Table = Sessions<'static, BTreeMap<Uuid, Record>>;
type Next = Step<SessionsResponse<'static>>;

/// Maximum number of bytes that are written and reported at once.
const PIECE: u64 = 256 * 1024;
/// A piece from a slow client is reported after this time, or after one more read, which lasts
/// `IO_TIMEOUT` at most. Both together are well below `Policy::store_timeout`.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// A connection is closed after this time without a byte.
const IO_TIMEOUT: Duration = Duration::from_secs(30);

fn main() -> io::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "uploads".into());
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".into());
    let server = Arc::new(Server::open(folder.as_ref(), Policy::DEFAULT)?);
    server.run(&TcpListener::bind(address.to_string_lossy().as_ref())?)
}

pub(crate) struct Server {
    policy: Policy<'static>,
    /// Locked for one call and for saving the table, never while a body is read or an entity written.
    sessions: Mutex<Table>,
    storage: Storage,
}

impl Server {
    /// Starts with the sessions that an earlier process saved.
    pub fn open(folder: &Path, policy: Policy<'static>) -> io::Result<Self> {
        let storage = Storage::open(folder)?;
        let mut records = storage.load()?;
        // Aborts unreported work. This requires that no other process uses the folder.
        records.values_mut().for_each(|record| record.session.recover());
        storage.delete_orphans(&records)?;
        let sessions = Mutex::new(Sessions::new(records, policy, SessionLimits::default()));
        Ok(Self { policy, sessions, storage })
    }

    /// Serves each connection in a thread, and deletes expired sessions once a minute.
    pub fn run(self: &Arc<Self>, listener: &TcpListener) -> io::Result<()> {
        let server = Arc::clone(self);
        thread::spawn(move || {
            loop {
                let _ = server.sweep();
                thread::sleep(Duration::from_secs(60));
            }
        });
        for stream in listener.incoming() {
            let (server, stream) = (Arc::clone(self), stream?);
            thread::spawn(move || server.serve(stream));
        }
        Ok(())
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(IO_TIMEOUT))?;
        stream.set_write_timeout(Some(IO_TIMEOUT))?;
        let mut connection = Connection { stream, buffer: Vec::new() };
        while let Some(head) = self.read_head(&mut connection)? {
            if !self.serve_request(&head, &mut connection)? {
                return connection.close();
            }
        }
        Ok(())
    }

    /// Reads one head. Returns `None` at the end of the connection.
    fn read_head(&self, connection: &mut Connection) -> io::Result<Option<Vec<u8>>> {
        let mut scanner = HeadScanner::new();
        loop {
            if scanner.should_parse(&connection.buffer) {
                let mut slots = HeaderSlots::new();
                match RequestHead::parse(&connection.buffer, &mut slots) {
                    Ok(Progress::Complete(head)) => {
                        let rest = connection.buffer.split_off(head.len());
                        return Ok(Some(std::mem::replace(&mut connection.buffer, rest)));
                    }
                    Ok(Progress::Partial) => {}
                    Err(error) => {
                        let answer = Answer::for_error(&error, None, &self.policy);
                        self.send(&answer.ack(None), UnreadBody::Close, connection)?;
                        connection.close()?;
                        return Ok(None);
                    }
                }
            }
            let mut chunk = [0; 4096];
            match connection.stream.read(&mut chunk)? {
                0 => return Ok(None),
                read => connection.buffer.extend_from_slice(&chunk[..read]),
            }
        }
    }

    /// Answers one request. Returns `true` if the connection can be used again.
    fn serve_request(&self, head: &[u8], connection: &mut Connection) -> io::Result<bool> {
        let mut slots = HeaderSlots::new();
        let head = RequestHead::parse(head, &mut slots).map_err(io::Error::other)?;
        let head = head.complete().ok_or(io::ErrorKind::InvalidData)?;
        let request = match Request::from_head(&head, &self.policy.requests) {
            Ok(decoded) => decoded.message,
            Err(error) => {
                let answer = Answer::for_error(&error, Some(head.body_length()), &self.policy);
                return self.finish(
                    &answer.ack(None),
                    answer.unread_body,
                    head.body_length(),
                    connection,
                );
            }
        };
        let mut body = connection.take(head.body_length());
        let response = self.work(&request, head.line().target, &mut body)?;
        let unread_bytes = body.limit();
        match response {
            Some(response) => {
                self.finish(&response.ack(), response.unread_body, unread_bytes, connection)
            }
            None => Ok(false),
        }
    }

    /// Carries out the steps of the session until there is an answer.
    fn work(
        &self,
        request: &Request<'_>,
        target: &str,
        body: &mut impl Read,
    ) -> io::Result<Option<SessionsResponse<'static>>> {
        let name = upload_name(target).unwrap_or_default();
        // Add the authenticated user with `with_principal`.
        let context = RequestContext::new(name, self.authorize(name), now());
        let mut step = {
            let mut sessions = self.lock();
            let Ok(step) = sessions.handle_request(request, &context, random);
            self.storage.save(sessions.store())?;
            step
        };
        let mut part = None;
        loop {
            step = match step {
                Step::Store(bytes) => self.store(&bytes, body, &mut part)?,
                Step::Commit(token) => self.commit(token, name)?,
                Step::Discard(discard) => {
                    let token = discard.token;
                    let deleted = self.storage.delete(token.session_id());
                    self.report(token, deleted, |sessions| sessions.handle_discarded(token))?
                }
                Step::Answer(response) => {
                    if let Ack::CreateSession(created) = response.ack() {
                        self.storage.create(created.session_id.guid().unwrap_or_default())?;
                    }
                    return Ok(Some(response));
                }
                // `Notify` is requested only if `Policy::notification` is set. Later versions of the
                // crate may add steps.
                other => match other.token() {
                    Some(token) => self.fail(token, HostError::Other)?,
                    None => return Ok(None),
                },
            };
        }
    }

    /// Decides who may upload where; called for every packet.
    fn authorize(&self, name: &str) -> Access {
        if name.is_empty() {
            Access::Denied
        } else if self.storage.destination(name).exists() {
            Access::GrantedOverExisting
        } else {
            Access::Granted
        }
    }

    /// Stores and reports one piece of the body. The next step requests the rest.
    fn store(
        &self,
        bytes: &StoreBytes,
        body: &mut impl Read,
        part: &mut Option<File>,
    ) -> io::Result<Next> {
        let token = bytes.token;
        let skipped = io::copy(&mut body.by_ref().take(bytes.skip), &mut io::sink()).unwrap_or(0);
        let piece = if skipped == bytes.skip { read_piece(body, bytes.take) } else { Vec::new() };
        if piece.is_empty() {
            // So that the next request does not have to wait for `Policy::store_timeout`.
            let mut sessions = self.lock();
            sessions.handle_disconnected(token).map_err(io::Error::other)?;
            self.storage.save(sessions.store())?;
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let stored = self.storage.append(part, bytes, &piece);
        let length = piece.len() as u64;
        self.report(token, stored, |sessions| sessions.handle_stored(token, length, now()))
    }

    fn commit(&self, token: WorkToken, name: &str) -> io::Result<Next> {
        let id = token.session_id();
        let total = self.lock().store().get(&id).and_then(|record| record.session.total());
        let published = self.storage.assemble(token, total.unwrap_or(0)).and_then(|whole| {
            // Copying took time: make sure that no later request has taken over.
            self.lock().renew(token, now()).map_err(io::Error::other)?;
            self.storage.publish(&whole, name)
        });
        let is_published = published.is_ok();
        let step = self.report(token, published, |sessions| sessions.handle_committed(token))?;
        // After the report: a repeated commit still finds the staged files. No `Step::Discard`
        // follows for a published entity. `delete_orphans` retries what fails here.
        if is_published {
            let _ = self.storage.delete(id);
        }
        Ok(step)
    }

    /// Reports the result of a piece of work and saves the sessions.
    fn report(
        &self,
        token: WorkToken,
        result: io::Result<()>,
        success: impl FnOnce(&mut Table) -> Result<Next, SessionsError<Infallible>>,
    ) -> io::Result<Next> {
        if let Err(error) = result {
            return self.fail(token, host_error(&error));
        }
        let mut sessions = self.lock();
        let step = success(&mut sessions).map_err(io::Error::other)?;
        self.storage.save(sessions.store())?;
        Ok(step)
    }

    fn fail(&self, token: WorkToken, error: HostError) -> io::Result<Next> {
        let mut sessions = self.lock();
        let step = sessions.handle_failed(token, error).map_err(io::Error::other)?;
        self.storage.save(sessions.store())?;
        Ok(step)
    }

    /// Deletes the staged data of expired sessions.
    fn sweep(&self) -> io::Result<()> {
        let discards = {
            let mut sessions = self.lock();
            let Ok(discards) = sessions.handle_timeout(now());
            // Saved before anything is deleted.
            self.storage.save(sessions.store())?;
            discards
        };
        for discard in discards {
            let token = discard.token;
            let deleted = self.storage.delete(token.session_id());
            let _ = self.report(token, deleted, |sessions| sessions.handle_discarded(token))?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends an answer and handles the rest of the body.
    fn finish(
        &self,
        ack: &Ack<'_>,
        unread_body: UnreadBody,
        unread_bytes: u64,
        connection: &mut Connection,
    ) -> io::Result<bool> {
        self.send(ack, unread_body, connection)?;
        if unread_body == UnreadBody::Close {
            return Ok(false);
        }
        io::copy(&mut connection.take(unread_bytes), &mut io::sink())?;
        Ok(true)
    }

    fn send(&self, ack: &Ack<'_>, unread_body: UnreadBody, to: &mut Connection) -> io::Result<()> {
        let close = (unread_body == UnreadBody::Close).then_some(("Connection", "close"));
        let extras = Extras::from_fields(Vec::new(), close).map_err(io::Error::other)?;
        let head = self.policy.encode(ack, &extras).map_err(io::Error::other)?;
        to.stream.write_all(&head.to_vec())
    }
}

/// A connection, and received bytes that are not yet consumed.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Closes the connection so that the peer receives the last answer. A socket that is closed with
    /// unread input is reset, and the peer may lose the answer.
    fn close(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        let start = Instant::now();
        let mut rest = [0; 4096];
        while start.elapsed() < IO_TIMEOUT && self.stream.read(&mut rest)? > 0 {}
        Ok(())
    }
}

impl Read for Connection {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.buffer.is_empty() {
            return self.stream.read(to);
        }
        let read = (&*self.buffer).read(to)?;
        self.buffer.drain(..read);
        Ok(read)
    }
}

/// Reads up to `PIECE` bytes, and stops early after `REPORT_INTERVAL`. Returns no bytes if the client
/// has disconnected.
fn read_piece(body: &mut impl Read, take: u64) -> Vec<u8> {
    let (start, mut piece) = (Instant::now(), Vec::new());
    let mut body = body.by_ref().take(take.min(PIECE));
    let mut chunk = [0; 16 * 1024];
    while start.elapsed() < REPORT_INTERVAL {
        match body.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(read) => piece.extend_from_slice(&chunk[..read]),
        }
    }
    piece
}

/// Returns the name in `/uploads/NAME`; `None` if it is not a plain file name.
fn upload_name(target: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    target.strip_prefix("/uploads/").filter(|name| {
        !name.is_empty()
            && name.len() <= 100
            && !name.starts_with('.')
            && name.bytes().all(is_plain)
    })
}

/// Returns unpredictable bytes for a session id.
fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system provides random bytes");
    bytes
}

/// Returns the time since the Unix epoch: sessions outlive the process and its monotonic clock.
fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
