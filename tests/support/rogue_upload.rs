//! Uploads to servers that refuse, stall and become unreachable, by callers that give commands at any time.

use std::time::Duration;

use bits_proto::client::{FragmentSizing, Mode, Options, Upload};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use super::any_upload::{Answer, Run, Step};
use super::upload::SESSION_NOT_FOUND;

/// Length of the entity.
const TOTAL: u64 = 30;

/// The host is unreachable once, and then a proxy refuses the request until the fallback timer expires.
const PROXY_REFUSES: &[Step] =
    &[Step::Broken, Step::Wait, Step::Sending, Step::Unreadable(Some(403)), Step::Wait];

/// Runs an upload, and checks its invariants and its end.
pub fn run(seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let mode = if random.random_bool(0.5) { Mode::UploadReply } else { Mode::Upload };
    let options = Options::DEFAULT
        .with_mode(mode)
        .with_fragments(FragmentSizing::with_bounds(15, 3, 40))
        .with_max_retries(random.random_range(0..4))
        .with_max_stalls(random.random_range(0..2));
    let mut run = Run::new(Upload::new(TOTAL, options, seed));
    if random.random_bool(0.5) {
        run.check_step(Step::Exchange(Answer::CreatedOn(Some(60))));
    }
    for _ in 0..random.random_range(4..40) {
        if random.random_bool(0.05) {
            PROXY_REFUSES.iter().for_each(|step| _ = run.check_step(*step));
        }
        run.check_step(step(&mut random));
    }
    run.check_ends(random.random_range(0..=TOTAL));
}

fn step(random: &mut SmallRng) -> Step {
    match random.random_range(0..31) {
        0..14 => Step::Exchange(Answer::Correct),
        14 => Step::Exchange(Answer::CreatedOn(Some(60))),
        15 => Step::Exchange(Answer::HeldWithReply(TOTAL)),
        16 => Step::Exchange(Answer::OutOfSync(random.random_range(0..=TOTAL))),
        17 => Step::Exchange(Answer::Refused(400)),
        18 => Step::Sending,
        19..22 => Step::Broken,
        22 => Step::Unreadable(Some(403)),
        23 => Step::Wait,
        24 => Step::Passes(Duration::from_secs(60)),
        25 => Step::Pause,
        26 => Step::Resume,
        27 => Step::Restart,
        28 => Step::PingFirst,
        29 => Step::Exchange(Answer::RefusedWith(500, SESSION_NOT_FOUND)),
        _ => Step::Fetched,
    }
}
