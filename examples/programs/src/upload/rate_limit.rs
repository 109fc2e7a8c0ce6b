//! A limit to how fast the file is sent: a token bucket, kept as the time at which it is full.

use std::time::{Duration, Instant};

/// How long a silence can be made up for, such as the time in which a server thinks.
const BURST: Duration = Duration::from_millis(250);

/// The longest piece that is sent at once lasts so long.
const PIECE: Duration = Duration::from_millis(50);

#[derive(Clone, Debug)]
pub struct RateLimit {
    bytes_per_second: u64,
    /// When all that was sent has had its time.
    paid_at: Option<Instant>,
}

impl RateLimit {
    pub fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second, paid_at: None }
    }

    /// How many bytes to send at once.
    pub fn piece(&self) -> u64 {
        ((self.bytes_per_second as f64 * PIECE.as_secs_f64()) as u64).max(1)
    }

    /// `bytes` are to be sent: how long to wait before.
    pub fn take(&mut self, bytes: u64, now: Instant) -> Duration {
        let oldest = now.checked_sub(BURST).unwrap_or(now);
        let paid_at = self.paid_at.map_or(now, |paid_at| paid_at.max(oldest));
        let cost = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64);
        self.paid_at = Some(paid_at + cost);
        paid_at.saturating_duration_since(now)
    }
}
