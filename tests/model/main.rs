//! Explores small uploads in every possible order of events. Other tests choose orders at random; these cover
//! all of them.
//!
//! The larger part takes minutes and is ignored by default. To run it:
//!
//! ```sh
//! cargo test --all-features --release --test model -- --ignored --nocapture
//! ```

mod bugs;
mod downloads;
#[path = "../support"]
mod support {
    pub mod download_server;
    pub mod wire_observer;
}
mod world;

use std::collections::BTreeSet;
use std::time::Instant;

use bits_proto::client::Mode;
use bits_proto::server::{CommitAt, OverlapRule};
use stateright::{Checker as _, DiscoveryClassification, Model as _};
use world::config::{Bug, Config, Faults};
use world::walk::walk;
use world::{Checked, properties};

/// Totals of the exploration.
#[derive(Default)]
struct Extent {
    configurations: usize,
    states: usize,
    transitions: usize,
    /// Names of the required events that occurred.
    covered: BTreeSet<&'static str>,
}

impl Extent {
    /// Explores all states of a configuration. No rule may be broken.
    fn add(&mut self, config: Config) {
        let start = Instant::now();
        let checker = Checked::new(config).checker().threads(2).spawn_dfs().join();
        for (name, path) in checker.discoveries() {
            match checker.discovery_classification(name) {
                DiscoveryClassification::Example => self.covered.insert(name),
                DiscoveryClassification::Counterexample => {
                    panic!("violated: {name}\n{config:#?}\n{:#?}", path.into_actions())
                }
            };
        }
        let (states, transitions) = (checker.unique_state_count(), checker.state_count());
        println!(
            "{states:>8} states, {transitions:>8} transitions, {:>5.1?}: {config}",
            start.elapsed()
        );
        self.configurations += 1;
        self.states += states;
        self.transitions += transitions;
    }

    /// Checks that every required event occurred, and that the documentation states the totals.
    fn check(&self) {
        let Self { configurations, states, transitions, covered } = self;
        println!(
            "model: {configurations} configurations, {states} states, {transitions} transitions"
        );
        let documentation = include_str!("../../CONTRIBUTING.md");
        let words = documentation.split_whitespace().collect::<Vec<_>>().join(" ");
        let totals = format!("{} states, {} transitions", grouped(*states), grouped(*transitions));
        // With changed tables, in `tests/mutation`, the totals are others.
        if env!("CARGO_PKG_NAME") == "bits-proto" {
            assert!(words.contains(&totals), "CONTRIBUTING.md does not contain: {totals}");
        }
        for event in properties::coverage() {
            assert!(covered.contains(event.name), "never occurred: {}", event.name);
        }
    }
}

/// Formats a number with commas between groups of three digits.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(if first == 0 { 3.min(digits.len()) } else { first });
    tail.as_bytes().chunks(3).fold(head.to_string(), |text, group| {
        text + "," + std::str::from_utf8(group).expect("digits")
    })
}

/// Returns the configuration with both modes and all policies.
fn with_each_policy(config: Config) -> Vec<Config> {
    let mut all = Vec::new();
    for mode in [Mode::Upload, Mode::UploadReply] {
        for overlap in [OverlapRule::Trim, OverlapRule::Refuse] {
            for commit_at in [CommitAt::Close, CommitAt::LastFragment] {
                all.push(Config { mode, overlap, commit_at, ..config });
            }
        }
    }
    all
}

#[test]
fn every_order_of_events_keeps_the_rules() {
    let mut extent = Extent::default();
    let sizes = [(0, 1), (1, 1), (2, 1), (2, 2), (3, 2), (4, 2)];
    for (total, fragment) in sizes {
        let config = Config { total, fragment, faults: Faults::ALL, budget: 1, ..Config::PLAIN };
        with_each_policy(config).into_iter().for_each(|config| extent.add(config));
    }
    let plain = Config { faults: Faults::ALL, budget: 2, ..Config::PLAIN };
    for mode in [Mode::Upload, Mode::UploadReply] {
        extent.add(Config { mode, ..plain });
        extent.add(Config { mode, commit_at: CommitAt::LastFragment, ..plain });
    }
    let config = Config { overlap: OverlapRule::Refuse, piece: 2, keeps_ended: true, ..plain };
    extent.add(Config { notification: true, ..config });
    extent.check();
}

/// Refusals of the application, a 404, a session that is lost in other words, and a new start that the
/// user orders, at every point of an upload.
#[test]
fn every_refusal_and_every_new_start_keeps_the_rules() {
    let mut extent = Extent::default();
    let config = Config { faults: Faults::REFUSALS, budget: 2, total: 2, ..Config::PLAIN };
    for (mode, fragment) in [(Mode::Upload, 1), (Mode::Upload, 2), (Mode::UploadReply, 1)] {
        extent.add(Config { mode, fragment, ..config });
    }
    assert!(extent.states > 1000, "{} states", extent.states);
}

/// An observer finds no violation of the client or the server, with any faults. It is not part of the
/// explored states: its counters would make their number infinite.
#[test]
fn an_observer_finds_no_violation_in_random_walks() {
    let config = Config { faults: Faults::ALL, budget: 8, total: 4, old: 2, ..Config::PLAIN };
    let mut messages = 0;
    for (index, config) in with_each_policy(config).into_iter().enumerate() {
        for seed in 0..500 {
            messages += walk(config, seed + 1000 * index as u64, 120).messages;
        }
    }
    println!("model: {messages} messages observed");
    assert!(messages > 10_000, "{messages} messages");
}

#[test]
#[should_panic = "offset-goes-back"]
fn an_observer_finds_a_client_that_ignores_the_acknowledged_offset() {
    let config = Config {
        faults: Faults::ALL,
        budget: 8,
        total: 4,
        overlap: OverlapRule::Refuse,
        bug: Some(Bug::OffsetOfSent),
        ..Config::PLAIN
    };
    for seed in 0..1000 {
        walk(config, seed, 120);
    }
}

#[test]
#[ignore = "takes minutes"]
fn every_order_of_events_keeps_the_rules_with_more_faults() {
    let mut extent = Extent::default();
    let config = Config { faults: Faults::ALL, budget: 2, total: 4, old: 2, ..Config::PLAIN };
    with_each_policy(config).into_iter().for_each(|config| extent.add(config));
    extent.add(Config { faults: Faults::ALL, budget: 3, ..Config::PLAIN });
    let reply = Config { mode: Mode::UploadReply, commit_at: CommitAt::LastFragment, ..config };
    for faults in [Faults::NETWORK, Faults::CRASHES, Faults::LOSSES, Faults::CALLER] {
        extent.add(Config { faults, budget: 4, total: 2, fragment: 1, ..config });
        extent.add(Config { faults, budget: 3, ..reply });
    }
    extent.check();
}
