//! Waiting for what others do.

use std::thread;
use std::time::{Duration, Instant};

/// Nothing takes longer, on a machine that does much else too, or it never ends.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Asks again and again until there is something.
#[track_caller]
pub fn poll<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "not in time: {what}");
        thread::sleep(Duration::from_millis(3));
    }
}
