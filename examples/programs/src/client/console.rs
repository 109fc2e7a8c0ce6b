//! Output for the user: messages, and a progress bar on a terminal.

use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, HumanBytes, ProgressBar, ProgressStyle};

/// Template of the progress bar.
const TEMPLATE: &str = "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";

/// The direction of the transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Upload,
    Download,
}

impl Direction {
    /// Returns the name of the program.
    const fn program(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Download => "download",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Console {
    direction: Direction,
    /// Drawn on standard error if that is a terminal.
    bar: ProgressBar,
    is_quiet: bool,
    start: Instant,
    /// Number of bytes transferred by previous processes.
    before: u64,
}

impl Console {
    /// Creates the output for a transfer of `length` bytes.
    pub fn new(direction: Direction, length: u64, is_quiet: bool) -> Self {
        let bar = if is_quiet { ProgressBar::hidden() } else { ProgressBar::new(length) };
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        Self { direction, bar, is_quiet, start: Instant::now(), before: 0 }
    }

    /// Sets the number of bytes to transfer.
    pub fn set_length(&self, bytes: u64) {
        if self.bar.length() != Some(bytes) {
            self.bar.set_length(bytes);
        }
    }

    /// Sets the number of bytes that the receiver has.
    pub fn received(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    /// Sets the offset at which a resumed transfer continues. Bytes of previous processes do not count
    /// for the transfer rate.
    pub fn resumed_at(&mut self, bytes: u64) {
        self.before = bytes;
        self.bar.set_position(bytes);
        self.bar.reset_eta();
    }

    /// Adds bytes that are being sent.
    pub fn sending(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// Prints a message unless the output is quiet.
    pub fn say(&self, message: &str) {
        if !self.is_quiet {
            let program = self.direction.program();
            self.bar.suspend(|| eprintln!("{program}: {message}"));
        }
    }

    /// Prints the summary of a successful transfer.
    pub fn done(&self, length: u64, url: &str) {
        self.bar.finish_and_clear();
        let took = self.start.elapsed();
        let rate = DecimalBytes(rate(self.before, length, took));
        let took = humantime::format_duration(Duration::from_millis(took.as_millis() as u64));
        let what = match self.direction {
            Direction::Upload => format!("uploaded {} to", HumanBytes(length)),
            Direction::Download => format!("downloaded {} from", HumanBytes(length)),
        };
        self.say(&format!("{what} {url} in {took}, {rate}/s"));
    }

    /// Removes the progress bar.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// Returns the bytes per second that this process transferred. `before` is the number of bytes that
/// previous processes had transferred.
pub fn rate(before: u64, length: u64, took: Duration) -> u64 {
    // `before` exceeds `length` if the receiver lost data, and an empty entity may take no time.
    (length.saturating_sub(before) as f64 / took.as_secs_f64().max(0.001)) as u64
}
