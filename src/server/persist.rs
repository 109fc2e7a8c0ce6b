//! The stored form of a session.

use core::time::Duration;

use uuid::Uuid;

use super::session::Pending;
use super::{EndReason, Notified, Session, State, UnreadBody};
use crate::field::{HResult, SessionId};
use crate::persist::stored_form;

stored_form!(Session as "a session" {
    id: Uuid,
    state: State,
    pending: Option<Pending>,
    turn: u32,
    work_until: Duration,
    next: u64,
    total: Option<u64>,
    left: u64,
    rest: UnreadBody,
    notified: Option<Notified>,
    forbidden: Option<HResult>,
    placed: bool,
    entity_gone: bool,
    ending: Option<EndReason>,
    expires_at: Duration,
    => session_id: SessionId::from(id),
});

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
            (self.is_work_of_state(works), "its work does not fit its state"),
            (was_told == self.may_be_told(was_told), "the notification does not fit its state"),
            (self.state != State::Committed || self.placed, "it is committed and not placed"),
            (!self.placed || received_all, "it is placed, and bytes are missing"),
            (!self.entity_gone || self.is_over(), "its bytes are gone, and it goes on"),
            (!self.entity_gone || !self.placed, "its bytes are gone, and they are placed"),
            (self.is_over() == self.ending.is_some(), "its end does not fit its state"),
            (self.state != State::Receiving || !received_all, "no byte is missing, and it waits"),
            (!was_told || received_all, "the application was told, and bytes are missing"),
            (self.forbidden.is_none() || self.may_be_forbidden(), "nobody can have forbidden it"),
            (!self.placed || self.may_be_placed(), "it is placed, and still to be placed"),
            (
                !self.is_to_be_placed() || self.belongs_at_destination(),
                "it is placed, and does not belong there",
            ),
            (self.is_end_possible(received_all), "its end does not fit its bytes or its work"),
            (works || self.work_until == Duration::ZERO, "nothing is done, and it takes time"),
            (works || self.rest == UnreadBody::None, "nothing is done, and a body is left"),
        ];
        rules.iter().find(|(holds, _)| !holds).map(|(_, what)| *what)
    }

    const fn is_over(&self) -> bool {
        matches!(self.state, State::Discarding | State::Ended)
    }

    /// Discarding may be left undone; any other work is either being done or undone.
    const fn is_work_of_state(&self, works: bool) -> bool {
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

    const fn is_end_possible(&self, received_all: bool) -> bool {
        let fits_work = match (self.pending, self.ending) {
            (Some(Pending::Fragment), Some(ending)) => matches!(ending, EndReason::EntityLost),
            (Some(Pending::Close), Some(ending)) => {
                !matches!(ending, EndReason::Cancelled | EndReason::TimedOut)
            }
            _ => true,
        };
        let fits_bytes = match self.ending {
            Some(EndReason::Closed) => received_all,
            Some(EndReason::ClosedIncomplete) => !received_all,
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
