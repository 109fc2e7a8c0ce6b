//! Sending, timers, and inputs about the reply.

use core::time::Duration;

use super::{Event, EventError, Exchange, ExchangeEvent, State, StopReason, Upload};
use crate::state_machine::StateMachine as _;

impl Upload {
    /// Reports that the caller starts to send the request of [`poll`](Self::poll). The request
    /// timer starts.
    ///
    /// A caller that must survive a crash stores the upload after this call and before it sends
    /// the first byte. Then the next process knows what may have reached the server.
    ///
    /// # Errors
    ///
    /// [`EventError`] if no request can be sent now; nothing changes then.
    pub fn handle_sending(&mut self, now: Duration) -> Result<(), EventError> {
        let exchange = self.exchange.transition(ExchangeEvent::Begin)?;
        self.state = self.state.transition(Event::Begin)?;
        self.exchange = exchange;
        if let Some(range) = self.next_range().filter(|_| self.state == State::Fragment) {
            self.sent_up_to = self.sent_up_to.max(range.end());
        }
        self.deadline = now.saturating_add(self.options.request_timeout);
        Ok(())
    }

    /// Reports that the whole request was sent. The response timer starts.
    ///
    /// # Errors
    ///
    /// [`EventError`] if no request is being sent; nothing changes then.
    pub fn handle_sent(&mut self, now: Duration) -> Result<(), EventError> {
        self.exchange = self.exchange.transition(ExchangeEvent::Sent)?;
        self.deadline = now.saturating_add(self.options.response_timeout);
        Ok(())
    }

    /// Returns the time to call [`handle_timeout`](Self::handle_timeout), unless an input comes
    /// first; `None` while no timer runs.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        if self.state.is_terminal() {
            return None;
        }
        let deadline = match self.exchange {
            Exchange::Sending | Exchange::Awaiting => return Some(self.deadline),
            Exchange::BackOff => Some(self.deadline),
            Exchange::Ready | Exchange::Unauthorized | Exchange::Suspended => None,
        };
        match (deadline, self.fallback_at) {
            (Some(deadline), Some(fallback_at)) => Some(deadline.min(fallback_at)),
            (deadline, fallback_at) => deadline.or(fallback_at),
        }
    }

    /// [3.1.6] Reports the time, and handles all timers that have expired at `now`. A late request
    /// or response counts as a failure. After a back-off, the request can be sent again. When the
    /// fallback timer expires, the upload returns to the origin server.
    ///
    /// Calling it early or repeatedly does nothing.
    pub fn handle_timeout(&mut self, now: Duration) {
        if self.exchange.is_in_flight() && now >= self.deadline {
            if self.exchange == Exchange::Sending && self.state == State::Fragment {
                // A fragment of this length takes too long to send; a shorter one may not.
                let fragments = self.options.fragments;
                self.set_fragments(fragments.with_length(fragments.length / 2));
            }
            // Cannot fail: legal in every state with a request in flight.
            let _ = self.retry_or_suspend(StopReason::Timeout, now);
        }
        if self.exchange == Exchange::BackOff && now >= self.deadline {
            self.end_backoff();
        }
        let is_expired = self.fallback_at.is_some_and(|fallback_at| now >= fallback_at);
        if is_expired && !self.exchange.is_in_flight() {
            self.fall_back();
        }
    }

    /// Reports that the reply was fetched. The session is closed next.
    ///
    /// # Errors
    ///
    /// [`EventError`] if there is no reply to fetch; nothing changes then.
    pub fn handle_reply_fetched(&mut self) -> Result<(), EventError> {
        self.state = self.state.transition(Event::ReplyFetched)?;
        self.reply_done = true;
        self.failures = 0;
        self.end_backoff();
        Ok(())
    }

    /// Reports that the reply could not be fetched. Fetching is retried after a back-off; beyond
    /// [`Options::max_retries`](super::Options::max_retries) the upload is suspended.
    ///
    /// # Errors
    ///
    /// [`EventError`] if there is no reply to fetch; nothing changes then.
    pub fn handle_reply_failed(&mut self, now: Duration) -> Result<(), EventError> {
        self.state.transition(Event::ReplyFetched)?;
        self.retry_or_suspend(StopReason::ReplyUnavailable, now)
    }
}
