//! Removal of expired sessions, and of data without a session.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bits_proto::error::error_chain;
use bits_proto::server::{Discard, HostError, Step};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{Instrument as _, debug, info_span, warn};
use uuid::Uuid;

use crate::driver::{DriverError, SessionHandle, now};
use crate::server::Inner;
use crate::sessions::SessionStoreError;
use crate::storage::{Discarded, MIN_ORPHAN_AGE, StorageError};

/// Number of sessions that are looked up at once.
const BATCH: usize = 100;

/// Number of failures of one sweep that are logged one by one.
const MAX_LINES: usize = 10;

/// Time between searches for data without a session, which list the whole storage.
const ORPHAN_INTERVAL: Duration = Duration::from_secs(10 * 60);

impl Inner {
    /// Starts the sweeps. They end with the server.
    pub(crate) fn start_sweeps(self: &Arc<Self>) {
        let (weak, closing) = (Arc::downgrade(self), self.closing.clone());
        let every = self.limits.sweep_interval.max(Duration::from_millis(1));
        let sweeps = async move {
            tokio::select! {
                () = sweep_repeatedly(&weak, every) => {}
                () = closing.cancelled() => {}
            }
        };
        tokio::spawn(sweeps);
    }

    /// Recovers from a crash of the previous process, if this one is the only user of the sessions.
    pub(crate) async fn recover(&self) -> Result<(), SessionStoreError> {
        if !self.sessions.is_exclusive() {
            return Ok(());
        }
        for id in self.sessions.expired(Duration::MAX, usize::MAX).await? {
            let recovered = self.session(id).recover(self.policy()).await;
            if let Err(error) = recovered {
                warn!(session = %id, error = %error_chain(&error), "cannot recover a session; its work times out");
            }
        }
        // No session can be created before the start, so there is nothing to wait for.
        self.sweep_orphans(Duration::ZERO).await;
        Ok(())
    }

    /// Ends the expired sessions. One that cannot be ended is left to the next sweep, and hides no other.
    pub(crate) async fn sweep(&self) {
        let mut left = HashSet::new();
        loop {
            // The sessions that are left are found again. The number grows with theirs, so that all sweeps of
            // a storage that fails take time in proportion to the number of sessions.
            let most = left.len() + left.len().max(BATCH);
            let expired = match self.sessions.expired(now(), most).await {
                Ok(expired) => expired,
                Err(error) => {
                    return warn!(error = %error_chain(&error), "cannot look for expired sessions");
                }
            };
            let is_last = expired.len() < most;
            for id in expired {
                if self.closing.is_cancelled() {
                    return;
                }
                if !left.contains(&id) && !self.try_expire(id, left.len()).await {
                    left.insert(id);
                }
            }
            if is_last {
                break;
            }
        }
        if left.len() > MAX_LINES {
            warn!(sessions = left.len(), "cannot end expired sessions; a later sweep tries again");
        }
    }

    /// Ends an expired session. Returns `false` if it is still expired. Failures are logged at WARN only if
    /// there were few before.
    async fn try_expire(&self, id: Uuid, failures: usize) -> bool {
        let span = info_span!("sweep", session = %id);
        let failure = match self.expire(id).instrument(span.clone()).await {
            Ok(None) => return true,
            Ok(Some(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        span.in_scope(|| {
            if failures < MAX_LINES {
                warn!(error = failure, "cannot end an expired session; a later sweep tries again");
            } else {
                debug!(error = failure, "cannot end an expired session; a later sweep tries again");
            }
        });
        false
    }

    /// Ends an expired session, or its work if only that has expired. Returns the failure of the storage.
    async fn expire(&self, id: Uuid) -> Result<Option<StorageError>, DriverError> {
        let handle = self.session(id);
        let policy = self.policy();
        let changed = handle.change(policy, |sessions| {
            let Ok(discards) = sessions.handle_timeout(now());
            Ok(discards)
        });
        let changed = changed.await?;
        if let Some(record) = changed.ended {
            self.session_ended(&record).await;
        }
        let mut discard = changed.outcome.first().copied();
        while let Some(next) = discard {
            discard = match self.discard_expired(&handle, &next).await? {
                Ok(rest) => rest,
                Err(error) => return Ok(Some(error)),
            };
        }
        Ok(None)
    }

    /// Deletes the data of an expired session. Returns what is left to delete.
    async fn discard_expired(
        &self,
        handle: &SessionHandle,
        discard: &Discard,
    ) -> Result<Result<Option<Discard>, StorageError>, DriverError> {
        let Some(record) = handle.record().await? else { return Ok(Ok(None)) };
        let token = discard.token;
        let what = Discarded { entity: discard.entity, reply: discard.reply };
        let discarded = self.storage.discard(token, &record.staged, what).await;
        let failure = match &discarded {
            Ok(()) => None,
            Err(StorageError::Lost(_)) => Some(HostError::EntityLost),
            Err(error) => Some(error.host_error()),
        };
        let changed = handle.change(self.policy(), |sessions| match failure {
            None => Ok(sessions.handle_discarded(token)?),
            Some(error) => Ok(sessions.handle_failed(token, error)?),
        });
        let changed = changed.await?;
        if let Some(record) = changed.ended {
            self.session_ended(&record).await;
        }
        Ok(match (changed.outcome, discarded) {
            (Step::Discard(discard), _) => Ok(Some(discard)),
            (_, Err(error)) if !matches!(error, StorageError::Lost(_)) => Err(error),
            _ => Ok(None),
        })
    }

    /// Removes data whose session does not exist. A session is stored after its staging has begun, by any node,
    /// so young data is left alone.
    async fn sweep_orphans(&self, min_age: Duration) {
        for id in self.orphans(min_age).await {
            match self.storage.remove(id, None).await {
                Ok(()) => debug!(session = %id, "data without a session removed"),
                Err(error) => {
                    warn!(session = %id, error = %error_chain(&error), "cannot remove data without a session")
                }
            }
        }
    }

    /// Returns the sessions that have staged data and do not exist.
    async fn orphans(&self, min_age: Duration) -> Vec<Uuid> {
        let staged = match self.storage.sessions(min_age).await {
            Ok(staged) => staged,
            Err(error) => {
                warn!(error = %error_chain(&error), "cannot look for data without a session");
                return Vec::new();
            }
        };
        let mut orphans = Vec::new();
        for id in staged {
            if matches!(self.sessions.load(id).await, Ok(None)) {
                orphans.push(id);
            }
        }
        orphans
    }
}

async fn sweep_repeatedly(inner: &Weak<Inner>, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut searched: Option<Instant> = None;
    loop {
        ticks.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        inner.sweep().await;
        if searched.is_none_or(|last| last.elapsed() >= ORPHAN_INTERVAL) {
            inner.sweep_orphans(MIN_ORPHAN_AGE).await;
            searched = Some(Instant::now());
        }
    }
}
