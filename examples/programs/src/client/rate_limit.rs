//! A rate limit: a token bucket, represented by the time at which it is full.

use std::time::{Duration, Instant};

/// Maximum idle time that is made up for afterwards, such as the time in which a server responds.
const BURST: Duration = Duration::from_millis(250);

/// Duration of the largest piece at the limit.
const PIECE: Duration = Duration::from_millis(50);

#[derive(Clone, Debug)]
pub struct RateLimit {
    bytes_per_second: u64,
    /// The time at which all bytes so far conform to the limit.
    paid_at: Option<Instant>,
}

impl RateLimit {
    pub fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second, paid_at: None }
    }

    /// Returns the maximum number of bytes to transfer at once.
    pub fn piece(&self) -> u64 {
        ((self.bytes_per_second as f64 * PIECE.as_secs_f64()) as u64).max(1)
    }

    /// Accounts for `bytes` and returns the delay before they may be transferred.
    pub fn take(&mut self, bytes: u64, now: Instant) -> Duration {
        let oldest = now.checked_sub(BURST).unwrap_or(now);
        let paid_at = self.paid_at.map_or(now, |paid_at| paid_at.max(oldest));
        let cost = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64);
        self.paid_at = Some(paid_at + cost);
        paid_at.saturating_duration_since(now)
    }
}
