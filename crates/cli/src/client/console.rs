//! Output for the user: messages, and a progress bar on a terminal.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bits_client::{Phase, Progress};
use indicatif::{BinaryBytes, ProgressBar, ProgressStyle};

/// Template of the progress bar.
const TEMPLATE: &str = "{bar:30} {binary_bytes} of {binary_total_bytes}{msg}";

/// The direction of the transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Upload,
    /// From the server.
    Download,
}

/// Output of one transfer. Clones share it.
#[derive(Clone, Debug)]
pub struct Console(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    direction: Direction,
    url: String,
    /// Drawn on standard error if that is a terminal.
    bar: ProgressBar,
    is_quiet: bool,
    start: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Number of bytes that earlier processes transferred.
    before: Option<u64>,
    restarts: u32,
    /// The host that keeps the session.
    host: Option<String>,
    /// The failure that was printed last.
    failures: u32,
}

impl Console {
    /// Creates the output for a transfer.
    #[must_use]
    pub fn new(direction: Direction, url: &str, is_quiet: bool) -> Self {
        let bar = if is_quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        let (start, state) = (Instant::now(), Mutex::default());
        Self(Arc::new(Shared { direction, url: url.into(), bar, is_quiet, start, state }))
    }

    /// Shows the progress.
    pub fn show(&self, progress: &Progress) {
        let bar = &self.0.bar;
        if let Some(total) = progress.total.filter(|total| bar.length() != Some(*total)) {
            bar.set_length(total);
        }
        bar.set_position(progress.transferred + progress.in_flight);
        bar.set_message(message(progress));
        self.report(progress);
    }

    /// Prints what happened since the last call.
    fn report(&self, progress: &Progress) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(progress.phase, Phase::Transferring) && state.before.is_none() {
            state.before = Some(progress.transferred);
            if progress.transferred > 0 {
                self.say(&format!("continuing at {}", BinaryBytes(progress.transferred)));
            }
        }
        if progress.restarts > state.restarts {
            state.restarts = progress.restarts;
            if let Some(reason) = &progress.restart_reason {
                self.say(&format!("{reason}; starting over"));
            }
        }
        if state.host.is_some() && progress.host.is_none() {
            let origin = self.0.url.split('/').nth(2).unwrap_or_default();
            self.say(&format!("host of the session is unreachable; returning to {origin}"));
        }
        state.host.clone_from(&progress.host);
        match &progress.phase {
            Phase::Waiting { until, failures, reason } if *failures != state.failures => {
                state.failures = *failures;
                let seconds = until.saturating_duration_since(Instant::now()).as_secs_f64();
                self.say(&format!("retrying in {seconds:.1} s: {reason}"));
            }
            Phase::Waiting { .. } => {}
            _ => state.failures = 0,
        }
    }

    /// Prints a message unless the output is quiet.
    pub fn say(&self, message: &str) {
        if !self.0.is_quiet {
            let command = match self.0.direction {
                Direction::Upload => "upload",
                Direction::Download => "download",
            };
            self.0.bar.suspend(|| eprintln!("{command}: {message}"));
        }
    }

    /// Prints the summary of a successful transfer.
    pub fn done(&self, length: u64) {
        self.clear();
        let took = self.0.start.elapsed();
        let state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let rate = BinaryBytes(rate(state.before.unwrap_or(0), length, took));
        let took = humantime::format_duration(Duration::from_millis(took.as_millis() as u64));
        let length = BinaryBytes(length);
        let url = &self.0.url;
        self.say(&match self.0.direction {
            Direction::Upload => format!("uploaded {length} to {url} in {took}, {rate}/s"),
            Direction::Download => format!("downloaded {length} from {url} in {took}, {rate}/s"),
        });
    }

    /// Removes the progress bar.
    pub fn clear(&self) {
        self.0.bar.finish_and_clear();
    }
}

/// Returns the text after the numbers of the progress bar.
fn message(progress: &Progress) -> String {
    match &progress.phase {
        Phase::Waiting { until, reason, .. } => {
            let seconds = until.saturating_duration_since(Instant::now()).as_secs();
            format!(", retrying in {seconds} s: {reason}")
        }
        Phase::Finishing => ", finishing".into(),
        Phase::Cancelling => ", cancelling".into(),
        Phase::Connecting => ", connecting".into(),
        _ => {
            let rate = BinaryBytes(progress.rate as u64);
            let left = progress.remaining().map(|left| Duration::from_secs(left.as_secs()));
            let left = left.map_or_else(String::new, |left| {
                format!(", {} left", humantime::format_duration(left))
            });
            format!(", {rate}/s{left}")
        }
    }
}

/// Returns the bytes per second that this process transferred. `before` is the number of bytes that
/// earlier processes had transferred.
#[must_use]
pub fn rate(before: u64, length: u64, took: Duration) -> u64 {
    // `before` exceeds `length` if the receiver lost data, and an empty entity may take no time.
    (length.saturating_sub(before) as f64 / took.as_secs_f64().max(0.001)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_earlier_processes_do_not_count_for_the_rate() {
        let second = Duration::from_secs(1);
        assert_eq!(rate(0, 1000, second), 1000);
        assert_eq!(rate(600, 1000, second), 400);
        assert_eq!(rate(600, 1000, 2 * second), 200);
        assert_eq!(rate(1000, 1000, second), 0);
        assert_eq!(rate(2000, 1000, second), 0);
        // An empty entity, and one that is sent faster than the resolution of the clock.
        assert_eq!(rate(0, 0, Duration::ZERO), 0);
        assert_eq!(rate(0, 1000, Duration::ZERO), 1_000_000);
    }
}
