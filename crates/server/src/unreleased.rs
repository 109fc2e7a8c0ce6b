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

    /// Inserts a token, unless a later one of its session is present, and removes those that have timed out.
    pub(crate) fn insert(&self, token: WorkToken) {
        let now = Instant::now();
        let mut tokens = self.locked();
        tokens.retain(|_, (_, inserted)| now.duration_since(*inserted) < self.timeout);
        let id = token.session_id();
        if tokens.get(&id).is_none_or(|(other, _)| !is_later(*other, token)) {
            tokens.insert(id, (token, now));
        }
    }

    /// Removes a token. A later one of its session remains.
    pub(crate) fn remove(&self, token: WorkToken) {
        let mut tokens = self.locked();
        if tokens.get(&token.session_id()).is_some_and(|(other, _)| *other == token) {
            tokens.remove(&token.session_id());
        }
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Uuid, (WorkToken, Instant)>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns `true` if `token` is later than another one of its session. Numbers start over after the largest one.
const fn is_later(token: WorkToken, other: WorkToken) -> bool {
    let distance = token.number().wrapping_sub(other.number());
    distance != 0 && distance <= u32::MAX / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::WorkTokens;

    #[test]
    fn an_earlier_token_neither_replaces_nor_removes_a_later_one() {
        let unreleased = Unreleased::new(Duration::MAX);
        let mut tokens = WorkTokens::new();
        let (earlier, later) = (tokens.issue(), tokens.issue());
        unreleased.insert(earlier);
        unreleased.insert(later);
        unreleased.insert(earlier);
        unreleased.remove(earlier);
        assert_eq!(unreleased.get(later.session_id()), Some(later));
        unreleased.remove(later);
        assert_eq!(unreleased.get(later.session_id()), None);
    }
}
