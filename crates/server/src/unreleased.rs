//! Work that has ended, while the session store could not record it.
//!
//! Without it, a session stays busy until its work times out, for example after a moment without space on the disk.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bits_proto::server::WorkToken;
use tokio::time::Instant;
use uuid::Uuid;

/// The work tokens of this process that are still to be released, by session.
#[derive(Debug)]
pub(crate) struct Unreleased {
    tokens: Mutex<HashMap<Uuid, (WorkToken, Instant)>>,
    /// Time after which all work has timed out.
    timeout: Duration,
}

impl Unreleased {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { tokens: Mutex::default(), timeout }
    }

    /// Returns the token that the next request of the session releases.
    pub(crate) fn get(&self, session: Uuid) -> Option<WorkToken> {
        self.locked().get(&session).map(|(token, _)| *token)
    }

    /// Inserts a token, and removes those that have timed out.
    pub(crate) fn insert(&self, token: WorkToken) {
        let now = Instant::now();
        let mut tokens = self.locked();
        tokens.retain(|_, (_, inserted)| now.duration_since(*inserted) < self.timeout);
        tokens.insert(token.session_id(), (token, now));
    }

    pub(crate) fn remove(&self, session: Uuid) {
        self.locked().remove(&session);
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Uuid, (WorkToken, Instant)>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
