//! Handling of requests.

use core::time::Duration;

use uuid::Uuid;

use super::answer::{AnswerKind, CompactRefusal, PackedUnreadBody};
use super::session::Pending;
use super::{
    Access, Answer, CommitAt, EarlyClose, EndReason, Event, MIN_FRAGMENT, OverlapRule, Policy,
    Session, State, Step, StoreBytes, UnreadBody,
};
use crate::field::{ContentRange, HResult, Overlap, SessionId};
use crate::http1::StatusCode;
use crate::message::{Refusal, Request};
use crate::state_machine::IllegalEvent;
use crate::util::packed::{PackedDuration, PackedOption};

impl Session {
    /// [3.2.5] Handles a request and returns its next step.
    ///
    /// `access` is the result of the access check for this request. Checks run in this order: access,
    /// session id, work in progress, expiry, and the rules of the packet. A Ping is answered in any
    /// state and does not prolong the session. A Create-Session is refused; see [`Session::create`].
    ///
    /// The step is returned directly, not by a `poll` method: several requests can reach one session
    /// at once, and each needs its own step. A refusal leaves the session unchanged, except that work
    /// that has timed out is aborted.
    #[inline]
    pub fn handle_request(
        &mut self,
        request: &Request<'_>,
        access: Access,
        policy: &Policy<'_>,
        now: Duration,
    ) -> Step {
        let id = request.session_id().and_then(SessionId::guid);
        self.handle_request_for(id, request, access, policy, now)
    }

    /// Handles a request whose session id was parsed.
    #[inline]
    pub(super) fn handle_request_for(
        &mut self,
        id: Option<Uuid>,
        request: &Request<'_>,
        access: Access,
        policy: &Policy<'_>,
        now: Duration,
    ) -> Step {
        let body = request.content_length();
        match self.try_handle(id, request, access, policy, now) {
            Ok(step) => step,
            Err(Rejection(refusal)) => {
                Step::Answer(Answer::refuse_compact(refusal, UnreadBody::of(body, policy)))
            }
        }
    }

    #[inline(always)]
    fn try_handle(
        &mut self,
        id: Option<Uuid>,
        request: &Request<'_>,
        access: Access,
        policy: &Policy<'_>,
        now: Duration,
    ) -> Result<Step, Rejection> {
        if let Some(refusal) = access.refusal() {
            return Err(refusal.into());
        }
        match request {
            Request::Ping(_) => {
                self.apply(Event::Answered)?;
                return Ok(Step::Answer(Answer::new(AnswerKind::Ping, self.id, UnreadBody::None)));
            }
            Request::CreateSession(_) => return Err(Refusal::invalid_argument().into()),
            _ if id != Some(self.id) => return Err(Refusal::session_not_found().into()),
            _ => {}
        }
        if self.state == State::Ended {
            return Err(Refusal::session_not_found().into());
        }
        if self.is_busy(now) {
            return Err(busy().into());
        }
        if PackedDuration::new(now) >= self.expires_at {
            return Err(Refusal::session_not_found().into());
        }
        if let Request::Fragment(fragment) = request {
            return self.on_fragment(fragment.content_range, policy, now);
        }
        // A variable of its own: a function that is not inlined writes its result to memory, and the step of a
        // fragment would be copied there as well.
        let step = match request {
            Request::CloseSession(_) => self.on_close(policy, now)?,
            _ => self.on_cancel(policy, now)?,
        };
        Ok(step)
    }

    /// [3.2.5.2.6] Handles a Fragment.
    #[inline(always)]
    fn on_fragment(
        &mut self,
        range: ContentRange,
        policy: &Policy<'_>,
        now: Duration,
    ) -> Result<Step, Rejection> {
        self.abort_work()?;
        if self.total().is_some_and(|total| total != range.total()) {
            return Err(Refusal::invalid_argument().into());
        }
        match self.state {
            State::Receiving => self.on_bytes(range, policy, now),
            State::Unnotified => match self.forbidden_code {
                Some(code) => {
                    self.apply(Event::Repeated)?;
                    let unread_body = UnreadBody::of(range.len(), policy);
                    Ok(Step::Answer(Answer::refuse(forbidden(code), unread_body)))
                }
                None => {
                    self.begin_work(Pending::Fragment, policy.work_timeout, now);
                    self.unread_body = PackedUnreadBody::new(UnreadBody::of(range.len(), policy));
                    Ok(self.complete(policy)?)
                }
            },
            State::Accepted => {
                self.begin_work(Pending::Fragment, policy.work_timeout, now);
                self.unread_body = PackedUnreadBody::new(UnreadBody::of(range.len(), policy));
                Ok(self.keep_reply(policy)?)
            }
            State::WaitForClose if self.commits_at_last_fragment(policy) => {
                self.apply(Event::Commit)?;
                self.begin_work(Pending::Fragment, policy.work_timeout, now);
                self.unread_body = PackedUnreadBody::new(UnreadBody::of(range.len(), policy));
                Ok(Step::Commit(self.work_token()))
            }
            State::WaitForClose | State::Committed => Ok(self.acknowledge_again(range, policy)?),
            _ => Err(Refusal::session_not_found().into()),
        }
    }

    /// Handles a fragment while the entity is incomplete.
    #[inline(always)]
    fn on_bytes(
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
            Overlap::Held => Ok(self.acknowledge_again(range, policy)?),
            Overlap::New { skip, take } => {
                self.apply(Event::Fragment)?;
                self.begin_work(Pending::Fragment, policy.store_timeout, now);
                self.total = PackedOption::new(Some(range.total()));
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

    /// Acknowledges a fragment without new bytes.
    fn acknowledge_again(
        &mut self,
        range: ContentRange,
        policy: &Policy<'_>,
    ) -> Result<Step, IllegalEvent<State>> {
        self.apply(Event::Repeated)?;
        Ok(Step::Answer(self.received_answer(UnreadBody::of(range.len(), policy))))
    }

    /// [3.2.5.2.7] Handles a Close-Session.
    fn on_close(&mut self, policy: &Policy<'_>, now: Duration) -> Result<Step, Rejection> {
        self.abort_work()?;
        match self.state {
            State::Receiving if self.is_empty_entity() && policy.empty_entities => {
                self.total = PackedOption::new(Some(0));
                self.begin_work(Pending::Close, policy.work_timeout, now);
                Ok(self.complete(policy)?)
            }
            State::Receiving if policy.early_close == EarlyClose::Refuse => {
                Err(Refusal::invalid_argument().into())
            }
            State::Receiving => {
                self.apply(Event::CloseEarly)?;
                self.discard_for(Pending::Close, EndReason::ClosedIncomplete, policy, now)
            }
            State::Unnotified => match self.forbidden_code {
                Some(code) => Err(forbidden(code).into()),
                None => {
                    self.begin_work(Pending::Close, policy.work_timeout, now);
                    Ok(self.complete(policy)?)
                }
            },
            State::Accepted => {
                self.begin_work(Pending::Close, policy.work_timeout, now);
                Ok(self.keep_reply(policy)?)
            }
            State::WaitForClose => {
                self.begin_work(Pending::Close, policy.work_timeout, now);
                Ok(self.close()?)
            }
            State::Committed => {
                self.apply(Event::Close)?;
                self.discard_for(Pending::Close, EndReason::Closed, policy, now)
            }
            State::Discarding if self.was_closed() => {
                self.apply(Event::Close)?;
                let end_reason = self.end_reason.unwrap_or(EndReason::Closed);
                self.discard_for(Pending::Close, end_reason, policy, now)
            }
            _ => Err(Refusal::session_not_found().into()),
        }
    }

    /// [3.2.5.2.8] Handles a Cancel-Session.
    fn on_cancel(&mut self, policy: &Policy<'_>, now: Duration) -> Result<Step, Rejection> {
        self.abort_work()?;
        self.apply(Event::Cancel)?;
        let end_reason = self.end_reason.unwrap_or(EndReason::Cancelled);
        self.discard_for(Pending::Cancel, end_reason, policy, now)
    }

    fn discard_for(
        &mut self,
        pending: Pending,
        end_reason: EndReason,
        policy: &Policy<'_>,
        now: Duration,
    ) -> Result<Step, Rejection> {
        self.begin_work(pending, policy.work_timeout, now);
        Ok(self.begin_discard(end_reason)?)
    }

    const fn is_empty_entity(&self) -> bool {
        self.next == 0 && self.total().is_none()
    }

    const fn was_closed(&self) -> bool {
        matches!(self.end_reason, Some(EndReason::Closed | EndReason::ClosedIncomplete))
    }

    /// Returns `true` if the entity is published before Close-Session.
    pub(super) fn commits_at_last_fragment(&self, policy: &Policy<'_>) -> bool {
        policy.commit_at == CommitAt::LastFragment && self.belongs_at_destination()
    }

    /// Returns the acknowledgment of the received bytes, with the reply URL once it is known.
    #[inline]
    pub(super) fn received_answer(&self, unread_body: UnreadBody) -> Answer {
        let kind = AnswerKind::Received { next: self.next, has_reply_url: self.has_reply() };
        Answer::new(kind, self.id, unread_body)
    }
}

/// Refusal of a request.
///
/// Compact, so that a `Result` with it is not larger than a [`Step`], and a success is not copied.
struct Rejection(CompactRefusal);

impl From<Refusal<'static>> for Rejection {
    fn from(refusal: Refusal<'static>) -> Self {
        Self(CompactRefusal::new(&refusal))
    }
}

impl From<IllegalEvent<State>> for Rejection {
    /// Unreachable after the checks above. If it happened, the session would be unchanged and the
    /// client would retry.
    fn from(_: IllegalEvent<State>) -> Self {
        busy().into()
    }
}

/// 503 without an error code while another request is in progress; the client retries.
pub(super) const fn busy() -> Refusal<'static> {
    Refusal::unavailable()
}

/// 403 with the error code of the application.
const fn forbidden(code: HResult) -> Refusal<'static> {
    Refusal::from_application(StatusCode::FORBIDDEN, Some(code))
}

/// Checks the sizes of the entity and of the fragment, in this order.
fn check_size(range: ContentRange, policy: &Policy<'_>) -> Result<(), Refusal<'static>> {
    if range.total() > policy.max_entity {
        return Err(Refusal::too_large());
    }
    if range.len() <= policy.max_fragment {
        return Ok(());
    }
    // A client does not send smaller fragments.
    if range.len() <= MIN_FRAGMENT {
        return Err(Refusal::too_large());
    }
    Err(Refusal::bare(StatusCode::CONTENT_TOO_LARGE))
}
