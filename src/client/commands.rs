//! What a caller asks of an upload.

use super::{Event, EventError, Exchange, ExchangeEvent, Options, StopReason, Upload};
use crate::state_machine::StateMachine as _;

impl Upload {
    /// [3.1.4.2] Pauses. A request that is under way is dropped, and so is its answer: the caller
    /// closes the connection. What the server got of it counts, and is found out on resuming.
    ///
    /// Pausing twice is pausing once.
    ///
    /// # Errors
    ///
    /// [`EventError`] when the upload has ended or failed; nothing is changed then.
    pub fn pause(&mut self) -> Result<(), EventError> {
        let exchange = self.exchange.transition(ExchangeEvent::Pause)?;
        let state = self.state.transition(Event::Pause)?;
        self.maybe_closed |= self.is_close_under_way();
        (self.state, self.exchange) = (state, exchange);
        (self.stop, self.challenge) = (Some(StopReason::Paused), None);
        Ok(())
    }

    /// [3.1.4.3] Goes on: with a Ping, which shows whether the server can be reached and lets it
    /// ask for credentials before there is a body to send. For an upload that was paused, was
    /// suspended, has failed, or was stored by a process that is no more, whatever it was about.
    ///
    /// Counts of failures and restarts begin anew.
    ///
    /// # Errors
    ///
    /// [`EventError`] when the upload has ended; nothing is changed then.
    pub fn resume(&mut self) -> Result<(), EventError> {
        let state = self.state.transition(Event::Resume)?;
        self.restart_exchange();
        self.state = state;
        (self.failures, self.restarts, self.stalls) = (0, 0, 0);
        self.fallback_at = None;
        if self.session_id.is_some() {
            // What was stored may be older than what was sent.
            self.sent_up_to = self.total;
        }
        Ok(())
    }

    /// [3.1.4.4] Cancels: also an upload that is suspended or has failed. A request that is under
    /// way is dropped, as in [`pause`](Self::pause).
    ///
    /// # Errors
    ///
    /// [`EventError`] when the upload has ended; nothing is changed then.
    pub fn cancel(&mut self) -> Result<(), EventError> {
        let state = self.state.transition(Event::Cancel)?;
        self.restart_exchange();
        self.state = state;
        self.failures = 0;
        if self.session_id.is_none() {
            // There is nothing that the server could be told to forget.
            self.state = self.state.transition(Event::Gone)?;
        }
        Ok(())
    }

    /// The caller has the credentials that [`Poll::Credentials`](super::Poll::Credentials) asked
    /// for: the same request is sent again.
    ///
    /// # Errors
    ///
    /// [`EventError`] when none were asked for; nothing is changed then.
    pub fn provide_credentials(&mut self) -> Result<(), EventError> {
        self.exchange = self.exchange.transition(ExchangeEvent::CredentialsGiven)?;
        self.challenge = None;
        Ok(())
    }

    /// The connection is a new one, and the server authenticates connections, not requests: a Ping
    /// goes first, so that no body is sent in vain. Where a Ping or a Cancel-Session is due, or the
    /// reply, nothing changes.
    ///
    /// # Errors
    ///
    /// [`EventError`] when nothing is to be sent; nothing is changed then.
    pub fn ping_first(&mut self) -> Result<(), EventError> {
        if self.exchange != Exchange::Ready {
            // The error that sending now would be.
            self.exchange.transition(ExchangeEvent::Begin)?;
        }
        self.state = self.state.transition(Event::NewConnection)?;
        Ok(())
    }

    /// Fragments are this long from now on, within the bounds they have: the caller paces itself.
    ///
    /// # Errors
    ///
    /// [`EventError`] while a request is under way, whose length is given; nothing is changed then.
    pub fn set_fragment_length(&mut self, length: u64) -> Result<(), EventError> {
        self.check_idle()?;
        self.options.fragments = self.options.fragments.with_length(length);
        Ok(())
    }

    /// Goes on with other options, such as timeouts that a caller who resumes has chosen anew. The
    /// mode stays.
    ///
    /// # Errors
    ///
    /// [`EventError`] while a request is under way; nothing is changed then.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::client::{Options, Upload};
    ///
    /// let mut upload = Upload::new(1_000_000, Options::DEFAULT, 7);
    /// upload.set_options(Options { max_retries: 100, ..Options::DEFAULT })?;
    /// # Ok::<(), bits_proto::client::EventError>(())
    /// ```
    pub fn set_options(&mut self, options: Options) -> Result<(), EventError> {
        self.check_idle()?;
        self.options = Options { mode: self.options.mode, ..options };
        Ok(())
    }

    /// Nothing is under way; the error is that which sending now would be.
    fn check_idle(&self) -> Result<(), EventError> {
        if self.exchange.is_under_way() {
            self.exchange.transition(ExchangeEvent::Begin)?;
        }
        Ok(())
    }

    /// Does without the reply, and closes the session; also an upload that was suspended because the
    /// reply could not be fetched goes on.
    ///
    /// # Errors
    ///
    /// [`EventError`] when no reply is to be fetched; nothing is changed then.
    pub fn close_without_reply(&mut self) -> Result<(), EventError> {
        self.handle_reply_fetched()?;
        self.restart_exchange();
        Ok(())
    }
}
