//! Limits of the number of sessions, for concurrent requests.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bits_proto::server::SessionLimits;

/// The requests of this server that are creating sessions.
///
/// A request counts the sessions of the store and the requests ahead of it, as each of these may create a
/// session. So the sessions that one server creates never exceed a limit. A request that is counted twice,
/// because it has just created its session, can only cause a refusal at the limit.
#[derive(Default)]
pub(crate) struct Admissions(Mutex<State>);

#[derive(Default)]
struct State {
    latest: u64,
    /// The requests by their number, with their principals.
    requests: HashMap<u64, Option<Box<str>>>,
}

/// Numbers of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) all: usize,
    /// Number of sessions of one principal; 0 if the principal is anonymous.
    pub(crate) principal: usize,
}

impl Counts {
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            all: self.all.saturating_add(other.all),
            principal: self.principal.saturating_add(other.principal),
        }
    }

    pub(crate) const fn exceed(self, limits: &SessionLimits) -> bool {
        self.all > limits.max_sessions || self.principal > limits.max_sessions_per_principal
    }
}

/// A request that is creating a session, until it is dropped.
pub(crate) struct Admission<'a> {
    admissions: &'a Admissions,
    number: u64,
    /// The requests ahead of this one.
    pub(crate) ahead: Counts,
}

impl Admissions {
    /// Adds a request. Must be called before the sessions of the store are counted.
    pub(crate) fn enter(&self, principal: Option<&str>) -> Admission<'_> {
        let mut state = self.state();
        let is_of_principal = |other: &&Option<Box<str>>| other.as_deref() == principal;
        let ahead = Counts {
            all: state.requests.len(),
            principal: principal
                .map_or(0, |_| state.requests.values().filter(is_of_principal).count()),
        };
        state.latest += 1;
        let number = state.latest;
        state.requests.insert(number, principal.map(Into::into));
        Admission { admissions: self, number, ahead }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        self.admissions.state().requests.remove(&self.number);
    }
}
