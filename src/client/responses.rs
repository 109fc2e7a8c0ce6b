//! Responses of the server.

use core::time::Duration;

use super::{Event, EventError, ExchangeEvent, FragmentSizing, State, StopReason, Upload};
use crate::field::{ErrorContext, HResult, ReceivedContentRange};
use crate::http1::StatusCode;
use crate::message::{Ack, CreateSessionAck, Failure, FragmentAck, MessageKind, Refusal};
use crate::state_machine::StateMachine as _;
use crate::util::inline_str::InlineStr;

impl Upload {
    /// [3.1.5.2] Reports the response to the request in flight, parsed with
    /// [`Transmit::ack_context`](super::Transmit::ack_context). It may arrive before the whole
    /// request is sent.
    ///
    /// A success advances the upload. A refusal has the effect that [`Failure`] describes, with two
    /// exceptions. A 404 to a fragment that is longer than those accepted before causes smaller
    /// fragments. After [`resume`](Self::resume), a 400 or 500 whose error code is missing or is not a
    /// failure (such as 0x1) is retried, because some servers answer so if they lost the session. A
    /// retry is not sent before the number of seconds in Retry-After; see
    /// [`handle_retry_after`](Self::handle_retry_after) for dates.
    ///
    /// A success whose offset exceeds the bytes sent is a failure, and so is a 416 whose offset
    /// exceeds the length of the entity.
    ///
    /// # Errors
    ///
    /// [`EventError`] if no response is expected, or that of another packet; nothing changes then.
    pub fn handle_ack(&mut self, ack: &Ack<'_>, now: Duration) -> Result<(), EventError> {
        self.exchange.transition(ExchangeEvent::Answered)?;
        let (expected, got) = (expected_ack(self.state), ack.kind());
        if got != expected && got != MessageKind::Refusal {
            return Err(EventError::UnexpectedAck { expected, got });
        }
        // Any response shows that the host is reachable.
        self.fallback_at = None;
        match ack {
            Ack::Refused(refusal) => self.on_refusal(refusal, now),
            Ack::CreateSession(ack) => self.on_created(ack, now),
            Ack::Ping(_) => {
                self.complete(Event::Pinged)?;
                self.advance()
            }
            Ack::Fragment(ack) => self.on_fragment_ack(ack, now),
            Ack::CloseSession(_) => self.complete(Event::Closed),
            Ack::CancelSession(_) => self.complete(Event::Cancelled),
        }
    }

    /// Reports that the response to the request in flight is not a valid Ack. `status` is its
    /// status code, if that could be parsed. An error status is classified like that of a refusal;
    /// otherwise the request is retried.
    ///
    /// # Errors
    ///
    /// [`EventError`] if no response is expected; nothing changes then.
    pub fn handle_unreadable(
        &mut self,
        status: Option<StatusCode>,
        now: Duration,
    ) -> Result<(), EventError> {
        self.exchange.transition(ExchangeEvent::Answered)?;
        match status.map(Refusal::new) {
            Some(Ok(refusal)) => self.on_refusal(&refusal, now),
            _ => self.retry_or_suspend(StopReason::Protocol, now),
        }
    }

    /// [3.1.5.2.2] CREATE-SESSION Response.
    fn on_created(&mut self, ack: &CreateSessionAck<'_>, now: Duration) -> Result<(), EventError> {
        let session_id = InlineStr::new(ack.session_id.as_bytes());
        let host_id = ack.host_id.map(|host| InlineStr::new(host.as_str().as_bytes()));
        if session_id.is_none() || host_id == Some(None) {
            // The session id or host exceeds the limit of this client.
            return self.retry_or_suspend(StopReason::Protocol, now);
        }
        let host_id = host_id.flatten();
        let is_other_host = host_id.is_some();
        self.complete(if is_other_host { Event::CreatedOnHost } else { Event::Created })?;
        self.session_id = session_id;
        if is_other_host {
            self.host_id = host_id;
            self.fallback_timeout = ack.host_id_fallback_timeout.and_then(|it| it.limit());
        }
        self.failures = 0;
        self.advance()
    }

    /// [3.1.5.2.4] FRAGMENT Response.
    fn on_fragment_ack(&mut self, ack: &FragmentAck<'_>, now: Duration) -> Result<(), EventError> {
        let ReceivedContentRange(received) = ack.received;
        if received > self.sent_up_to {
            return self.retry_or_suspend(StopReason::Protocol, now);
        }
        let advances = received > self.next;
        self.complete(Event::Received)?;
        if let Some(url) = ack.reply_url.filter(|_| received == self.total) {
            // A URL that exceeds the limit of this client counts as missing.
            self.reply_url = InlineStr::new(url.as_bytes());
        }
        self.set_offset(received, advances, now)
    }

    /// Continues at `received`, the offset that the server expects next.
    fn set_offset(
        &mut self,
        received: u64,
        advances: bool,
        now: Duration,
    ) -> Result<(), EventError> {
        self.next = received;
        self.is_unconfirmed = false;
        if received > self.max_acked {
            self.max_acked = received;
            (self.stalls, self.failures) = (0, 0);
        } else if !advances {
            self.stalls = self.stalls.saturating_add(1);
        }
        self.advance()?;
        if self.state == State::Fragment && self.stalls > self.options.max_stalls {
            self.stalls = 0;
            return self.retry_or_suspend(StopReason::NoProgress, now);
        }
        Ok(())
    }

    /// [3.1.5.2.1] Reacts to a refusal.
    fn on_refusal(&mut self, refusal: &Refusal<'_>, now: Duration) -> Result<(), EventError> {
        let reason = self.reason_of(refusal);
        match self.class_of(refusal) {
            Failure::StartOver => self.start_over(),
            Failure::Credentials => {
                let exchange = self.exchange.transition(ExchangeEvent::Challenged)?;
                self.state = self.state.transition(Event::Credentials)?;
                self.exchange = exchange;
                self.challenge = Some(refusal.status());
                Ok(())
            }
            Failure::Resynchronise if self.state == State::Fragment => match refusal.received() {
                Some(ReceivedContentRange(received)) if received <= self.total => {
                    self.complete(Event::Received)?;
                    self.set_offset(received, false, now)
                }
                _ => self.retry_or_suspend(StopReason::Protocol, now),
            },
            Failure::SmallerFragments if self.state == State::Fragment => {
                self.shrink_fragments(reason)
            }
            Failure::Resynchronise | Failure::Transient => {
                self.retry_after_refusal(refusal, reason, now)
            }
            Failure::SmallerFragments | Failure::Fatal => self.stop(reason),
        }
    }

    /// Returns the class of a refusal, which also depends on the history of the session.
    fn class_of(&self, refusal: &Refusal<'_>) -> Failure {
        match refusal.failure() {
            Failure::Fatal if self.may_be_lost(refusal) => Failure::Transient,
            Failure::Fatal if self.is_fragment_not_found(refusal) => Failure::SmallerFragments,
            failure => failure,
        }
    }

    /// Returns the reason for stopping after a refusal.
    fn reason_of(&self, refusal: &Refusal<'_>) -> StopReason {
        let (status, code) = (refusal.status(), refusal.code());
        if self.may_be_lost(refusal) {
            return StopReason::SessionRejected { status, code };
        }
        if self.is_fragment_not_found(refusal) {
            return StopReason::FragmentNotFound;
        }
        StopReason::from_refusal(refusal)
    }

    /// Returns `true` for a refusal that may mean that the session is unknown: 400 or 500 whose
    /// error code is missing or is not a failure, to a packet of a session that the server has not
    /// confirmed since the upload was resumed. Some servers answer so, and a Ping does not show it.
    fn may_be_lost(&self, refusal: &Refusal<'_>) -> bool {
        self.is_unconfirmed
            && matches!(self.state, State::Fragment | State::Close)
            && matches!(refusal.status().get(), 400 | 500)
            && !refusal.code().is_some_and(HResult::is_failure)
            && refusal.context() != Some(ErrorContext::REMOTE_APPLICATION)
    }

    /// Returns `true` for a 404 of the server to a fragment. The destination exists, because the server
    /// created the session.
    fn is_fragment_not_found(&self, refusal: &Refusal<'_>) -> bool {
        self.state == State::Fragment
            && refusal.status() == StatusCode::NOT_FOUND
            && refusal.failure() == Failure::Fatal
            && refusal.code().is_none_or(|code| code.http_status().is_some())
            && refusal.context() != Some(ErrorContext::REMOTE_APPLICATION)
    }

    /// Creates a new session, because the server does not know the current one.
    fn start_over(&mut self) -> Result<(), EventError> {
        match self.state {
            State::Cancel => return self.complete(Event::Cancelled),
            State::Close if self.maybe_closed => return self.complete(Event::Closed),
            _ => {}
        }
        self.complete(Event::SessionLost)?;
        self.start_new_session();
        if self.restarts > self.options.max_restarts {
            self.exchange = self.exchange.transition(ExchangeEvent::GivenUp)?;
            self.stop_reason = Some(StopReason::SessionLost);
        }
        Ok(())
    }

    /// Forgets the session, and counts the new start.
    pub(super) fn start_new_session(&mut self) {
        self.session_id = None;
        (self.next, self.max_acked, self.sent_up_to, self.stalls) = (0, 0, 0, 0);
        (self.accepted_len, self.acked_before) = (0, 0);
        self.is_unconfirmed = false;
        self.reply_url = None;
        (self.reply_done, self.maybe_closed) = (false, false);
        self.restarts = self.restarts.saturating_add(1);
    }

    /// [3.1.5.2.4] Halves the length of fragments, unless the last one had the minimum length. After a
    /// 404, the length that the server accepted before is the minimum: a 404 without such a length
    /// is about something else.
    fn shrink_fragments(&mut self, reason: StopReason) -> Result<(), EventError> {
        let sent = self.next_len();
        let fragments = self.options.fragments;
        let min = match (reason, self.accepted_len()) {
            (StopReason::FragmentNotFound, 0) => sent,
            (StopReason::FragmentNotFound, accepted) => accepted.max(fragments.min()),
            _ => fragments.min(),
        };
        if sent <= min {
            return self.stop(reason);
        }
        self.complete(Event::SmallerFragments)?;
        self.set_fragments(fragments.with_length((sent / 2).max(min)));
        Ok(())
    }

    /// Returns the length of the longest fragment that the server accepted in this session.
    fn accepted_len(&self) -> u64 {
        let is_accepted = self.max_acked > self.acked_before;
        let current = if is_accepted { self.options.fragments.length.min(self.total) } else { 0 };
        self.accepted_len.max(current)
    }

    /// Changes the length of fragments.
    pub(super) fn set_fragments(&mut self, fragments: FragmentSizing) {
        (self.accepted_len, self.acked_before) = (self.accepted_len(), self.max_acked);
        self.options.fragments = fragments;
    }

    /// Fails the upload. A cancellation is suspended instead, so that it can be resumed.
    fn stop(&mut self, reason: StopReason) -> Result<(), EventError> {
        let is_cancelling = self.state == State::Cancel;
        if self.is_close_in_flight() {
            // A refusal without a code may come from a proxy, which does not know whether this or
            // an earlier Close-Session reached the server.
            self.maybe_closed = !reason.is_from_server();
        }
        self.complete(Event::PermanentFailure)?;
        self.stop_reason = Some(reason);
        if is_cancelling {
            self.exchange = self.exchange.transition(ExchangeEvent::GivenUp)?;
        }
        Ok(())
    }

    /// Completes the exchange, and moves to the next state.
    fn complete(&mut self, event: Event) -> Result<(), EventError> {
        let exchange = self.exchange.transition(ExchangeEvent::Answered)?;
        self.state = self.state.transition(event)?;
        self.exchange = exchange;
        Ok(())
    }

    /// Leaves the state of fragments when there is no session or no byte left to send.
    fn advance(&mut self) -> Result<(), EventError> {
        if self.state != State::Fragment {
            return Ok(());
        }
        let event = if self.session_id.is_none() {
            Event::SessionLost
        } else if self.next < self.total {
            return Ok(());
        } else if self.expects_reply() {
            Event::ReplyDue
        } else {
            Event::AllReceived
        };
        self.state = self.state.transition(event)?;
        Ok(())
    }
}

/// Returns the kind of Ack for a success in a state.
const fn expected_ack(state: State) -> MessageKind {
    match state {
        State::CreateSession => MessageKind::CreateSessionAck,
        State::Ping => MessageKind::PingAck,
        State::Fragment => MessageKind::FragmentAck,
        State::Close => MessageKind::CloseSessionAck,
        State::Cancel => MessageKind::CancelSessionAck,
        State::GetReply | State::Finished | State::Cancelled | State::Failed => {
            MessageKind::Refusal
        }
    }
}
