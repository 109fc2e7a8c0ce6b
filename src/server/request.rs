//! What a session says to a request.

use core::time::Duration;

use super::answer::AnswerKind;
use super::session::Pending;
use super::{
    Access, Answer, CommitAt, EarlyClose, EndReason, Event, MIN_FRAGMENT, OverlapRule, Policy,
    Session, State, Step, StoreBytes, UnreadBody,
};
use crate::field::{ContentRange, HResult, Overlap};
use crate::http1::StatusCode;
use crate::message::{Refusal, Request};
use crate::state_machine::IllegalEvent;

impl Session {
    /// [3.2.5] Says what to do with a request.
    ///
    /// `access` is the host's verdict on this very request. What is asked first: access, then
    /// whether the session is this one and alive, whether it is at work, and at last the packet's
    /// own rules. A Ping is answered whatever the session's state, and never prolongs it. A
    /// Create-Session belongs to no session and is refused; see [`Session::create`].
    ///
    /// A refusal leaves the session as it was, but for work that had been given up.
    #[inline]
    pub fn handle_request(
        &mut self,
        request: &Request<'_>,
        access: Access,
        policy: &Policy<'_>,
        now: Duration,
    ) -> Step {
        let body = request.content_length();
        match self.take_request(request, access, policy, now) {
            Ok(step) => step,
            Err(Rejection(refusal)) => {
                Step::Answer(Answer::refuse(refusal, UnreadBody::of(body, policy)))
            }
        }
    }

    #[inline]
    fn take_request(
        &mut self,
        request: &Request<'_>,
        access: Access,
        policy: &Policy<'_>,
        now: Duration,
    ) -> Result<Step, Rejection> {
        if let Some(refusal) = access.refusal() {
            return Err(refusal.into());
        }
        let session_id = match request {
            Request::Ping(_) => {
                self.apply(Event::Answered)?;
                return Ok(Step::Answer(Answer::new(
                    AnswerKind::Ping,
                    self.session_id,
                    UnreadBody::None,
                )));
            }
            Request::CreateSession(_) => return Err(Refusal::invalid_argument().into()),
            Request::Fragment(fragment) => &fragment.session_id,
            Request::CloseSession(close) => &close.session_id,
            Request::CancelSession(cancel) => &cancel.session_id,
        };
        if *session_id != self.session_id || self.state == State::Ended {
            return Err(Refusal::session_not_found().into());
        }
        if self.is_busy(now) {
            return Err(busy().into());
        }
        if now >= self.expires_at {
            return Err(Refusal::session_not_found().into());
        }
        match request {
            Request::Fragment(fragment) => self.take_fragment(fragment.content_range, policy, now),
            Request::CloseSession(_) => self.take_close(policy, now),
            _ => self.take_cancel(policy, now),
        }
    }

    /// [3.2.5.2.6] FRAGMENT.
    #[inline]
    fn take_fragment(
        &mut self,
        range: ContentRange,
        policy: &Policy<'_>,
        now: Duration,
    ) -> Result<Step, Rejection> {
        self.abort_work()?;
        if self.total.is_some_and(|total| total != range.total()) {
            return Err(Refusal::invalid_argument().into());
        }
        match self.state {
            State::Receiving => self.take_bytes(range, policy, now),
            State::Unnotified => match self.forbidden_code {
                Some(code) => {
                    self.apply(Event::Repeated)?;
                    let unread_body = UnreadBody::of(range.len(), policy);
                    Ok(Step::Answer(Answer::refuse(forbidden(code), unread_body)))
                }
                None => {
                    self.begin(Pending::Fragment, policy.work_timeout, now);
                    self.unread_body = UnreadBody::of(range.len(), policy);
                    Ok(self.complete(policy)?)
                }
            },
            State::WaitForClose if self.commits_at_last_fragment(policy) => {
                self.apply(Event::Commit)?;
                self.begin(Pending::Fragment, policy.work_timeout, now);
                self.unread_body = UnreadBody::of(range.len(), policy);
                Ok(Step::Commit(self.work_token()))
            }
            State::WaitForClose | State::Committed => self.repeat(range, policy),
            _ => Err(Refusal::session_not_found().into()),
        }
    }

    /// A fragment while bytes are missing.
    #[inline]
    fn take_bytes(
        &mut self,
        range: ContentRange,
        policy: &Policy<'_>,
        now: Duration,
    ) -> Result<Step, Rejection> {
        check_size(range, policy)?;
        let out_of_sync = Refusal::out_of_sync(self.received());
        let strict = policy.overlap == OverlapRule::Refuse;
        match range.overlap(self.next) {
            Overlap::Gap => Err(out_of_sync.into()),
            Overlap::Held if strict => Err(out_of_sync.into()),
            Overlap::New { skip: 1.., .. } if strict => Err(out_of_sync.into()),
            Overlap::Held => self.repeat(range, policy),
            Overlap::New { skip, take } => {
                self.apply(Event::Fragment)?;
                self.begin(Pending::Fragment, policy.store_timeout, now);
                self.total = Some(range.total());
                self.remaining = take;
                Ok(Step::Store(StoreBytes {
                    token: self.work_token(),
                    skip,
                    offset: self.next,
                    take,
                }))
            }
        }
    }

    /// A fragment that brings nothing new: what was answered before, again.
    fn repeat(&mut self, range: ContentRange, policy: &Policy<'_>) -> Result<Step, Rejection> {
        self.apply(Event::Repeated)?;
        Ok(Step::Answer(self.received_answer(UnreadBody::of(range.len(), policy))))
    }

    /// [3.2.5.2.7] CLOSE-SESSION.
    fn take_close(&mut self, policy: &Policy<'_>, now: Duration) -> Result<Step, Rejection> {
        self.abort_work()?;
        match self.state {
            State::Receiving if self.is_empty_entity() && policy.empty_entities => {
                self.total = Some(0);
                self.begin(Pending::Close, policy.work_timeout, now);
                Ok(self.complete(policy)?)
            }
            State::Receiving if policy.early_close == EarlyClose::Refuse => {
                Err(Refusal::invalid_argument().into())
            }
            State::Receiving => {
                self.apply(Event::CloseEarly)?;
                self.discard(Pending::Close, EndReason::ClosedIncomplete, policy, now)
            }
            State::Unnotified => match self.forbidden_code {
                Some(code) => Err(forbidden(code).into()),
                None => {
                    self.begin(Pending::Close, policy.work_timeout, now);
                    Ok(self.complete(policy)?)
                }
            },
            State::WaitForClose => {
                self.begin(Pending::Close, policy.work_timeout, now);
                Ok(self.close()?)
            }
            State::Committed => {
                self.apply(Event::Close)?;
                self.discard(Pending::Close, EndReason::Closed, policy, now)
            }
            State::Discarding if self.was_closed() => {
                self.apply(Event::Close)?;
                let end_reason = self.end_reason.unwrap_or(EndReason::Closed);
                self.discard(Pending::Close, end_reason, policy, now)
            }
            _ => Err(Refusal::session_not_found().into()),
        }
    }

    /// [3.2.5.2.8] CANCEL-SESSION.
    fn take_cancel(&mut self, policy: &Policy<'_>, now: Duration) -> Result<Step, Rejection> {
        self.abort_work()?;
        self.apply(Event::Cancel)?;
        let end_reason = self.end_reason.unwrap_or(EndReason::Cancelled);
        self.discard(Pending::Cancel, end_reason, policy, now)
    }

    fn discard(
        &mut self,
        pending: Pending,
        end_reason: EndReason,
        policy: &Policy<'_>,
        now: Duration,
    ) -> Result<Step, Rejection> {
        self.begin(pending, policy.work_timeout, now);
        Ok(self.begin_discard(end_reason)?)
    }

    const fn is_empty_entity(&self) -> bool {
        self.next == 0 && self.total.is_none()
    }

    const fn was_closed(&self) -> bool {
        matches!(self.end_reason, Some(EndReason::Closed | EndReason::ClosedIncomplete))
    }

    /// Whether the entity goes to its destination without waiting for Close-Session.
    pub(super) fn commits_at_last_fragment(&self, policy: &Policy<'_>) -> bool {
        policy.commit_at == CommitAt::LastFragment && self.belongs_at_destination()
    }

    /// The answer that says how many bytes are held, and where the reply is once it is known.
    #[inline]
    pub(super) fn received_answer(&self, unread_body: UnreadBody) -> Answer {
        let kind = AnswerKind::Received { next: self.next, has_reply_url: self.has_reply() };
        Answer::new(kind, self.session_id, unread_body)
    }
}

/// What a request that is not taken is answered with.
struct Rejection(Refusal<'static>);

impl From<Refusal<'static>> for Rejection {
    fn from(refusal: Refusal<'static>) -> Self {
        Self(refusal)
    }
}

impl From<IllegalEvent<State>> for Rejection {
    /// The checks before let nothing illegal through. If one ever is, nothing was changed, and the
    /// client tries again.
    fn from(_: IllegalEvent<State>) -> Self {
        Self(busy())
    }
}

/// Another request is worked on: 503 without a code, so that the client tries again.
const fn busy() -> Refusal<'static> {
    Refusal::unavailable()
}

/// What the application said when it forbade the entity.
const fn forbidden(code: HResult) -> Refusal<'static> {
    Refusal::of_application(StatusCode::FORBIDDEN, Some(code))
}

/// The rules about sizes, in the order in which they are answered.
fn check_size(range: ContentRange, policy: &Policy<'_>) -> Result<(), Refusal<'static>> {
    if range.total() > policy.max_entity {
        return Err(Refusal::too_large());
    }
    if range.len() <= policy.max_fragment {
        return Ok(());
    }
    // The client would not send less than that.
    if range.len() <= MIN_FRAGMENT {
        return Err(Refusal::too_large());
    }
    Err(Refusal::bare(StatusCode::CONTENT_TOO_LARGE))
}
