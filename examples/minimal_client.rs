//! A complete upload client on `std::net`, to copy and adapt. It retries, and continues an upload
//! that an earlier process began.
//!
//! ```sh
//! cargo run --example minimal_client -- FILE http://127.0.0.1:8080/uploads/NAME
//! ```
//!
//! The state of the upload is kept in `FILE.bits-upload`. `docs/EMBEDDING.md` explains the rules
//! that the client follows.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::net::TcpStream;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bits_proto::client::{Options, Poll, Transmit, Upload};
use bits_proto::field::{ContentName, FieldName, RetryAfter};
use bits_proto::http1::{HeadScanner, RequestTarget};
use bits_proto::message::{Ack, Extras, HeaderSlots, ResponseHead};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Timeout for each read from and write to a connection.
const IO_TIMEOUT: Duration = Duration::from_secs(30);

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [file, url] = &arguments[..] else {
        return Err("usage: minimal_client FILE http://HOST:PORT/uploads/NAME".into());
    };
    Client::open(file.as_ref(), url, Options::DEFAULT)?.run()
}

pub(crate) struct Client {
    upload: Upload,
    entity: File,
    /// Time of the last modification of the entity. An upload is continued only if it is unchanged.
    modified: SystemTime,
    /// Name of the file, which fragments carry.
    name: Option<String>,
    url: String,
    state: PathBuf,
    clock: Instant,
}

impl Client {
    /// Continues the upload that an earlier process saved, or begins a new one.
    pub fn open(file: &Path, url: &str, options: Options) -> Result<Self> {
        let entity = File::open(file)?;
        let (length, modified) = (entity.metadata()?.len(), entity.metadata()?.modified()?);
        let mut state = file.as_os_str().to_owned();
        state.push(".bits-upload");
        let state = PathBuf::from(state);
        let upload = match load(&state)? {
            Some(saved) if saved == (saved.0, url.to_owned(), modified) => {
                let mut upload = saved.0;
                upload.resume()?;
                upload.set_options(options)?;
                upload
            }
            _ => Upload::new(length, options, getrandom::u64()?),
        };
        let (url, clock) = (url.to_owned(), Instant::now());
        let name = file.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        Ok(Self { upload, entity, modified, name, url, state, clock })
    }

    /// Runs the upload until it ends. After an error, the next process can continue it.
    pub fn run(&mut self) -> Result<()> {
        loop {
            match self.upload.poll() {
                Poll::Send(transmit) => self.exchange(&transmit)?,
                Poll::Wait(until) => {
                    thread::sleep(until.saturating_sub(self.clock.elapsed()));
                    self.upload.handle_timeout(self.clock.elapsed());
                }
                Poll::Finished => {
                    fs::remove_file(&self.state)?;
                    return Ok(());
                }
                Poll::Suspended(reason) | Poll::Failed(reason) => return Err(reason.into()),
                // Requests for credentials, and replies of server applications.
                other => return Err(format!("not supported: {other:?}").into()),
            }
            self.save()?;
        }
    }

    /// Sends a request and reports the result, including failures of the connection. Returns other
    /// errors, such as an unreadable entity.
    fn exchange(&mut self, transmit: &Transmit) -> Result<()> {
        let url = match self.upload.host() {
            Some(host) => host.rewrite(&self.url)?.to_string(),
            None => self.url.clone(),
        };
        let (authority, target) = split(&url)?;
        let name = self.name.as_deref().and_then(|name| ContentName::try_from(name).ok());
        let request = name.map_or_else(|| transmit.request(), |it| transmit.request_with_name(it));
        // Add fields of your own, such as Authorization, after Host.
        let fields = [("Host", authority), ("Connection", "close")];
        let extras = Extras::from_fields(Vec::new(), fields)?;
        let head = request.encode(RequestTarget::try_from(target)?, &extras)?.to_vec();

        self.upload.handle_sending(self.clock.elapsed())?;
        self.save()?; // before the first byte: the next process knows what may have been sent
        let Ok(mut stream) = connect(authority) else {
            return Ok(self.upload.handle_transport_failure(self.clock.elapsed())?);
        };
        if stream.write_all(&head).is_ok() && self.send_entity(transmit.entity(), &mut stream)? {
            self.upload.handle_sent(self.clock.elapsed())?;
        }
        // Even if sending failed: a server that refuses the request may have answered early.
        let response = read_response(&mut stream);
        let now = self.clock.elapsed();
        let Ok(response) = response else {
            return Ok(self.upload.handle_transport_failure(now)?);
        };
        let mut slots = HeaderSlots::new();
        let Some(head) =
            ResponseHead::parse(&response, &mut slots).ok().and_then(|it| it.complete())
        else {
            return Ok(self.upload.handle_unreadable(None, now)?);
        };
        match Ack::from_head(&head, &transmit.ack_context()) {
            Ok(ack) => self.upload.handle_ack(&ack.message, now)?,
            Err(_) => self.upload.handle_unreadable(Some(head.line().status), now)?,
        }
        // Reads dates too, unlike `handle_ack`.
        let retry_after = FieldName::RetryAfter.find_in(head.fields());
        if let Some(Ok(retry_after)) = retry_after.map(RetryAfter::try_from) {
            let unix_time = SystemTime::now().duration_since(UNIX_EPOCH)?;
            self.upload.handle_retry_after(retry_after.delay(unix_time), now);
        }
        Ok(())
    }

    /// Sends bytes of the entity. Returns `false` if the connection broke.
    fn send_entity(&mut self, range: Range<u64>, stream: &mut TcpStream) -> Result<bool> {
        self.entity.seek(SeekFrom::Start(range.start))?;
        let mut left = range.end - range.start;
        let mut piece = [0; 64 * 1024];
        while left > 0 {
            let length = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.entity.read_exact(&mut piece[..length])?;
            if stream.write_all(&piece[..length]).is_err() {
                return Ok(false);
            }
            left -= length as u64;
        }
        Ok(true)
    }

    /// Saves the upload atomically: a crash leaves either the old or the new state.
    fn save(&self) -> Result<()> {
        let new = self.state.with_extension("bits-upload.new");
        fs::write(&new, serde_json::to_vec(&(self.upload, &self.url, self.modified))?)?;
        Ok(fs::rename(new, &self.state)?)
    }
}

fn load(state: &Path) -> Result<Option<(Upload, String, SystemTime)>> {
    match fs::read(state) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        bytes => Ok(Some(serde_json::from_slice(&bytes?)?)),
    }
}

/// Splits `http://AUTHORITY/TARGET`.
fn split(url: &str) -> Result<(&str, &str)> {
    let rest = url.strip_prefix("http://").ok_or("the URL does not begin with http://")?;
    let slash = rest.find('/').ok_or("the URL has no path")?;
    Ok(rest.split_at(slash))
}

fn connect(authority: &str) -> io::Result<TcpStream> {
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let stream = if has_port {
        TcpStream::connect(authority)
    } else {
        TcpStream::connect((authority.trim_matches(['[', ']']), 80))
    }?;
    stream.set_read_timeout(Some(IO_TIMEOUT))?;
    stream.set_write_timeout(Some(IO_TIMEOUT))?;
    Ok(stream)
}

/// Reads the head of the response; Acks have no body. Interim responses (1xx) are skipped.
/// Returns the bytes so far if they cannot be parsed.
fn read_response(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let (mut received, mut scanner) = (Vec::new(), HeadScanner::new());
    loop {
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => received.extend_from_slice(&chunk[..length]),
        }
        while scanner.should_parse(&received) {
            let mut slots = HeaderSlots::new();
            match ResponseHead::parse(&received, &mut slots).map(|it| it.complete()) {
                Ok(Some(head)) if head.line().status.is_interim() => {
                    received.drain(..head.len());
                    scanner = HeadScanner::new();
                }
                Ok(None) => break,
                Ok(Some(_)) | Err(_) => return Ok(received),
            }
        }
    }
}
