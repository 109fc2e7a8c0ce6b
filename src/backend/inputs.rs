//! The inputs of a notification.

use core::time::Duration;

use super::notification::{Body, Phase};
use super::{
    Event, EventError, Notification, NotificationError, NotificationType, Outcome, Reply, State,
};
use crate::message::NotificationResponse;
use crate::state_machine::{IllegalEvent, StateMachine as _};

impl Notification {
    /// [3.3.5.2.2] `STATE_SEND_HEADERS`: reports that the whole head of the request was sent.
    ///
    /// # Errors
    ///
    /// [`EventError`] if the state does not allow it; nothing changes then.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.2.
    pub fn handle_headers_sent(&mut self, now: Duration) -> Result<(), EventError> {
        let event = match self.kind {
            NotificationType::ByValue => Event::HeadersSent,
            NotificationType::None | NotificationType::ByReference => Event::RequestSent,
        };
        if self.check_time(event, now)? {
            if event == Event::HeadersSent {
                self.enter(event, Phase::SendData { sent: 0 })?;
                self.add_sent(0, now)?;
            } else {
                self.finish_request(event, now)?;
            }
        }
        Ok(())
    }

    /// [3.3.5.2.3] `STATE_SEND_DATA`: reports that the next `bytes` bytes of the entity were sent.
    ///
    /// # Errors
    ///
    /// [`EventError`] if the state does not allow it, or `bytes` exceeds the rest of the entity;
    /// nothing changes then.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.3.
    pub fn handle_data_sent(&mut self, bytes: u64, now: Duration) -> Result<(), EventError> {
        self.check_time(Event::DataPiece, now)?;
        self.add_sent(bytes, now)
    }

    /// [3.3.5.2.4] `STATE_RECEIVE_HEADERS`: reports the head of the response.
    ///
    /// The application accepts the entity with a status of
    /// [`AcceptedStatuses`](super::AcceptedStatuses). From then on the notification cannot fail, and
    /// [`is_accepted`](Self::is_accepted) returns `true`. Any other status is a failure, also before
    /// the whole request was sent. The caller then closes the connection.
    ///
    /// By value, a success may arrive while the entity is being sent. Report it at once and continue
    /// to send: [`poll`](Self::poll) returns [`Poll::SendData`](super::Poll::SendData) until the
    /// rest is sent or sending fails.
    ///
    /// By value, the body of a success is the reply, unless there is a static URL. With 204 and 205
    /// there is no body. By reference, the body is not the reply, and the notification does not wait
    /// for it. The caller closes the connection, or discards the body to reuse the connection.
    ///
    /// The caller stores the URL that [`reply_url`](super::reply_url) returns.
    ///
    /// # Errors
    ///
    /// [`EventError`] if the state does not allow it; nothing changes then.
    ///
    /// Source: \[MC-BUP\] 2.2.13.3, 3.3.5.2.4, 3.3.5.2.6, 3.4.5.2.
    pub fn handle_response(
        &mut self,
        response: &NotificationResponse<'_>,
        now: Duration,
    ) -> Result<(), EventError> {
        let copy_to_destination = response.copy_file_to_destination.is_some();
        let is_static = response.static_response_url.is_some();
        let (event, phase) = match self.kind {
            _ if !self.accepted_statuses.accepts(response.status) => {
                let error = NotificationError::Application(response.status);
                (Event::Rejected, Phase::Error(error))
            }
            NotificationType::ByReference if is_static => {
                let outcome = Outcome { copy_to_destination, reply: Reply::Static };
                (Event::SuccessStatic, Phase::Complete(outcome))
            }
            NotificationType::ByReference => {
                (Event::SuccessByReference, Phase::FindReply { copy_to_destination })
            }
            NotificationType::None | NotificationType::ByValue => {
                let remaining = response.content_length;
                let body = Body { received: 0, remaining, is_static, copy_to_destination };
                let phase = match self.phase {
                    Phase::SendData { sent } => Phase::SendRest { sent, body },
                    _ => Phase::ReceiveData(body),
                };
                (Event::SuccessByValue, phase)
            }
        };
        if self.check_time(event, now)? {
            self.enter(event, phase)?;
            self.finish_empty_body()?;
        }
        Ok(())
    }

    /// [3.3.5.3.2] Notification Response: reports that the response is invalid.
    ///
    /// # Errors
    ///
    /// [`EventError`] if the state does not allow it; nothing changes then.
    ///
    /// Source: \[MC-BUP\] 3.3.5.3.2.
    pub fn handle_unreadable(&mut self) -> Result<(), EventError> {
        self.fail(Event::InvalidResponse, NotificationError::InvalidResponse)
    }

    /// [3.3.5.2.5] `STATE_RECEIVE_DATA`: reports that the next `bytes` bytes of the response's body
    /// were received. If they are the reply, the caller has stored them.
    ///
    /// The last byte of Content-Length completes the notification.
    ///
    /// # Errors
    ///
    /// [`EventError`] if the state does not allow it, or `bytes` exceeds the rest of the body;
    /// nothing changes then.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.5.
    pub fn handle_reply_data(&mut self, bytes: u64, now: Duration) -> Result<(), EventError> {
        self.check_time(Event::ReplyPiece, now)?;
        if let Phase::ReceiveData(body) = self.phase {
            let body = body.receive(bytes)?;
            if body.remaining == Some(0) {
                self.enter(Event::ReplyReceived, Phase::Complete(body.outcome()))?;
            } else {
                self.enter(Event::ReplyPiece, Phase::ReceiveData(body))?;
            }
        }
        Ok(())
    }

    /// [3.3.5.2.5] `STATE_RECEIVE_DATA`: reports the end of the response's body.
    ///
    /// It completes a body without Content-Length. If bytes are missing, the reply is lost as with
    /// [`handle_transport_failure`](Self::handle_transport_failure).
    ///
    /// # Errors
    ///
    /// [`EventError`] if the state does not allow it; nothing changes then.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.5.
    pub fn handle_reply_end(&mut self, now: Duration) -> Result<(), EventError> {
        self.check_time(Event::ReplyReceived, now)?;
        if let Phase::ReceiveData(body) = self.phase {
            if body.remaining.is_some() {
                return self.handle_transport_failure();
            }
            self.enter(Event::ReplyReceived, Phase::Complete(body.outcome()))?;
        }
        Ok(())
    }

    /// [3.3.5.2.6] `STATE_COMPLETE`: by reference, reports the length in bytes of the file that the
    /// application wrote as its reply; `None` if there is no file.
    ///
    /// No timer runs in this state.
    ///
    /// # Errors
    ///
    /// [`EventError`] if the state does not allow it; nothing changes then.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.6.
    pub fn handle_reply_file(&mut self, length: Option<u64>) -> Result<(), EventError> {
        self.state().transition(Event::ReplyLookedUp)?;
        if let Phase::FindReply { copy_to_destination } = self.phase {
            let reply = length.map_or(Reply::None, |length| Reply::File { length });
            let outcome = Outcome { copy_to_destination, reply };
            self.enter(Event::ReplyLookedUp, Phase::Complete(outcome))?;
        }
        Ok(())
    }

    /// [3.3.5.2] Reports that the application could not be reached, or that the connection failed
    /// before the request was sent and the response received.
    ///
    /// If the application has accepted the entity, the notification does not fail. The reply is lost
    /// where it has not been received: see [`Reply::Lost`].
    ///
    /// # Errors
    ///
    /// [`EventError`] if the state does not allow it; nothing changes then.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.2 to 3.3.5.2.5.
    pub fn handle_transport_failure(&mut self) -> Result<(), EventError> {
        self.fail(Event::TransportFailure, NotificationError::Transport)
    }

    /// [3.3.5.2] Reports that the caller could not read the entity, or could not read or write the
    /// reply.
    ///
    /// If the application has accepted the entity, the notification does not fail. The reply is lost
    /// where it has not been received: see [`Reply::Lost`].
    ///
    /// # Errors
    ///
    /// [`EventError`] if the state does not allow it; nothing changes then.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.3, 3.3.5.2.5, 3.3.5.2.6.
    pub fn handle_storage_failure(&mut self) -> Result<(), EventError> {
        self.fail(Event::StorageFailure, NotificationError::Storage)
    }

    /// [3.3.6] Timer Events: reports the time. If a timer has expired at `now`, the notification
    /// fails, or loses its reply if the application has accepted the entity.
    ///
    /// Calling it early or repeatedly does nothing.
    ///
    /// Source: \[MC-BUP\] 3.3.6.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.expire(now);
    }

    /// Stops each phase whose timer has expired at `now`. Returns `true` if one has.
    fn expire(&mut self, now: Duration) -> bool {
        let mut has_expired = false;
        while let Some((timer, _)) = self.next_timer().filter(|(_, deadline)| *deadline <= now) {
            has_expired = true;
            if self.fail(Event::Timeout, NotificationError::Timeout(timer)).is_err() {
                break;
            }
        }
        has_expired
    }

    /// Checks that the state allows the event. Returns `true` if the event came before a timer
    /// expired; otherwise the notification fails.
    fn check_time(&mut self, event: Event, now: Duration) -> Result<bool, IllegalEvent<State>> {
        self.state().transition(event)?;
        Ok(!self.expire(now))
    }

    /// Counts sent bytes, and completes the request with the last one. Other phases ignore them.
    fn add_sent(&mut self, bytes: u64, now: Duration) -> Result<(), EventError> {
        let (Phase::SendData { sent } | Phase::SendRest { sent, .. }) = self.phase else {
            return Ok(());
        };
        let remaining = self.entity_length.saturating_sub(sent);
        if bytes > remaining {
            return Err(EventError::TooManyBytes { remaining });
        }
        if bytes == remaining {
            return Ok(self.finish_request(Event::DataSent, now)?);
        }
        let sent = sent.saturating_add(bytes);
        let phase = match self.phase {
            Phase::SendRest { body, .. } => Phase::SendRest { sent, body },
            _ => Phase::SendData { sent },
        };
        Ok(self.enter(Event::DataPiece, phase)?)
    }

    /// Stops the send timer, and starts the receive timers.
    fn finish_request(&mut self, event: Event, now: Duration) -> Result<(), IllegalEvent<State>> {
        let phase = match self.phase {
            Phase::SendRest { body, .. } => Phase::ReceiveData(body),
            _ => Phase::ReceiveHeaders,
        };
        self.enter(event, phase)?;
        self.since = now;
        self.finish_empty_body()
    }

    /// Completes the notification if no byte of the body is missing.
    fn finish_empty_body(&mut self) -> Result<(), IllegalEvent<State>> {
        match self.phase {
            Phase::ReceiveData(body @ Body { remaining: Some(0), .. }) => {
                self.enter(Event::ReplyReceived, Phase::Complete(body.outcome()))
            }
            _ => Ok(()),
        }
    }

    /// Handles a failure. If the application has accepted the entity, only its reply is lost.
    fn fail(&mut self, event: Event, error: NotificationError) -> Result<(), EventError> {
        let phase = match self.phase {
            Phase::SendRest { .. } => {
                self.state().transition(event)?;
                // The failure has no time, and came before the send timer expired.
                let latest = self.since.saturating_add(self.timeouts.send);
                return Ok(self.finish_request(event, latest)?);
            }
            Phase::ReceiveData(body) => Phase::Complete(body.lost(error)),
            Phase::FindReply { copy_to_destination } => {
                Phase::Complete(Outcome { copy_to_destination, reply: Reply::Lost(error) })
            }
            _ => Phase::Error(error),
        };
        self.enter(event, phase)?;
        Ok(())
    }

    /// Enters a phase, if the table allows the event.
    fn enter(&mut self, event: Event, phase: Phase) -> Result<(), IllegalEvent<State>> {
        let next = self.state().transition(event)?;
        debug_assert_eq!(next, phase.state(), "{event} in {}", self.state());
        self.phase = phase;
        Ok(())
    }
}

impl Body {
    /// Returns the body after `bytes` more bytes.
    fn receive(self, bytes: u64) -> Result<Self, EventError> {
        let max = self.remaining.unwrap_or(u64::MAX.saturating_sub(self.received));
        if bytes > max {
            return Err(EventError::TooManyBytes { remaining: max });
        }
        let received = self.received.saturating_add(bytes);
        let remaining = self.remaining.map(|remaining| remaining.saturating_sub(bytes));
        Ok(Self { received, remaining, ..self })
    }

    /// Returns the outcome if the rest of the body is lost. A body that is not the reply does not
    /// matter.
    const fn lost(self, error: NotificationError) -> Outcome {
        let reply = if self.is_static { Reply::Static } else { Reply::Lost(error) };
        Outcome { copy_to_destination: self.copy_to_destination, reply }
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
