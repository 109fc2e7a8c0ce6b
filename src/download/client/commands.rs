//! Commands of the caller, and the use of peers.

use super::body::Body;
use super::{Download, Event, EventError, ExchangeEvent, Options, Source, State, StopReason};
use crate::download::ByteRange;
use crate::state_machine::StateMachine as _;

/// The maximum number of failures of peers; one more ends their use.
const MAX_PEER_FAILURES: u32 = 3;

impl<R: AsRef<[ByteRange]>, P: AsRef<[Source]>> Download<R, P> {
    /// [3.6.4.1] Pause Download: pauses the download. A request in flight is dropped: the caller
    /// closes its connection.
    ///
    /// Pausing a paused download does nothing.
    ///
    /// # Errors
    ///
    /// [`EventError`] if the download is finished, cancelled or failed; nothing changes then.
    pub fn pause(&mut self) -> Result<(), EventError> {
        let state = self.progress.state.transition(Event::Pause)?;
        self.progress.exchange = self.progress.exchange.transition(ExchangeEvent::Pause)?;
        self.progress.state = state;
        self.progress.body = Body::None;
        (self.progress.stop_reason, self.progress.challenge) = (Some(StopReason::Paused), None);
        Ok(())
    }

    /// [3.6.4.2] Resume Download: resumes a download that is paused, suspended or failed, or that
    /// another process stored in any state. A request in flight is dropped.
    ///
    /// The counts of failures and restarts are reset.
    ///
    /// # Errors
    ///
    /// [`EventError`] if the download is finished or cancelled; nothing changes then.
    pub fn resume(&mut self) -> Result<(), EventError> {
        self.progress.state = self.progress.state.transition(Event::Resume)?;
        (self.progress.failures, self.progress.restarts) = (0, 0);
        self.reset();
        Ok(())
    }

    /// Starts the download over. [`Poll::Discard`](super::Poll::Discard) is next if bytes are stored.
    /// Meant for a download that is suspended or failed and that [`resume`](Self::resume) cannot
    /// continue, or whose bytes are wrong or lost.
    ///
    /// A request in flight is dropped: the caller closes its connection. The start is counted in
    /// [`restarts`](Self::restarts), which [`Options::max_restarts`] limits for further starts that the
    /// download makes by itself.
    ///
    /// # Errors
    ///
    /// [`EventError`] if the download is finished or cancelled; nothing changes then.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::download::{Download, Options, State};
    ///
    /// let mut download = Download::whole(Options::DEFAULT, 7);
    /// download.pause()?;
    /// download.restart()?;
    /// assert_eq!((download.state(), download.restarts()), (State::Size, 1));
    /// # Ok::<(), bits_proto::download::EventError>(())
    /// ```
    pub fn restart(&mut self) -> Result<(), EventError> {
        self.forget_version()?;
        (self.progress.stop_reason, self.progress.challenge) = (None, None);
        self.progress.failures = 0;
        Ok(())
    }

    /// [3.6.4.3] Cancel Download: cancels the download, also if it is suspended or failed. A request
    /// in flight is dropped: the caller closes its connection. The caller deletes what it stored.
    ///
    /// # Errors
    ///
    /// [`EventError`] if the download is finished or cancelled; nothing changes then.
    pub fn cancel(&mut self) -> Result<(), EventError> {
        self.progress.state = self.progress.state.transition(Event::Cancel)?;
        self.reset();
        Ok(())
    }

    /// Drops the request in flight, and makes the download ready for the next action.
    fn reset(&mut self) {
        (self.progress.stop_reason, self.progress.challenge) = (self.restart_reason(), None);
        self.make_ready();
    }

    /// Continues after [`Poll::Credentials`](super::Poll::Credentials). The same request is sent
    /// again, and the caller adds its credentials to it.
    ///
    /// # Errors
    ///
    /// [`EventError`] if no credentials were requested; nothing changes then.
    pub fn provide_credentials(&mut self) -> Result<(), EventError> {
        let event = ExchangeEvent::CredentialsGiven;
        self.progress.exchange.transition(event)?;
        self.progress.challenge = None;
        self.make_ready();
        Ok(())
    }

    /// Replaces the options, for example with other timeouts after [`resume`](Self::resume) of a
    /// stored download. The use of peers does not change.
    ///
    /// # Errors
    ///
    /// [`EventError`] while a request is in flight; nothing changes then.
    pub fn set_options(&mut self, options: Options) -> Result<(), EventError> {
        if self.progress.exchange.is_in_flight() {
            return Err(EventError::InFlight);
        }
        self.progress.options = options.with_peers(self.progress.options.peers);
        Ok(())
    }

    /// [3.6.5.2.3] Reports the end of the search for peers, with the source of each range. A range
    /// without a source is fetched from the origin server. Further sources are ignored.
    ///
    /// # Errors
    ///
    /// [`EventError`] unless the state is [`State::Search`]; nothing changes then.
    pub fn handle_search_finished(&mut self, sources: P) -> Result<(), EventError> {
        self.progress.state = self.progress.state.transition(Event::Searched)?;
        self.sources = sources;
        self.progress.has_sources = true;
        Ok(())
    }

    /// [3.6.5.2.4.1] Reports that all ranges of [`Poll::FetchFromPeer`](super::Poll::FetchFromPeer)
    /// were fetched and stored.
    ///
    /// # Errors
    ///
    /// [`EventError`] if nothing is fetched from a peer; nothing changes then.
    pub fn handle_peer_fetched(&mut self) -> Result<(), EventError> {
        self.check_peer()?;
        let length = self.chosen().bytes();
        self.progress.next = self.progress.next.saturating_add(length);
        self.complete_body()
    }

    /// [3.6.5.2.4.1] Reports that a peer failed. The search is repeated up to three times; after that
    /// the origin server is used.
    ///
    /// # Errors
    ///
    /// [`EventError`] if nothing is fetched from a peer; nothing changes then.
    pub fn handle_peer_failed(&mut self) -> Result<(), EventError> {
        self.check_peer()?;
        self.progress.has_sources = false;
        self.progress.peer_failures = self.progress.peer_failures.saturating_add(1);
        if self.progress.peer_failures > MAX_PEER_FAILURES {
            self.progress.uses_peers = false;
            return Ok(());
        }
        self.progress.state = self.progress.state.transition(Event::PeerFailed)?;
        Ok(())
    }

    /// Fails unless the next action is to fetch ranges from a peer.
    fn check_peer(&self) -> Result<(), EventError> {
        let is_from_peer = self.source_of(self.current_range()) != Source::Origin;
        if self.progress.state == State::Download && is_from_peer {
            // Legal in the same exchanges as the start of a request.
            return Ok(self.progress.exchange.transition(ExchangeEvent::Begin).map(drop)?);
        }
        Err(EventError::NoPeer)
    }
}
