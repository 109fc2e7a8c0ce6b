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
}

impl Console {
    pub fn new(length: u64, is_quiet: bool) -> Self {
        let bar = if is_quiet { ProgressBar::hidden() } else { ProgressBar::new(length) };
        if let Ok(style) = ProgressStyle::with_template(LOOK) {
            bar.set_style(style);
        }
        Self { bar, is_quiet, start: Instant::now() }
    }

    /// So many bytes are acknowledged.
    pub fn received(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    /// An upload that is taken up begins here: what another process sent says nothing about how
    /// fast this one is.
    pub fn resumed_at(&self, bytes: u64) {
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
        let rate = length as f64 / took.as_secs_f64().max(0.001);
        let took = humantime::format_duration(Duration::from_millis(took.as_millis() as u64));
        let rate = DecimalBytes(rate as u64);
        self.say(&format!("{} to {url} in {took}, {rate}/s", HumanBytes(length)));
    }

    /// Nothing more is drawn.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
