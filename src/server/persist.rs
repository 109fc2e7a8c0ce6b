//! Persistent form of a session.

use core::time::Duration;

use uuid::Uuid;

use super::answer::PackedUnreadBody;
use super::session::Pending;
use super::{EndReason, Notified, Reply, Session, State, UnreadBody};
use crate::field::HResult;
use crate::persist::stored_form;
use crate::util::packed::PackedDuration;

stored_form!(Session as "session" {
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
});

impl Session {
    /// Returns the first rule that the restored fields violate.
    fn contradiction(&self) -> Option<&'static str> {
        let works = self.pending.is_some();
        let received_all = self.total() == Some(self.next);
        let missing = self.total().unwrap_or(0).checked_sub(self.next);
        let was_notified = self.notified.is_some();
        let rules = [
            (missing.is_some(), "`next` exceeds `total`"),
            (
                missing.is_some_and(|missing| self.remaining <= missing),
                "`remaining` exceeds the missing bytes",
            ),
            (self.remaining == 0 || works, "`remaining` without `pending`"),
            (
                self.state != State::Storing || self.remaining > 0,
                "state \"storing\" without `remaining`",
            ),
            (!self.state.is_complete() || received_all, "`state` requires a complete entity"),
            (self.is_pending_valid(works), "`pending` does not match `state`"),
            (
                was_notified == self.must_be_notified(was_notified),
                "`notified` does not match `state`",
            ),
            (
                self.state != State::Committed || self.committed,
                "state \"committed\" without `committed`",
            ),
            (!self.committed || received_all, "`committed` requires a complete entity"),
            (!self.entity_lost || self.is_over(), "`entity_lost` does not match `state`"),
            (!self.entity_lost || !self.committed, "`entity_lost` and `committed` are both set"),
            (self.is_over() == self.end_reason.is_some(), "`end_reason` does not match `state`"),
            (
                self.state != State::Receiving || !received_all,
                "state \"receiving\" with a complete entity",
            ),
            (!was_notified || received_all, "`notified` requires a complete entity"),
            (self.is_reply_valid(), "`reply` of `notified` does not match `state`"),
            (
                self.forbidden_code.is_none() || self.may_be_forbidden(),
                "`forbidden_code` does not match `state`",
            ),
            (!self.committed || self.may_be_committed(), "`committed` does not match `state`"),
            (
                !self.must_have_destination() || self.belongs_at_destination(),
                "`state` requires `copy_to_destination`",
            ),
            (
                self.is_end_reason_valid(received_all),
                "`end_reason` does not match the received bytes or `pending`",
            ),
            (
                works || self.work_deadline == PackedDuration::ZERO,
                "`work_deadline` without `pending`",
            ),
            (
                works || self.unread_body == PackedUnreadBody::NONE,
                "`unread_body` without `pending`",
            ),
        ];
        rules.iter().find(|(holds, _)| !holds).map(|(_, rule)| *rule)
    }

    const fn is_over(&self) -> bool {
        matches!(self.state, State::Discarding | State::Ended)
    }

    /// In state discarding, work is optional. Any other state either requires or forbids it.
    const fn is_pending_valid(&self, works: bool) -> bool {
        match (self.state, self.pending) {
            (State::Storing | State::Committing, Some(Pending::Fragment)) => true,
            (State::Notifying | State::Replying, Some(Pending::Fragment | Pending::Close)) => true,
            (State::Closing, Some(Pending::Close)) => true,
            (State::Discarding, _) => true,
            (
                State::Receiving
                | State::Unnotified
                | State::Accepted
                | State::WaitForClose
                | State::Committed
                | State::Ended,
                _,
            ) => !works,
            _ => false,
        }
    }

    /// A reply is pending until it is stored, and kept afterwards.
    const fn is_reply_valid(&self) -> bool {
        match self.notified {
            Some(Notified { reply: Reply::Pending, .. }) => !matches!(
                self.state,
                State::WaitForClose | State::Committing | State::Committed | State::Closing
            ),
            Some(Notified { reply: Reply::Kept, .. }) => {
                !matches!(self.state, State::Replying | State::Accepted)
            }
            _ => true,
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

    const fn is_end_reason_valid(&self, received_all: bool) -> bool {
        let fits_work = match (self.pending, self.end_reason) {
            (Some(Pending::Fragment), Some(end_reason)) => {
                matches!(end_reason, EndReason::EntityLost | EndReason::AcceptedEntityLost)
            }
            (Some(Pending::Close), Some(end_reason)) => {
                !matches!(end_reason, EndReason::Cancelled | EndReason::TimedOut)
            }
            _ => true,
        };
        let fits_bytes = match self.end_reason {
            Some(EndReason::Closed) => received_all,
            Some(EndReason::AcceptedEntityLost) => received_all && self.notified.is_some(),
            Some(EndReason::ClosedIncomplete) => !received_all,
            _ => true,
        };
        fits_work && fits_bytes
    }

    /// Returns the only valid value of `notified.is_some()` for the state.
    const fn must_be_notified(&self, was_notified: bool) -> bool {
        match self.state {
            State::Receiving | State::Storing | State::Notifying | State::Unnotified => false,
            State::Replying
            | State::Accepted
            | State::WaitForClose
            | State::Committing
            | State::Committed
            | State::Closing => true,
            State::Discarding | State::Ended => was_notified,
        }
    }
}
