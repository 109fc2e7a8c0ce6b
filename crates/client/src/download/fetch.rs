//! Drives the state machine of a download: carries out each action and reports its result.

use std::sync::Arc;
use std::time::Duration;

use bits_proto::download::{
    ByteRange, Download as Machine, Poll, State as MachineState, StopReason,
};
use bytes::Bytes;
use tokio::time::{Instant, sleep_until};

use super::state::State;
use super::{Downloaded, Sink};
use crate::error::{self, Error, Result};
use crate::http::{Connection, LastFailure, TransferUrl};
use crate::progress::{Meter, Phase, Progress};
use crate::rate_limit::RateLimit;
use crate::restart::RestartReason;

/// Minimum time between two updates of the state file while bytes arrive.
pub(super) const SAVE_INTERVAL: Duration = Duration::from_millis(500);

/// A download into a file or into memory.
#[derive(Debug)]
pub(crate) struct Fetch {
    pub machine: Machine<Vec<ByteRange>>,
    pub url: TransferUrl,
    pub sink: Sink,
    pub state: Option<State>,
    pub rate_limit: Option<Arc<RateLimit>>,
    pub meter: Meter,
    pub redirects: Redirects,
    /// True if credentials and cookies are sent to the server of the URL.
    pub is_trusted: bool,
    /// Start of the clock of `machine`.
    start: Instant,
    pub(super) last: Option<LastFailure>,
    /// The delay that the latest response requested.
    pub(super) retry_after: Option<Duration>,
    /// The reason of the latest restart.
    pub(super) restart_reason: Option<RestartReason>,
    /// True if it starts over in place of a stored download.
    pub(super) is_replacement: bool,
    /// The time of the latest update of the state file.
    saved_at: Option<Instant>,
    /// True if the sink is complete or to be kept.
    keeps_sink: bool,
}

/// The redirects that are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redirects {
    /// To any server, but not from https to http.
    Any,
    /// To URLs with the same scheme, host and port.
    SameOrigin,
}

/// The reason why fetching an entity failed.
#[derive(Debug)]
pub(crate) enum FetchError {
    /// A retry may succeed.
    Transient(Error),
    /// A retry would fail too.
    Permanent(Error),
    /// The cause is on this computer.
    Local(Error),
}

impl From<FetchError> for Error {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Transient(error)
            | FetchError::Permanent(error)
            | FetchError::Local(error) => error,
        }
    }
}

impl Fetch {
    /// Creates a download without rate limit, progress and state file.
    pub fn new(machine: Machine<Vec<ByteRange>>, url: TransferUrl, sink: Sink) -> Self {
        Self {
            machine,
            url,
            sink,
            state: None,
            rate_limit: None,
            meter: Meter::new(None, None),
            redirects: Redirects::Any,
            is_trusted: true,
            start: Instant::now(),
            last: None,
            retry_after: None,
            restart_reason: None,
            is_replacement: false,
            saved_at: None,
            keeps_sink: false,
        }
    }

    /// Continues a download that stopped, or that another process stored.
    pub fn resume(&mut self) -> Result<(), FetchError> {
        if self.sink.end() < self.machine.received() {
            // Bytes were lost, for example in a power failure.
            let handled = self.machine.handle_storage_failure(self.sink.end());
            handled.map_err(internal)?;
        }
        self.machine.resume().map_err(internal)
    }

    /// Runs the download until it ends.
    pub async fn run(&mut self, connection: &mut Connection) -> Result<(), FetchError> {
        loop {
            if let Some(phase) = self.phase() {
                self.show(phase);
            }
            match self.machine.poll() {
                Poll::Send => self.exchange(connection).await?,
                Poll::Wait(until) => self.wait(until).await,
                Poll::Discard => self.start_over(connection).await?,
                Poll::Commit => {
                    let committed = self.sink.commit(self.machine.received()).await;
                    committed.map_err(|error| self.storage_failed(error))?;
                    self.keeps_sink = true;
                    self.machine.handle_committed().map_err(internal)?;
                }
                Poll::Credentials(status) => {
                    let answer = connection.answer(status, self.last.as_ref());
                    answer.map_err(FetchError::Permanent)?;
                    self.machine.provide_credentials().map_err(internal)?;
                }
                Poll::Suspended(reason) | Poll::Failed(reason) => return Err(self.stopped(reason)),
                Poll::Finished => return Ok(()),
                other => return Err(internal(format!("unknown action: {other:?}"))),
            }
        }
    }

    /// Discards the bytes that cannot be continued, and reports the reason.
    async fn start_over(&mut self, connection: &Connection) -> Result<(), FetchError> {
        if let Some(reason) = self.machine.restart_reason() {
            self.restart_reason = Some(RestartReason::Download(reason));
        }
        let reason = self.restart_reason.as_ref().map(tracing::field::display);
        tracing::info!(url = self.url.as_str(), reason, "download starts over");
        self.sink.truncate(0).map_err(|error| self.storage_failed(error))?;
        self.machine.handle_discarded().map_err(internal)?;
        // The activity remains: after a failure, no retry has succeeded yet.
        self.show(self.meter.phase());
        self.save(connection).await
    }

    /// Returns true if all bytes are in the destination.
    pub fn is_finished(&self) -> bool {
        self.machine.poll() == Poll::Finished
    }

    /// Returns the delay that the latest response requested.
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Returns the deadline of the request in flight.
    pub(super) fn deadline(&self) -> Instant {
        self.start + self.machine.poll_timeout().unwrap_or_default()
    }

    /// Returns the activity; `None` while bytes are discarded, and after a failure until a retry succeeds.
    fn phase(&self) -> Option<Phase> {
        match self.machine.state() {
            _ if self.machine.failures() > 0 => None,
            MachineState::Size => Some(Phase::Connecting),
            MachineState::Download => Some(Phase::Transferring),
            MachineState::Discard | MachineState::Failed => None,
            _ => Some(Phase::Finishing),
        }
    }

    fn restarts(&self) -> u32 {
        self.machine.restarts() + u32::from(self.is_replacement)
    }

    pub(super) fn show(&mut self, phase: Phase) {
        self.meter.update(Progress {
            phase,
            transferred: self.machine.received(),
            in_flight: 0,
            total: self.machine.requested(),
            rate: 0.0,
            restarts: self.restarts(),
            restart_reason: self.restart_reason.clone(),
            host: None,
        });
    }

    async fn wait(&mut self, until: Duration) {
        let until = self.start + until;
        let reason = self.last.as_ref().map_or_else(String::new, |it| it.text.clone());
        let failures = self.machine.failures();
        tracing::debug!(url = self.url.as_str(), failures, reason, "waiting before the next try");
        self.show(Phase::Waiting { until: until.into_std(), failures, reason });
        sleep_until(until).await;
        self.machine.handle_timeout(self.now());
    }

    /// Stores the state of the download, after the bytes that it counts as received.
    pub(super) async fn save(&mut self, connection: &Connection) -> Result<(), FetchError> {
        if self.state.is_none() {
            return Ok(());
        }
        self.saved_at = Some(Instant::now());
        let flushed = self.sink.flush().await;
        flushed.map_err(|error| FetchError::Local(self.sink.error(error)))?;
        let saved = self.state.as_ref().map(|it| it.save(&self.machine, connection.cookies()));
        saved.unwrap_or(Ok(())).map_err(FetchError::Local)
    }

    /// Updates the state file unless that was done a short time ago.
    pub(super) async fn save_sometimes(
        &mut self,
        connection: &Connection,
    ) -> Result<(), FetchError> {
        let is_recent = self.saved_at.is_some_and(|it| it.elapsed() < SAVE_INTERVAL);
        if is_recent { Ok(()) } else { self.save(connection).await }
    }

    /// Reports bytes that could not be stored.
    pub(super) fn storage_failed(&mut self, error: std::io::Error) -> FetchError {
        let is_limit = matches!(self.sink, Sink::Memory { .. });
        let handled = self.machine.handle_storage_failure(self.sink.stored());
        if let Err(error) = handled {
            return internal(error);
        }
        let error = self.sink.error(error);
        if is_limit { FetchError::Permanent(error) } else { FetchError::Local(error) }
    }

    fn stopped(&mut self, reason: StopReason) -> FetchError {
        let is_permanent = reason.is_permanent();
        let refused = Error::from_download(reason).filter(|_| is_permanent);
        let error = refused.unwrap_or_else(|| Error::Suspended {
            reason: error::StopReason::Download(reason),
            failures: self.machine.failures(),
            transferred: self.machine.received(),
            total: self.machine.requested(),
            is_resumable: self.state.is_some() && self.machine.received() > 0,
            source: self.last.take().and_then(|it| it.source),
        });
        if is_permanent { FetchError::Permanent(error) } else { FetchError::Transient(error) }
    }

    /// Reports a complete download.
    pub fn finish(mut self) -> Result<Downloaded> {
        self.show(Phase::Finishing);
        if let Some(state) = self.state.take() {
            state.remove()?;
        }
        Ok(Downloaded { length: self.machine.received(), restarts: self.restarts() })
    }

    /// Cleans up after a failure: keeps the files if the same download can continue.
    pub async fn clean_up(mut self, error: Error, connection: &Connection) -> Error {
        if self.machine.received() > 0 && self.state.is_some() {
            self.keeps_sink = true;
            return self.save(connection).await.err().map_or(error, Error::from);
        }
        self.remove().err().unwrap_or(error)
    }

    /// Pauses the download.
    pub async fn paused(mut self, connection: &Connection) -> Result<Downloaded> {
        // Fails for a download that has ended. The next process resumes one that failed.
        let _ = self.machine.pause();
        if self.machine.poll() == Poll::Finished {
            return self.finish();
        }
        let is_resumable = self.state.is_some();
        let paused = Error::Paused {
            transferred: self.machine.received(),
            total: self.machine.requested(),
            is_resumable,
        };
        if !is_resumable {
            self.remove()?;
            return Err(paused);
        }
        self.keeps_sink = true;
        self.save(connection).await?;
        Err(paused)
    }

    /// Removes state and incomplete file.
    pub fn remove(mut self) -> Result<()> {
        self.state.take().map_or(Ok(()), State::remove)?;
        self.keeps_sink = true;
        self.sink.remove()
    }

    /// Returns the bytes in memory; `None` for a file.
    pub fn into_bytes(mut self) -> Option<Bytes> {
        self.sink.take_bytes()
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        if !self.keeps_sink && self.state.is_none() {
            // Without state, nothing can continue the incomplete file.
            let _ = self.sink.remove();
        }
    }
}

/// Reports an input that the machine rejects.
pub(super) fn internal(error: impl std::fmt::Display) -> FetchError {
    FetchError::Local(Error::internal(error))
}
