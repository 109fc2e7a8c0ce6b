//! All sessions of a server.

use alloc::vec::Vec;
use core::time::Duration;

use uuid::Uuid;

use super::{
    Discard, EventError, HostError, Policy, Record, RequestContext, Session, SessionLimits,
    SessionsError, SessionsResponse, State, Step, Store, UnreadBody, WorkToken,
};
use crate::message::{Ack, CreateSession, PingAck, Refusal, Request};
use crate::util::external::external;

/// [3.2.1.3] `BITSSessionManager`: all sessions of a server, in a [`Store`].
///
/// A session belongs to the URL and the principal that created it. For any other URL or principal
/// it does not exist, so that knowing its id gives no access.
///
/// Inputs and timeouts are those of [`Session`].
///
/// # Example
///
/// ```
/// use std::collections::BTreeMap;
///
/// use bits_proto::message::{Ack, CreateSession, Request};
/// use bits_proto::server::{Access, Policy, RequestContext, SessionLimits, Sessions, Step};
/// # use core::time::Duration;
///
/// let mut sessions = Sessions::new(BTreeMap::new(), Policy::DEFAULT, SessionLimits::default());
/// let now = Duration::from_secs(1_700_000_000);
/// let context =
///     RequestContext::new("/dir/entity", Access::Granted, now).with_principal(Some("alice"));
/// let random = || [7; 16]; // from the operating system
/// let request = Request::from(CreateSession::default());
/// let Step::Answer(answer) = sessions.handle_request(&request, &context, random)? else { panic!() };
/// assert!(matches!(answer.ack(), Ack::CreateSession(_)));
/// # Ok::<(), core::convert::Infallible>(())
/// ```
///
/// Source: \[MC-BUP\] 3.2.1.3, 3.2.5.2.2.
#[derive(Clone, Debug)]
pub struct Sessions<'p, S> {
    store: S,
    policy: Policy<'p>,
    limits: SessionLimits,
}

impl<'p, S: Store> Sessions<'p, S> {
    /// Creates a table of the sessions in `store`.
    #[must_use]
    pub const fn new(store: S, policy: Policy<'p>, limits: SessionLimits) -> Self {
        Self { store, policy, limits }
    }

    /// Returns the policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy<'p> {
        &self.policy
    }

    /// Returns the store.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Returns a copy of a session, for example for its [`total`](Session::total) before publishing;
    /// `None` if there is no such session.
    ///
    /// # Errors
    ///
    /// An error of the store.
    pub fn session(&mut self, id: Uuid) -> Result<Option<Session>, S::Error> {
        self.store.update(id, |record| record.session)
    }

    /// Converts the table into its store.
    #[must_use]
    pub fn into_store(self) -> S {
        self.store
    }

    /// [3.2.5.2.2] Handles a request as [`Session::handle_request`] does, and creates a session for a
    /// Create-Session.
    ///
    /// `random` returns 16 bytes from a cryptographically secure source. It is called only for a
    /// Create-Session. If the id that results from them exists, the answer is 503: see [`Store::id_bytes`].
    ///
    /// # Errors
    ///
    /// An error of the store; nothing is changed. Answer with [`Refusal::unavailable`].
    pub fn handle_request(
        &mut self,
        request: &Request<'_>,
        context: &RequestContext<'_>,
        random: impl FnOnce() -> [u8; 16],
    ) -> Result<Step<SessionsResponse<'p>>, S::Error> {
        let body = request.content_length();
        let refuse = |refusal| {
            SessionsResponse::new(Ack::Refused(refusal), UnreadBody::of(body, &self.policy))
        };
        if let Some(refusal) = context.access.refusal() {
            return Ok(Step::Answer(refuse(refusal)));
        }
        match request {
            Request::Ping(_) => {
                Ok(Step::Answer(SessionsResponse::new(PingAck.into(), UnreadBody::None)))
            }
            Request::CreateSession(create) => self.create(create, context, random),
            _ => {
                let not_found = refuse(Refusal::session_not_found());
                let Some(id) = request.session_id().and_then(|id| id.guid()) else {
                    return Ok(Step::Answer(not_found));
                };
                let policy = self.policy;
                let step = self.change(id, |record| {
                    record.belongs_to(context.url, context.principal).then(|| {
                        let session = &mut record.session;
                        session.handle_request_for(
                            Some(id),
                            request,
                            context.access,
                            &policy,
                            context.now,
                        )
                    })
                })?;
                Ok(step.unwrap_or(Step::Answer(not_found)))
            }
        }
    }

    fn create(
        &mut self,
        create: &CreateSession<'_>,
        context: &RequestContext<'_>,
        random: impl FnOnce() -> [u8; 16],
    ) -> Result<Step<SessionsResponse<'p>>, S::Error> {
        let refuse = |refusal| {
            Ok(Step::Answer(SessionsResponse::new(Ack::Refused(refusal), UnreadBody::None)))
        };
        let too_many = self.store.count(None)? >= self.limits.max_sessions
            || match context.principal {
                Some(principal) => {
                    self.store.count(Some(principal))? >= self.limits.max_sessions_per_principal
                }
                None => false,
            };
        if too_many {
            return refuse(Refusal::unavailable());
        }
        let (access, now) = (context.access, context.now);
        let id_bytes = self.store.id_bytes(random());
        match Session::create(create, access, &self.policy, id_bytes, now) {
            Ok((session, ack)) => {
                let mut record = Record::new(session, context.url);
                record.principal = context.principal.map(|principal| external(|| principal.into()));
                // A repeated id would give access to the session of another client.
                if self.store.insert(record)? {
                    Ok(Step::Answer(SessionsResponse::new(ack.into(), UnreadBody::None)))
                } else {
                    refuse(Refusal::unavailable())
                }
            }
            Err(refusal) => refuse(refusal),
        }
    }

    /// Reports stored bytes; see [`Session::handle_stored`].
    ///
    /// # Fencing
    ///
    /// On [`EventError::StaleToken`] the bytes must not become part of the entity. Use one staging
    /// file or part for each [`WorkToken`].
    ///
    /// # Errors
    ///
    /// [`SessionsError`]; the session is unchanged.
    pub fn handle_stored(
        &mut self,
        token: WorkToken,
        bytes: u64,
        now: Duration,
    ) -> Result<Step<SessionsResponse<'p>>, SessionsError<S::Error>> {
        let policy = self.policy;
        self.report(token, |record| record.session.handle_stored(token, bytes, &policy, now))
    }

    /// Postpones the timeout of the work; see [`Session::renew`].
    ///
    /// # Errors
    ///
    /// [`SessionsError`]; the session is unchanged.
    pub fn renew(
        &mut self,
        token: WorkToken,
        now: Duration,
    ) -> Result<(), SessionsError<S::Error>> {
        let policy = self.policy;
        self.report(token, |record| record.session.renew(token, &policy, now).map(|()| Step::Done))
            .map(drop)
    }

    /// Reports that the entity is published; see [`Session::handle_committed`]. If it was linked or
    /// copied, delete the staged bytes after this call has succeeded.
    ///
    /// # Errors
    ///
    /// [`SessionsError`]; the session is unchanged.
    pub fn handle_committed(
        &mut self,
        token: WorkToken,
    ) -> Result<Step<SessionsResponse<'p>>, SessionsError<S::Error>> {
        self.report(token, |record| record.session.handle_committed(token))
    }

    /// Reports that the data is deleted and removes the session; see
    /// [`Session::handle_discarded`].
    ///
    /// # Errors
    ///
    /// [`SessionsError`]; the session is unchanged.
    pub fn handle_discarded(
        &mut self,
        token: WorkToken,
    ) -> Result<Step<SessionsResponse<'p>>, SessionsError<S::Error>> {
        self.report(token, |record| record.session.handle_discarded(token))
    }

    /// Reports that the work of a step failed; see [`Session::handle_failed`].
    ///
    /// # Errors
    ///
    /// [`SessionsError`]; the session is unchanged.
    pub fn handle_failed(
        &mut self,
        token: WorkToken,
        error: HostError,
    ) -> Result<Step<SessionsResponse<'p>>, SessionsError<S::Error>> {
        let policy = self.policy;
        self.report(token, |record| record.session.handle_failed(token, error, &policy))
    }

    /// Reports that the client disconnected and the work has stopped; see
    /// [`Session::handle_disconnected`]. Do not call it for work that continues after the handler was
    /// dropped.
    ///
    /// # Errors
    ///
    /// [`SessionsError`]; the session is unchanged.
    pub fn handle_disconnected(&mut self, token: WorkToken) -> Result<(), SessionsError<S::Error>> {
        self.report(token, |record| record.session.handle_disconnected(token).map(|()| Step::Done))
            .map(drop)
    }

    /// Returns the time at which [`handle_timeout`](Self::handle_timeout) has an effect; `None` if
    /// there are no sessions.
    ///
    /// Another server may change a shared store, so also call [`handle_timeout`](Self::handle_timeout)
    /// at regular intervals.
    ///
    /// # Errors
    ///
    /// An error of the store.
    pub fn poll_timeout(&self) -> Result<Option<Duration>, S::Error> {
        self.store.next_timeout()
    }

    /// Ends all sessions that have expired; see [`Session::handle_timeout`].
    ///
    /// Returns the data to delete. Report each deletion with
    /// [`handle_discarded`](Self::handle_discarded).
    ///
    /// # Errors
    ///
    /// The first error of the store, if no data is to be deleted. Otherwise the data is returned, and
    /// the next call returns the error if it persists. A failure for one session does not affect
    /// the others.
    pub fn handle_timeout(&mut self, now: Duration) -> Result<Vec<Discard>, S::Error> {
        let policy = self.policy;
        let (mut discards, mut failure) = (Vec::new(), None);
        for id in self.store.expired(now)? {
            match self.change(id, |record| record.session.handle_timeout(&policy, now)) {
                Ok(Some(Step::Discard(discard))) => discards.push(discard),
                Ok(_) => {}
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        match failure {
            Some(error) if discards.is_empty() => Err(error),
            _ => Ok(discards),
        }
    }

    /// Ends one session before its time; see [`Session::expire`].
    ///
    /// # Errors
    ///
    /// An error of the store; the session is unchanged.
    pub fn expire(&mut self, id: Uuid, now: Duration) -> Result<Option<Discard>, S::Error> {
        let policy = self.policy;
        let step = self.change(id, |record| record.session.expire(&policy, now))?;
        Ok(match step {
            Some(Step::Discard(discard)) => Some(discard),
            _ => None,
        })
    }

    pub(super) fn report(
        &mut self,
        token: WorkToken,
        mut change: impl FnMut(&mut Record) -> Result<Step, EventError>,
    ) -> Result<Step<SessionsResponse<'p>>, SessionsError<S::Error>> {
        let mut outcome = Err(EventError::StaleToken);
        let step = self.change(token.session_id(), |record| {
            let changed = change(record);
            outcome = changed.map(|_| ());
            changed.ok()
        });
        match (step.map_err(SessionsError::Store)?, outcome) {
            (Some(step), Ok(())) => Ok(step),
            (_, Err(error)) => Err(SessionsError::Event(error)),
            (None, Ok(())) => Err(SessionsError::Event(EventError::StaleToken)),
        }
    }

    /// Changes one session, and removes it if it has ended.
    fn change(
        &mut self,
        id: Uuid,
        mut change: impl FnMut(&mut Record) -> Option<Step>,
    ) -> Result<Option<Step<SessionsResponse<'p>>>, S::Error> {
        let changed = self.store.update(id, |record| {
            let step = change(record);
            let has_ended = record.session.state() == State::Ended;
            (
                step.map(|step| step.map_answer(|answer| SessionsResponse::of(answer, record))),
                has_ended,
            )
        })?;
        let Some((step, has_ended)) = changed else { return Ok(None) };
        if has_ended {
            // If this fails, requests are answered with "session not found", and `handle_timeout`
            // removes the session once it has expired. The current answer is unaffected.
            let _ = self.store.remove(id);
        }
        Ok(step)
    }
}
