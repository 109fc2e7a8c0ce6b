//! Drives the state machine of an upload: carries out each action and reports its result.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bits_proto::client::{Poll, State, StopReason, Upload};
use bits_proto::field::{ContentRange, SessionId};
use bits_proto::message::{CloseSession, Fragment, Request};
use bits_proto_programs::client::connection::Connector;
use bits_proto_programs::client::console::Console;
use bits_proto_programs::client::http_url::HttpUrl;
use bits_proto_programs::client::interrupt::Interrupts;
use bits_proto_programs::client::last_error::{LastError, unauthorized};
use bits_proto_programs::client::rate_limit::RateLimit;
use bits_proto_programs::client::state_file::StateFile;
use http::HeaderMap;
use tokio::time::{sleep, timeout};

use crate::entity::Entity;
use crate::failure::{Failure, Result, explain};
use crate::reply::Reply;
use crate::state::Job;

/// Maximum time to cancel a session.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(10);

pub struct Client {
    pub upload: Upload,
    pub destination: HttpUrl,
    pub entity: Arc<Entity>,
    /// The name of the entity that fragments carry.
    pub content_name: Option<Vec<u8>>,
    /// Additional fields of each request, without Host.
    pub headers: HeaderMap,
    pub connector: Connector,
    pub rate_limit: Option<Arc<Mutex<RateLimit>>>,
    pub reply: Option<Reply>,
    pub state: Option<StateFile<Job>>,
    pub console: Console,
    /// Start of the clock of `upload`.
    pub start: Instant,
    /// Timeout for a connection, a request and a response.
    pub timeout: Duration,
    /// The latest failure, if the upload is being retried.
    pub last_error: Option<LastError>,
}

impl Client {
    /// Uploads the entity, unless Ctrl-C is pressed.
    pub async fn run(mut self, mut interrupts: Interrupts) -> Result<()> {
        self.console.resumed_at(self.upload.received().0);
        let worked = tokio::select! {
            biased;
            () = interrupts.first() => None,
            worked = self.work() => Some(worked),
        };
        let ended = match worked {
            None => return self.interrupted().await,
            Some(ended) => ended,
        };
        self.console.clear();
        match ended {
            Ok(()) => self.finish(),
            Err(failure) => Err(self.clean_up(failure).await),
        }
    }

    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Runs the upload until it ends.
    async fn work(&mut self) -> Result<()> {
        loop {
            self.console.received(self.upload.received().0);
            match self.upload.poll() {
                Poll::Send(transmit) => {
                    if self.upload.state() != State::Cancel {
                        self.entity.check()?;
                    }
                    self.exchange(&transmit).await?;
                }
                Poll::FetchReply => self.fetch_reply().await?,
                Poll::ReplyMissing => {
                    self.skip_reply("the server did not send BITS-Reply-URL".into())?;
                }
                Poll::Wait(until) => self.wait(until).await,
                Poll::Credentials(status) => return Err(self.unauthorized(status.get())),
                Poll::Suspended(StopReason::ReplyUnavailable) if self.state.is_none() => {
                    let why = self.last_error.take().map_or_else(String::new, |it| it.text);
                    self.skip_reply(why)?;
                }
                Poll::Suspended(stop) | Poll::Failed(stop) => return Err(self.stopped(stop)),
                Poll::Finished | Poll::Cancelled => return Ok(()),
                other => return Err(Failure::failed(format!("unknown action: {other:?}"))),
            }
        }
    }

    /// Stores the state of the upload, if `--resume` was given.
    pub fn save(&self) -> Result<()> {
        self.state.as_ref().map_or(Ok(()), |state| state.save(&self.upload))
    }

    async fn wait(&mut self, until: Duration) {
        let time = until.saturating_sub(self.now());
        if let Some(error) = &self.last_error {
            let seconds = time.as_secs_f64();
            self.console.say(&format!("{}; retrying in {seconds:.1} s", error.text));
        }
        let host = self.upload.host().is_some();
        sleep(time).await;
        self.upload.handle_timeout(self.now());
        if host && self.upload.host().is_none() {
            let server = &self.destination.server;
            self.console.say(&format!("host of the session is unreachable; returning to {server}"));
        }
    }

    fn unauthorized(&self, status: u16) -> Failure {
        let why = unauthorized(status, self.last_error.as_ref(), &self.headers);
        Failure::failed(format!("{}: {why}", self.destination.as_str()))
    }

    fn stopped(&self, stop: StopReason) -> Failure {
        let text = self.last_error.as_ref().map(|error| error.text.as_str());
        let url = self.destination.as_str();
        let attempts = match self.upload.failures() {
            0 | 1 => String::new(),
            failures => format!(" (after {failures} attempts)"),
        };
        Failure::failed(format!("{url}: {}{attempts}", explain(stop, text)))
    }

    /// Closes the session without the reply, which cannot be fetched.
    pub fn skip_reply(&mut self, why: String) -> Result<()> {
        if let Some(reply) = &mut self.reply {
            reply.missing = Some(why);
        }
        self.upload.close_without_reply().map_err(Failure::machine)
    }

    /// Reports an upload that has ended.
    fn finish(mut self) -> Result<()> {
        if let Some(state) = self.state.take() {
            state.remove()?;
        }
        if self.upload.poll() == Poll::Cancelled {
            return Err(Failure::failed(
                "the upload was cancelled; the same command starts a new one",
            ));
        }
        let url = self.destination.as_str();
        if let Some(why) = self.reply.and_then(|reply| reply.missing) {
            return Err(Failure::failed(format!(
                "{url}: the entity is uploaded, but its reply cannot be fetched: {why}"
            )));
        }
        self.console.done(self.upload.total(), url);
        Ok(())
    }

    /// Cleans up after a failure: keeps the state of an upload that can be resumed, and cancels one
    /// that cannot.
    async fn clean_up(&mut self, failure: Failure) -> Failure {
        let is_changed = self.entity.check().is_err();
        if !is_changed && self.state.is_some() {
            return match self.save() {
                Ok(()) => failure,
                Err(error) => error,
            };
        }
        let can_cancel = is_changed || matches!(self.upload.poll(), Poll::Failed(_));
        if can_cancel && self.upload.session_id().is_some() {
            self.cancel().await;
        }
        let removed = self.state.take().map_or(Ok(()), StateFile::remove);
        removed.err().unwrap_or(failure)
    }

    /// Handles Ctrl-C: pauses an upload that can be resumed, and cancels one that cannot.
    async fn interrupted(mut self) -> Result<()> {
        self.console.clear();
        if let Some(state) = &self.state {
            // Fails for an upload that has ended. The next process then removes the file.
            let _ = self.upload.pause();
            self.save()?;
            let state = state.path().display();
            return Err(Failure::Interrupted(format!(
                "paused at {} of {} bytes; the same command with --resume {state} continues",
                self.upload.received().0,
                self.upload.total(),
            )));
        }
        let what = if self.cancel().await {
            "cancelled; the server has deleted the session"
        } else {
            "cancelled, but the server did not confirm it; the session remains there until it expires"
        };
        Err(Failure::Interrupted(what.into()))
    }

    /// Cancels the session. Returns `true` if the server confirmed it, or had no session.
    async fn cancel(&mut self) -> bool {
        self.last_error = None;
        let cancelled = self.upload.cancel().is_ok()
            && timeout(CANCEL_TIMEOUT, Box::pin(self.work())).await.is_ok_and(|it| it.is_ok());
        cancelled && self.upload.poll() == Poll::Cancelled
    }
}

/// Fails if fields of the command line conflict with those of some message, so that the conflict
/// is found before the first request.
pub fn check_headers(destination: &HttpUrl, headers: &HeaderMap) -> Result<()> {
    let session_id = SessionId::from_random([0; 16]);
    let range = ContentRange::new(0, 0, 1).map_err(Failure::usage)?;
    let requests = [
        Request::CreateSession(Default::default()),
        Fragment::new(session_id, range).into(),
        CloseSession::new(session_id).into(),
    ];
    for request in requests {
        request.to_http(destination.target.clone(), headers).map_err(Failure::usage)?;
    }
    Ok(())
}
