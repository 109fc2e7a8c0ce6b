//! The work of one request: carries out the steps of its session until there is an answer.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bits_proto::error::error_chain;
use bits_proto::server::{Discard, Policy, SessionsResponse, Step, WorkToken};
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};

use crate::body::{End, RequestBody};
use crate::driver::{Changed, DriverError, NextStep, OneSession, SessionHandle, now};
use crate::hooks::Completed;
use crate::server::Inner;
use crate::sessions::{SessionRecord, SessionStoreError};
use crate::storage::{Discarded, Journal, Publish, Staged, StorageError};
use crate::unreleased::Unreleased;
use crate::upload::Caller;
use crate::{BoxError, Principal, metrics};

/// Reasons why a request has no answer of its session.
pub(crate) enum Stop {
    /// The body ended early.
    Body(End),
    /// The session could not be changed.
    Session(DriverError),
}

impl Stop {
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Body(end) => end.as_str(),
            Self::Session(error) if error.is_stale() => "overtaken",
            Self::Session(_) => "session-store",
        }
    }
}

impl From<DriverError> for Stop {
    fn from(error: DriverError) -> Self {
        Self::Session(error)
    }
}

impl From<SessionStoreError> for Stop {
    fn from(error: SessionStoreError) -> Self {
        Self::Session(error.into())
    }
}

/// Result of one step.
pub(crate) type StepResult<'s> = Result<NextStep<'s>, Stop>;

/// Work whose end the session does not know yet. After a panic, the next request of the session releases it.
struct Unreported<'a> {
    unreleased: &'a Unreleased,
    /// The token of the work; `None` before the work begins and after its end.
    token: Option<WorkToken>,
}

impl Drop for Unreported<'_> {
    fn drop(&mut self) {
        if let Some(token) = self.token {
            self.unreleased.insert(token);
        }
    }
}

/// A request in progress.
pub(crate) struct Work<'s, 'r> {
    pub(crate) inner: &'s Arc<Inner>,
    pub(crate) caller: &'r Caller<'r>,
    /// The session; `None` for a request without one.
    handle: Option<Arc<SessionHandle>>,
    pub(crate) body: &'r mut RequestBody,
    /// Number of bytes that were stored and acknowledged.
    pub(crate) stored: u64,
    /// The last record of a session that has ended.
    ended: Option<SessionRecord>,
    /// The reason of the storage to refuse the request.
    pub(crate) refusal: Option<String>,
}

impl<'s, 'r> Work<'s, 'r> {
    pub(crate) const fn new(
        inner: &'s Arc<Inner>,
        caller: &'r Caller<'r>,
        handle: Option<Arc<SessionHandle>>,
        body: &'r mut RequestBody,
    ) -> Self {
        Self { inner, caller, handle, body, stored: 0, ended: None, refusal: None }
    }

    pub(crate) const fn stored(&self) -> u64 {
        self.stored
    }

    /// Carries out steps until one is the answer.
    pub(crate) async fn run(
        &mut self,
        first: Result<Changed<NextStep<'s>>, DriverError>,
    ) -> Result<SessionsResponse<'s>, Stop> {
        let mut next = first.map_err(Stop::from).map(|changed| self.outcome(changed));
        let mut unreported = Unreported { unreleased: &self.inner.unreleased, token: None };
        let answer = loop {
            let step = match next {
                Ok(step) => step,
                Err(stop) => break Err(stop),
            };
            unreported.token = step.token().or(unreported.token);
            next = match step {
                Step::Store(bytes) => self.store(&bytes).await,
                // Boxed: their memory is not needed while a request waits for its body.
                Step::Notify(token) => Box::pin(self.notify(token)).await,
                Step::KeepReply(token) => Box::pin(self.keep_reply(token)).await,
                Step::Commit(token) => Box::pin(self.commit(token)).await,
                Step::Discard(discard) => Box::pin(self.discard(&discard)).await,
                Step::Answer(answer) => break Ok(answer),
                // Only without a request.
                _ => break Err(Stop::Body(End::Disconnected)),
            };
        };
        if let (Err(stop), Some(token)) = (&answer, unreported.token) {
            self.release(token, stop).await;
        }
        unreported.token = None;
        if let Some(record) = self.ended.take() {
            self.inner.session_ended(&record).await;
        }
        answer
    }

    pub(crate) fn policy(&self) -> Policy<'s> {
        self.inner.policy()
    }

    pub(crate) fn handle(&self) -> Result<&Arc<SessionHandle>, Stop> {
        let stale = DriverError::Event(bits_proto::server::EventError::StaleToken);
        self.handle.as_ref().ok_or(Stop::Session(stale))
    }

    /// Returns the record of the session.
    pub(crate) async fn record(&self) -> Result<SessionRecord, Stop> {
        let stale = DriverError::Event(bits_proto::server::EventError::StaleToken);
        self.handle()?.record().await?.ok_or(Stop::Session(stale))
    }

    /// Reports to the session, and returns the next step.
    pub(crate) async fn report(
        &mut self,
        report: impl FnMut(&mut OneSession<'s>) -> Result<NextStep<'s>, DriverError>,
    ) -> StepResult<'s> {
        let changed = self.handle()?.change(self.policy(), report).await?;
        Ok(self.outcome(changed))
    }

    /// Returns the result of a change, and remembers the end of the session.
    fn outcome<T>(&mut self, changed: Changed<T>) -> T {
        self.ended = changed.ended.or(self.ended.take());
        changed.outcome
    }

    /// Reports stored bytes with their new description.
    pub(crate) async fn report_stored(
        &mut self,
        token: WorkToken,
        bytes: u64,
        staged: &Staged,
    ) -> StepResult<'s> {
        let amend = |record: &mut SessionRecord| record.staged = staged.clone();
        let stored = self.handle()?.change_with(self.policy(), amend, |sessions| {
            Ok(sessions.handle_stored(token, bytes, now())?)
        });
        let step = stored.await?.outcome;
        self.stored += bytes;
        metrics::bytes_received(bytes);
        Ok(step)
    }

    /// Reports a failure of the storage.
    pub(crate) async fn failed(
        &mut self,
        token: WorkToken,
        error: &StorageError,
    ) -> StepResult<'s> {
        if error.is_refusal() {
            self.refusal = Some(error_chain(error));
        } else {
            warn!(bytes = self.stored, error = %error_chain(error), "storage failed");
            metrics::interrupted("storage");
        }
        let error = error.host_error();
        self.report(|sessions| Ok(sessions.handle_failed(token, error)?)).await
    }

    /// Renews the work token.
    pub(crate) async fn renew(&self, token: WorkToken, kind: Renewal) -> Result<(), Stop> {
        let renewed = |sessions: &mut OneSession<'s>| Ok(kind.renew(sessions, token)?);
        self.handle()?.change(self.policy(), renewed).await?;
        Ok(())
    }

    /// Renews the work token if possible. If a later request has taken over, the work itself fails.
    pub(crate) async fn try_renew(&self, token: WorkToken, kind: Renewal) {
        if let Err(Stop::Session(error)) = self.renew(token, kind).await {
            debug!(error = %error_chain(&error), "cannot renew the work token");
        }
    }

    /// Runs work that may take long, and renews the work token at regular intervals.
    pub(crate) async fn while_renewing<T>(
        &self,
        token: WorkToken,
        kind: Renewal,
        work: impl Future<Output = T>,
    ) -> Result<T, Stop> {
        let interval = kind.interval(&self.policy());
        let renewals = async {
            loop {
                sleep(interval).await;
                self.try_renew(token, kind).await;
            }
        };
        let mut work = pin!(work);
        tokio::select! {
            biased;
            done = &mut work => Ok(done),
            () = renewals => unreachable!("renewals do not end"),
        }
    }

    /// Releases the work token, so that the session accepts another request without waiting for its timeout.
    async fn release(&mut self, token: WorkToken, stop: &Stop) {
        if matches!(stop, Stop::Session(error) if error.is_stale()) {
            return;
        }
        let released = self
            .report(|sessions| Ok(sessions.handle_disconnected(token).map(|()| Step::Done)?))
            .await;
        if let Err(Stop::Session(error)) = released
            && !error.is_stale()
        {
            warn!(bytes = self.stored, error = %error_chain(&error), "cannot release the session yet; its next request does, or its timeout");
            self.inner.unreleased.insert(token);
        }
    }

    /// Publishes the entity under the work token, calls the hook, and then informs the session. After a crash
    /// in between, all of this is repeated, and the storage detects that the entity is published.
    async fn commit(&mut self, token: WorkToken) -> StepResult<'s> {
        let record = self.record().await?;
        let start = Instant::now();
        let published = self.publish(token, &record);
        match self.while_renewing(token, Renewal::Work, published).await? {
            Ok(Some(completed)) => {
                metrics::published(start.elapsed());
                info!(key = %completed.key, bytes = completed.length, "upload published");
            }
            Ok(None) => {}
            Err(Unpublished::Storage(error)) => return self.failed(token, &error).await,
            Err(Unpublished::Hook(error)) => {
                warn!(key = %record.key, error = %error_chain(&*error), "the hook on_complete failed; the client is asked to retry");
                metrics::interrupted("hook");
                let error = bits_proto::server::HostError::Other;
                return self.report(|sessions| Ok(sessions.handle_failed(token, error)?)).await;
            }
        }
        let step = self.report(|sessions| Ok(sessions.handle_committed(token)?)).await?;
        if self.ended.is_none() {
            // Nothing needs the staged bytes any more. If this fails, the end of the session removes them.
            let what = Discarded { entity: true, reply: false };
            if let Err(error) = self.inner.storage.discard(token, &record.staged, what).await {
                debug!(error = %error_chain(&error), "cannot delete the staged bytes of a published upload yet");
            }
        }
        Ok(step)
    }

    async fn publish(
        &self,
        token: WorkToken,
        record: &SessionRecord,
    ) -> Result<Option<Completed>, Unpublished> {
        let session = &record.record.session;
        let length = session.total().ok_or_else(|| StorageError::other("length is unknown"))?;
        #[cfg(feature = "sha256")]
        let sha256 = self.sha256_staged(token, record, length).await?;
        let publish = Publish {
            token,
            staged: record.staged.clone(),
            total: length,
            key: record.key.clone(),
            replaces: self.inner.policy.overwrites,
        };
        let published = self.inner.storage.publish(publish).await?;
        #[cfg(feature = "sha256")]
        let sha256 = match sha256 {
            Some(sha256) => Some(sha256),
            None => self.sha256_published(&record.key, published.tag.as_deref(), length).await?,
        };
        let completed = Completed {
            session: record.id(),
            principal: record.record.principal.clone().map_or(Principal::ANONYMOUS, Principal::new),
            path: self.caller.path().to_owned(),
            key: record.key.clone(),
            length,
            data: record.data.clone(),
            tag: published.tag,
            #[cfg(feature = "sha256")]
            sha256,
        };
        if let Some(on_complete) = &self.inner.on_complete {
            on_complete(completed.clone()).await.map_err(Unpublished::Hook)?;
        }
        Ok(Some(completed))
    }

    async fn discard(&mut self, discard: &Discard) -> StepResult<'s> {
        let token = discard.token;
        let staged = self.record().await?.staged;
        let what = Discarded { entity: discard.entity, reply: discard.reply };
        let discarded = self.inner.storage.discard(token, &staged, what);
        match self.while_renewing(token, Renewal::Work, discarded).await? {
            Ok(()) => self.report(|sessions| Ok(sessions.handle_discarded(token)?)).await,
            Err(error) => self.failed(token, &error).await,
        }
    }
}

impl Inner {
    /// Removes what remains of a session that has ended.
    pub(crate) async fn session_ended(&self, record: &SessionRecord) {
        let reason = metrics::session_ended(record.record.session.end_reason());
        debug!(reason, "session ended");
        if let Err(error) = self.storage.remove(record.id(), Some(&record.staged)).await {
            warn!(error = %error_chain(&error), "cannot delete the remaining data of a session; a sweep tries again");
        }
    }
}

/// Reasons why a publication is repeated later.
enum Unpublished {
    Storage(StorageError),
    Hook(BoxError),
}

impl From<StorageError> for Unpublished {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// Renewal of a work token.
#[derive(Clone, Copy)]
pub(crate) enum Renewal {
    /// Of work on the body of a fragment.
    Store,
    /// Of any other work.
    Work,
}

impl Renewal {
    /// Returns the time between two renewals.
    pub(crate) fn interval(self, policy: &Policy<'_>) -> Duration {
        match self {
            Self::Store => policy.store_timeout / 3,
            Self::Work => policy.work_timeout / 3,
        }
    }

    pub(crate) fn renew<'s>(
        self,
        sessions: &mut OneSession<'s>,
        token: WorkToken,
    ) -> Result<(), bits_proto::server::SessionsError<std::convert::Infallible>> {
        match self {
            Self::Store => sessions.handle_stored(token, 0, now()).map(drop),
            Self::Work => sessions.renew(token, now()),
        }
    }
}

/// Stores the description of staged bytes for a [`Writer`](crate::storage::Writer).
pub(crate) struct SessionJournal {
    pub(crate) inner: Arc<Inner>,
    pub(crate) handle: Arc<SessionHandle>,
    pub(crate) token: WorkToken,
}

#[async_trait]
impl Journal for SessionJournal {
    async fn save(&self, staged: &Staged) -> Result<(), StorageError> {
        let amend = |record: &mut SessionRecord| record.staged = staged.clone();
        let saved = self.handle.change_with(self.inner.policy(), amend, |sessions| {
            Ok(Renewal::Store.renew(sessions, self.token)?)
        });
        match saved.await {
            Ok(_) => Ok(()),
            Err(error) if error.is_stale() => Err(StorageError::Stale),
            Err(DriverError::Store(SessionStoreError::Full(error))) => {
                Err(StorageError::Full(Some(error)))
            }
            Err(error) => Err(StorageError::other(error)),
        }
    }
}
