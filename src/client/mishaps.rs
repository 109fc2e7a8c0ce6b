//! What an upload makes of failures and of time.

use core::time::Duration;

use super::{Event, EventError, Exchange, ExchangeEvent, State, StopReason, Upload};
use crate::state_machine::StateMachine as _;

impl Upload {
    /// The caller begins to send the request of [`poll`](Self::poll): the request timer starts.
    ///
    /// A caller that is to survive its own crashes stores the upload after this, and before the
    /// first byte is sent: then the next process knows what may have reached the server.
    ///
    /// # Errors
    ///
    /// [`EventError`] when nothing is to be sent; nothing is changed then.
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

    /// All of the request was sent: the response timer starts.
    ///
    /// # Errors
    ///
    /// [`EventError`] when nothing is being sent; nothing is changed then.
    pub fn handle_sent(&mut self, now: Duration) -> Result<(), EventError> {
        self.exchange = self.exchange.transition(ExchangeEvent::Sent)?;
        self.deadline = now.saturating_add(self.options.response_timeout);
        Ok(())
    }

    /// [3.1.7.1] The server could not be reached, or the connection broke before the answer was
    /// there.
    ///
    /// # Errors
    ///
    /// [`EventError`] when nothing is to be sent; nothing is changed then.
    pub fn handle_transport_failure(&mut self, now: Duration) -> Result<(), EventError> {
        if self.state == State::GetReply {
            // What failed is not one of our exchanges.
            self.state.transition(Event::Begin)?;
        }
        self.fail(StopReason::Transport, now)
    }

    /// [3.1.6] Time has passed. Does what is due by `now`, and nothing else: a call that comes too
    /// early, or once more, changes nothing.
    pub fn handle_timeout(&mut self, now: Duration) {
        if self.exchange.is_under_way() && now >= self.deadline {
            if self.exchange == Exchange::Sending && self.state == State::Fragment {
                // A fragment that cannot be sent in time never will be: less at a time may.
                let fragments = self.options.fragments;
                self.options.fragments = fragments.with_length(fragments.length / 2);
            }
            // Legal in every state that has something under way.
            let _ = self.fail(StopReason::Timeout, now);
        }
        if self.exchange == Exchange::BackOff && now >= self.deadline {
            self.stop_waiting();
        }
        let is_over = self.fallback_at.is_some_and(|fallback_at| now >= fallback_at);
        if is_over && !self.exchange.is_under_way() {
            self.fall_back();
        }
    }

    /// The reply is there; what is left is to close the session.
    ///
    /// # Errors
    ///
    /// [`EventError`] when no reply is to be fetched; nothing is changed then.
    pub fn handle_reply_fetched(&mut self) -> Result<(), EventError> {
        self.state = self.state.transition(Event::ReplyFetched)?;
        self.reply_done = true;
        self.failures = 0;
        self.stop_waiting();
        Ok(())
    }

    /// The reply could not be fetched, and is worth another try.
    ///
    /// # Errors
    ///
    /// [`EventError`] when no reply is to be fetched; nothing is changed then.
    pub fn handle_reply_failed(&mut self, now: Duration) -> Result<(), EventError> {
        self.state.transition(Event::ReplyFetched)?;
        self.fail(StopReason::Reply, now)
    }

    /// Waits and tries again, or gives up.
    pub(super) fn fail(&mut self, stop: StopReason, now: Duration) -> Result<(), EventError> {
        let state = self.state.transition(Event::Delayed)?;
        self.exchange.transition(ExchangeEvent::Failed)?;
        let waits_for_host = self.arm_fallback(stop, now);
        let gives_up = !waits_for_host && self.failures >= self.options.max_retries;
        let event = if gives_up { ExchangeEvent::GivenUp } else { ExchangeEvent::Failed };
        let exchange = self.exchange.transition(event)?;
        // The session may have been closed before a proxy failed, or the connection; a server that
        // says itself what went wrong has not closed it.
        self.maybe_closed |= self.is_close_under_way() && !stop.is_by_server();
        (self.state, self.exchange) = (state, exchange);
        self.failures = self.failures.saturating_add(1);
        if gives_up {
            self.stop = Some(stop);
        } else {
            self.deadline = now.saturating_add(self.delay());
        }
        Ok(())
    }

    /// [3.1.2.3] Starts the fallback timer at the first failure to reach the host. Whether it runs.
    fn arm_fallback(&mut self, stop: StopReason, now: Duration) -> bool {
        let (Some(_), Some(timeout)) = (&self.host_id, self.fallback_timeout) else { return false };
        if !stop.is_out_of_reach() {
            return false;
        }
        self.fallback_at = self.fallback_at.or(Some(now.saturating_add(timeout)));
        true
    }

    /// [3.1.6.3] Back to the origin server.
    fn fall_back(&mut self) {
        let Ok(state) = self.state.transition(Event::Fallback) else { return };
        self.state = state;
        self.host_id = None;
        (self.fallback_timeout, self.fallback_at) = (None, None);
        // That the origin server knows no session says nothing of a Close-Session sent elsewhere.
        self.maybe_closed = false;
        self.failures = 0;
        self.stop_waiting();
    }

    /// If it waits to try again, it does so now.
    fn stop_waiting(&mut self) {
        self.exchange = self.exchange.next(ExchangeEvent::Due).unwrap_or(self.exchange);
    }

    /// Whether a Close-Session may reach the server.
    pub(super) const fn is_close_under_way(&self) -> bool {
        matches!(self.state, State::Close) && self.exchange.is_under_way()
    }

    /// What is due can be sent; what was under way is dropped.
    pub(super) fn restart_exchange(&mut self) {
        self.maybe_closed |= self.is_close_under_way();
        if let Ok(exchange) = self.exchange.transition(ExchangeEvent::Restart) {
            self.exchange = exchange;
            (self.stop, self.challenge) = (None, None);
        }
    }

    /// How long to wait after so many failures: twice as long each time, within the cap, and
    /// between half of that and the whole.
    fn delay(&mut self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(31);
        let longest = self.options.max_backoff;
        let delay = self.options.initial_backoff.saturating_mul(1 << doublings).min(longest);
        let nanoseconds = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        let half = nanoseconds / 2;
        let spread = self.random.up_to(nanoseconds.saturating_sub(half));
        Duration::from_nanos(half.saturating_add(spread))
    }
}
