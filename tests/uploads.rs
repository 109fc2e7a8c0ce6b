//! Runs ten thousand uploads with different lengths, policies and faults. Each must end correctly: no byte
//! is lost or stored twice, all acknowledged bytes are stored, and no more messages are sent than the faults
//! explain.
//!
//! A failed upload prints its seed. To run it alone:
//!
//! ```sh
//! BITS_SEED=4711 cargo test --all-features --test uploads
//! ```

mod support {
    #[allow(dead_code, reason = "other tests use the rest")]
    pub mod stores;
    #[allow(dead_code, reason = "other tests count")]
    pub mod tally;
    pub mod wire_observer;
}
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use world::{End, World};

const UPLOADS: u64 = 10_000;

/// Totals that show that faults do occur.
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
    let end = world.run_checked();
    let server = &world.server;
    seen.messages += world.messages;
    seen.observed += world.observer.messages;
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
        assert!(outcome.is_ok(), "the upload with BITS_SEED={seed} failed");
    }
    if only.is_none() {
        let Seen { messages, observed, faults, resumptions, restarts, cancelled, replies } = seen;
        println!(
            "{UPLOADS} uploads: {messages} messages, {faults} faults, {resumptions} resumptions, \
             {restarts} sessions lost, {cancelled} cancelled, {replies} replies; {observed} \
             requests and answers observed"
        );
        // Most requests and responses reach the observer.
        assert!(observed > messages * 3 / 2);
        assert!(messages > 20 * UPLOADS && faults > 4 * UPLOADS && resumptions > 100);
        assert!(restarts > 100 && cancelled > 100 && replies > 1000);
    }
}
