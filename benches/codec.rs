//! Time of parsing, writing and state machine steps, relative to other code.
//!
//! ```sh
//! cargo bench -p bits-proto-benches --bench codec
//! ```
//!
//! Times are not compared across runs. The two sides of a pair take turns, and the result is the median of
//! the ratios of their turns.

mod cases;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use cases::{Pair, Report, Work, downloads, groups, million, steps};

/// Length of the executions before a measurement, which bring code and data into the caches.
const WARM_UP: Duration = Duration::from_millis(20);

/// Minimum length of a turn.
const MIN_TURN: Duration = Duration::from_micros(40);

/// Number of turns of each side.
const TURNS: usize = 301;

fn main() -> ExitCode {
    let mut groups = groups();
    groups.extend([million::group(), million::sessions()]);
    let mut report = Report::default();
    report.groups(&mut groups, |bars| bars.time, ratio);
    let gibibytes = (downloads::PARTS * downloads::PART) as f64 / f64::from(1 << 30);
    let seconds = nanoseconds(downloads::read_multipart()) / 1e9;
    report.line("download-multipart/gibibytes-per-second", gibibytes / seconds, f64::INFINITY);
    report.line("step/server-nanoseconds", nanoseconds(steps::server_step()), 60.0);
    for sessions in [million::THOUSAND, million::SESSIONS] {
        let (step, load) = (million::steps(sessions), million::loads(sessions));
        report.line(
            &format!("million/nanoseconds-of-a-step-of-{sessions}"),
            nanoseconds(step),
            f64::INFINITY,
        );
        report.line(
            &format!("million/nanoseconds-of-a-load-of-{sessions}"),
            nanoseconds(load),
            f64::INFINITY,
        );
    }
    report.finish()
}

/// Returns the median time of one execution, which also depends on the machine.
fn nanoseconds(work: impl FnMut() + 'static) -> f64 {
    let mut work: Work = Box::new(work);
    let times = executions_per_turn(&mut work);
    let mut turns: Vec<_> = (0..TURNS).map(|_| time(&mut work, times)).collect();
    turns.sort_by(f64::total_cmp);
    turns[TURNS / 2] * 1e9
}

/// Returns the median of the ratios of consecutive turns.
fn ratio(pair: &mut Pair) -> f64 {
    let (ours, other) = (executions_per_turn(&mut pair.ours), executions_per_turn(&mut pair.other));
    let mut ratios: Vec<_> = (0..TURNS)
        .map(|turn| {
            // The sides also take turns in going first.
            let (first, second) = if turn % 2 == 0 {
                let first = time(&mut pair.ours, ours);
                (first, time(&mut pair.other, other))
            } else {
                let second = time(&mut pair.other, other);
                (time(&mut pair.ours, ours), second)
            };
            first / second
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios[TURNS / 2]
}

/// Returns the number of executions that fill a turn, after a warm-up. Each number is tried three times, because
/// one interruption would fill a turn as well.
fn executions_per_turn(work: &mut Work) -> u32 {
    let start = Instant::now();
    while start.elapsed() < WARM_UP {
        work();
    }
    let mut times = 1;
    while (0..3).any(|_| time(work, times) * f64::from(times) < MIN_TURN.as_secs_f64()) {
        times *= 2;
    }
    times
}

/// Returns the seconds for one of `times` executions.
fn time(work: &mut Work, times: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..times {
        work();
    }
    start.elapsed().as_secs_f64() / f64::from(times)
}
