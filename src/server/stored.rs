//! The stored form of a session.

use core::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::session::Pending;
use super::{Ending, Notified, Session, State};
use crate::field::SessionId;
use crate::stored::{Damaged, VERSION, check};

/// A session as it is stored. Fields are only ever added, and a change of meaning is another
/// version.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    version: u8,
    id: Uuid,
    state: State,
    pending: Option<Pending>,
    turn: u32,
    work_until: Duration,
    next: u64,
    total: Option<u64>,
    left: u64,
    notified: Option<Notified>,
    forbidden: Option<u32>,
    placed: bool,
    ending: Option<Ending>,
    expires_at: Duration,
}

impl From<Session> for Stored {
    fn from(session: Session) -> Self {
        Self {
            version: VERSION,
            id: session.id,
            state: session.state,
            pending: session.pending,
            turn: session.turn,
            work_until: session.work_until,
            next: session.next,
            total: session.total,
            left: session.left,
            notified: session.notified,
            forbidden: session.forbidden,
            placed: session.placed,
            ending: session.ending,
            expires_at: session.expires_at,
        }
    }
}

impl TryFrom<Stored> for Session {
    type Error = Damaged;

    fn try_from(stored: Stored) -> Result<Self, Damaged> {
        let version = stored.version;
        let session = Self {
            id: stored.id,
            session_id: SessionId::from(stored.id),
            state: stored.state,
            pending: stored.pending,
            turn: stored.turn,
            work_until: stored.work_until,
            next: stored.next,
            total: stored.total,
            left: stored.left,
            notified: stored.notified,
            forbidden: stored.forbidden,
            placed: stored.placed,
            ending: stored.ending,
            expires_at: stored.expires_at,
        };
        check("a session", version, session.contradiction())?;
        Ok(session)
    }
}

impl Session {
    /// What cannot be true of any session that lived.
    fn contradiction(&self) -> Option<&'static str> {
        let works = self.pending.is_some();
        let received_all = self.total == Some(self.next);
        let missing = self.total.unwrap_or(0).checked_sub(self.next);
        let was_told = self.notified.is_some();
        let rules = [
            (missing.is_some(), "more bytes are held than there are"),
            (
                missing.is_some_and(|missing| self.left <= missing),
                "more bytes come than are missing",
            ),
            (self.left == 0 || works, "bytes come without work"),
            (self.state != State::Storing || self.left > 0, "nothing comes, and it is stored"),
            (!self.state.is_whole() || received_all, "it is whole, and bytes are missing"),
            (self.is_in_time_with(works), "its work does not fit its state"),
            (was_told == self.may_be_told(was_told), "the notification does not fit its state"),
            (self.state != State::Committed || self.placed, "it is committed and not placed"),
            (!self.placed || received_all, "it is placed, and bytes are missing"),
            (self.is_over() == self.ending.is_some(), "its end does not fit its state"),
        ];
        rules.iter().find(|(holds, _)| !holds).map(|(_, what)| *what)
    }

    const fn is_over(&self) -> bool {
        matches!(self.state, State::Discarding | State::Ended)
    }

    /// Discarding may be left undone; any other work is either being done or undone.
    const fn is_in_time_with(&self, works: bool) -> bool {
        match (self.state, self.pending) {
            (State::Storing | State::Committing, Some(Pending::Fragment)) => true,
            (State::Notifying, Some(Pending::Fragment | Pending::Close)) => true,
            (State::Closing, Some(Pending::Close)) => true,
            (State::Discarding, _) => true,
            (
                State::Receiving
                | State::Unnotified
                | State::WaitForClose
                | State::Committed
                | State::Ended,
                _,
            ) => !works,
            _ => false,
        }
    }

    /// Whether the application may have been told, and must have been.
    const fn may_be_told(&self, was_told: bool) -> bool {
        match self.state {
            State::Receiving | State::Storing | State::Notifying | State::Unnotified => false,
            State::WaitForClose | State::Committing | State::Committed | State::Closing => true,
            State::Discarding | State::Ended => was_told,
        }
    }
}
