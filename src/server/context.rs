//! Inputs of `Sessions`: its limits, and the properties of a request beside its packet.

use core::time::Duration;

use super::Access;

/// Limits on the number of sessions. Further sessions are refused with 503, and the client retries.
///
/// # Example
///
/// ```
/// use bits_proto::server::SessionLimits;
///
/// let limits = SessionLimits::default().with_max_sessions(1_000);
/// assert_eq!(limits.max_sessions_per_principal, 50);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct SessionLimits {
    /// Maximum number of sessions. Default: 100 000.
    pub max_sessions: usize,
    /// Maximum number of sessions of one principal. Sessions without a principal are not counted.
    /// Default: 50, as on Windows.
    pub max_sessions_per_principal: usize,
}

impl SessionLimits {
    /// Default limits.
    pub const DEFAULT: Self = Self { max_sessions: 100_000, max_sessions_per_principal: 50 };

    /// Sets [`max_sessions`](Self::max_sessions).
    #[must_use]
    pub const fn with_max_sessions(mut self, max: usize) -> Self {
        self.max_sessions = max;
        self
    }

    /// Sets [`max_sessions_per_principal`](Self::max_sessions_per_principal).
    #[must_use]
    pub const fn with_max_sessions_per_principal(mut self, max: usize) -> Self {
        self.max_sessions_per_principal = max;
        self
    }
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Properties of a request that are not part of its packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestContext<'a> {
    /// Destination URL, in a form that is equal for all requests of a session. Use the path: a
    /// client that continues at another host sends another Host and the same path.
    pub url: &'a str,
    /// Authenticated client, if known; equal for all requests of a session.
    pub principal: Option<&'a str>,
    /// Result of the access check for this request.
    pub access: Access,
    /// Current time.
    pub now: Duration,
}

impl<'a> RequestContext<'a> {
    /// Creates a context without a principal.
    #[must_use]
    pub const fn new(url: &'a str, access: Access, now: Duration) -> Self {
        Self { url, principal: None, access, now }
    }

    /// Sets the [`principal`](Self::principal).
    #[must_use]
    pub const fn with_principal(mut self, principal: Option<&'a str>) -> Self {
        self.principal = principal;
        self
    }
}
