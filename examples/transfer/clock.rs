//! The clock of a client.

use std::thread;
use std::time::{Duration, Instant};

/// What time it is, and a way to wait.
pub enum Clock {
    Real(Instant),
    /// Waiting takes no time, and nothing else does: what is done at which time is the same in
    /// each run.
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
