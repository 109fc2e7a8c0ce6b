//! The clock of the client, real or simulated.

use std::thread;
use std::time::{Duration, Instant};

/// A clock that can wait.
pub enum Clock {
    Real(Instant),
    /// Only waiting advances the clock, and it returns at once. So every run has the same times.
    Virtual(Duration),
}

impl Clock {
    pub fn new(is_virtual: bool) -> Self {
        if is_virtual { Self::Virtual(Duration::ZERO) } else { Self::Real(Instant::now()) }
    }

    pub fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual(_))
    }

    pub fn now(&self) -> Duration {
        match self {
            Self::Real(start) => start.elapsed(),
            Self::Virtual(now) => *now,
        }
    }

    pub fn wait_until(&mut self, until: Duration) {
        match self {
            Self::Real(start) => thread::sleep(until.saturating_sub(start.elapsed())),
            Self::Virtual(now) => *now = until.max(*now),
        }
    }
}
