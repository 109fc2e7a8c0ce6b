//! Sending, timers, retries and the discarding of bytes.

use core::time::Duration;

use super::body::Body;
use super::{
    Download, Event, EventError, Exchange, ExchangeEvent, Poll, Source, State, StopReason,
};
use crate::download::ByteRange;
use crate::state_machine::StateMachine as _;
use crate::util::backoff::backoff;

impl<R: AsRef<[ByteRange]>, P: AsRef<[Source]>> Download<R, P> {
    /// [3.6.5.1] Reports that the caller starts to send the request of
    /// [`transmit`](Self::transmit). The request timer starts.
    ///
    /// # Errors
    ///
    /// [`EventError`] if no request can be sent now; nothing changes then.
    pub fn handle_sending(&mut self, now: Duration) -> Result<(), EventError> {
        let exchange = self.progress.exchange.transition(ExchangeEvent::Begin)?;
        let state = self.progress.state.transition(Event::Begin)?;
        if matches!(self.poll(), Poll::FetchFromPeer(_)) {
            return Err(EventError::FetchedFromPeer);
        }
        (self.progress.state, self.progress.exchange) = (state, exchange);
        self.progress.deadline = now.saturating_add(self.progress.options.request_timeout);
        Ok(())
    }

    /// [3.6.5.1] Reports that the whole request was sent. The response timer starts.
    ///
    /// # Errors
    ///
    /// [`EventError`] if no request is being sent; nothing changes then.
    pub fn handle_sent(&mut self, now: Duration) -> Result<(), EventError> {
        self.progress.exchange = self.progress.exchange.transition(ExchangeEvent::Sent)?;
        self.progress.deadline = now.saturating_add(self.progress.options.response_timeout);
        Ok(())
    }

    /// Reports that the server could not be reached, or that the connection broke before the response
    /// was complete. The rest is requested after a back-off.
    ///
    /// # Errors
    ///
    /// [`EventError`] if no request is in flight or ready to be sent; nothing changes then.
    pub fn handle_transport_failure(&mut self, now: Duration) -> Result<(), EventError> {
        self.retry_or_suspend(StopReason::Transport, now)
    }

    /// Reports that bytes could not be stored or made durable, or that fewer are stored than a loaded
    /// download counts. The download is suspended; a request in flight is dropped.
    ///
    /// `received` is the number of bytes of all ranges that are stored: the rest is requested again. A
    /// number that exceeds [`received`](Self::received) has no effect.
    ///
    /// # Errors
    ///
    /// [`EventError`] if the download is finished or cancelled; nothing changes then.
    pub fn handle_storage_failure(&mut self, received: u64) -> Result<(), EventError> {
        let state = self.progress.state.transition(Event::StorageFailed)?;
        self.progress.next = self.progress.next.min(received);
        if state != State::Failed {
            self.stop_exchange(Exchange::Suspended, StopReason::Storage);
        }
        self.progress.state = state;
        Ok(())
    }

    /// Reports that all bytes were made durable. The download is finished.
    ///
    /// # Errors
    ///
    /// [`EventError`] unless the next action is [`Poll::Commit`](super::Poll::Commit); nothing changes
    /// then.
    pub fn handle_committed(&mut self) -> Result<(), EventError> {
        self.progress.exchange.transition(ExchangeEvent::Begin)?;
        self.progress.state = self.progress.state.transition(Event::Committed)?;
        Ok(())
    }

    /// Sets the earliest time of the next try to `delay` from `now`, as Retry-After requests. It has
    /// an effect during a back-off only, and never shortens it. `delay` is limited by
    /// [`Options::max_retry_after`](super::Options::max_retry_after).
    ///
    /// [`handle_response`](Self::handle_response) calls it for a number of seconds. For a date, the
    /// caller computes the delay with its clock: see
    /// [`RetryAfter::delay`](crate::field::RetryAfter::delay).
    pub fn handle_retry_after(&mut self, delay: Duration, now: Duration) {
        if self.progress.exchange == Exchange::BackOff {
            let delay = delay.min(self.progress.options.max_retry_after);
            self.progress.deadline = self.progress.deadline.max(now.saturating_add(delay));
        }
    }

    /// Returns the time to call [`handle_timeout`](Self::handle_timeout), unless an input comes
    /// first; `None` while no timer runs.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let is_running = match self.progress.exchange {
            Exchange::Sending | Exchange::Awaiting | Exchange::Receiving | Exchange::BackOff => {
                true
            }
            Exchange::Ready | Exchange::Unauthorized | Exchange::Suspended => false,
        };
        Some(self.progress.deadline).filter(|_| is_running)
    }

    /// [3.6.6] Reports the time, and handles the timer if it has expired at `now`. A late request or
    /// response counts as a failure. After a back-off, the request can be sent again.
    ///
    /// Calling it early or repeatedly does nothing.
    pub fn handle_timeout(&mut self, now: Duration) {
        if self.progress.exchange.is_in_flight() && now >= self.progress.deadline {
            // Cannot fail: legal in every state with a request in flight.
            let _ = self.retry_or_suspend(StopReason::Timeout, now);
        }
        if self.progress.exchange == Exchange::BackOff && now >= self.progress.deadline {
            self.make_ready();
        }
    }

    /// Reports that the caller discarded all bytes. The download starts over.
    ///
    /// # Errors
    ///
    /// [`EventError`] unless the state is [`State::Discard`]; nothing changes then.
    pub fn handle_discarded(&mut self) -> Result<(), EventError> {
        if self.progress.state != State::Discard {
            return Err(EventError::NothingToDiscard);
        }
        self.progress.state = self.progress.state.transition(self.restart_event())?;
        self.progress.next = 0;
        // A download that is suspended remains so.
        let is_suspended = self.progress.exchange == Exchange::Suspended;
        self.progress.stop_reason = self.progress.stop_reason.filter(|_| is_suspended);
        Ok(())
    }

    /// Starts a back-off, or suspends the download if the limit of retries is reached.
    pub(super) fn retry_or_suspend(
        &mut self,
        reason: StopReason,
        now: Duration,
    ) -> Result<(), EventError> {
        let state = self.progress.state.transition(Event::TransientFailure)?;
        self.progress.exchange.transition(ExchangeEvent::Failed)?;
        let options = self.progress.options;
        let suspends = self.progress.failures >= options.max_retries;
        let event = if suspends { ExchangeEvent::GivenUp } else { ExchangeEvent::Failed };
        let exchange = self.progress.exchange.transition(event)?;
        self.progress.state = state;
        self.progress.failures = self.progress.failures.saturating_add(1);
        if suspends {
            self.stop_exchange(exchange, reason);
            return Ok(());
        }
        let (initial, max) = (options.initial_backoff, options.max_backoff);
        let failures = self.progress.failures;
        let delay = backoff(&mut self.progress.random, initial, max, failures);
        self.progress.exchange = exchange;
        self.progress.body = Body::None;
        self.progress.deadline = now.saturating_add(delay);
        Ok(())
    }

    /// Suspends the download until the caller resumes it.
    pub(super) fn suspend(&mut self, reason: StopReason) -> Result<(), EventError> {
        let exchange = self.progress.exchange.transition(ExchangeEvent::GivenUp)?;
        self.stop_exchange(exchange, reason);
        Ok(())
    }

    /// Fails the download.
    pub(super) fn fail(&mut self, reason: StopReason) -> Result<(), EventError> {
        self.progress.state = self.progress.state.transition(Event::PermanentFailure)?;
        self.stop_exchange(Exchange::Ready, reason);
        Ok(())
    }

    /// [3.6.5.2.4.2] Starts over. Stored bytes are discarded first. If that happened too often, the
    /// download is suspended.
    pub(super) fn start_over(&mut self, reason: StopReason) -> Result<(), EventError> {
        self.forget_version()?;
        if self.progress.restarts > self.progress.options.max_restarts {
            self.stop_exchange(Exchange::Suspended, reason);
        } else if self.progress.state == State::Discard {
            self.progress.stop_reason = Some(reason);
        }
        Ok(())
    }

    /// Ends the exchange, and forgets the version of the entity.
    pub(super) fn forget_version(&mut self) -> Result<(), EventError> {
        let event = if self.progress.next > 0 { Event::Invalidated } else { self.restart_event() };
        let state = self.progress.state.transition(event)?;
        self.end_exchange();
        self.progress.state = state;
        (self.progress.total, self.progress.whole) = (None, None);
        (self.progress.modified, self.progress.tag) = (None, None);
        (self.progress.has_sources, self.progress.single_range) = (false, false);
        self.progress.restarts = self.progress.restarts.saturating_add(1);
        Ok(())
    }

    fn restart_event(&self) -> Event {
        match State::first(&self.progress.options) {
            State::Size => Event::RestartedWithHead,
            _ => Event::RestartedWithGet,
        }
    }

    fn stop_exchange(&mut self, exchange: Exchange, reason: StopReason) {
        self.progress.exchange = exchange;
        self.progress.body = Body::None;
        self.progress.challenge = None;
        self.progress.stop_reason = Some(reason);
    }
}
