//! Everything that the cases of one examination share.

use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::job::Transfer;
use super::runner::Runner;

/// The settings and the counters.
pub(super) struct Shared {
    pub(super) runner: Runner,
    pub(super) transfer: Transfer,
    pub(super) listen: SocketAddr,
    /// The host in URLs.
    pub(super) host: String,
    pub(super) timeout: Duration,
    pub(super) sent: AtomicU64,
    pub(super) received: AtomicU64,
}
