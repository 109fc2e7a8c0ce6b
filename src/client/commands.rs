//! Commands of the caller.

use super::{Event, EventError, Exchange, ExchangeEvent, Options, StopReason, Upload};
use crate::state_machine::StateMachine as _;

impl Upload {
    /// [3.1.4.2] Pauses the upload. A request in flight is dropped: the caller closes its
    /// connection. Bytes of it may have reached the server. After resuming, the server's
    /// responses show which.
    ///
    /// Pausing a paused upload does nothing.
    ///
    /// # Errors
    ///
    /// [`EventError`] if the upload is finished, cancelled or failed; nothing changes then.
    pub fn pause(&mut self) -> Result<(), EventError> {
        let exchange = self.exchange.transition(ExchangeEvent::Pause)?;
        let state = self.state.transition(Event::Pause)?;
        self.maybe_closed |= self.is_close_in_flight();
        (self.state, self.exchange) = (state, exchange);
        (self.stop_reason, self.challenge) = (Some(StopReason::Paused), None);
        Ok(())
    }

    /// [3.1.4.3] Resumes an upload that is paused, suspended or failed, or that another process
    /// stored in any state. A Ping is sent first: it shows whether the server is reachable, and
    /// lets it ask for credentials before a body is sent. A cancellation continues without a Ping.
    ///
    /// The counts of failures and restarts are reset.
    ///
    /// # Errors
    ///
    /// [`EventError`] if the upload is finished or cancelled; nothing changes then.
    pub fn resume(&mut self) -> Result<(), EventError> {
        let state = self.state.transition(Event::Resume)?;
        self.reset_exchange();
        self.state = state;
        (self.failures, self.restarts, self.stalls) = (0, 0, 0);
        self.fallback_at = None;
        self.is_unconfirmed = self.session_id.is_some();
        if self.is_unconfirmed {
            // More may have been sent since the upload was stored.
            self.sent_up_to = self.total;
        }
        Ok(())
    }

    /// Starts the upload over: Create-Session is sent to the origin server, and the entity is sent
    /// from offset 0. Meant for an upload that is suspended or failed and that
    /// [`resume`](Self::resume) cannot continue, such as after [`StopReason::SessionRejected`].
    ///
    /// A request in flight is dropped: the caller closes its connection. The current session is not
    /// cancelled; the server deletes it when it expires. The start is counted in
    /// [`restarts`](Self::restarts), which [`Options::max_restarts`] limits for further starts that
    /// the upload makes by itself.
    ///
    /// # Errors
    ///
    /// [`EventError`] if the upload is finished or cancelled, or is being cancelled; nothing changes
    /// then.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::client::{Options, State, Upload};
    ///
    /// let mut upload = Upload::new(1_000_000, Options::DEFAULT, 7);
    /// upload.pause()?;
    /// upload.restart()?;
    /// assert_eq!((upload.state(), upload.restarts()), (State::CreateSession, 1));
    /// # Ok::<(), bits_proto::client::EventError>(())
    /// ```
    pub fn restart(&mut self) -> Result<(), EventError> {
        let state = self.state.transition(Event::Restart)?;
        self.reset_exchange();
        self.state = state;
        self.start_new_session();
        self.host_id = None;
        (self.fallback_timeout, self.fallback_at) = (None, None);
        self.failures = 0;
        Ok(())
    }

    /// [3.1.4.4] Cancels the upload, also if it is suspended or failed. A request in flight is
    /// dropped: the caller closes its connection. Cancel-Session is sent next, unless there is no
    /// session.
    ///
    /// # Errors
    ///
    /// [`EventError`] if the upload is finished or cancelled; nothing changes then.
    pub fn cancel(&mut self) -> Result<(), EventError> {
        let state = self.state.transition(Event::Cancel)?;
        self.reset_exchange();
        self.state = state;
        self.failures = 0;
        if self.session_id.is_none() {
            self.state = self.state.transition(Event::Cancelled)?;
        }
        Ok(())
    }

    /// Continues after [`Poll::Credentials`](super::Poll::Credentials). The same request is sent
    /// again, and the caller adds its credentials to it.
    ///
    /// # Errors
    ///
    /// [`EventError`] if no credentials were requested; nothing changes then.
    pub fn provide_credentials(&mut self) -> Result<(), EventError> {
        self.exchange = self.exchange.transition(ExchangeEvent::CredentialsGiven)?;
        self.challenge = None;
        Ok(())
    }

    /// Sends a Ping before the next request. Call it for each new connection to a server that
    /// authenticates connections instead of requests, as with NTLM: otherwise a body would be sent
    /// and rejected.
    ///
    /// It does nothing if the next action is a Ping, a Cancel-Session or fetching the reply.
    ///
    /// # Errors
    ///
    /// [`EventError`] if no request can be sent now; nothing changes then.
    pub fn ping_first(&mut self) -> Result<(), EventError> {
        if self.exchange != Exchange::Ready {
            self.exchange.transition(ExchangeEvent::Begin)?;
        }
        self.state = self.state.transition(Event::NewConnection)?;
        Ok(())
    }

    /// Sets the length of the next fragments, in bytes. It is clamped to the bounds of
    /// [`fragments`](Self::fragments). Shorter fragments limit the rate of a slow connection.
    ///
    /// # Errors
    ///
    /// [`EventError`] while a request is in flight; nothing changes then.
    pub fn set_fragment_length(&mut self, length: u64) -> Result<(), EventError> {
        self.check_idle()?;
        self.set_fragments(self.options.fragments.with_length(length));
        Ok(())
    }

    /// Replaces the options, for example with other timeouts after [`resume`](Self::resume) of a
    /// stored upload. The mode does not change.
    ///
    /// # Errors
    ///
    /// [`EventError`] while a request is in flight; nothing changes then.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::client::{Options, Upload};
    ///
    /// let mut upload = Upload::new(1_000_000, Options::DEFAULT, 7);
    /// upload.set_options(Options::DEFAULT.with_max_retries(100))?;
    /// # Ok::<(), bits_proto::client::EventError>(())
    /// ```
    pub fn set_options(&mut self, options: Options) -> Result<(), EventError> {
        self.check_idle()?;
        self.set_fragments(options.fragments);
        self.options = options.with_mode(self.options.mode);
        Ok(())
    }

    /// Fails while a request is in flight.
    const fn check_idle(&self) -> Result<(), EventError> {
        if self.exchange.is_in_flight() { Err(EventError::InFlight) } else { Ok(()) }
    }

    /// Closes the session without fetching the reply. An upload that is suspended because the reply
    /// could not be fetched continues.
    ///
    /// # Errors
    ///
    /// [`EventError`] if there is no reply to fetch; nothing changes then.
    pub fn close_without_reply(&mut self) -> Result<(), EventError> {
        self.handle_reply_fetched()?;
        self.reset_exchange();
        Ok(())
    }
}
