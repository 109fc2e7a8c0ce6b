//! What the host reports to a session.

use core::time::Duration;

use super::answer::{AnswerKind, CompactRefusal};
use super::session::Pending;
use super::{
    Answer, Discard, EndReason, Event, EventError, HostError, Notified, Policy, Reply, Session,
    State, Step, StoreBytes, UnreadBody, WorkToken,
};
use crate::http1::StatusCode;
use crate::message::Refusal;
use crate::state_machine::{IllegalEvent, StateMachine as _};

impl Session {
    /// The next `bytes` bytes of a [`Step::Store`] are stored, so that they survive whatever the
    /// host promises to survive. They count from now on, whatever becomes of the connection; so a
    /// host may report each piece, and need not wait for the whole fragment.
    ///
    /// Yields [`Step::Store`] with what is still lacking. No bytes are a report too: the work is
    /// still being done.
    ///
    /// # Errors
    ///
    /// [`EventError`]; nothing is changed then.
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
        let event = match (left, self.total) {
            (1.., _) => Event::Stored,
            (0, Some(total)) if next == total => Event::Complete,
            (0, _) => Event::FragmentStored,
        };
        self.state.transition(event)?;
        (self.remaining, self.next) = (left, next);
        if bytes > 0 && self.expires_at > Duration::ZERO {
            self.expires_at = now.saturating_add(policy.session_timeout);
        }
        if event == Event::FragmentStored {
            self.apply(event)?;
            return Ok(self.answer_fragment());
        }
        if event == Event::Complete {
            self.work_deadline = now.saturating_add(policy.work_timeout);
            return Ok(self.complete(policy)?);
        }
        self.work_deadline = now.saturating_add(policy.store_timeout);
        self.apply(event)?;
        Ok(Step::Store(StoreBytes { token, skip: 0, offset: next, take: left }))
    }

    /// The work is still being done, and counts as given up later: for what takes longer than
    /// [`Policy::work_timeout`], such as a large entity that is copied.
    ///
    /// # Errors
    ///
    /// [`EventError`]; nothing is changed then.
    pub fn renew(
        &mut self,
        token: WorkToken,
        policy: &Policy<'_>,
        now: Duration,
    ) -> Result<(), EventError> {
        self.check_token(token)?;
        self.work_deadline = now.saturating_add(policy.work_timeout);
        Ok(())
    }

    /// The server application took the entity, and said this. The host keeps the reply URL.
    ///
    /// # Errors
    ///
    /// [`EventError`]; nothing is changed then.
    pub fn handle_notified(
        &mut self,
        token: WorkToken,
        notified: Notified,
        policy: &Policy<'_>,
        now: Duration,
    ) -> Result<Step, EventError> {
        self.check_token(token)?;
        self.state.transition(Event::Notified)?;
        self.work_deadline = now.saturating_add(policy.work_timeout);
        Ok(self.after_notification(notified, policy)?)
    }

    /// The entity is at its destination.
    ///
    /// # Errors
    ///
    /// [`EventError`]; nothing is changed then.
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

    /// What [`Step::Discard`] named is deleted. The session has ended; a host forgets it.
    ///
    /// # Errors
    ///
    /// [`EventError`]; nothing is changed then.
    pub fn handle_discarded(&mut self, token: WorkToken) -> Result<Step, EventError> {
        self.check_token(token)?;
        self.state.transition(Event::Discarded)?;
        Ok(self.end()?)
    }

    /// What a step asked for could not be done. What was stored before counts, and the client
    /// learns why.
    ///
    /// # Errors
    ///
    /// [`EventError`]; nothing is changed then.
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
                return Ok(self.begin_discard(EndReason::EntityLost)?);
            }
            // What was to be deleted counts as that; a reply that was to go with it is asked for.
            let discard = self.cleanup();
            self.entity_lost |= discard.entity;
            return if discard.entity && discard.reply {
                Ok(Step::Discard(self.cleanup()))
            } else {
                Ok(self.end()?)
            };
        }
        let unread_body = self.unread();
        let in_application = matches!(error, HostError::Application { .. });
        self.apply(Event::Failed)?;
        let pending = self.pending;
        self.end_work();
        let refusal = refusal(error, policy);
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

    /// The client is gone, and what was asked for is not done any further. What was stored before
    /// counts; notifying, placing and discarding are asked for again when they are due.
    ///
    /// Only for work that is really left undone: what is finished in spite of it is reported as
    /// ever, and the answer thrown away.
    ///
    /// # Errors
    ///
    /// [`EventError`]; nothing is changed then.
    pub fn handle_disconnected(&mut self, token: WorkToken) -> Result<(), EventError> {
        self.check_token(token)?;
        Ok(self.abort_work()?)
    }

    /// The process that worked on a request is no more: whatever it had not reported is undone.
    /// For sessions that are read back from where they were stored; of use only to a host that
    /// knows that no other process works on them, as the work counts as given up after
    /// [`Policy::work_timeout`] anyway.
    pub fn recover(&mut self) {
        // Without work there is nothing to undo, and where there is work the table has a way back.
        let _ = self.abort_work();
    }

    /// [3.2.6.1] Time has passed. If the session has timed out, says what to delete; until that is
    /// reported, it says so again each time, but not while the host is at work.
    pub fn handle_timeout(&mut self, policy: &Policy<'_>, now: Duration) -> Option<Step> {
        if now < self.expires_at || self.is_busy(now) {
            return None;
        }
        self.abort_work().ok()?;
        self.apply(Event::Timeout).ok()?;
        self.begin(Pending::Timeout, policy.work_timeout, now);
        self.begin_discard(self.end_reason.unwrap_or(EndReason::TimedOut)).ok()
    }

    /// [3.2.7] Ends the session before its time, as if it had timed out: the server needs room, or
    /// [3.2.4.2] uploads are not enabled any more. `None` while the host is at work; then it ends
    /// as soon as [`handle_timeout`](Self::handle_timeout) is called after that.
    pub fn expire(&mut self, policy: &Policy<'_>, now: Duration) -> Option<Step> {
        self.expires_at = Duration::ZERO;
        self.handle_timeout(policy, now)
    }

    /// The entity is whole.
    pub(super) fn complete(&mut self, policy: &Policy<'_>) -> Result<Step, IllegalEvent<State>> {
        self.apply(Event::Complete)?;
        if policy.notification {
            return Ok(Step::Notify(self.work_token()));
        }
        self.after_notification(Notified { copy_to_destination: true, reply: Reply::None }, policy)
    }

    /// The application was told, or there is none.
    fn after_notification(
        &mut self,
        notified: Notified,
        policy: &Policy<'_>,
    ) -> Result<Step, IllegalEvent<State>> {
        self.apply(Event::Notified)?;
        self.notified = Some(notified);
        if self.pending == Some(Pending::Close) {
            return self.close();
        }
        if self.commits_at_last_fragment(policy) {
            self.apply(Event::Commit)?;
            return Ok(Step::Commit(self.work_token()));
        }
        Ok(self.answer_fragment())
    }

    /// The work on a fragment is done.
    fn answer_fragment(&mut self) -> Step {
        let unread_body = self.unread_body;
        self.end_work();
        Step::Answer(self.received_answer(unread_body))
    }

    /// A whole entity is closed.
    pub(super) fn close(&mut self) -> Result<Step, IllegalEvent<State>> {
        self.apply(Event::Close)?;
        if self.belongs_at_destination() {
            return Ok(Step::Commit(self.work_token()));
        }
        self.apply(Event::Committed)?;
        self.begin_discard(EndReason::Closed)
    }

    /// Nothing of the session is needed any more.
    pub(super) fn begin_discard(
        &mut self,
        end_reason: EndReason,
    ) -> Result<Step, IllegalEvent<State>> {
        self.end_reason = Some(end_reason);
        let discard = self.cleanup();
        if discard.entity || discard.reply { Ok(Step::Discard(discard)) } else { self.end() }
    }

    /// What is to be deleted. Where the entity is whole, the application was told of it or was to
    /// be, and there may be a reply of which nobody reported.
    fn cleanup(&self) -> Discard {
        let reply = match self.notified {
            Some(notified) => notified.reply == Reply::Kept,
            None => self.total == Some(self.next),
        };
        Discard { token: self.work_token(), entity: !self.committed && !self.entity_lost, reply }
    }

    fn end(&mut self) -> Result<Step, IllegalEvent<State>> {
        self.apply(Event::Discarded)?;
        let pending = self.pending;
        let unread_body = self.unread();
        self.end_work();
        let kind = match (pending, self.end_reason) {
            (None | Some(Pending::Timeout), _) => return Ok(Step::Done),
            (Some(Pending::Cancel), _) => AnswerKind::Cancelled,
            (Some(Pending::Close), Some(EndReason::EntityLost)) => {
                AnswerKind::Refused(CompactRefusal::new(&Refusal::bare(StatusCode::NOT_FOUND)))
            }
            (Some(Pending::Close), _) => AnswerKind::Closed,
            (Some(Pending::Fragment), _) => {
                AnswerKind::Refused(CompactRefusal::new(&Refusal::session_not_found()))
            }
        };
        Ok(Step::Answer(Answer::new(kind, self.session_id, unread_body)))
    }

    /// What to do with the body when the work on it ends before all is stored: only the host knows
    /// how much it has read.
    const fn unread(&self) -> UnreadBody {
        if self.remaining == 0 { self.unread_body } else { UnreadBody::Close }
    }

    /// Undoes what was begun and not reported.
    #[inline]
    pub(super) fn abort_work(&mut self) -> Result<(), IllegalEvent<State>> {
        if self.pending.is_some() {
            self.apply(Event::Interrupted)?;
            self.end_work();
        }
        Ok(())
    }

    #[inline]
    fn check_token(&self, token: WorkToken) -> Result<(), EventError> {
        if self.pending.is_some() && self.work_token() == token {
            Ok(())
        } else {
            Err(EventError::StaleToken)
        }
    }
}

/// What the client is told.
fn refusal(error: HostError, policy: &Policy<'_>) -> Refusal<'static> {
    match error {
        HostError::DiskFull => Refusal::disk_full(policy.disk_full),
        HostError::AccessDenied | HostError::DestinationExists => Refusal::access_denied(),
        HostError::EntityLost => Refusal::bare(StatusCode::NOT_FOUND),
        HostError::Application { status, code } => Refusal::of_application(status, code),
        HostError::Other => Refusal::bare(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
