//! What reading, writing and stepping cost in time, beside what others cost.
//!
//! ```sh
//! cargo bench -p bits-proto-benches --bench codec
//! ```
//!
//! Times are never compared across runs: the two sides of a pair take turns, and the median of
//! the ratios of their turns counts.

mod cases;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use cases::{Pair, Work, groups, line, million, report, steps};

/// How long one turn is, at least.
const TURN: Duration = Duration::from_micros(40);

/// How many turns each side has.
const TURNS: usize = 301;

fn main() -> ExitCode {
    let mut groups = groups();
    groups.push(million::group());
    let mut is_over = report(&mut groups, |bars| bars.time, ratio);
    is_over |= line("step/server-nanoseconds", nanoseconds(steps::server_step()), 60.0);
    if is_over { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The median of turns, which is a figure of the machine as well.
fn nanoseconds(work: impl FnMut() + 'static) -> f64 {
    let mut work: Work = Box::new(work);
    let times = often_enough(&mut work);
    let mut turns: Vec<_> = (0..TURNS).map(|_| time(&mut work, times)).collect();
    turns.sort_by(f64::total_cmp);
    turns[TURNS / 2] * 1e9
}

/// The median of the ratios of turns that follow each other.
fn ratio(pair: &mut Pair) -> f64 {
    let (ours, other) = (often_enough(&mut pair.ours), often_enough(&mut pair.other));
    let mut ratios: Vec<_> = (0..TURNS)
        .map(|turn| {
            // Who is first takes turns as well.
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

/// How often a work has to be done for a turn.
fn often_enough(work: &mut Work) -> u32 {
    let mut times = 1;
    while time(work, times) * f64::from(times) < TURN.as_secs_f64() {
        times *= 2;
    }
    times
}

/// Seconds for one of `times`.
fn time(work: &mut Work, times: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..times {
        work();
    }
    start.elapsed().as_secs_f64() / f64::from(times)
}
