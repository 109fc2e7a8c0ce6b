//! Limits of a server.

use std::time::Duration;

/// One mebibyte, 1024 × 1024 bytes.
pub const MIB: u64 = 1 << 20;

/// One gibibyte, 1024 [`MIB`].
pub const GIB: u64 = 1 << 30;

/// Limits of a server. [`Default`] is suitable for clients of Windows on the internet.
///
/// # Example
///
/// ```
/// use bits_server::{GIB, Limits};
///
/// let limits = Limits { max_upload: Some(20 * GIB), ..Limits::default() };
/// assert_eq!(limits.max_sessions_per_principal, 50);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum length of an entity in bytes; a longer one is refused with `BG_E_TOO_LARGE`. Default:
    /// unlimited.
    pub max_upload: Option<u64>,
    /// Maximum length of a fragment in bytes; a longer one is refused with 413, and the client sends
    /// shorter ones. Clients do not send shorter fragments than 5 KiB: below that, a fragment that is too long
    /// is refused with status 500 and `BG_E_TOO_LARGE`, which ends the upload. Default: unlimited, as a
    /// fragment needs no memory.
    pub max_fragment: Option<u64>,
    /// Maximum number of sessions; further ones are refused with 503. Default: 100 000.
    ///
    /// It holds also for clients that create sessions at the same time, and for several servers with
    /// `RedisSessions`. With `ObjectSessions`, a server does not count what other servers have created in the
    /// last three seconds. At the limit, a client that competes with others may be refused although there is
    /// room for it, and succeeds when it retries.
    pub max_sessions: usize,
    /// Maximum number of sessions of one principal, as exact as [`max_sessions`](Self::max_sessions).
    /// Default: 50, as on Windows.
    pub max_sessions_per_principal: usize,
    /// Maximum time without a byte of a request body. Default: 30 seconds.
    pub idle_timeout: Duration,
    /// Maximum time for one request body. What was received is kept, and the client resumes.
    /// Default: 1 hour.
    pub body_timeout: Duration,
    /// Time without a stored byte after which a session expires. Default: 14 days.
    pub session_timeout: Duration,
    /// Time without a report after which a fragment counts as interrupted and the next request of its
    /// session is accepted. At least twice [`idle_timeout`](Self::idle_timeout) is used. Default: 1 minute.
    pub store_timeout: Duration,
    /// Time without a report after which other work, such as publication, counts as aborted.
    /// Default: 15 minutes.
    pub work_timeout: Duration,
    /// Time between searches for expired sessions. Default: 1 minute.
    pub sweep_interval: Duration,
    /// Time for which [`Server::shutdown`](crate::Server::shutdown) waits for requests before it interrupts
    /// them. Default: 10 seconds.
    pub shutdown_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let sessions = bits_proto::server::SessionLimits::DEFAULT;
        let policy = bits_proto::server::Policy::DEFAULT;
        Self {
            max_upload: None,
            max_fragment: None,
            max_sessions: sessions.max_sessions,
            max_sessions_per_principal: sessions.max_sessions_per_principal,
            idle_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(60 * 60),
            session_timeout: policy.session_timeout,
            store_timeout: policy.store_timeout,
            work_timeout: policy.work_timeout,
            sweep_interval: Duration::from_secs(60),
            shutdown_timeout: Duration::from_secs(10),
        }
    }
}
