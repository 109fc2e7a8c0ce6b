//! Drives the state machine of a download: carries out each action and reports its result.

mod exchange;
pub mod job;
pub mod part_file;

use std::io;
use std::time::{Duration, Instant};

use bits_proto::download::{ByteRange, Download, Options, Poll, StopReason};
use bits_proto::http1::StatusCode;
use http::HeaderMap;
use tokio::time::sleep;

use super::connection::Connector;
use super::console::Console;
use super::failure::{Failure, Result};
use super::http_url::HttpUrl;
use super::last_error::{LastError, unauthorized};
use super::rate_limit::RateLimit;
use super::state_file::StateFile;
use job::FetchJob;
use part_file::PartFile;

/// Minimum time between two updates of the state file while bytes arrive.
const SAVE_INTERVAL: Duration = Duration::from_millis(500);

/// A download into a file.
pub struct Fetch {
    pub download: Download<Vec<ByteRange>>,
    pub url: HttpUrl,
    /// Additional fields of each request, without Host.
    pub headers: HeaderMap,
    pub file: PartFile,
    pub state: Option<StateFile<FetchJob>>,
    pub rate_limit: Option<RateLimit>,
    pub console: Console,
    /// Start of the clock of `download`.
    pub start: Instant,
    /// Timeout for a connection.
    pub timeout: Duration,
    last_error: Option<LastError>,
    /// The delay that the latest response requested.
    retry_after: Option<Duration>,
    /// The time of the latest update of the state file.
    saved_at: Option<Instant>,
}

/// Reasons why fetching an entity failed. The texts do not contain its URL.
#[derive(Debug)]
pub enum FetchError {
    /// A retry may succeed.
    Transient { text: String, reason: Option<StopReason> },
    /// A retry would fail too.
    Permanent { text: String, reason: Option<StopReason> },
    /// The cause is on this computer.
    Local(Failure),
}

impl From<Failure> for FetchError {
    fn from(failure: Failure) -> Self {
        Self::Local(failure)
    }
}

impl Fetch {
    /// Creates the driver of a download without additional fields, limits and a state file.
    pub fn new(
        download: Download<Vec<ByteRange>>,
        url: HttpUrl,
        file: PartFile,
        console: Console,
    ) -> Self {
        Self {
            download,
            url,
            headers: HeaderMap::new(),
            file,
            state: None,
            rate_limit: None,
            console,
            start: Instant::now(),
            timeout: Options::DEFAULT.response_timeout,
            last_error: None,
            retry_after: None,
            saved_at: None,
        }
    }

    /// Continues a download that stopped, or that a previous process stored.
    pub fn resume(&mut self) -> std::result::Result<(), FetchError> {
        if self.file.position() < self.download.received() {
            // Bytes were lost, for example in a power failure.
            let handled = self.download.handle_storage_failure(self.file.position());
            handled.map_err(Failure::machine)?;
        }
        Ok(self.download.resume().map_err(Failure::machine)?)
    }

    /// Runs the download until it ends.
    pub async fn run(&mut self, connector: &mut Connector) -> std::result::Result<(), FetchError> {
        loop {
            self.show_progress();
            match self.download.poll() {
                Poll::Send => self.exchange(connector).await?,
                Poll::Wait(until) => self.wait(until).await,
                Poll::Discard => self.discard()?,
                Poll::Commit => self.commit()?,
                Poll::Credentials(status) => return Err(self.unauthorized(status)),
                Poll::Suspended(reason) | Poll::Failed(reason) => return Err(self.stopped(reason)),
                Poll::Finished => return Ok(()),
                other => return Err(Failure::failed(format!("unknown action: {other:?}")).into()),
            }
        }
    }

    /// Returns the delay that the latest response requested.
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn show_progress(&self) {
        if let Some(requested) = self.download.requested() {
            self.console.set_length(requested);
        }
        self.console.received(self.download.received());
    }

    /// Discards all bytes, because the download starts over.
    fn discard(&mut self) -> std::result::Result<(), FetchError> {
        let why = match self.download.restart_reason() {
            Some(StopReason::EntityChanged) => "the entity changed on the server",
            Some(StopReason::MissingValidator) => {
                "the server sends neither Last-Modified nor a strong ETag, so that the received bytes \
                 cannot be continued"
            }
            Some(StopReason::Interrupted) => {
                "the server does not state the length of the entity, so that the received bytes cannot \
                 be continued"
            }
            _ => "the received bytes cannot be continued",
        };
        self.console.say(&format!("{why}; starting over"));
        self.file.truncate(0).map_err(|error| self.file_error(&error))?;
        self.download.handle_discarded().map_err(Failure::machine)?;
        Ok(self.save()?)
    }

    async fn wait(&mut self, until: Duration) {
        let time = until.saturating_sub(self.now());
        if let Some(error) = &self.last_error {
            let seconds = time.as_secs_f64();
            self.console.say(&format!("{}; retrying in {seconds:.1} s", error.text));
        }
        sleep(time).await;
        self.download.handle_timeout(self.now());
    }

    fn commit(&mut self) -> std::result::Result<(), FetchError> {
        self.file.commit().map_err(|error| self.file_error(&error))?;
        Ok(self.download.handle_committed().map_err(Failure::machine)?)
    }

    /// Stores the state of the download, after the bytes that it counts as received.
    pub fn save(&mut self) -> Result<()> {
        self.saved_at = Some(Instant::now());
        let Some(state) = &self.state else { return Ok(()) };
        self.file.flush().map_err(|error| self.file_error(&error))?;
        state.save(&self.download)
    }

    /// Updates the state file unless that was done a short time ago.
    fn save_sometimes(&mut self) -> Result<()> {
        let is_recent = self.saved_at.is_some_and(|it| it.elapsed() < SAVE_INTERVAL);
        if is_recent { Ok(()) } else { self.save() }
    }

    fn file_error(&self, error: &io::Error) -> Failure {
        Failure::failed(format!("{}: {error}", self.file.part().display()))
    }

    fn unauthorized(&self, status: StatusCode) -> FetchError {
        let text = unauthorized(status.get(), self.last_error.as_ref(), &self.headers);
        FetchError::Permanent { text, reason: None }
    }

    fn stopped(&self, reason: StopReason) -> FetchError {
        let error = self.last_error.as_ref().map(|error| error.text.as_str());
        let attempts = match self.download.failures() {
            0 | 1 => String::new(),
            failures => format!(" (after {failures} attempts)"),
        };
        let text = match (reason, error) {
            (StopReason::Refused { .. }, _) | (_, None) => format!("{reason}{attempts}"),
            (_, Some(error)) => format!("{reason}: {error}{attempts}"),
        };
        if reason.is_permanent() {
            FetchError::Permanent { text, reason: Some(reason) }
        } else {
            FetchError::Transient { text, reason: Some(reason) }
        }
    }
}

/// Fails if fields of the command line conflict with those of a download, so that the conflict is
/// found before the first request.
pub fn check_headers(url: &HttpUrl, headers: &HeaderMap) -> Result<()> {
    let download = Download::whole(Options::DEFAULT, 0);
    let Some(transmit) = download.transmit() else { return Ok(()) };
    transmit.to_http(url.target.clone(), headers).map(drop).map_err(Failure::usage)
}
