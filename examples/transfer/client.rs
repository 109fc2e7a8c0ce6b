//! A client: it does what its `Upload` says, and tells it what became of that.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bits_proto::client::{Exchange, Poll, StopReason, Transmit, Upload};
use bits_proto::field::ContentRange;
use bits_proto::http1::{RequestTarget, StatusCode};
use bits_proto::message::{Ack, HeaderSlots, Request, ResponseHead};
use indicatif::ProgressBar;

use crate::clock::Clock;
use crate::faults::Fates;
use crate::http::{Connection, Incoming, PIECE, closes, is_timeout, response_len};
use crate::observe::WireObserver;
use crate::report::{Entry, Journal};
use crate::server::TARGET;
use crate::storage::replace;

/// The longest body of a response that is taken, in bytes.
const MAX_BODY: u64 = 1024 * 1024;

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub struct Client {
    upload: Upload,
    entity: File,
    /// Where everything is written down that the next process has to know.
    folder: PathBuf,
    server: SocketAddr,
    connection: Option<Connection>,
    clock: Clock,
    fates: Arc<Fates>,
    bar: ProgressBar,
    watch: WireObserver,
    journal: Journal,
}

/// What the client has to tell when all is done.
pub struct Told {
    pub journal: Journal,
    /// What the observer saw.
    pub watch: WireObserver,
    /// The reply, if there was one.
    pub reply: Option<Vec<u8>>,
}

/// What came of a request.
enum Arrived {
    /// A response, whole.
    Response(Response),
    /// Something that is none.
    Unreadable,
    /// Nothing, or not all.
    Broken(io::Error),
}

struct Response {
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Client {
    /// A client for an entity of `upload.total()` bytes.
    pub fn new(
        upload: Upload,
        entity: File,
        folder: &Path,
        server: SocketAddr,
        clock: Clock,
        fates: Arc<Fates>,
    ) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = folder.into();
        // Nothing is drawn where standard error is no terminal.
        let bar = ProgressBar::new(upload.total());
        Ok(Self {
            upload,
            entity,
            folder,
            server,
            connection: None,
            clock,
            fates,
            bar,
            watch: WireObserver::default(),
            journal: Journal::default(),
        })
    }

    /// Uploads the entity.
    pub fn run(mut self) -> Result<Told> {
        loop {
            self.save()?;
            self.bar.set_position(self.upload.received().0);
            match self.upload.poll() {
                Poll::Send(outgoing) => self.exchange(&outgoing)?,
                Poll::FetchReply => self.fetch_reply()?,
                // It comes with the Ack for the last fragment, and an empty entity has none.
                Poll::ReplyMissing if self.upload.total() == 0 => {
                    self.upload.close_without_reply()?
                }
                Poll::ReplyMissing => return Err("the server has no reply".into()),
                Poll::Wait(until) => {
                    self.clock.wait_until(until);
                    self.upload.handle_timeout(self.clock.now());
                    self.journal.retries += 1;
                }
                // Where bad luck is wanted there may be a lot of it.
                Poll::Suspended(_) if self.clock.is_virtual() => self.resume()?,
                Poll::Suspended(stop) | Poll::Failed(stop) => return Err(stop.into()),
                Poll::Credentials(status) => {
                    return Err(format!("the server wants credentials ({status})").into());
                }
                Poll::Cancelled => return Err(StopReason::Paused.into()),
                Poll::Finished => break,
                other => return Err(format!("unknown step: {other:?}").into()),
            }
        }
        self.bar.finish_and_clear();
        let reply = fs::read(self.reply()).ok();
        Ok(Told { journal: self.journal, watch: self.watch, reply })
    }

    /// Sends a request, and tells the upload what came of it.
    fn exchange(&mut self, outgoing: &Transmit) -> Result<()> {
        let request = outgoing.request();
        let range = match &request {
            Request::Fragment(fragment) => Some(fragment.content_range),
            _ => None,
        };
        // `Upload::host` is for servers that send their clients to another host.
        let host = self.server.to_string();
        let head = request.encode(RequestTarget::try_from(TARGET)?, [("Host", &host)])?.to_vec();
        self.upload.handle_sending(self.clock.now())?;
        self.save()?;
        let arrived = self.converse(&head, outgoing.entity())?;
        let answer = if self.fates.takes_client() {
            self.start_again()?
        } else {
            self.take_answer(&arrived, outgoing)?
        };
        self.note(request.kind().name(), range, answer);
        Ok(())
    }

    /// Tells the upload what the answer says. Gives back what people are told of it.
    fn take_answer(&mut self, arrived: &Arrived, outgoing: &Transmit) -> Result<String> {
        let now = self.clock.now();
        let response = match arrived {
            Arrived::Response(response) => response,
            Arrived::Unreadable => {
                self.upload.handle_unreadable(None, now)?;
                return Ok("no HTTP".into());
            }
            Arrived::Broken(error) if is_timeout(error) => {
                self.clock.wait_until(self.upload.poll_timeout().unwrap_or(now));
                self.upload.handle_timeout(self.clock.now());
                return Ok("none in time".into());
            }
            Arrived::Broken(_) => {
                self.upload.handle_transport_failure(now)?;
                return Ok("none".into());
            }
        };
        let mut slots = HeaderSlots::new();
        let head = ResponseHead::parse(&response.head, &mut slots)?;
        let head = head.complete().ok_or("half a head")?;
        let status = head.line().status;
        match Ack::from_head(&head, &outgoing.ack_context()) {
            Ok(ack) => {
                self.upload.handle_ack(&ack.message, now)?;
                self.journal.resumptions += u64::from(is_elsewhere(&ack.message, outgoing));
                Ok(format!("{status} {}", status.reason()))
            }
            Err(_) => {
                self.upload.handle_unreadable(Some(status), now)?;
                Ok(format!("{status}, and no Ack"))
            }
        }
    }

    /// Fetches the reply by GET, from the server it uploads to and from nowhere else.
    fn fetch_reply(&mut self) -> Result<()> {
        let url = self.upload.reply_url().ok_or("the reply has no URL")?;
        let origin = format!("http://{}", self.server);
        let url = url.resolve(&format!("{origin}{TARGET}"))?;
        let target = url.as_str().strip_prefix(&origin).filter(|_| url.is_same_origin());
        let target = target.ok_or_else(|| format!("the reply is elsewhere: {url}"))?;
        let head = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", self.server);
        let arrived = self.converse(head.as_bytes(), 0..0)?;
        let answer = if self.fates.takes_client() {
            self.start_again()?
        } else {
            self.take_reply(&arrived)?
        };
        self.note("GET the reply", None, answer);
        Ok(())
    }

    fn take_reply(&mut self, arrived: &Arrived) -> Result<String> {
        let Arrived::Response(response) = arrived else {
            self.upload.handle_reply_failed(self.clock.now())?;
            return Ok("none".into());
        };
        let mut slots = HeaderSlots::new();
        let head = ResponseHead::parse(&response.head, &mut slots)?;
        let status = head.complete().ok_or("half a head")?.line().status;
        if status == StatusCode::OK {
            // It is kept before it is reported: the next process does not fetch it again.
            fs::write(self.reply(), &response.body)?;
            self.upload.handle_reply_fetched()?;
        } else {
            self.upload.handle_reply_failed(self.clock.now())?;
        }
        Ok(format!("{status} {}", status.reason()))
    }

    /// Sends a request with these bytes of the entity, and reads the response. Fails if the entity
    /// cannot be read; all else may pass.
    fn converse(&mut self, head: &[u8], entity: Range<u64>) -> Result<Arrived> {
        let connected = match self.connection.take() {
            Some(connection) => Ok(connection),
            None => Connection::connect(self.server),
        };
        let mut connection = match connected {
            Ok(connection) => connection,
            Err(error) => return Ok(Arrived::Broken(error)),
        };
        let is_sent = connection.write(head).is_ok() && self.send(entity, &mut connection)?;
        if is_sent && self.upload.exchange() == Exchange::Sending {
            self.upload.handle_sent(self.clock.now())?;
        }
        // A server that does not want the rest may have answered all the same.
        let (arrived, can_go_on) = match receive(&mut connection) {
            Ok(received) => received,
            Err(error) => (Arrived::Broken(error), false),
        };
        self.connection = Some(connection).filter(|_| is_sent && can_go_on);
        self.observe(head, &arrived);
        Ok(arrived)
    }

    fn observe(&mut self, request: &[u8], arrived: &Arrived) {
        let response = match arrived {
            Arrived::Response(response) => Some(&response.head[..]),
            Arrived::Unreadable | Arrived::Broken(_) => None,
        };
        self.watch.exchange(request, response, self.fates.forges_answer());
        if response.is_some() && self.connection.is_none() {
            self.watch.disconnected();
        }
    }

    /// Sends bytes of the entity. Whether the connection took them all.
    fn send(&mut self, bytes: Range<u64>, connection: &mut Connection) -> Result<bool> {
        let mut left = bytes.end - bytes.start;
        let mut piece = Vec::new();
        self.entity.seek(SeekFrom::Start(bytes.start))?;
        while left > 0 {
            piece.clear();
            (&self.entity).take(left.min(PIECE)).read_to_end(&mut piece)?;
            if piece.is_empty() {
                return Err("the file has become shorter".into());
            }
            if connection.write(&piece).is_err() {
                return Ok(false);
            }
            left -= piece.len() as u64;
        }
        Ok(true)
    }

    /// What a new process does: it takes up the upload where the last one wrote it down.
    fn start_again(&mut self) -> Result<String> {
        self.connection = None;
        self.watch.disconnected();
        self.upload = serde_json::from_slice(&fs::read(self.state())?)?;
        self.resume()?;
        self.journal.restarts += 1;
        Ok("nobody was there for it".into())
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

    /// Where the reply is put.
    fn reply(&self) -> PathBuf {
        self.folder.join("reply")
    }

    fn note(&mut self, request: &'static str, range: Option<ContentRange>, answer: String) {
        let (held, remark) = (self.upload.received().0, self.fates.take_remark());
        self.journal.note(Entry { request, range, answer, held, remark });
    }
}

/// Whether the server does not stand behind what was sent, but goes on elsewhere.
fn is_elsewhere(ack: &Ack<'_>, outgoing: &Transmit) -> bool {
    match ack {
        Ack::Fragment(ack) => ack.received.0 != outgoing.entity().end,
        Ack::Refused(refusal) => refusal.received().is_some(),
        _ => false,
    }
}

/// Reads a response, and says whether the connection can be used again.
fn receive(connection: &mut Connection) -> io::Result<(Arrived, bool)> {
    loop {
        let head = match connection.read_head(response_len)? {
            Incoming::Head(head) => head,
            Incoming::Unreadable(_) => return Ok((Arrived::Unreadable, false)),
            Incoming::End => return Err(io::ErrorKind::UnexpectedEof.into()),
        };
        let mut slots = HeaderSlots::new();
        let parsed = ResponseHead::parse(&head, &mut slots).map_err(io::Error::other)?;
        let parsed = parsed.complete().ok_or(io::ErrorKind::InvalidData)?;
        if parsed.line().status.is_interim() {
            continue;
        }
        let length = parsed.body_length();
        let can_go_on = length.is_some_and(|it| it <= MAX_BODY) && !closes(parsed.fields());
        let mut body = Vec::new();
        connection.body(length.unwrap_or(MAX_BODY).min(MAX_BODY)).read_piece(MAX_BODY, &mut body);
        if length.is_some_and(|length| (body.len() as u64) < length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        return Ok((Arrived::Response(Response { head, body }), can_go_on));
    }
}
