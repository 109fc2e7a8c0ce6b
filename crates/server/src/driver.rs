//! Sessions in an asynchronous store.
//!
//! The rules of sessions are those of [`bits_proto::server::Sessions`], which works on a synchronous store.
//! Each operation here loads one record, runs the operation of the core on a store that consists of this
//! record, and writes the result by compare-and-swap. If the record has changed meanwhile, all is repeated.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bits_proto::error::error_chain;
use bits_proto::message::Refusal;
use bits_proto::server::{
    EventError, Policy, Record, SessionLimits, Sessions, SessionsError, SessionsResponse, Step,
    Store,
};
use thiserror::Error;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::sessions::{SessionRecord, SessionStore, SessionStoreError, Versioned};

/// Maximum number of attempts to change a record. Each failure means that another request has changed
/// it, or that the store failed.
const MAX_ATTEMPTS: usize = 64;

/// Maximum number of attempts after failures of the store.
const MAX_FAILURES: usize = 3;

/// Delay after a failure of the store.
const FAILURE_DELAY: Duration = Duration::from_millis(100);

/// Reasons why a session was not changed.
#[derive(Debug, Error)]
pub(crate) enum DriverError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] SessionStoreError),
    /// The session rejected the report.
    #[error(transparent)]
    Event(#[from] EventError),
    /// Other requests changed the session again and again.
    #[error("session is changed by too many requests at the same time")]
    Contention,
}

impl DriverError {
    /// Returns the refusal of a request whose session was not changed.
    pub(crate) fn refusal(&self, policy: &Policy<'_>) -> Refusal<'static> {
        match self {
            Self::Store(error) => error.refusal(policy),
            Self::Event(_) | Self::Contention => Refusal::unavailable(),
        }
    }

    /// Returns `true` if the request has lost its work token.
    pub(crate) const fn is_stale(&self) -> bool {
        matches!(self, Self::Event(EventError::StaleToken))
    }
}

impl From<SessionsError<Infallible>> for DriverError {
    fn from(error: SessionsError<Infallible>) -> Self {
        match error {
            SessionsError::Event(error) => Self::Event(error),
            // The store of one record cannot fail.
            _ => Self::Contention,
        }
    }
}

/// Step of a session whose policy lives as long as the server.
pub(crate) type NextStep<'s> = Step<SessionsResponse<'s>>;

/// The sessions that the core sees during one operation.
pub(crate) type OneSession<'s> = Sessions<'s, OneRecord>;

/// Store of the core that has at most one session.
#[derive(Debug, Default)]
pub(crate) struct OneRecord {
    record: Option<Record>,
    is_removed: bool,
    /// Number of all sessions, and of those of the principal.
    counts: (usize, usize),
    /// Inserting fails, as the id exists.
    is_taken: bool,
}

impl Store for OneRecord {
    type Error = Infallible;

    fn insert(&mut self, record: Record) -> Result<bool, Infallible> {
        self.record = Some(record).filter(|_| !self.is_taken);
        Ok(!self.is_taken)
    }

    fn update<T>(
        &mut self,
        _: Uuid,
        change: impl FnMut(&mut Record) -> T,
    ) -> Result<Option<T>, Infallible> {
        Ok(self.record.as_mut().map(change))
    }

    fn remove(&mut self, _: Uuid) -> Result<(), Infallible> {
        self.is_removed = true;
        Ok(())
    }

    fn count(&self, principal: Option<&str>) -> Result<usize, Infallible> {
        Ok(if principal.is_some() { self.counts.1 } else { self.counts.0 })
    }

    fn expired(&self, now: Duration) -> Result<Vec<Uuid>, Infallible> {
        let record = self.record.iter().filter(|record| record.timeout() <= now);
        Ok(record.map(|record| record.session.id()).collect())
    }

    fn next_timeout(&self) -> Result<Option<Duration>, Infallible> {
        Ok(self.record.as_ref().map(Record::timeout))
    }
}

/// A session that was created by the core and is not stored yet.
pub(crate) struct Created<'s> {
    pub(crate) answer: NextStep<'s>,
    /// The record; `None` if the request was refused.
    pub(crate) record: Option<Record>,
}

/// Runs a Create-Session of the core. `counts` are the numbers of sessions, and `is_taken` is set if the id
/// of the new session exists.
pub(crate) fn create<'s>(
    policy: Policy<'s>,
    limits: SessionLimits,
    counts: (usize, usize),
    is_taken: bool,
    request: impl FnOnce(&mut OneSession<'s>) -> Result<NextStep<'s>, Infallible>,
) -> Created<'s> {
    let store = OneRecord { counts, is_taken, ..OneRecord::default() };
    let mut sessions = Sessions::new(store, policy, limits);
    let Ok(answer) = request(&mut sessions);
    Created { answer, record: sessions.into_store().record }
}

/// One session of the store, as one request sees it.
pub(crate) struct SessionHandle {
    id: Uuid,
    store: Arc<dyn SessionStore>,
    /// The record as this request wrote it last. A change of it needs no load; if another request has changed
    /// the record, the compare-and-swap fails.
    cached: Mutex<Option<Versioned>>,
}

/// A change that the store may have made before it failed.
struct Attempt<T> {
    record: SessionRecord,
    outcome: T,
}

impl SessionHandle {
    pub(crate) fn new(id: Uuid, store: Arc<dyn SessionStore>) -> Self {
        Self { id, store, cached: Mutex::new(None) }
    }

    /// Returns the session as it was seen last; `None` if it does not exist.
    pub(crate) async fn record(&self) -> Result<Option<SessionRecord>, SessionStoreError> {
        let mut cached = self.cached.lock().await;
        if cached.is_none() {
            *cached = self.store.load(self.id).await?;
        }
        Ok(cached.as_ref().map(|versioned| versioned.record.clone()))
    }

    /// Aborts work that a process did not report before it stopped.
    pub(crate) async fn recover(&self, policy: Policy<'_>) -> Result<(), DriverError> {
        let amend = |record: &mut SessionRecord| record.record.session.recover();
        self.change_with(policy, amend, |_| Ok(())).await.map(drop)
    }

    /// Runs an operation of the core, and stores the result.
    pub(crate) async fn change<'s, T>(
        &self,
        policy: Policy<'s>,
        operation: impl FnMut(&mut OneSession<'s>) -> Result<T, DriverError>,
    ) -> Result<Changed<T>, DriverError> {
        self.change_with(policy, |_| {}, operation).await
    }

    /// Runs an operation of the core, changes other parts of the record if it succeeds, and stores both in one
    /// compare-and-swap.
    pub(crate) async fn change_with<'s, T>(
        &self,
        policy: Policy<'s>,
        amend: impl Fn(&mut SessionRecord),
        operation: impl FnMut(&mut OneSession<'s>) -> Result<T, DriverError>,
    ) -> Result<Changed<T>, DriverError> {
        // Several records, which would take memory of every request also while it waits for its body.
        Box::pin(self.compare_and_swap(policy, amend, operation)).await
    }

    async fn compare_and_swap<'s, T>(
        &self,
        policy: Policy<'s>,
        amend: impl Fn(&mut SessionRecord),
        mut operation: impl FnMut(&mut OneSession<'s>) -> Result<T, DriverError>,
    ) -> Result<Changed<T>, DriverError> {
        let mut cached = self.cached.lock().await;
        let mut failures = 0;
        let mut attempt: Option<Attempt<T>> = None;
        for _ in 0..MAX_ATTEMPTS {
            // A change that is dropped while it is stored leaves nothing in the cache.
            let loaded = match cached.take() {
                Some(versioned) => Some(versioned),
                None => self.store.load(self.id).await?,
            };
            if let Some(made) = attempt.take_if(|it| {
                loaded.as_ref().is_some_and(|versioned| versioned.record == it.record)
            }) {
                *cached = loaded;
                return Ok(Changed::new(made.outcome));
            }
            let old = loaded.as_ref().map(|versioned| versioned.record.record.clone());
            let store = OneRecord { record: old, ..OneRecord::default() };
            let mut sessions = Sessions::new(store, policy, SessionLimits::DEFAULT);
            let outcome = operation(&mut sessions)?;
            let one = sessions.into_store();
            let (Some(Versioned { record: old, version, .. }), Some(record)) = (loaded, one.record)
            else {
                return Ok(Changed::new(outcome));
            };
            let mut new = SessionRecord { record, ..old.clone() };
            amend(&mut new);
            if one.is_removed {
                match self.store.remove(self.id, &version).await {
                    Ok(true) => return Ok(Changed { outcome, ended: Some(new) }),
                    Ok(false) => {}
                    Err(error) => {
                        retry_later(error, &mut failures).await?;
                        // The same removal again: it succeeds if the first one was made.
                        *cached = Some(Versioned { record: old, version });
                    }
                }
            } else if new == old {
                *cached = Some(Versioned { record: old, version });
                return Ok(Changed::new(outcome));
            } else {
                match self.store.replace(&version, &new).await {
                    Ok(Some(version)) => {
                        *cached = Some(Versioned { record: new, version });
                        return Ok(Changed::new(outcome));
                    }
                    Ok(None) => {}
                    Err(error) => {
                        retry_later(error, &mut failures).await?;
                        attempt = Some(Attempt { record: new, outcome });
                    }
                }
            }
        }
        Err(DriverError::Contention)
    }
}

/// Result of a change.
pub(crate) struct Changed<T> {
    pub(crate) outcome: T,
    /// The last record of a session that has ended and was removed.
    pub(crate) ended: Option<SessionRecord>,
}

impl<T> Changed<T> {
    /// Creates the result of a change after which the session continues.
    pub(crate) const fn new(outcome: T) -> Self {
        Self { outcome, ended: None }
    }
}

async fn retry_later(
    error: SessionStoreError,
    failures: &mut usize,
) -> Result<(), SessionStoreError> {
    *failures += 1;
    if *failures >= MAX_FAILURES || matches!(error, SessionStoreError::Record { .. }) {
        return Err(error);
    }
    tracing::debug!(error = %error_chain(&error), "session store failed; trying again");
    tokio::time::sleep(FAILURE_DELAY).await;
    Ok(())
}

/// Returns the time since the Unix epoch: sessions outlive the process and its monotonic clock.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
