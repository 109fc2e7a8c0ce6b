//! Reports of the embedder to a session, and timeouts.

use core::time::Duration;

use super::answer::{AnswerKind, CompactRefusal};
use super::request::busy;
use super::session::Pending;
use super::{
    Answer, Discard, EndReason, Event, EventError, HostError, Notified, Policy, Reply, Session,
    State, Step, StoreBytes, UnreadBody, WorkToken,
};
use crate::http1::StatusCode;
use crate::message::Refusal;
use crate::state_machine::{IllegalEvent, StateMachine as _};
use crate::util::packed::PackedDuration;

impl Session {
    /// Reports that the next `bytes` bytes of a [`Step::Store`] are stored as durably as the server
    /// promises. They are acknowledged even if the connection breaks, so each piece can be reported
    /// by itself.
    ///
    /// Returns [`Step::Store`] with the remaining bytes, or the next step once all are stored. Zero
    /// bytes are valid and postpone [`Policy::store_timeout`]. The returned step has
    /// [`skip`](StoreBytes::skip) 0, so keep your own count of the bytes to drop.
    ///
    /// # Fencing
    ///
    /// On [`EventError::StaleToken`] another request may have taken over, and the bytes must not
    /// become part of the entity. Write to a file or part that belongs to `token` alone: see
    /// [`WorkToken`].
    ///
    /// # Errors
    ///
    /// [`EventError`]; the session is unchanged.
    #[inline]
    pub fn handle_stored(
        &mut self,
        token: WorkToken,
        bytes: u64,
        policy: &Policy<'_>,
        now: Duration,
    ) -> Result<Step, EventError> {
        self.check_token(token)?;
        self.state.transition(Event::Stored)?;
        let too_many = EventError::TooManyBytes { remaining: self.remaining };
        let left = self.remaining.checked_sub(bytes).ok_or(too_many)?;
        let next = self.next.checked_add(bytes).ok_or(too_many)?;
        let event = match (left, self.total()) {
            (1.., _) => Event::Stored,
            (0, Some(total)) if next == total => Event::Complete,
            (0, _) => Event::FragmentStored,
        };
        self.state.transition(event)?;
        (self.remaining, self.next) = (left, next);
        if bytes > 0 && self.expires_at > PackedDuration::ZERO {
            self.expires_at = PackedDuration::new(now.saturating_add(policy.session_timeout));
        }
        if event == Event::FragmentStored {
            self.apply(event)?;
            return Ok(self.answer_fragment());
        }
        if event == Event::Complete {
            self.extend_work(policy.work_timeout, now);
            return Ok(self.complete(policy)?);
        }
        self.extend_work(policy.store_timeout, now);
        self.apply(event)?;
        Ok(Step::Store(StoreBytes { token, skip: 0, offset: next, take: left }))
    }

    /// Sets the timeout of the work to [`Policy::work_timeout`] from now. Call it repeatedly for work
    /// that takes longer, such as copying a large entity.
    ///
    /// # Errors
    ///
    /// [`EventError`]; the session is unchanged.
    pub fn renew(
        &mut self,
        token: WorkToken,
        policy: &Policy<'_>,
        now: Duration,
    ) -> Result<(), EventError> {
        self.check_token(token)?;
        self.extend_work(policy.work_timeout, now);
        Ok(())
    }

    /// Reports that the entity is at its destination and survives a crash there.
    ///
    /// From here on the session never requests the deletion of staged bytes. After a rename there are
    /// none. After a link or a copy, delete them once this call has succeeded and the session is
    /// persisted.
    ///
    /// On [`EventError::StaleToken`] another request may repeat the publication or discard the
    /// entity, so leave staged bytes and destination alone.
    ///
    /// # Errors
    ///
    /// [`EventError`]; the session is unchanged.
    pub fn handle_committed(&mut self, token: WorkToken) -> Result<Step, EventError> {
        self.check_token(token)?;
        self.state.transition(Event::Committed)?;
        self.committed = true;
        if self.state == State::Closing {
            self.apply(Event::Committed)?;
            return Ok(self.begin_discard(EndReason::Closed)?);
        }
        self.apply(Event::Committed)?;
        Ok(self.answer_fragment())
    }

    /// Reports that the data of a [`Step::Discard`] is deleted. The session has ended and can be
    /// removed.
    ///
    /// # Errors
    ///
    /// [`EventError`]; the session is unchanged.
    pub fn handle_discarded(&mut self, token: WorkToken) -> Result<Step, EventError> {
        self.check_token(token)?;
        self.state.transition(Event::Discarded)?;
        Ok(self.end()?)
    }

    /// Reports that the work of a step failed. Bytes reported before remain received, and the client
    /// is sent the status and code of `error`. [`HostError::EntityLost`] ends the session instead.
    ///
    /// # Errors
    ///
    /// [`EventError`]; the session is unchanged.
    pub fn handle_failed(
        &mut self,
        token: WorkToken,
        error: HostError,
        policy: &Policy<'_>,
    ) -> Result<Step, EventError> {
        self.check_token(token)?;
        if error == HostError::EntityLost {
            if self.state != State::Discarding {
                self.apply(Event::EntityLost)?;
                self.entity_lost = true;
                let is_accepted = policy.notification && self.notified.is_some();
                return Ok(self.begin_discard(if is_accepted {
                    EndReason::AcceptedEntityLost
                } else {
                    EndReason::EntityLost
                })?);
            }
            // Missing data counts as deleted. A reply is deleted in a second step.
            let discard = self.cleanup();
            self.entity_lost |= discard.entity;
            return if discard.entity && discard.reply {
                Ok(Step::Discard(self.cleanup()))
            } else {
                Ok(self.end()?)
            };
        }
        let unread_body = self.pending_unread_body();
        let in_application = matches!(error, HostError::Application { .. });
        self.apply(Event::Failed)?;
        let pending = self.pending;
        self.end_work();
        let refusal = match self.state {
            // The application has accepted the entity, so its refusal does not count.
            State::Accepted if in_application => busy(),
            _ => error.refusal(policy),
        };
        if self.state == State::Unnotified
            && in_application
            && refusal.status() == StatusCode::FORBIDDEN
        {
            self.forbidden_code = refusal.code();
        }
        if pending == Some(Pending::Timeout) {
            return Ok(Step::Done);
        }
        Ok(Step::Answer(Answer::refuse(refusal, unread_body)))
    }

    /// Reports that the client disconnected and the work of its request has stopped. The next request
    /// is accepted at once; bytes reported before remain received. Notification, publication and
    /// deletion are requested again when they are due.
    ///
    /// # Cancellation
    ///
    /// Call this only if the work has really stopped. If it continues in a task of its own, report its
    /// result as usual and drop the answer. Without any report, the session answers other requests
    /// with 503 until [`Policy::store_timeout`] or [`Policy::work_timeout`] has passed.
    ///
    /// # Errors
    ///
    /// [`EventError`]; the session is unchanged.
    pub fn handle_disconnected(&mut self, token: WorkToken) -> Result<(), EventError> {
        self.check_token(token)?;
        Ok(self.abort_work()?)
    }

    /// Aborts work that a process did not report before it stopped.
    ///
    /// Call it for a session that was restored, and only if no other process works on it. Without
    /// it, the work times out as usual.
    pub fn recover(&mut self) {
        // Cannot fail: `Interrupted` is legal in every state with work.
        let _ = self.abort_work();
    }

    /// Returns the time at which [`handle_timeout`](Self::handle_timeout) has an effect; `None` if
    /// the session has ended.
    ///
    /// It is [`expires_at`](Self::expires_at), or the timeout of the work in progress if that is
    /// later. Any other call may change it.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        match (self.state, self.pending) {
            (State::Ended, _) => None,
            (_, Some(_)) => Some(self.expires_at.max(self.work_deadline).get()),
            (_, None) => Some(self.expires_at()),
        }
    }

    /// [3.2.6.1] Ends the session if it has expired and no work is in progress.
    ///
    /// Returns the step that deletes its data, or [`Step::Done`] if there is none. Returns `None`
    /// before [`poll_timeout`](Self::poll_timeout) and after the end of the session. Until the
    /// deletion is reported, it is requested again after each [`Policy::work_timeout`].
    ///
    /// The other state machines need only `now`. A session also needs `policy`, which it does not
    /// store, and returns the step, because no request waits for it.
    pub fn handle_timeout(&mut self, policy: &Policy<'_>, now: Duration) -> Option<Step> {
        if PackedDuration::new(now) < self.expires_at || self.is_busy(now) {
            return None;
        }
        self.abort_work().ok()?;
        self.apply(Event::Timeout).ok()?;
        self.begin_work(Pending::Timeout, policy.work_timeout, now);
        self.begin_discard(self.end_reason.unwrap_or(EndReason::TimedOut)).ok()
    }

    /// [3.2.7] Ends the session before its time, as if it had expired: the server needs room, or
    /// [3.2.4.2] uploads were disabled.
    ///
    /// Returns `None` while work is in progress or after the end of the session. In the former case,
    /// the next call of [`handle_timeout`](Self::handle_timeout) after the work ends the session.
    pub fn expire(&mut self, policy: &Policy<'_>, now: Duration) -> Option<Step> {
        self.expires_at = PackedDuration::ZERO;
        self.handle_timeout(policy, now)
    }

    /// Continues after the last byte: notification, publication or the answer.
    pub(super) fn complete(&mut self, policy: &Policy<'_>) -> Result<Step, IllegalEvent<State>> {
        self.apply(Event::Complete)?;
        if policy.notification {
            return Ok(Step::Notify(self.work_token()));
        }
        let notified = Notified { copy_to_destination: true, reply: Reply::None };
        self.after_notification(Event::Notified, notified, policy)
    }

    /// Ends the work on a fragment and acknowledges it.
    pub(super) fn answer_fragment(&mut self) -> Step {
        let unread_body = self.unread_body.get();
        self.end_work();
        Step::Answer(self.received_answer(unread_body))
    }

    /// Continues a Close-Session of a complete entity.
    pub(super) fn close(&mut self) -> Result<Step, IllegalEvent<State>> {
        self.apply(Event::Close)?;
        if self.belongs_at_destination() {
            return Ok(Step::Commit(self.work_token()));
        }
        self.apply(Event::Committed)?;
        self.begin_discard(EndReason::Closed)
    }

    /// Asks for the deletion of the remaining data, or ends the session if there is none.
    pub(super) fn begin_discard(
        &mut self,
        end_reason: EndReason,
    ) -> Result<Step, IllegalEvent<State>> {
        self.end_reason = Some(end_reason);
        let discard = self.cleanup();
        if discard.entity || discard.reply { Ok(Step::Discard(discard)) } else { self.end() }
    }

    /// Returns the data to delete. A notification that was begun may have left a reply without a
    /// report.
    fn cleanup(&self) -> Discard {
        let reply = match self.notified {
            Some(notified) => matches!(notified.reply, Reply::Kept | Reply::Pending),
            None => self.total() == Some(self.next),
        };
        Discard { token: self.work_token(), entity: !self.committed && !self.entity_lost, reply }
    }

    /// Ends the session and answers the pending request.
    fn end(&mut self) -> Result<Step, IllegalEvent<State>> {
        self.apply(Event::Discarded)?;
        let pending = self.pending;
        let unread_body = self.pending_unread_body();
        self.end_work();
        let kind = match (pending, self.end_reason) {
            (None | Some(Pending::Timeout), _) => return Ok(Step::Done),
            (Some(Pending::Cancel), _) => AnswerKind::Cancelled,
            (Some(Pending::Close), Some(EndReason::EntityLost | EndReason::AcceptedEntityLost)) => {
                AnswerKind::Refused(CompactRefusal::new(&Refusal::bare(StatusCode::NOT_FOUND)))
            }
            (Some(Pending::Fragment), Some(EndReason::AcceptedEntityLost)) => {
                AnswerKind::Refused(CompactRefusal::new(&Refusal::bare(StatusCode::GONE)))
            }
            (Some(Pending::Close), _) => AnswerKind::Closed,
            (Some(Pending::Fragment), _) => {
                AnswerKind::Refused(CompactRefusal::new(&Refusal::session_not_found()))
            }
        };
        Ok(Step::Answer(Answer::new(kind, self.id, unread_body)))
    }

    /// Returns the handling of the body of the pending request. Only the embedder knows how much it
    /// has read of a body that is not stored completely.
    const fn pending_unread_body(&self) -> UnreadBody {
        if self.remaining == 0 { self.unread_body.get() } else { UnreadBody::Close }
    }

    /// Aborts the work that was begun and not reported.
    #[inline]
    pub(super) fn abort_work(&mut self) -> Result<(), IllegalEvent<State>> {
        if self.pending.is_some() {
            self.apply(Event::Interrupted)?;
            self.end_work();
        }
        Ok(())
    }

    #[inline]
    pub(super) fn check_token(&self, token: WorkToken) -> Result<(), EventError> {
        if self.pending.is_some() && self.work_token() == token {
            Ok(())
        } else {
            Err(EventError::StaleToken)
        }
    }
}
