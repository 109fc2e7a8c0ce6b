//! Waiting for other processes.

use std::thread;
use std::time::{Duration, Instant};

/// Timeout, long enough for a busy machine.
pub const IO_TIMEOUT: Duration = Duration::from_secs(120);

/// Calls `ask` until it returns a value.
#[track_caller]
pub fn poll<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(start.elapsed() < IO_TIMEOUT, "timeout while waiting for {what}");
        thread::sleep(Duration::from_millis(3));
    }
}
