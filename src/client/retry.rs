//! Retries with back-off, and the fallback from another host to the origin server.

use core::time::Duration;

use super::{Event, EventError, Exchange, ExchangeEvent, State, StopReason, Upload};
use crate::message::Refusal;
use crate::state_machine::StateMachine as _;
use crate::util::backoff::backoff;

impl Upload {
    /// [3.1.7.1] Reports that the server could not be reached, or that the connection broke before
    /// the response arrived. The request is retried after a back-off.
    ///
    /// # Errors
    ///
    /// [`EventError`] if no request is in flight or ready to be sent; nothing changes then.
    pub fn handle_transport_failure(&mut self, now: Duration) -> Result<(), EventError> {
        if self.state == State::GetReply {
            // The reply is fetched outside of an exchange.
            self.state.transition(Event::Begin)?;
        }
        self.retry_or_suspend(StopReason::Transport, now)
    }

    /// Reports the Retry-After of the response to the last request, as a delay from `now`: the request
    /// is not retried before. [`Options::max_retry_after`](super::Options::max_retry_after) limits the
    /// delay. A shorter delay does not shorten the back-off.
    ///
    /// Call it after [`handle_ack`](Self::handle_ack) or
    /// [`handle_unreadable`](Self::handle_unreadable) with every delay that the response has:
    /// [`RetryAfter::delay`](crate::field::RetryAfter::delay) returns it from the time of day, which
    /// the upload does not know. `handle_ack` itself reads a number of seconds, but not a date. It
    /// does nothing unless the request waits for its retry, and may be called repeatedly.
    ///
    /// # Example
    ///
    /// ```
    /// use core::time::Duration;
    ///
    /// use bits_proto::client::{Options, Poll, Upload};
    /// use bits_proto::field::RetryAfter;
    /// use bits_proto::message::{Ack, Refusal};
    ///
    /// # let (now, unix_time) = (Duration::ZERO, Duration::from_secs(784_111_700));
    /// # let mut upload = Upload::new(1_000_000, Options::DEFAULT, 7);
    /// # upload.handle_sending(now)?;
    /// let retry_after: RetryAfter = "Sun, 06 Nov 1994 08:49:37 GMT".parse()?;
    /// let refusal = Refusal::unavailable().with_retry_after(retry_after);
    /// upload.handle_ack(&Ack::from(refusal), now)?;
    /// if let Some(retry_after) = refusal.retry_after() {
    ///     upload.handle_retry_after(retry_after.delay(unix_time), now);
    /// }
    /// assert_eq!(upload.poll(), Poll::Wait(now + Duration::from_secs(77)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Source: RFC 9110 section 10.2.3.
    pub fn handle_retry_after(&mut self, delay: Duration, now: Duration) {
        if self.exchange == Exchange::BackOff {
            let delay = delay.min(self.options.max_retry_after);
            self.deadline = self.deadline.max(now.saturating_add(delay));
        }
    }

    /// Starts a back-off after a refusal, at least as long as the number of seconds in its Retry-After.
    pub(super) fn retry_after_refusal(
        &mut self,
        refusal: &Refusal<'_>,
        reason: StopReason,
        now: Duration,
    ) -> Result<(), EventError> {
        self.retry_or_suspend(reason, now)?;
        if let Some(seconds) = refusal.retry_after().and_then(|it| it.seconds()) {
            self.handle_retry_after(Duration::from_secs(seconds), now);
        }
        Ok(())
    }

    /// Starts a back-off, or suspends the upload if the limit of retries is reached.
    pub(super) fn retry_or_suspend(
        &mut self,
        reason: StopReason,
        now: Duration,
    ) -> Result<(), EventError> {
        let state = self.state.transition(Event::TransientFailure)?;
        self.exchange.transition(ExchangeEvent::Failed)?;
        let waits_for_host = self.start_fallback_timer(reason, now);
        let suspends = !waits_for_host && self.failures >= self.options.max_retries;
        let event = if suspends { ExchangeEvent::GivenUp } else { ExchangeEvent::Failed };
        let exchange = self.exchange.transition(event)?;
        // The session may have been closed before a proxy or the connection failed. An error of
        // the server itself says that it was not.
        self.maybe_closed |= self.is_close_in_flight() && !reason.is_from_server();
        (self.state, self.exchange) = (state, exchange);
        self.failures = self.failures.saturating_add(1);
        if suspends {
            self.stop_reason = Some(reason);
        } else {
            self.deadline = now.saturating_add(self.backoff());
        }
        Ok(())
    }

    /// [3.1.2.3] Starts the fallback timer at the first failure to reach the host. Returns `true` if
    /// the upload waits for that timer.
    fn start_fallback_timer(&mut self, reason: StopReason, now: Duration) -> bool {
        let (Some(_), Some(timeout)) = (&self.host_id, self.fallback_timeout) else { return false };
        if !reason.is_unreachable() {
            return false;
        }
        self.fallback_at = self.fallback_at.or(Some(now.saturating_add(timeout)));
        true
    }

    /// [3.1.6.3] Returns to the origin server.
    pub(super) fn fall_back(&mut self) {
        let Ok(state) = self.state.transition(Event::Fallback) else { return };
        self.state = state;
        self.host_id = None;
        (self.fallback_timeout, self.fallback_at) = (None, None);
        // A session unknown to the origin server does not prove that the other host closed it.
        self.maybe_closed = false;
        self.failures = 0;
        self.end_backoff();
    }

    /// Ends a back-off, if there is one.
    pub(super) fn end_backoff(&mut self) {
        self.exchange = self.exchange.next(ExchangeEvent::BackoffElapsed).unwrap_or(self.exchange);
    }

    /// Returns `true` if a Close-Session may reach the server.
    pub(super) const fn is_close_in_flight(&self) -> bool {
        matches!(self.state, State::Close) && self.exchange.is_in_flight()
    }

    /// Drops the request in flight, and makes the upload ready to send.
    pub(super) fn reset_exchange(&mut self) {
        self.maybe_closed |= self.is_close_in_flight();
        if let Ok(exchange) = self.exchange.transition(ExchangeEvent::Reset) {
            self.exchange = exchange;
            (self.stop_reason, self.challenge) = (None, None);
        }
    }

    /// Returns the delay before the next try.
    fn backoff(&mut self) -> Duration {
        let (initial, max) = (self.options.initial_backoff, self.options.max_backoff);
        backoff(&mut self.random, initial, max, self.failures)
    }
}
