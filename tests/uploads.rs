//! Ten thousand uploads, each with its own length, policies and mishaps, all of which have to end
//! well: nothing lost, nothing doubled, nothing acknowledged that is not stored, no more messages
//! than the mishaps explain.
//!
//! An upload that fails prints its seed; to run it alone:
//!
//! ```sh
//! BITS_SEED=4711 cargo test --all-features --test uploads
//! ```

mod support {
    pub mod watch;
}
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use world::{End, World};

const UPLOADS: u64 = 10_000;

/// What was seen, so that it shows when the mishaps do not happen.
#[derive(Default)]
struct Seen {
    messages: u64,
    observed: u64,
    faults: u64,
    resumptions: u64,
    restarts: u64,
    cancelled: u64,
    replies: u64,
}

fn run(seed: u64, trace: bool, seen: &mut Seen) {
    let mut world = World::new(seed);
    world.trace = trace;
    let end = world.run_well();
    let server = &world.server;
    seen.messages += world.messages;
    seen.observed += world.watch.messages;
    seen.faults += world.plan.spent;
    seen.resumptions += world.resumptions;
    seen.restarts += server.lost_sessions;
    seen.cancelled += u64::from(end == End::Cancelled);
    seen.replies += u64::from(world.fetched.is_some());
}

#[test]
fn every_upload_ends_well() {
    let only = std::env::var("BITS_SEED").ok().map(|seed| seed.parse().expect("a number"));
    let seeds = only.map_or(0..UPLOADS, |seed: u64| seed..seed + 1);
    let mut seen = Seen::default();
    for seed in seeds {
        let outcome = catch_unwind(AssertUnwindSafe(|| run(seed, only.is_some(), &mut seen)));
        assert!(outcome.is_ok(), "the upload with BITS_SEED={seed} does not end well");
    }
    if only.is_none() {
        let Seen { messages, observed, faults, resumptions, restarts, cancelled, replies } = seen;
        println!(
            "{UPLOADS} uploads: {messages} messages, {faults} faults, {resumptions} resumptions, \
             {restarts} sessions lost, {cancelled} cancelled, {replies} replies; {observed} \
             requests and answers observed"
        );
        // Most requests get by the observer, and most answers.
        assert!(observed > messages * 3 / 2);
        assert!(messages > 20 * UPLOADS && faults > 4 * UPLOADS && resumptions > 100);
        assert!(restarts > 100 && cancelled > 100 && replies > 1000);
    }
}
