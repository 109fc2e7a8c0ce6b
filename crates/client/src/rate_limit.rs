//! A rate limit: a token bucket, represented by the time at which it is full.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Maximum idle time that is made up for afterwards, such as the time in which a server responds.
const BURST: Duration = Duration::from_millis(250);

/// Duration of the largest piece at the limit.
const PIECE: Duration = Duration::from_millis(50);

/// A limit of bytes per second that all transfers of a client share.
#[derive(Debug)]
pub(crate) struct RateLimit {
    bytes_per_second: u64,
    /// The time at which all bytes so far conform to the limit.
    paid_at: Mutex<Option<Instant>>,
}

impl RateLimit {
    /// Creates a limit; a limit of 0 counts as 1.
    pub fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second: bytes_per_second.max(1), paid_at: Mutex::new(None) }
    }

    /// Returns the number of bytes that the limit allows within `time`; at least 1.
    pub fn bytes_in(&self, time: Duration) -> u64 {
        ((self.bytes_per_second as f64 * time.as_secs_f64()) as u64).max(1)
    }

    /// Returns the maximum number of bytes to transfer at once.
    pub fn piece(&self) -> u64 {
        self.bytes_in(PIECE)
    }

    /// Accounts for `bytes`, and waits until they may be transferred.
    pub async fn take(&self, bytes: u64) {
        sleep(self.delay(bytes, Instant::now())).await;
    }

    fn delay(&self, bytes: u64, now: Instant) -> Duration {
        let mut slot = self.paid_at.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = now.checked_sub(BURST).unwrap_or(now);
        let paid_at = slot.map_or(now, |paid_at| paid_at.max(oldest));
        let cost = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64);
        *slot = Some(paid_at + cost);
        paid_at.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the seconds for sending 1 500 000 bytes at 500 000 bytes per second, on a simulated
    /// clock. Each piece takes the time `each`, and the tenth piece takes `tenth` longer.
    fn limited(each: Duration, tenth: Duration) -> f64 {
        let start = Instant::now();
        let (mut now, rate_limit) = (start, RateLimit::new(500_000));
        let pieces = 1_500_000 / rate_limit.piece();
        for number in 1..=pieces {
            now += rate_limit.delay(rate_limit.piece(), now) + each;
            now += if number == 10 { tenth } else { Duration::ZERO };
        }
        (now - start).as_secs_f64()
    }

    #[test]
    fn the_rate_limit_is_reached() {
        let milliseconds = Duration::from_millis;
        let seconds = [
            limited(Duration::ZERO, Duration::ZERO),
            limited(milliseconds(40), Duration::ZERO),
            // A pause that is made up for, and one that is too long for that.
            limited(milliseconds(1), milliseconds(200)),
            limited(milliseconds(1), milliseconds(1300)),
        ];
        for (seconds, expected) in seconds.into_iter().zip([3.0, 3.0, 3.0, 4.0]) {
            assert!(
                (expected - 0.1..=expected).contains(&seconds),
                "{seconds} s, not {expected} s"
            );
        }
    }
}
