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
    token_number: u32,
    work_deadline: Duration,
    next: u64,
    total: Option<u64>,
    remaining: u64,
    unread_body: UnreadBody,
    notified: Option<Notified>,
    forbidden_code: Option<HResult>,
    committed: bool,
    entity_lost: bool,
    end_reason: Option<EndReason>,
    expires_at: Duration,
    => session_id: SessionId::from(id),
});

impl Session {
    /// What cannot be true of any session that lived.
    fn contradiction(&self) -> Option<&'static str> {
        let works = self.pending.is_some();
        let received_all = self.total == Some(self.next);
        let missing = self.total.unwrap_or(0).checked_sub(self.next);
        let was_notified = self.notified.is_some();
        let rules = [
            (missing.is_some(), "more bytes are held than there are"),
            (
                missing.is_some_and(|missing| self.remaining <= missing),
                "more bytes come than are missing",
            ),
            (self.remaining == 0 || works, "bytes come without work"),
            (self.state != State::Storing || self.remaining > 0, "nothing comes, and it is stored"),
            (!self.state.is_complete() || received_all, "it is whole, and bytes are missing"),
            (self.is_work_of_state(works), "its work does not fit its state"),
            (
                was_notified == self.may_be_notified(was_notified),
                "the notification does not fit its state",
            ),
            (self.state != State::Committed || self.committed, "it is committed and not placed"),
            (!self.committed || received_all, "it is placed, and bytes are missing"),
            (!self.entity_lost || self.is_over(), "its bytes are gone, and it goes on"),
            (!self.entity_lost || !self.committed, "its bytes are gone, and they are placed"),
            (self.is_over() == self.end_reason.is_some(), "its end does not fit its state"),
            (self.state != State::Receiving || !received_all, "no byte is missing, and it waits"),
            (!was_notified || received_all, "the application was told, and bytes are missing"),
            (
                self.forbidden_code.is_none() || self.may_be_forbidden(),
                "nobody can have forbidden it",
            ),
            (!self.committed || self.may_be_committed(), "it is placed, and still to be placed"),
            (
                !self.must_have_destination() || self.belongs_at_destination(),
                "it is placed, and does not belong there",
            ),
            (self.is_end_possible(received_all), "its end does not fit its bytes or its work"),
            (works || self.work_deadline == Duration::ZERO, "nothing is done, and it takes time"),
            (works || self.unread_body == UnreadBody::None, "nothing is done, and a body is left"),
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

    const fn may_be_committed(&self) -> bool {
        matches!(self.state, State::Committed | State::Discarding | State::Ended)
    }

    const fn must_have_destination(&self) -> bool {
        matches!(self.state, State::Committing | State::Committed | State::Closing)
    }

    const fn is_end_possible(&self, received_all: bool) -> bool {
        let fits_work = match (self.pending, self.end_reason) {
            (Some(Pending::Fragment), Some(end_reason)) => {
                matches!(end_reason, EndReason::EntityLost)
            }
            (Some(Pending::Close), Some(end_reason)) => {
                !matches!(end_reason, EndReason::Cancelled | EndReason::TimedOut)
            }
            _ => true,
        };
        let fits_bytes = match self.end_reason {
            Some(EndReason::Closed) => received_all,
            Some(EndReason::ClosedIncomplete) => !received_all,
            _ => true,
        };
        fits_work && fits_bytes
    }

    /// Whether the application may have been told, and must have been.
    const fn may_be_notified(&self, was_notified: bool) -> bool {
        match self.state {
            State::Receiving | State::Storing | State::Notifying | State::Unnotified => false,
            State::WaitForClose | State::Committing | State::Committed | State::Closing => true,
            State::Discarding | State::Ended => was_notified,
        }
    }
}
