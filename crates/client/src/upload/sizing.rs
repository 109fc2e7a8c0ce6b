//! Adapts the length of fragments to the server and the connection.
//!
//! Each fragment costs a round trip and an empty pipeline, so long fragments are faster. Short ones lose less
//! when a connection breaks, and finish before the timeouts of servers and proxies.

use std::time::Duration;

use bits_proto::client::FragmentSizing;

use super::run::Run;
use crate::error::{Error, Result};

/// Length of the first fragment.
const FIRST: u64 = 4 * 1024 * 1024;

/// Time that a fragment may take: less than the timeouts of usual proxies.
const TARGET: Duration = Duration::from_secs(10);

/// Returns the length of fragments for a new upload, or to continue one with the `stored` length.
pub(super) fn adaptive(stored: Option<FragmentSizing>) -> FragmentSizing {
    let Some(stored) = stored else { return FragmentSizing::new(FIRST) };
    // The connection may be slower now. The maximum is what the server accepts.
    FragmentSizing::with_bounds(stored.length().min(FIRST), stored.min(), stored.max())
}

/// Returns the next length after a fragment of `length` bytes took `time`: what takes [`TARGET`] at this rate,
/// and at most twice the length.
fn next_length(length: u64, time: Duration) -> u64 {
    let share = TARGET.as_secs_f64() / time.as_secs_f64();
    (length as f64 * share.min(2.0)) as u64
}

impl Run {
    /// Adapts the length of fragments to the time of an acknowledged fragment of `sent` bytes.
    pub fn adapt(&mut self, sent: u64, time: Duration) -> Result<()> {
        // The rate of a short last fragment says little.
        if sent < self.machine.fragments().length() {
            return Ok(());
        }
        self.set_length(next_length(sent, time).min(self.shared.max_fragment()))
    }

    /// Shortens the fragments after one of `sent` bytes was interrupted: the connection may never last for
    /// longer ones.
    pub fn shorten(&mut self, sent: u64) -> Result<()> {
        self.set_length(sent.min(self.machine.fragments().length()) / 2)
    }

    fn set_length(&mut self, length: u64) -> Result<()> {
        if !self.adapts {
            return Ok(());
        }
        self.machine.set_fragment_length(length).map_err(Error::internal)
    }

    /// Keeps the current length of fragments as the maximum, after the server rejected a longer one.
    pub fn limit(&mut self) -> Result<()> {
        let fragments = self.machine.fragments();
        let length = fragments.length();
        let fragments = FragmentSizing::with_bounds(length, fragments.min(), length);
        self.options = self.options.with_fragments(fragments);
        self.machine.set_options(self.options).map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_grow_by_a_factor_of_two_at_most_and_shrink_at_once() {
        let next = |seconds| next_length(1000, Duration::from_secs_f64(seconds));
        assert_eq!([next(0.0), next(0.1), next(5.0)], [2000; 3]);
        assert_eq!([next(8.0), next(10.0), next(100.0)], [1250, 1000, 100]);
    }
}
