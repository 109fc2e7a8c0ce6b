//! What an upload makes of the server's answers.

use core::time::Duration;

use super::{Event, EventError, ExchangeEvent, State, StopReason, Upload};
use crate::field::ReceivedContentRange;
use crate::http1::StatusCode;
use crate::message::{Ack, CreateSessionAck, Failure, FragmentAck, MessageKind, Refusal};
use crate::state_machine::StateMachine as _;
use crate::util::inline_str::InlineStr;

impl Upload {
    /// [3.1.5.2] The answer to the request that is under way, read in its light
    /// ([`Transmit::ack_context`](super::Transmit::ack_context)). It may come before the whole request is
    /// sent.
    ///
    /// What the server refuses is acted on as [`Failure`] has it; what it grants moves the upload
    /// on. A success with an offset beyond what was sent, and a 416 with one beyond the end of the
    /// entity, are failures and move nothing.
    ///
    /// # Errors
    ///
    /// [`EventError`] when no answer is due, or another one; nothing is changed then.
    pub fn handle_ack(&mut self, ack: &Ack<'_>, now: Duration) -> Result<(), EventError> {
        self.exchange.transition(ExchangeEvent::Answered)?;
        let (expected, got) = (expected_ack(self.state), ack.kind());
        if got != expected && got != MessageKind::Refusal {
            return Err(EventError::WrongAck { expected, got });
        }
        // Any answer shows that the host can be reached.
        self.fallback_at = None;
        match ack {
            Ack::Refused(refusal) => self.refused(refusal, now),
            Ack::CreateSession(ack) => self.created(ack, now),
            Ack::Ping(_) => {
                self.granted(Event::Pinged)?;
                self.advance()
            }
            Ack::Fragment(ack) => self.received_more(ack, now),
            Ack::CloseSession(_) => self.granted(Event::Closed),
            Ack::CancelSession(_) => self.granted(Event::Gone),
        }
    }

    /// The answer to the request that is under way is no Ack that can be read. `status` is that of
    /// the response, where there is one: a refusal is classified by it, and anything else is
    /// tried again.
    ///
    /// # Errors
    ///
    /// [`EventError`] when no answer is due; nothing is changed then.
    pub fn handle_unreadable(
        &mut self,
        status: Option<StatusCode>,
        now: Duration,
    ) -> Result<(), EventError> {
        self.exchange.transition(ExchangeEvent::Answered)?;
        match status.map(Refusal::new) {
            Some(Ok(refusal)) if !refusal.status().is_success() => self.refused(&refusal, now),
            _ => self.fail(StopReason::Protocol, now),
        }
    }

    /// [3.1.5.2.2] CREATE-SESSION Response.
    fn created(&mut self, ack: &CreateSessionAck<'_>, now: Duration) -> Result<(), EventError> {
        let session_id = InlineStr::new(ack.session_id.as_bytes());
        let host_id = ack.host_id.map(|host| InlineStr::new(host.as_str().as_bytes()));
        if session_id.is_none() || host_id == Some(None) {
            // Longer than any server has them.
            return self.fail(StopReason::Protocol, now);
        }
        let host_id = host_id.flatten();
        self.granted(if host_id.is_some() { Event::CreatedElsewhere } else { Event::Created })?;
        self.session_id = session_id;
        if host_id.is_some() {
            self.host_id = host_id;
            self.fallback_timeout = ack.host_id_fallback_timeout.and_then(|it| it.limit());
        }
        self.failures = 0;
        self.advance()
    }

    /// [3.1.5.2.4] FRAGMENT Response, with what the server holds now.
    fn received_more(&mut self, ack: &FragmentAck<'_>, now: Duration) -> Result<(), EventError> {
        let ReceivedContentRange(received) = ack.received;
        if received > self.sent_up_to {
            return self.fail(StopReason::Protocol, now);
        }
        let advances = received > self.next;
        self.granted(Event::Received)?;
        if let Some(url) = ack.reply_url.filter(|_| received == self.total) {
            // One that is too long for any server to have sent is as good as none.
            self.reply_url = InlineStr::new(url.as_bytes());
        }
        self.set_offset(received, advances, now)
    }

    /// The server holds everything before `received`.
    fn set_offset(
        &mut self,
        received: u64,
        advances: bool,
        now: Duration,
    ) -> Result<(), EventError> {
        self.next = received;
        if received > self.max_acked {
            self.max_acked = received;
            (self.stalls, self.failures) = (0, 0);
        } else if !advances {
            self.stalls = self.stalls.saturating_add(1);
        }
        self.advance()?;
        if self.state == State::Fragment && self.stalls > self.options.max_stalls {
            self.stalls = 0;
            return self.fail(StopReason::NoProgress, now);
        }
        Ok(())
    }

    /// [3.1.5.2.1] What the server refuses.
    fn refused(&mut self, refusal: &Refusal<'_>, now: Duration) -> Result<(), EventError> {
        let stop = StopReason::refused(refusal);
        match refusal.failure() {
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
                    self.granted(Event::Received)?;
                    self.set_offset(received, false, now)
                }
                _ => self.fail(StopReason::Protocol, now),
            },
            Failure::SmallerFragments if self.state == State::Fragment => self.reduce(stop),
            Failure::Resynchronise | Failure::Transient => self.fail(stop, now),
            Failure::SmallerFragments | Failure::Fatal => self.fatal(stop),
        }
    }

    /// The server knows no such session.
    fn start_over(&mut self) -> Result<(), EventError> {
        match self.state {
            State::Cancel => return self.granted(Event::Gone),
            State::Close if self.maybe_closed => return self.granted(Event::Closed),
            _ => {}
        }
        self.granted(Event::SessionLost)?;
        self.forget_session();
        self.restarts = self.restarts.saturating_add(1);
        if self.restarts > self.options.restarts {
            self.exchange = self.exchange.transition(ExchangeEvent::GivenUp)?;
            self.stop = Some(StopReason::SessionLost);
        }
        Ok(())
    }

    fn forget_session(&mut self) {
        self.session_id = None;
        (self.next, self.max_acked, self.sent_up_to, self.stalls) = (0, 0, 0, 0);
        self.reply_url = None;
        (self.reply_done, self.maybe_closed) = (false, false);
    }

    /// [3.1.5.2.4] Half of what was too large, but no less than the floor.
    fn reduce(&mut self, stop: StopReason) -> Result<(), EventError> {
        let sent = self.next_range().map_or(0, |range| range.len());
        let fragments = self.options.fragments;
        if sent <= fragments.floor() {
            return self.fatal(stop);
        }
        self.granted(Event::Reduced)?;
        self.options.fragments = fragments.with_length(sent / 2);
        Ok(())
    }

    fn fatal(&mut self, stop: StopReason) -> Result<(), EventError> {
        let is_cancelling = self.state == State::Cancel;
        self.granted(Event::Fatal)?;
        self.stop = Some(stop);
        // What refuses without a code may stand before the server, and does not know what became
        // of an earlier Close-Session.
        self.maybe_closed &= !stop.is_by_server();
        if is_cancelling {
            // It stays cancelled: what is resumed is the cancellation.
            self.exchange = self.exchange.transition(ExchangeEvent::GivenUp)?;
        }
        Ok(())
    }

    /// The request is answered, and moves the upload on.
    fn granted(&mut self, event: Event) -> Result<(), EventError> {
        let exchange = self.exchange.transition(ExchangeEvent::Answered)?;
        self.state = self.state.transition(event)?;
        self.exchange = exchange;
        Ok(())
    }

    /// In the state of fragments: is there a session, and is there anything left to send?
    fn advance(&mut self) -> Result<(), EventError> {
        if self.state != State::Fragment {
            return Ok(());
        }
        let event = if self.session_id.is_none() {
            Event::SessionLost
        } else if self.next < self.total {
            return Ok(());
        } else if self.wants_reply() {
            Event::ReplyDue
        } else {
            Event::Whole
        };
        self.state = self.state.transition(event)?;
        Ok(())
    }
}

/// The Ack that grants what is due.
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
