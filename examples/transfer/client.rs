//! A client: carries out the actions of an `Upload` and reports their results to it.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bits_proto::client::{Exchange, Poll, StopReason, Transmit, Upload};
use bits_proto::field::{ContentName, ContentRange};
use bits_proto::http1::{BodyLength, RequestTarget, StatusCode};
use bits_proto::message::{Ack, Extras, HeaderSlots, Request, ResponseHead};
use indicatif::ProgressBar;

use crate::clock::Clock;
use crate::faults::CurrentFault;
use crate::http::{Connection, Incoming, PIECE, closes, is_timeout, response_len};
use crate::observe::WireObserver;
use crate::report::{Entry, Journal};
use crate::server::TARGET;
use crate::storage::replace;

/// Name of the entity.
const NAME: &str = "entity";

/// Maximum length of a response body, in bytes.
const MAX_BODY: u64 = 1024 * 1024;

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub struct Client {
    upload: Upload,
    entity: File,
    /// Folder with the stored state and the reply.
    folder: PathBuf,
    server: SocketAddr,
    connection: Option<Connection>,
    clock: Clock,
    current_fault: Arc<CurrentFault>,
    bar: ProgressBar,
    observer: WireObserver,
    journal: Journal,
}

/// Result of a completed upload.
pub struct Completed {
    pub journal: Journal,
    pub observer: WireObserver,
    /// The reply, if there is one.
    pub reply: Option<Vec<u8>>,
}

/// Result of sending a request.
enum Received {
    /// A complete response.
    Response(Response),
    /// Data that is not HTTP.
    Unreadable,
    /// No response, or an incomplete one.
    Failed(io::Error),
}

struct Response {
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Client {
    /// Creates a client for an entity of `upload.total()` bytes.
    pub fn new(
        upload: Upload,
        entity: File,
        folder: &Path,
        server: SocketAddr,
        clock: Clock,
        current_fault: Arc<CurrentFault>,
    ) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = folder.into();
        // Drawn only if standard error is a terminal.
        let bar = ProgressBar::new(upload.total());
        Ok(Self {
            upload,
            entity,
            folder,
            server,
            connection: None,
            clock,
            current_fault,
            bar,
            observer: WireObserver::default(),
            journal: Journal::default(),
        })
    }

    /// Uploads the entity.
    pub fn run(mut self) -> Result<Completed> {
        loop {
            self.save()?;
            self.bar.set_position(self.upload.received().0);
            match self.upload.poll() {
                Poll::Send(outgoing) => self.exchange(&outgoing)?,
                Poll::FetchReply => self.fetch_reply()?,
                // The Ack of the last fragment names the reply, and an empty entity has no fragment.
                Poll::ReplyMissing if self.upload.total() == 0 => {
                    self.upload.close_without_reply()?
                }
                Poll::ReplyMissing => return Err("the server has no reply".into()),
                Poll::Wait(until) => {
                    self.clock.wait_until(until);
                    self.upload.handle_timeout(self.clock.now());
                    self.journal.retries += 1;
                }
                // Simulated faults may exceed the maximum number of retries.
                Poll::Suspended(_) if self.clock.is_virtual() => self.resume()?,
                Poll::Suspended(stop) | Poll::Failed(stop) => return Err(stop.into()),
                Poll::Credentials(status) => {
                    return Err(format!("the server requires credentials (status {status})").into());
                }
                Poll::Cancelled => return Err(StopReason::Paused.into()),
                Poll::Finished => break,
                other => return Err(format!("unknown step: {other:?}").into()),
            }
        }
        self.bar.finish_and_clear();
        let reply = fs::read(self.reply()).ok();
        Ok(Completed { journal: self.journal, observer: self.observer, reply })
    }

    /// Sends a request and reports the result to the upload.
    fn exchange(&mut self, outgoing: &Transmit) -> Result<()> {
        let request = outgoing.request_with_name(ContentName::try_from(NAME)?);
        let range = match &request {
            Request::Fragment(fragment) => Some(fragment.content_range),
            _ => None,
        };
        // A complete client connects to `Upload::host`, which a server may set by BITS-Host-Id.
        let extras = Extras::from_fields(Vec::new(), [("Host", self.server.to_string())])?;
        let head = request.encode(RequestTarget::try_from(TARGET)?, &extras)?.to_vec();
        self.upload.handle_sending(self.clock.now())?;
        self.save()?;
        let received = self.send_request(&head, outgoing.entity())?;
        let outcome = if self.current_fault.take_client_kill() {
            self.restart()?
        } else {
            self.handle_response(&received, outgoing)?
        };
        self.note(request.kind().name(), range, outcome);
        Ok(())
    }

    /// Reports the response to the upload. Returns a description for the user.
    fn handle_response(&mut self, received: &Received, outgoing: &Transmit) -> Result<String> {
        let now = self.clock.now();
        let response = match received {
            Received::Response(response) => response,
            Received::Unreadable => {
                self.upload.handle_unreadable(None, now)?;
                return Ok("not HTTP".into());
            }
            Received::Failed(error) if is_timeout(error) => {
                self.clock.wait_until(self.upload.poll_timeout().unwrap_or(now));
                self.upload.handle_timeout(self.clock.now());
                return Ok("timeout".into());
            }
            Received::Failed(_) => {
                self.upload.handle_transport_failure(now)?;
                return Ok("none".into());
            }
        };
        let mut slots = HeaderSlots::new();
        let head = ResponseHead::parse(&response.head, &mut slots)?;
        let head = head.complete().ok_or("incomplete head")?;
        let status = head.line().status;
        match Ack::from_head(&head, &outgoing.ack_context()) {
            Ok(ack) => {
                self.upload.handle_ack(&ack.message, now)?;
                self.journal.resumptions += u64::from(moves_offset(&ack.message, outgoing));
                Ok(format!("{status} {}", status.reason()))
            }
            Err(_) => {
                self.upload.handle_unreadable(Some(status), now)?;
                Ok(format!("{status}, not an Ack"))
            }
        }
    }

    /// Fetches the reply with GET. It must be on the server of the upload.
    fn fetch_reply(&mut self) -> Result<()> {
        let url = self.upload.reply_url().ok_or("missing URL of the reply")?;
        let origin = format!("http://{}", self.server);
        let url = url.resolve(&format!("{origin}{TARGET}"))?;
        let target = url.as_str().strip_prefix(&origin).filter(|_| url.is_same_origin());
        let target = target.ok_or_else(|| format!("the reply is on another server: {url}"))?;
        let head = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", self.server);
        let received = self.send_request(head.as_bytes(), 0..0)?;
        let outcome = if self.current_fault.take_client_kill() {
            self.restart()?
        } else {
            self.handle_reply(&received)?
        };
        self.note("GET the reply", None, outcome);
        Ok(())
    }

    fn handle_reply(&mut self, received: &Received) -> Result<String> {
        let Received::Response(response) = received else {
            self.upload.handle_reply_failed(self.clock.now())?;
            return Ok("none".into());
        };
        let mut slots = HeaderSlots::new();
        let head = ResponseHead::parse(&response.head, &mut slots)?;
        let status = head.complete().ok_or("incomplete head")?.line().status;
        if status == StatusCode::OK {
            // Stored before it is reported, as a later process does not fetch it again.
            fs::write(self.reply(), &response.body)?;
            self.upload.handle_reply_fetched()?;
        } else {
            self.upload.handle_reply_failed(self.clock.now())?;
        }
        Ok(format!("{status} {}", status.reason()))
    }

    /// Sends a request with these bytes of the entity and reads the response. Returns an error only
    /// if the entity cannot be read.
    fn send_request(&mut self, head: &[u8], entity: Range<u64>) -> Result<Received> {
        let connected = match self.connection.take() {
            Some(connection) => Ok(connection),
            None => Connection::connect(self.server),
        };
        let mut connection = match connected {
            Ok(connection) => connection,
            Err(error) => return Ok(Received::Failed(error)),
        };
        let is_sent = connection.write(head).is_ok() && self.send(entity, &mut connection)?;
        if is_sent && self.upload.exchange() == Exchange::Sending {
            self.upload.handle_sent(self.clock.now())?;
        }
        // A server may respond without reading the rest of the body.
        let (received, is_reusable) = match receive(&mut connection) {
            Ok(received) => received,
            Err(error) => (Received::Failed(error), false),
        };
        self.connection = Some(connection).filter(|_| is_sent && is_reusable);
        self.observe(head, &received);
        Ok(received)
    }

    fn observe(&mut self, request: &[u8], received: &Received) {
        let response = match received {
            Received::Response(response) => Some(&response.head[..]),
            Received::Unreadable | Received::Failed(_) => None,
        };
        self.observer.exchange(request, response, self.current_fault.is_response_forged());
        if response.is_some() && self.connection.is_none() {
            self.observer.disconnected();
        }
    }

    /// Sends bytes of the entity. Returns whether all of them were written.
    fn send(&mut self, bytes: Range<u64>, connection: &mut Connection) -> Result<bool> {
        let mut left = bytes.end - bytes.start;
        let mut piece = Vec::new();
        self.entity.seek(SeekFrom::Start(bytes.start))?;
        while left > 0 {
            piece.clear();
            (&self.entity).take(left.min(PIECE)).read_to_end(&mut piece)?;
            if piece.is_empty() {
                return Err("the file became shorter during the upload".into());
            }
            if connection.write(&piece).is_err() {
                return Ok(false);
            }
            left -= piece.len() as u64;
        }
        Ok(true)
    }

    /// Simulates a crash: continues like a new process, from the stored state.
    fn restart(&mut self) -> Result<String> {
        self.connection = None;
        self.observer.disconnected();
        self.upload = serde_json::from_slice(&fs::read(self.state())?)?;
        self.resume()?;
        self.journal.restarts += 1;
        Ok("client restarted".into())
    }

    fn resume(&mut self) -> Result<()> {
        self.journal.resumptions += 1;
        Ok(self.upload.resume()?)
    }

    fn save(&self) -> Result<()> {
        Ok(replace(&self.state(), &serde_json::to_vec(&self.upload)?)?)
    }

    fn state(&self) -> PathBuf {
        self.folder.join("upload.json")
    }

    /// Returns the path of the reply.
    fn reply(&self) -> PathBuf {
        self.folder.join("reply")
    }

    fn note(&mut self, request: &'static str, range: Option<ContentRange>, outcome: String) {
        let (received, remark) = (self.upload.received().0, self.current_fault.take_remark());
        self.journal.note(Entry { request, range, outcome, received, remark });
    }
}

/// Returns whether the server continues at an offset other than the end of the sent bytes.
fn moves_offset(ack: &Ack<'_>, outgoing: &Transmit) -> bool {
    match ack {
        Ack::Fragment(ack) => ack.received.0 != outgoing.entity().end,
        Ack::Refused(refusal) => refusal.received().is_some(),
        _ => false,
    }
}

/// Reads a response. Returns it, and whether the connection can be reused.
fn receive(connection: &mut Connection) -> io::Result<(Received, bool)> {
    loop {
        let head = match connection.read_head(response_len)? {
            Incoming::Head(head) => head,
            Incoming::Unreadable(_) => return Ok((Received::Unreadable, false)),
            Incoming::End => return Err(io::ErrorKind::UnexpectedEof.into()),
        };
        let mut slots = HeaderSlots::new();
        let parsed = ResponseHead::parse(&head, &mut slots).map_err(io::Error::other)?;
        let parsed = parsed.complete().ok_or(io::ErrorKind::InvalidData)?;
        if parsed.line().status.is_interim() {
            continue;
        }
        let (length, closes) = (parsed.body_length(), closes(parsed.fields()));
        if length == BodyLength::Chunked {
            let body = connection.read_chunked(MAX_BODY)?;
            return Ok((Received::Response(Response { head, body }), !closes));
        }
        let length = length.known();
        let is_reusable = length.is_some_and(|it| it <= MAX_BODY) && !closes;
        let mut body = Vec::new();
        connection.body(length.unwrap_or(MAX_BODY).min(MAX_BODY)).read_piece(MAX_BODY, &mut body);
        if length.is_some_and(|length| (body.len() as u64) < length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        return Ok((Received::Response(Response { head, body }), is_reusable));
    }
}
