//! The table of sessions.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use uuid::Uuid;

use super::{
    Access, Answer, Discard, EventError, HostError, Notified, Policy, Record, Session, State, Step,
    Store, UnreadBody, WorkToken,
};
use crate::field::ReplyUrl;
use crate::message::{Ack, CreateSession, PingAck, Refusal, Request};

/// [3.2.1.3] `BITSSessionManager`: all sessions of a server, and who they belong to.
///
/// A session belongs to the URL and the principal that created it. For anybody else, and under any
/// other URL, it does not exist: an id alone opens nothing.
///
/// # Example
///
/// ```
/// use std::collections::BTreeMap;
///
/// use bits_proto::message::{Ack, CreateSession, Request};
/// use bits_proto::server::{Access, RequestContext, SessionLimits, Policy, Sessions, Step};
/// # use core::time::Duration;
///
/// let mut sessions = Sessions::new(BTreeMap::new(), Policy::DEFAULT, SessionLimits::default());
/// let context = RequestContext {
///     url: "/dir/entity",
///     principal: Some("alice"),
///     access: Access::Granted,
///     now: Duration::from_secs(1_700_000_000),
/// };
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

/// How many sessions there may be. One more is refused with 503, and the client tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct SessionLimits {
    /// In all. Default: 100 000.
    pub sessions: usize,
    /// Of one principal; sessions without one are not counted. Default: 50, as Windows has it.
    pub sessions_of_principal: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { sessions: 100_000, sessions_of_principal: 50 }
    }
}

/// What the host knows of a request beside the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestContext<'a> {
    /// The destination, in a form that is the same for all requests of a session: a client that
    /// goes on at another host sends another Host, and the same path.
    pub url: &'a str,
    /// Who sends it, if the host knows; the same for all requests of a session.
    pub principal: Option<&'a str>,
    /// The verdict on this request.
    pub access: Access,
    /// The time.
    pub now: Duration,
}

/// An answer with its texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionsResponse<'p> {
    ack: Ack<'p>,
    reply_url: Option<(Answer, Box<[u8]>)>,
    /// What to do with the part of the body that was not asked for.
    pub unread_body: UnreadBody,
}

impl<'p> SessionsResponse<'p> {
    const fn new(ack: Ack<'p>, unread_body: UnreadBody) -> Self {
        Self { ack, reply_url: None, unread_body }
    }

    fn of(answer: Answer, record: &Record) -> Self {
        let url = record.reply_url.clone().filter(|_| answer.has_reply_url());
        Self {
            ack: answer.ack(None),
            reply_url: url.map(|url| (answer, url)),
            unread_body: answer.unread_body,
        }
    }

    /// The Ack to send.
    #[must_use]
    pub fn ack(&self) -> Ack<'_> {
        match &self.reply_url {
            Some((answer, url)) => answer.ack(ReplyUrl::try_from(&**url).ok()),
            None => self.ack,
        }
    }
}

/// Why a report was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum SessionsError<E> {
    /// The store failed.
    Store(E),
    /// The session did not take it; [`EventError::StaleToken`] also if there is no such session.
    Event(EventError),
}

impl<E: fmt::Display> fmt::Display for SessionsError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => write!(f, "the store of sessions failed: {error}"),
            Self::Event(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error> core::error::Error for SessionsError<E> {}

impl<'p, S: Store> Sessions<'p, S> {
    /// A table over what the store holds.
    #[must_use]
    pub const fn new(store: S, policy: Policy<'p>, limits: SessionLimits) -> Self {
        Self { store, policy, limits }
    }

    /// The rules.
    #[must_use]
    pub const fn policy(&self) -> &Policy<'p> {
        &self.policy
    }

    /// Where the sessions are kept.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Gives the store back.
    #[must_use]
    pub fn into_store(self) -> S {
        self.store
    }

    /// [3.2.5.2.2] Says what to do with a request, as [`Session::handle_request`] does, and makes
    /// a session for a Create-Session. `random` gives 16 bytes from a source that nobody can
    /// guess, and is asked only then; bytes that it gave before, for a session that is still there,
    /// make none: 503.
    ///
    /// # Errors
    ///
    /// The store's; nothing is changed then, and 503 is the answer.
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
                    record.belongs_to(context).then(|| {
                        let session = &mut record.session;
                        session.handle_request(request, context.access, &policy, context.now)
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
        let too_many = self.store.count(None)? >= self.limits.sessions
            || match context.principal {
                Some(principal) => {
                    self.store.count(Some(principal))? >= self.limits.sessions_of_principal
                }
                None => false,
            };
        if too_many {
            return refuse(Refusal::unavailable());
        }
        let (access, now) = (context.access, context.now);
        match Session::create(create, access, &self.policy, random(), now) {
            Ok((session, ack)) => {
                let url = context.url.into();
                let principal = context.principal.map(Into::into);
                let record = Record { session, url, principal, reply_url: None };
                // Random bytes that came before would give somebody else's session away.
                if self.store.insert(record)? {
                    Ok(Step::Answer(SessionsResponse::new(ack.into(), UnreadBody::None)))
                } else {
                    refuse(Refusal::unavailable())
                }
            }
            Err(refusal) => refuse(refusal),
        }
    }

    /// As [`Session::handle_stored`].
    ///
    /// # Errors
    ///
    /// [`SessionsError`]; nothing is changed then.
    pub fn handle_stored(
        &mut self,
        token: WorkToken,
        bytes: u64,
        now: Duration,
    ) -> Result<Step<SessionsResponse<'p>>, SessionsError<S::Error>> {
        let policy = self.policy;
        self.report(token, |record| record.session.handle_stored(token, bytes, &policy, now))
    }

    /// As [`Session::renew`].
    ///
    /// # Errors
    ///
    /// [`SessionsError`]; nothing is changed then.
    pub fn renew(
        &mut self,
        token: WorkToken,
        now: Duration,
    ) -> Result<(), SessionsError<S::Error>> {
        let policy = self.policy;
        self.report(token, |record| record.session.renew(token, &policy, now).map(|()| Step::Done))
            .map(drop)
    }

    /// As [`Session::handle_notified`], with the URL of the reply if there is one.
    ///
    /// # Errors
    ///
    /// [`SessionsError`]; nothing is changed then.
    pub fn handle_notified(
        &mut self,
        token: WorkToken,
        notified: Notified,
        reply_url: Option<ReplyUrl<'_>>,
        now: Duration,
    ) -> Result<Step<SessionsResponse<'p>>, SessionsError<S::Error>> {
        let policy = self.policy;
        self.report(token, |record| {
            let step = record.session.handle_notified(token, notified, &policy, now)?;
            record.reply_url = reply_url.map(|url| url.as_bytes().into());
            Ok(step)
        })
    }

    /// As [`Session::handle_committed`].
    ///
    /// # Errors
    ///
    /// [`SessionsError`]; nothing is changed then.
    pub fn handle_committed(
        &mut self,
        token: WorkToken,
    ) -> Result<Step<SessionsResponse<'p>>, SessionsError<S::Error>> {
        self.report(token, |record| record.session.handle_committed(token))
    }

    /// As [`Session::handle_discarded`]; the session is forgotten.
    ///
    /// # Errors
    ///
    /// [`SessionsError`]; nothing is changed then.
    pub fn handle_discarded(
        &mut self,
        token: WorkToken,
    ) -> Result<Step<SessionsResponse<'p>>, SessionsError<S::Error>> {
        self.report(token, |record| record.session.handle_discarded(token))
    }

    /// As [`Session::handle_failed`].
    ///
    /// # Errors
    ///
    /// [`SessionsError`]; nothing is changed then.
    pub fn handle_failed(
        &mut self,
        token: WorkToken,
        error: HostError,
    ) -> Result<Step<SessionsResponse<'p>>, SessionsError<S::Error>> {
        let policy = self.policy;
        self.report(token, |record| record.session.handle_failed(token, error, &policy))
    }

    /// As [`Session::handle_disconnected`].
    ///
    /// # Errors
    ///
    /// [`SessionsError`]; nothing is changed then.
    pub fn handle_disconnected(&mut self, token: WorkToken) -> Result<(), SessionsError<S::Error>> {
        self.report(token, |record| record.session.handle_disconnected(token).map(|()| Step::Done))
            .map(drop)
    }

    /// As [`Session::handle_timeout`], for all sessions: what to delete, and to report with
    /// [`handle_discarded`](Self::handle_discarded).
    ///
    /// # Errors
    ///
    /// The store's first, if nothing was found; otherwise what was found comes first, and the
    /// failure with the next call. One session that the store fails at keeps none of the others.
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

    /// As [`Session::expire`], for one session.
    ///
    /// # Errors
    ///
    /// The store's; nothing is changed then.
    pub fn expire(&mut self, id: Uuid, now: Duration) -> Result<Option<Discard>, S::Error> {
        let policy = self.policy;
        let step = self.change(id, |record| record.session.expire(&policy, now))?;
        Ok(match step {
            Some(Step::Discard(discard)) => Some(discard),
            _ => None,
        })
    }

    fn report(
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

    /// Changes one session, and forgets it if it has ended.
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
            // If that fails, the session is answered as one that has ended, and the sweep removes it
            // when its time is over. What was done is done, and its answer is due.
            let _ = self.store.remove(id);
        }
        Ok(step)
    }
}

impl Record {
    fn belongs_to(&self, context: &RequestContext<'_>) -> bool {
        *self.url == *context.url && self.principal.as_deref() == context.principal
    }
}
