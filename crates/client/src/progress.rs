//! The progress of a transfer.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::restart::RestartReason;

/// The time in which older rates lose their effect on the smoothed rate.
const SMOOTHING: Duration = Duration::from_secs(5);

/// The minimum time between two samples of the rate.
const SAMPLE: Duration = Duration::from_millis(100);

/// The progress of a transfer, as passed to the callback of
/// [`Upload::progress`](crate::Upload::progress) and
/// [`Download::progress`](crate::Download::progress).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The current activity.
    pub phase: Phase,
    /// The number of bytes that the server acknowledged, or that are stored locally.
    pub transferred: u64,
    /// The number of bytes that were sent after the acknowledged ones.
    pub in_flight: u64,
    /// The number of bytes to transfer; `None` while it is unknown.
    pub total: Option<u64>,
    /// The smoothed rate, in bytes per second. Bytes that earlier processes transferred do not count, also if
    /// the server acknowledges them only now.
    pub rate: f64,
    /// The number of times that the transfer started over, also in place of an interrupted one that it
    /// could not continue.
    pub restarts: u32,
    /// The reason of the latest restart.
    pub restart_reason: Option<RestartReason>,
    /// The host on which the server keeps the session of an upload (BITS-Host-Id), if it is another one
    /// than in the URL, and while it is reachable.
    pub host: Option<String>,
}

/// The activity of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// The session is created, or the server is asked about the entity.
    Connecting,
    /// Bytes are transferred. After a failure, this is reported when the first byte of the retry is.
    Transferring,
    /// The last request failed, and is retried at `until`. It remains the activity until a byte is
    /// transferred or the retry succeeds.
    Waiting {
        /// The time of the retry.
        until: std::time::Instant,
        /// The number of consecutive failures.
        failures: u32,
        /// The last failure.
        reason: String,
    },
    /// All bytes are transferred: the reply is fetched, the session closed or the file renamed.
    Finishing,
    /// A session of an upload is cancelled: that of this upload, or of an earlier one that it replaces.
    Cancelling,
}

impl Progress {
    /// Returns the expected time until the end at the current rate; `None` if it is unknown.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let left = self.total?.saturating_sub(self.transferred + self.in_flight);
        Duration::try_from_secs_f64(left as f64 / self.rate).ok()
    }
}

/// A callback with the progress.
pub(crate) type Callback = Box<dyn FnMut(&Progress) + Send>;

/// Measures the progress, and reports it.
pub(crate) struct Meter {
    callback: Option<Callback>,
    progress: Progress,
    sample: Option<Sample>,
}

/// The position of the transfer at some time.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Instant,
    position: u64,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("progress", &self.progress).finish_non_exhaustive()
    }
}

impl Meter {
    pub fn new(callback: Option<Callback>, total: Option<u64>) -> Self {
        let progress = Progress {
            phase: Phase::Connecting,
            transferred: 0,
            in_flight: 0,
            total,
            rate: 0.0,
            restarts: 0,
            restart_reason: None,
            host: None,
        };
        Self { callback, progress, sample: None }
    }

    /// Returns the activity that was reported last.
    pub fn phase(&self) -> Phase {
        self.progress.phase.clone()
    }

    /// Reports the state between two requests. The rate is measured.
    pub fn update(&mut self, progress: Progress) {
        let progress = Progress { rate: self.progress.rate, ..progress };
        if progress == self.progress && self.sample.is_some() {
            return;
        }
        self.progress = progress;
        self.measure();
        self.report();
    }

    /// Reports the state between two requests of an upload. Acknowledged bytes that this process has not sent
    /// do not count for the rate.
    pub fn acknowledged(&mut self, progress: Progress) {
        let sent = self.progress.transferred + self.progress.in_flight;
        if let Some(sample) = &mut self.sample {
            sample.position += progress.transferred.saturating_sub(sent);
        }
        self.update(progress);
    }

    /// Reports the number of bytes sent after the acknowledged ones.
    pub fn sending(&mut self, in_flight: u64) {
        if in_flight > 0 {
            self.progress.phase = Phase::Transferring;
        }
        self.progress.in_flight = in_flight;
        self.measure();
        self.report();
    }

    fn measure(&mut self) {
        let position = self.progress.transferred + self.progress.in_flight;
        let now = Instant::now();
        let Some(sample) = self.sample else {
            self.sample = Some(Sample { at: now, position });
            return;
        };
        let time = now - sample.at;
        if position < sample.position {
            // Bytes are transferred again: they do not count against the rate.
            self.sample = Some(Sample { at: now, position });
            return;
        }
        if time < SAMPLE {
            return;
        }
        let rate = (position - sample.position) as f64 / time.as_secs_f64();
        let weight = if self.progress.rate > 0.0 {
            1.0 - (-time.as_secs_f64() / SMOOTHING.as_secs_f64()).exp()
        } else {
            1.0
        };
        self.progress.rate += (rate - self.progress.rate) * weight;
        self.sample = Some(Sample { at: now, position });
    }

    fn report(&mut self) {
        if let Some(callback) = &mut self.callback {
            callback(&self.progress);
        }
    }
}
