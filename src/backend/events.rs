//! What the host reports to a notification.

use core::time::Duration;

use super::notification::{Body, Phase};
use super::{
    Event, EventError, Notification, NotificationType, Outcome, Poll, Refused, Reply, State,
};
use crate::message::NotificationResponse;
use crate::state_machine::{IllegalEvent, StateMachine as _};

impl Notification {
    /// [3.3.5.2.2] `STATE_SEND_HEADERS`: the head of the request was sent, all of it.
    ///
    /// # Errors
    ///
    /// [`EventError`]; nothing is changed then.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.2.
    pub fn handle_headers_sent(&mut self, now: Duration) -> Result<Poll, EventError> {
        let event = match self.kind {
            NotificationType::ByValue => Event::HeadersSent,
            NotificationType::None | NotificationType::ByReference => Event::RequestSent,
        };
        if self.check_time(event, now)? {
            if event == Event::HeadersSent {
                self.enter(event, Phase::SendData { sent: 0 })?;
                self.sent(0, now)?;
            } else {
                self.request_sent(event, now)?;
            }
        }
        Ok(self.poll())
    }

    /// [3.3.5.2.3] `STATE_SEND_DATA`: the next `bytes` bytes of the entity were sent.
    ///
    /// # Errors
    ///
    /// [`EventError`]; nothing is changed then.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.3.
    pub fn handle_data_sent(&mut self, bytes: u64, now: Duration) -> Result<Poll, EventError> {
        self.check_time(Event::DataPiece, now)?;
        self.sent(bytes, now)?;
        Ok(self.poll())
    }

    /// [3.3.5.2.4] `STATE_RECEIVE_HEADERS`: the head of a response was read.
    ///
    /// Anything but 200 is a failure, and is taken even before the request was sent: close the
    /// connection then, nothing else of the response counts. By value, the body of a success is
    /// the reply, unless there is a static URL. By reference it is not, whatever Content-Length
    /// says, and the notification does not wait for it: the host closes the connection, or reads
    /// the body and throws it away to keep the connection.
    ///
    /// The host keeps what [`reply_url`](super::reply_url) takes from the response.
    ///
    /// # Errors
    ///
    /// [`EventError`]; nothing is changed then.
    ///
    /// Source: \[MC-BUP\] 2.2.13.3, 3.3.5.2.4, 3.3.5.2.6, 3.4.5.2.
    pub fn handle_response(
        &mut self,
        response: &NotificationResponse<'_>,
        now: Duration,
    ) -> Result<Poll, EventError> {
        let copy_to_destination = response.copy_file_to_destination.is_some();
        let is_static = response.static_response_url.is_some();
        let (event, phase) = match self.kind {
            _ if !response.is_success() => {
                (Event::Refused, Phase::Error(Refused::Application(response.status)))
            }
            NotificationType::ByReference if is_static => {
                let outcome = Outcome { copy_to_destination, reply: Reply::Static };
                (Event::SuccessStatic, Phase::Complete(outcome))
            }
            NotificationType::ByReference => {
                (Event::SuccessByReference, Phase::FindReply { copy_to_destination })
            }
            NotificationType::None | NotificationType::ByValue => {
                let left = response.content_length;
                let body = Body { received: 0, left, is_static, copy_to_destination };
                (Event::SuccessByValue, Phase::ReceiveData(body))
            }
        };
        if self.check_time(event, now)? {
            self.enter(event, phase)?;
            if let Phase::ReceiveData(body @ Body { left: Some(0), .. }) = phase {
                self.enter(Event::ReplyReceived, Phase::Complete(body.outcome()))?;
            }
        }
        Ok(self.poll())
    }

    /// [3.3.5.3.2] Notification Response: what came is no valid response.
    ///
    /// # Errors
    ///
    /// [`EventError`]; nothing is changed then.
    ///
    /// Source: \[MC-BUP\] 3.3.5.3.2.
    pub fn handle_invalid_response(&mut self) -> Result<Poll, EventError> {
        self.fail(Event::InvalidResponse, Refused::InvalidResponse)
    }

    /// [3.3.5.2.5] `STATE_RECEIVE_DATA`: the next `bytes` bytes of the response's body were read,
    /// and stored if they are to be kept.
    ///
    /// With the last byte of Content-Length the notification is complete.
    ///
    /// # Errors
    ///
    /// [`EventError`]; nothing is changed then.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.5.
    pub fn handle_reply_data(&mut self, bytes: u64, now: Duration) -> Result<Poll, EventError> {
        self.check_time(Event::ReplyPiece, now)?;
        if let Phase::ReceiveData(body) = self.phase {
            let body = body.transition(bytes)?;
            if body.left == Some(0) {
                self.enter(Event::ReplyReceived, Phase::Complete(body.outcome()))?;
            } else {
                self.enter(Event::ReplyPiece, Phase::ReceiveData(body))?;
            }
        }
        Ok(self.poll())
    }

    /// [3.3.5.2.5] `STATE_RECEIVE_DATA`: the body of the response ended.
    ///
    /// That is how a body without Content-Length is complete. Where bytes are lacking, the
    /// notification has failed, as with
    /// [`handle_transport_failure`](Self::handle_transport_failure).
    ///
    /// # Errors
    ///
    /// [`EventError`]; nothing is changed then.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.5.
    pub fn handle_reply_end(&mut self, now: Duration) -> Result<Poll, EventError> {
        self.check_time(Event::ReplyReceived, now)?;
        if let Phase::ReceiveData(body) = self.phase {
            if body.left.is_some() {
                return self.handle_transport_failure();
            }
            self.enter(Event::ReplyReceived, Phase::Complete(body.outcome()))?;
        }
        Ok(self.poll())
    }

    /// [3.3.5.2.6] `STATE_COMPLETE`: by reference, the length in bytes of the file that the
    /// application wrote as its reply; `None` where there is no file.
    ///
    /// No timer runs here: the response is received.
    ///
    /// # Errors
    ///
    /// [`EventError`]; nothing is changed then.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.6.
    pub fn handle_reply_file(&mut self, length: Option<u64>) -> Result<Poll, EventError> {
        self.state().transition(Event::ReplyLookedUp)?;
        if let Phase::FindReply { copy_to_destination } = self.phase {
            let reply = length.map_or(Reply::None, |length| Reply::File { length });
            let outcome = Outcome { copy_to_destination, reply };
            self.enter(Event::ReplyLookedUp, Phase::Complete(outcome))?;
        }
        Ok(self.poll())
    }

    /// [3.3.5.2] The application could not be reached, or the connection to it failed before all
    /// was sent and received.
    ///
    /// # Errors
    ///
    /// [`EventError`]; nothing is changed then.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.2 to 3.3.5.2.5.
    pub fn handle_transport_failure(&mut self) -> Result<Poll, EventError> {
        self.fail(Event::TransportFailure, Refused::Transport)
    }

    /// [3.3.5.2] The host could not read the entity, or not read or write the reply.
    ///
    /// # Errors
    ///
    /// [`EventError`]; nothing is changed then.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.3, 3.3.5.2.5, 3.3.5.2.6.
    pub fn handle_read_failure(&mut self) -> Result<Poll, EventError> {
        self.fail(Event::ReadFailure, Refused::Local)
    }

    /// [3.3.6] Timer Events: a timer may have expired. Yields whether one has, which makes the
    /// notification fail: at its deadline or later.
    ///
    /// It may be called at any time and as often as is convenient: early, or when no timer runs,
    /// it does nothing.
    ///
    /// Source: \[MC-BUP\] 3.3.6.
    pub fn handle_timeout(&mut self, now: Duration) -> bool {
        match self.next_timer() {
            Some((timer, deadline)) if deadline <= now => {
                self.fail(Event::Timeout, Refused::Timeout(timer)).is_ok()
            }
            _ => false,
        }
    }

    /// Whether what happened may happen, and did so before a timer expired. If it came too late,
    /// the timer counts instead.
    fn check_time(&mut self, event: Event, now: Duration) -> Result<bool, IllegalEvent<State>> {
        self.state().transition(event)?;
        Ok(!self.handle_timeout(now))
    }

    /// `bytes` more were sent; the request may be complete. Nothing is sent in any other phase.
    fn sent(&mut self, bytes: u64, now: Duration) -> Result<(), EventError> {
        if let Phase::SendData { sent } = self.phase {
            let left = self.entity_length.saturating_sub(sent);
            if bytes > left {
                return Err(EventError::TooManyBytes { left });
            }
            if bytes == left {
                self.request_sent(Event::DataSent, now)?;
            } else {
                let sent = sent.saturating_add(bytes);
                self.enter(Event::DataPiece, Phase::SendData { sent })?;
            }
        }
        Ok(())
    }

    /// The send timer stops, and the receive timers start.
    fn request_sent(&mut self, event: Event, now: Duration) -> Result<(), IllegalEvent<State>> {
        self.enter(event, Phase::ReceiveHeaders)?;
        self.since = now;
        Ok(())
    }

    fn fail(&mut self, event: Event, refused: Refused) -> Result<Poll, EventError> {
        self.enter(event, Phase::Error(refused))?;
        Ok(self.poll())
    }

    /// Moves as the table says.
    fn enter(&mut self, event: Event, phase: Phase) -> Result<(), IllegalEvent<State>> {
        let next = self.state().transition(event)?;
        debug_assert_eq!(next, phase.state(), "{event} in {}", self.state());
        self.phase = phase;
        Ok(())
    }
}

impl Body {
    /// The same when `bytes` more were received.
    fn transition(self, bytes: u64) -> Result<Self, EventError> {
        let most = self.left.unwrap_or(u64::MAX.saturating_sub(self.received));
        if bytes > most {
            return Err(EventError::TooManyBytes { left: most });
        }
        let received = self.received.saturating_add(bytes);
        let left = self.left.map(|left| left.saturating_sub(bytes));
        Ok(Self { received, left, ..self })
    }

    const fn outcome(self) -> Outcome {
        let reply = match self {
            Self { is_static: true, .. } => Reply::Static,
            Self { received: 0, .. } => Reply::None,
            Self { received, .. } => Reply::Body { length: received },
        };
        Outcome { copy_to_destination: self.copy_to_destination, reply }
    }
}
