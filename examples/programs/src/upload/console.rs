//! What people see: a bar on a terminal, and messages.

use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, HumanBytes, ProgressBar, ProgressStyle};

/// How the bar looks.
const LOOK: &str = "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";

#[derive(Clone, Debug)]
pub struct Console {
    /// Drawn on standard error, and only if that is a terminal.
    bar: ProgressBar,
    is_quiet: bool,
    start: Instant,
    /// How many bytes another process had sent before.
    before: u64,
}

impl Console {
    pub fn new(length: u64, is_quiet: bool) -> Self {
        let bar = if is_quiet { ProgressBar::hidden() } else { ProgressBar::new(length) };
        if let Ok(style) = ProgressStyle::with_template(LOOK) {
            bar.set_style(style);
        }
        Self { bar, is_quiet, start: Instant::now(), before: 0 }
    }

    /// So many bytes are acknowledged.
    pub fn received(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    /// An upload that is taken up begins here: what another process sent says nothing about how
    /// fast this one is.
    pub fn resumed_at(&mut self, bytes: u64) {
        self.before = bytes;
        self.bar.set_position(bytes);
        self.bar.reset_eta();
    }

    /// So many bytes more are on their way.
    pub fn sending(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    pub fn say(&self, message: &str) {
        if !self.is_quiet {
            self.bar.suspend(|| eprintln!("upload: {message}"));
        }
    }

    /// The last line.
    pub fn done(&self, length: u64, url: &str) {
        self.bar.finish_and_clear();
        let took = self.start.elapsed();
        let rate = DecimalBytes(rate(self.before, length, took));
        let took = humantime::format_duration(Duration::from_millis(took.as_millis() as u64));
        self.say(&format!("{} to {url} in {took}, {rate}/s", HumanBytes(length)));
    }

    /// Nothing more is drawn.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// How many bytes a second one process sent, of an entity of which others had sent the beginning.
pub fn rate(before: u64, length: u64, took: Duration) -> u64 {
    // A server may have lost what it held, and an entity without bytes takes no time.
    (length.saturating_sub(before) as f64 / took.as_secs_f64().max(0.001)) as u64
}
