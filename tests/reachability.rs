//! Counts the transitions, reasons, errors, deviations and rules that occur in 10,000 uploads, 10,000 downloads,
//! conversations whose peers and callers break rules, and random sequences of events. Everything that the library defines must occur, except for
//! the listed items; those must not.
//!
//! ```sh
//! cargo test -p bits-proto-reachability -- --nocapture    # prints the counts
//! ```

#[allow(dead_code, unused_imports, reason = "other tests use the rest")]
mod oracles;
mod reached;
mod support;
mod world;

use std::thread;

use rand::rngs::SmallRng;
use rand::{RngCore as _, SeedableRng as _};

use reached::Counts;
use support::{random_download, rogue, rogue_download, rogue_peers, rogue_upload, tally};
use world::World;

/// Runs a transfer for each seed, and returns everything that occurred.
fn count(seeds: u64, run: impl Fn(u64)) -> Counts {
    tally::start();
    (0..seeds).for_each(run);
    Counts::of_thread()
}

/// Returns an oracle on random bytes, as a transfer with a seed.
fn oracle(run: fn(&[u8]), length: usize) -> impl Fn(u64) {
    move |seed| {
        let mut bytes = vec![0; length];
        SmallRng::seed_from_u64(seed).fill_bytes(&mut bytes);
        run(&bytes);
    }
}

fn uploads() -> Counts {
    count(10_000, |seed| {
        World::new(seed).run_checked();
    })
}

fn downloads() -> Counts {
    count(10_000, |seed| {
        random_download::run(seed);
    })
}

/// Peers and callers that break rules.
fn rogues() -> Counts {
    let mut all = count(4_000, rogue::run);
    all += count(2_000, rogue_download::run);
    all += count(2_000, rogue_peers::run);
    all += count(6_000, rogue_upload::run);
    all += count(6_000, |seed| {
        random_download::run_with_commands(seed, 0.1);
    });
    all
}

/// Any sequence of events.
fn steps() -> Counts {
    let mut all = count(4_000, oracle(oracles::server_steps, 400));
    all += count(1_000, oracle(oracles::client_steps, 300));
    all += count(8_000, oracle(oracles::notification_steps, 200));
    all += count(2_000, oracle(oracles::download_steps, 300));
    all
}

#[test]
fn everything_that_can_occur_does() {
    let transfers: [fn() -> Counts; 4] = [uploads, downloads, rogues, steps];
    let mut all = Counts::default();
    for thread in transfers.map(thread::spawn) {
        all += thread.join().expect("every transfer is valid");
    }
    all.check();
}
