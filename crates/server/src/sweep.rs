//! Removal of expired sessions, and of data without a session.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bits_proto::server::{Discard, HostError};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{Instrument as _, debug, info_span, warn};
use uuid::Uuid;

use crate::driver::{DriverError, SessionHandle, now};
use crate::server::Inner;
use crate::sessions::SessionStoreError;
use crate::storage::{Discarded, MIN_ORPHAN_AGE, StorageError};

/// Maximum number of sessions that are looked up at once.
const BATCH: usize = 100;

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
                warn!(session = %id, %error, "cannot recover a session; its work times out");
            }
        }
        // No session can be created before the start, so there is nothing to wait for.
        self.sweep_orphans(Duration::ZERO).await;
        Ok(())
    }

    /// Ends the expired sessions.
    pub(crate) async fn sweep(&self) {
        loop {
            let expired = match self.sessions.expired(now(), BATCH).await {
                Ok(expired) => expired,
                Err(error) => return warn!(%error, "cannot look for expired sessions"),
            };
            let mut has_failed = false;
            for id in &expired {
                let span = info_span!("sweep", session = %id);
                if let Err(error) = self.expire(*id).instrument(span.clone()).await {
                    span.in_scope(|| warn!(%error, "cannot end an expired session"));
                    has_failed = true;
                }
            }
            // A session that cannot be ended would be found again at once.
            if expired.len() < BATCH || has_failed || self.closing.is_cancelled() {
                return;
            }
        }
    }

    async fn expire(&self, id: Uuid) -> Result<(), DriverError> {
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
        while let Some(next) = discard.take() {
            discard = self.discard_expired(&handle, &next).await?;
        }
        Ok(())
    }

    /// Deletes the data of an expired session. Returns what is left to delete.
    async fn discard_expired(
        &self,
        handle: &SessionHandle,
        discard: &Discard,
    ) -> Result<Option<Discard>, DriverError> {
        let Some(record) = handle.record().await? else { return Ok(None) };
        let token = discard.token;
        let what = Discarded { entity: discard.entity, reply: discard.reply };
        let discarded = self.storage.discard(token, &record.staged, what).await;
        let failure = match &discarded {
            Ok(()) => None,
            Err(StorageError::Lost(_)) => Some(HostError::EntityLost),
            Err(error) => {
                warn!(%error, "cannot delete the data of an expired session; a later sweep tries again");
                Some(error.host_error())
            }
        };
        let changed = handle.change(self.policy(), |sessions| match failure {
            None => Ok(sessions.handle_discarded(token)?),
            Some(error) => Ok(sessions.handle_failed(token, error)?),
        });
        let changed = changed.await?;
        if let Some(record) = changed.ended {
            self.session_ended(&record).await;
        }
        Ok(match changed.outcome {
            bits_proto::server::Step::Discard(discard) => Some(discard),
            _ => None,
        })
    }

    /// Removes data whose session does not exist. A session is stored after its staging has begun, by any node,
    /// so young data is left alone.
    async fn sweep_orphans(&self, min_age: Duration) {
        for id in self.orphans(min_age).await {
            match self.storage.remove(id, None).await {
                Ok(()) => debug!(session = %id, "data without a session removed"),
                Err(error) => warn!(session = %id, %error, "cannot remove data without a session"),
            }
        }
    }

    /// Returns the sessions that have staged data and do not exist.
    async fn orphans(&self, min_age: Duration) -> Vec<Uuid> {
        let staged = match self.storage.sessions(min_age).await {
            Ok(staged) => staged,
            Err(error) => {
                warn!(%error, "cannot look for data without a session");
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
