//! It does what its `Upload` says, and tells it what became of that.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bits_proto::client::{Poll, State, StopReason, Upload};
use bits_proto::field::{ContentRange, SessionId};
use bits_proto::message::{CloseSession, Fragment, Request};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use tokio::time::{sleep, timeout};

use crate::connection::Link;
use crate::destination::Destination;
use crate::entity::Entity;
use crate::failure::{Failure, Result, explain};
use crate::interrupt::Interrupts;
use crate::reply::ReplyFile;
use crate::responses::MessageError;
use crate::state::StateFile;
use bits_proto_programs::upload::console::Console;
use bits_proto_programs::upload::rate_limit::RateLimit;

/// How long a server is given to hear that a session is cancelled.
const CANCELLING: Duration = Duration::from_secs(10);

pub struct Client {
    pub upload: Upload,
    pub destination: Destination,
    pub entity: Arc<Entity>,
    /// Of each request, but for Host.
    pub headers: HeaderMap,
    pub link: Link,
    pub rate_limit: Option<Arc<Mutex<RateLimit>>>,
    pub reply: Option<ReplyFile>,
    pub state: Option<StateFile>,
    pub console: Console,
    /// When the clock of the upload began.
    pub start: Instant,
    /// How long a connection may take.
    pub patience: Duration,
    /// What went wrong last.
    pub trouble: Option<MessageError>,
}

impl Client {
    /// Uploads the entity, unless Ctrl-C comes first.
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
            Err(failure) => Err(self.leave(failure).await),
        }
    }

    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Until nothing is left to do.
    async fn work(&mut self) -> Result<()> {
        loop {
            self.console.received(self.upload.received().0);
            // What is polled borrows from the upload, which changes while it is done.
            let upload = self.upload;
            match upload.poll() {
                Poll::Send(outgoing) => {
                    if upload.state() != State::Cancel {
                        self.entity.check()?;
                    }
                    self.exchange(&outgoing).await?;
                }
                Poll::FetchReply(url) => self.fetch_reply(url).await?,
                Poll::ReplyMissing => {
                    self.do_without_reply("the server sent no URL for a reply".into())?;
                }
                Poll::Wait(until) => self.wait(until).await,
                Poll::Credentials(status) => return Err(self.unauthorized(status.get())),
                Poll::Suspended(StopReason::Reply) if self.state.is_none() => {
                    let why = self.trouble.take().map_or_else(String::new, |it| it.text);
                    self.do_without_reply(why)?;
                }
                Poll::Suspended(stop) | Poll::Failed(stop) => return Err(self.stopped(stop)),
                Poll::Finished | Poll::Cancelled => return Ok(()),
            }
        }
    }

    /// Writes down what the next process has to know.
    pub fn save(&self) -> Result<()> {
        self.state.as_ref().map_or(Ok(()), |state| state.save(&self.upload))
    }

    async fn wait(&mut self, until: Duration) {
        let time = until.saturating_sub(self.now());
        if let Some(trouble) = &self.trouble {
            let seconds = time.as_secs_f64();
            self.console.say(&format!("{}; trying again in {seconds:.1} s", trouble.text));
        }
        let host = self.upload.host().is_some();
        sleep(time).await;
        self.upload.handle_timeout(self.now());
        if host && self.upload.host().is_none() {
            self.console.say(&format!("back to {}", self.destination.server));
        }
    }

    fn unauthorized(&self, status: u16) -> Failure {
        let url = self.destination.as_str();
        let asked = self.trouble.as_ref().and_then(|it| it.challenge.as_deref());
        let asked = asked.map_or_else(String::new, |asked| format!(" ({asked})"));
        let why = match status {
            407 => "a proxy on the way wants credentials; --header Proxy-Authorization gives them",
            _ if self.headers.contains_key(AUTHORIZATION) => "the server refuses the credentials",
            _ => "the server wants credentials; --basic USER:PASSWORD gives them",
        };
        Failure::failed(format!("{url}: {why}: status {status}{asked}"))
    }

    fn stopped(&self, stop: StopReason) -> Failure {
        let text = self.trouble.as_ref().map(|trouble| trouble.text.as_str());
        let url = self.destination.as_str();
        let attempts = match self.upload.failures() {
            0 | 1 => String::new(),
            failures => format!(" (after {failures} attempts)"),
        };
        Failure::failed(format!("{url}: {}{attempts}", explain(stop, text)))
    }

    /// The entity is uploaded, and the reply is not to be had.
    pub fn do_without_reply(&mut self, why: String) -> Result<()> {
        if let Some(reply) = &mut self.reply {
            reply.missing = Some(why);
        }
        self.upload.close_without_reply().map_err(Failure::machine)
    }

    /// All that could be done is done.
    fn finish(mut self) -> Result<()> {
        if let Some(state) = self.state.take() {
            state.remove()?;
        }
        if self.upload.poll() == Poll::Cancelled {
            return Err(Failure::failed("the upload was cancelled; the next one begins anew"));
        }
        let url = self.destination.as_str();
        if let Some(why) = self.reply.and_then(|reply| reply.missing) {
            return Err(Failure::failed(format!(
                "{url}: the entity is uploaded, and there is no reply: {why}"
            )));
        }
        self.console.done(self.upload.total(), url);
        Ok(())
    }

    /// After a failure: whatever the next process can go on with is kept, and what none can is
    /// cancelled.
    async fn leave(&mut self, failure: Failure) -> Failure {
        let is_changed = self.entity.check().is_err();
        if !is_changed && self.state.is_some() {
            return match self.save() {
                Ok(()) => failure,
                Err(error) => error,
            };
        }
        let can_hear = is_changed || matches!(self.upload.poll(), Poll::Failed(_));
        if can_hear && self.upload.session_id().is_some() {
            self.cancel().await;
        }
        let removed = self.state.take().map_or(Ok(()), StateFile::remove);
        removed.err().unwrap_or(failure)
    }

    /// Ctrl-C came.
    async fn interrupted(mut self) -> Result<()> {
        self.console.clear();
        if let Some(state) = &self.state {
            // What has ended needs no more than its file removed, which the next process does.
            let _ = self.upload.pause();
            self.save()?;
            let state = state.path().display();
            return Err(Failure::Interrupted(format!(
                "paused at {} of {} bytes; the same command with --resume {state} goes on",
                self.upload.received().0,
                self.upload.total(),
            )));
        }
        let what = if self.cancel().await {
            "cancelled: the server has forgotten the upload"
        } else {
            "cancelled, and the server could not be told: it keeps what it has until it expires"
        };
        Err(Failure::Interrupted(what.into()))
    }

    /// Whether the server has heard it, or has nothing to forget.
    async fn cancel(&mut self) -> bool {
        self.trouble = None;
        let cancelled = self.upload.cancel().is_ok()
            && timeout(CANCELLING, Box::pin(self.work())).await.is_ok_and(|it| it.is_ok());
        cancelled && self.upload.poll() == Poll::Cancelled
    }
}

/// Fails if the fields of the command line are not for it to give: with every request, not at
/// some later one.
pub fn check_headers(destination: &Destination, headers: &HeaderMap) -> Result<()> {
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
