//! Reports of work that a server cannot accept. They change no session.

use bits_proto::server::{EventError, SessionLimits, Sessions, SessionsError, Step, WorkToken};

use super::server::Table;
use crate::support::stores::{Broken, Down};
use crate::support::tally;

/// Returns the token of a step that requests work.
pub fn token<A>(step: &Step<A>) -> Option<WorkToken> {
    match step {
        Step::Store(store) => Some(store.token),
        Step::Notify(token) | Step::KeepReply(token) | Step::Commit(token) => Some(*token),
        Step::Discard(discard) => Some(discard.token),
        _ => None,
    }
}

/// Reports work while the sessions cannot be written.
pub fn without_store(table: &Table, token: WorkToken) {
    let map = &table.store().map;
    let broken = Broken { map: map.clone(), works: 0.into() };
    let mut sessions = Sessions::new(broken, *table.policy(), SessionLimits::default());
    let error = sessions.handle_disconnected(token).expect_err("the store is broken");
    tally::note("table error", &error);
    assert_eq!(error, SessionsError::Store(Down));
    assert_eq!(sessions.store().map, *map);
}

/// Reports work that is done already.
pub fn twice(table: &mut Table, token: WorkToken) {
    let before = table.store().map.clone();
    let error = table.handle_committed(token).expect_err("the work is done");
    tally::note("table error", &error);
    assert_eq!(error, SessionsError::Event(EventError::StaleToken));
    assert_eq!(table.store().map, before);
}
