//! The stored form of a session.

use core::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::session::Pending;
use super::{Ending, Notified, Rest, Session, State};
use crate::field::SessionId;
use crate::stored::{Damaged, VERSION, check};

/// The stored form. A field that is missing is damage, also where it may be null, and any other set
/// of fields is another version.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    version: u8,
    id: Uuid,
    state: State,
    #[serde(deserialize_with = "Option::deserialize")]
    pending: Option<Pending>,
    turn: u32,
    work_until: Duration,
    next: u64,
    #[serde(deserialize_with = "Option::deserialize")]
    total: Option<u64>,
    left: u64,
    rest: Rest,
    #[serde(deserialize_with = "Option::deserialize")]
    notified: Option<Notified>,
    #[serde(deserialize_with = "Option::deserialize")]
    forbidden: Option<u32>,
    placed: bool,
    #[serde(deserialize_with = "Option::deserialize")]
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
            rest: session.rest,
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
            rest: stored.rest,
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
            (self.state != State::Receiving || !received_all, "no byte is missing, and it waits"),
            (!was_told || received_all, "the application was told, and bytes are missing"),
            (self.forbidden.is_none() || self.may_be_forbidden(), "nobody can have forbidden it"),
            (!self.placed || self.may_be_placed(), "it is placed, and still to be placed"),
            (
                !self.is_to_be_placed() || self.is_copied(),
                "it is placed, and does not belong there",
            ),
            (self.is_end_possible(received_all), "its end does not fit its bytes or its work"),
            (works || self.work_until == Duration::ZERO, "nothing is done, and it takes time"),
            (works || self.rest == Rest::None, "nothing is done, and a body is left"),
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

    const fn may_be_forbidden(&self) -> bool {
        matches!(self.state, State::Unnotified | State::Discarding | State::Ended)
    }

    const fn may_be_placed(&self) -> bool {
        matches!(self.state, State::Committed | State::Discarding | State::Ended)
    }

    const fn is_to_be_placed(&self) -> bool {
        matches!(self.state, State::Committing | State::Committed | State::Closing)
    }

    fn is_copied(&self) -> bool {
        self.notified.is_none_or(|notified| notified.copy_to_destination)
    }

    const fn is_end_possible(&self, received_all: bool) -> bool {
        let fits_work = match (self.pending, self.ending) {
            (Some(Pending::Fragment), Some(ending)) => matches!(ending, Ending::EntityLost),
            (Some(Pending::Close), Some(ending)) => {
                !matches!(ending, Ending::Cancelled | Ending::TimedOut)
            }
            _ => true,
        };
        let fits_bytes = match self.ending {
            Some(Ending::Closed) => received_all,
            Some(Ending::ClosedIncomplete) => !received_all,
            _ => true,
        };
        fits_work && fits_bytes
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
