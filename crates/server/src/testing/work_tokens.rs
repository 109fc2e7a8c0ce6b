//! Work tokens for tests.

use std::collections::BTreeMap;
use std::time::Duration;

use bits_proto::field::{ContentRange, SessionId};
use bits_proto::message::{CreateSession, Fragment, Request};
use bits_proto::server::{
    Access, Policy, Record, RequestContext, SessionLimits, Sessions, SessionsResponse, Step,
    WorkToken,
};
use uuid::Uuid;

/// Time between two requests. All work of the first one has timed out when the second one arrives.
const REQUEST_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// Issues the work tokens of one session, each of which takes over the session.
///
/// # Example
///
/// ```
/// use bits_server::testing::WorkTokens;
///
/// let mut tokens = WorkTokens::new();
/// let (earlier, later) = (tokens.issue(), tokens.issue());
/// assert_eq!(earlier.session_id(), tokens.session_id());
/// assert!(earlier.number() < later.number());
/// ```
#[derive(Debug)]
pub struct WorkTokens {
    sessions: Sessions<'static, BTreeMap<Uuid, Record>>,
    id: Uuid,
    now: Duration,
}

impl WorkTokens {
    /// Creates a session with a random id.
    ///
    /// # Panics
    ///
    /// Panics if the system has no source of random bytes.
    #[must_use]
    pub fn new() -> Self {
        let mut random = [0; 16];
        getrandom::fill(&mut random).expect("random bytes");
        let mut policy = Policy::DEFAULT;
        policy.session_timeout = Duration::MAX;
        let sessions = Sessions::new(BTreeMap::new(), policy, SessionLimits::default());
        let mut tokens = Self { sessions, id: Uuid::nil(), now: Duration::ZERO };
        let _ = tokens.request(&CreateSession::default().into(), random);
        tokens.id = tokens.sessions.store().keys().copied().next().unwrap_or_default();
        tokens
    }

    /// Returns the id of the session.
    #[must_use]
    pub const fn session_id(&self) -> Uuid {
        self.id
    }

    /// Issues the next token.
    ///
    /// # Panics
    ///
    /// Panics after [`u32::MAX`] tokens.
    pub fn issue(&mut self) -> WorkToken {
        let range = ContentRange::new(0, 0, 1).expect("a range");
        let fragment = Fragment::new(SessionId::from(self.id), range);
        self.request(&fragment.into(), [0; 16]).token().expect("a session that accepts fragments")
    }

    fn request(
        &mut self,
        request: &Request<'_>,
        random: [u8; 16],
    ) -> Step<SessionsResponse<'static>> {
        self.now += REQUEST_INTERVAL;
        let context = RequestContext::new("/", Access::Granted, self.now);
        let Ok(step) = self.sessions.handle_request(request, &context, || random);
        step
    }
}

impl Default for WorkTokens {
    fn default() -> Self {
        Self::new()
    }
}
