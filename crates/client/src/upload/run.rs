//! Drives the state machine of an upload: carries out each action and reports its result.

use std::sync::Arc;
use std::time::Duration;

use bits_proto::client::{
    Mode, Options, Poll, State as MachineState, StopReason, Upload as Machine,
};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::buffers::Buffers;
use super::reply::Reply;
use super::source::Source;
use super::state::{Earlier, State};
use super::{Upload, Uploaded};
use crate::client::{Shared, seed};
use crate::error::{self, Error, Result};
use crate::http::{Connection, LastFailure, TransferUrl};
use crate::progress::{Meter, Phase, Progress};
use crate::restart::RestartReason;

/// Maximum time to cancel a session.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(10);

/// An upload that runs.
#[derive(Debug)]
pub(super) struct Run {
    pub machine: Machine,
    /// The options of `machine`.
    pub options: Options,
    /// The length of fragments adapts to the connection.
    pub adapts: bool,
    pub shared: Arc<Shared>,
    pub url: TransferUrl,
    pub source: Source,
    pub buffers: Arc<Buffers>,
    /// The name of the entity that fragments carry.
    pub name: Option<Vec<u8>>,
    pub connection: Connection,
    pub reply: Option<Reply>,
    pub state: Option<State>,
    /// A stored upload in place of which this one starts over. Its session is still to be cancelled, and
    /// its state is kept until then.
    replaced: Option<Earlier>,
    /// The number of restarts that `machine` does not count.
    restarts_before: u32,
    /// The reason of the latest restart.
    pub restart_reason: Option<RestartReason>,
    pub meter: Meter,
    /// Start of the clock of `machine`.
    start: Instant,
    /// The latest failure, if the upload is being retried.
    pub last: Option<LastFailure>,
}

impl Run {
    /// Opens the source, and continues the upload of an earlier process if there is one.
    pub fn open(options: &mut Upload) -> Result<Self> {
        let url = TransferUrl::parse(&options.url)?;
        let source = options.open_source()?;
        let name = options.name(&source)?;
        let reply = options.reply.take();
        let mode = if reply.is_some() { Mode::UploadReply } else { Mode::Upload };
        let allows_other_servers = options.reply_from_other_servers;
        let reply = reply.map(|it| Reply::new(it, allows_other_servers)).transpose()?;
        let folder = options.resume.as_ref();
        let opened = folder.map(|it| State::open(it, &url, &source, options, mode)).transpose()?;
        let (state, earlier, restart_reason) = match opened {
            Some(it) => (Some(it.state), it.earlier, it.restart_reason),
            None => (None, None, None),
        };
        let is_replaced = restart_reason.is_some() || options.restart;
        let (replaced, earlier) = if is_replaced { (earlier, None) } else { (None, earlier) };
        let cookies = earlier.as_ref().map(|it| it.cookies.clone());
        let fragments = replaced.as_ref().or(earlier.as_ref()).map(|it| it.machine.fragments());
        let machine_options = options.machine_options(fragments, mode);
        let machine = match earlier {
            Some(earlier) => resume(earlier.machine, machine_options)?,
            None => Machine::new(source.length(), machine_options, seed()?),
        };
        let shared = Arc::clone(&options.shared);
        Ok(Self {
            connection: Connection::new(&shared.config, &shared.http, cookies.as_deref()),
            meter: Meter::new(options.progress.take(), Some(source.length())),
            machine,
            options: machine_options,
            adapts: options.fragment_size.is_none(),
            shared,
            url,
            source,
            buffers: Arc::default(),
            name,
            reply,
            state,
            replaced,
            restarts_before: restart_reason.is_some().into(),
            restart_reason,
            start: Instant::now(),
            last: None,
        })
    }

    /// Runs the upload until it ends or a token is cancelled.
    pub async fn run(
        mut self,
        cancel: &CancellationToken,
        abort: &CancellationToken,
    ) -> Result<Uploaded> {
        let ended = tokio::select! {
            biased;
            () = abort.cancelled() => return Err(self.aborted().await),
            () = cancel.cancelled() => None,
            worked = self.replace_and_work() => Some(worked),
        };
        match ended {
            None => self.paused().await,
            Some(Ok(())) => self.finish(),
            Some(Err(error)) => Err(self.clean_up(error).await),
        }
    }

    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Returns the time on the clock of the runtime.
    pub fn instant(&self, time: Duration) -> Instant {
        self.start + time
    }

    async fn replace_and_work(&mut self) -> Result<()> {
        self.cancel_replaced().await;
        self.work().await
    }

    /// Runs the upload until it ends.
    async fn work(&mut self) -> Result<()> {
        loop {
            if let Some(phase) = self.phase() {
                self.show(phase);
            }
            match self.machine.poll() {
                Poll::Send(transmit) => {
                    if self.machine.state() != MachineState::Cancel {
                        self.source.check()?;
                    }
                    self.exchange(&transmit).await?;
                }
                Poll::FetchReply => self.fetch_reply().await?,
                Poll::ReplyMissing => self.skip_reply("server sent no BITS-Reply-URL".into())?,
                Poll::Wait(until) => self.wait(until).await,
                Poll::Credentials(status) => {
                    self.connection.answer(status, self.last.as_ref())?;
                    self.machine.provide_credentials().map_err(Error::internal)?;
                }
                Poll::Suspended(StopReason::ReplyUnavailable) if self.state.is_none() => {
                    let cause = self.last.take().and_then(|it| it.source);
                    self.skip_reply(cause.unwrap_or_else(|| "unknown".into()))?;
                }
                Poll::Suspended(reason) => return Err(self.suspended(reason)),
                Poll::Failed(reason) => {
                    let error = Error::from_upload(reason, self.url.as_str());
                    return Err(error.unwrap_or_else(|| self.suspended(reason)));
                }
                Poll::Finished | Poll::Cancelled => return Ok(()),
                other => return Err(Error::Internal(format!("unknown action: {other:?}"))),
            }
        }
    }

    /// Stores the state of the upload, if that was requested.
    pub fn save(&self) -> Result<()> {
        let state = self.state.as_ref().filter(|_| self.replaced.is_none());
        state.map_or(Ok(()), |state| state.save(&self.machine, self.connection.cookies()))
    }

    /// Waits for the time of a retry.
    async fn wait(&mut self, until: Duration) {
        let until = self.instant(until);
        let reason = self.last.as_ref().map_or_else(String::new, |it| it.text.clone());
        let failures = self.machine.failures();
        tracing::debug!(url = self.url.as_str(), failures, reason, "waiting before the next try");
        self.show(Phase::Waiting { until: until.into_std(), failures, reason });
        let had_host = self.machine.host().is_some();
        sleep_until(until).await;
        self.machine.handle_timeout(self.now());
        if had_host && self.machine.host().is_none() {
            tracing::info!(url = self.url.as_str(), "host of the session is unreachable");
        }
    }

    /// Returns the activity; `None` after a failure, until a retry succeeds, and without a session to cancel.
    fn phase(&self) -> Option<Phase> {
        match self.machine.state() {
            _ if self.machine.failures() > 0 => None,
            MachineState::CreateSession | MachineState::Ping => Some(Phase::Connecting),
            MachineState::Fragment => Some(Phase::Transferring),
            MachineState::Cancel => Some(Phase::Cancelling),
            MachineState::Cancelled | MachineState::Failed => None,
            _ => Some(Phase::Finishing),
        }
    }

    fn restarts(&self) -> u32 {
        self.machine.restarts() + self.restarts_before
    }

    fn show(&mut self, phase: Phase) {
        self.meter.acknowledged(Progress {
            phase,
            transferred: self.machine.received().0,
            in_flight: 0,
            total: Some(self.machine.total()),
            rate: 0.0,
            restarts: self.restarts(),
            restart_reason: self.restart_reason.clone(),
            host: self.machine.host().map(|host| host.to_string()),
        });
    }

    fn suspended(&mut self, reason: StopReason) -> Error {
        let failures = self.machine.failures();
        match Error::from_upload(reason, self.url.as_str()) {
            Some(error @ Error::AlreadyExists { .. }) => error,
            Some(Error::Full { status, code, .. }) => Error::Full { status, code, failures },
            Some(Error::Application { status, code, .. }) => {
                Error::Application { status, code, failures }
            }
            _ => Error::Suspended {
                reason: error::StopReason::Upload(reason),
                failures,
                transferred: self.machine.received().0,
                total: Some(self.machine.total()),
                is_resumable: self.state.is_some(),
                source: self.last.take().and_then(|it| it.source),
            },
        }
    }

    /// Reports an upload that has ended.
    fn finish(mut self) -> Result<Uploaded> {
        if let Some(state) = self.state.take() {
            state.remove()?;
        }
        if self.machine.poll() == Poll::Cancelled {
            return Err(Error::Aborted { is_confirmed: true });
        }
        tracing::debug!(url = self.url.as_str(), bytes = self.machine.total(), "upload finished");
        Ok(Uploaded {
            length: self.machine.total(),
            restarts: self.restarts(),
            reply: self.reply.map_or(Ok(None), Reply::into_bytes)?,
        })
    }

    /// Cleans up after a failure: keeps the state of an upload that can be resumed, and cancels one that
    /// cannot, so that its session does not count towards the limits of the server until it expires.
    async fn clean_up(&mut self, error: Error) -> Error {
        let is_changed = matches!(error, Error::Changed { .. });
        let has_progress = self.machine.received().0 > 0 || error.is_resumable();
        if self.state.is_some() && has_progress && !is_changed {
            return self.save().err().unwrap_or(error);
        }
        let is_unreachable = matches!(
            error,
            Error::Tls { .. }
                | Error::Suspended {
                    reason: error::StopReason::Upload(StopReason::Transport | StopReason::Timeout),
                    ..
                }
        );
        if !is_unreachable {
            self.cancel_session().await;
        }
        let removed = self.state.take().map_or(Ok(()), State::remove);
        removed.err().unwrap_or(error)
    }

    /// Pauses an upload that can be resumed, and cancels the session of one that cannot.
    async fn paused(mut self) -> Result<Uploaded> {
        // Fails for an upload that has ended.
        let is_paused = self.machine.pause().is_ok();
        if self.machine.poll() == Poll::Finished {
            return self.finish();
        }
        let is_resumable = self.state.is_some();
        self.save()?;
        let (transferred, total) = (self.machine.received().0, Some(self.machine.total()));
        if is_paused && !is_resumable {
            self.cancel_session().await;
        }
        Err(Error::Paused { transferred, total, is_resumable })
    }

    async fn aborted(mut self) -> Error {
        self.cancel_replaced().await;
        let is_confirmed = self.cancel_session().await;
        let removed = self.state.take().map_or(Ok(()), State::remove);
        removed.err().unwrap_or(Error::Aborted { is_confirmed })
    }

    /// Cancels the session of the stored upload that this one replaces, so that it does not count towards
    /// the limits of the server until it expires. Nothing depends on the result.
    async fn cancel_replaced(&mut self) {
        let Some(Earlier { machine, cookies }) = self.replaced.clone() else { return };
        let had_session = machine.session_id().is_some();
        if had_session {
            self.show(Phase::Cancelling);
        }
        let mut replaced = Self {
            machine,
            options: self.options,
            adapts: false,
            shared: Arc::clone(&self.shared),
            url: self.url.clone(),
            source: self.source.clone(),
            buffers: Arc::clone(&self.buffers),
            name: None,
            connection: Connection::new(&self.shared.config, &self.shared.http, Some(&cookies)),
            reply: None,
            state: None,
            replaced: None,
            restarts_before: 0,
            restart_reason: None,
            meter: Meter::new(None, None),
            start: Instant::now(),
            last: None,
        };
        let is_confirmed = replaced.cancel_session().await;
        let reason = self.restart_reason.as_ref().map(tracing::field::display);
        let url = self.url.as_str();
        match (had_session, is_confirmed) {
            (false, _) => {}
            (true, true) => tracing::info!(url, reason, "session of the stored upload cancelled"),
            (true, false) => tracing::warn!(
                url,
                reason,
                "cannot cancel the session of the stored upload; it stays on the server until it expires"
            ),
        }
        self.replaced = None;
    }

    /// Cancels the session. Returns true if the server confirmed it, or had no session.
    async fn cancel_session(&mut self) -> bool {
        self.last = None;
        let cancelled = self.machine.cancel().is_ok()
            && timeout(CANCEL_TIMEOUT, Box::pin(self.work())).await.is_ok_and(|it| it.is_ok());
        cancelled && self.machine.poll() == Poll::Cancelled
    }
}

/// Continues an upload of an earlier process with the options of this one.
fn resume(mut machine: Machine, options: Options) -> Result<Machine> {
    if !machine.state().is_terminal() {
        machine.resume().map_err(Error::internal)?;
        machine.set_options(options).map_err(Error::internal)?;
    }
    Ok(machine)
}
