//! Random sequences of events, with invariants that hold after every step.
#![cfg(all(feature = "alloc", feature = "serde"))]

use crate::support;
use bits_proto::server::{EndReason, State};
use proptest::collection::vec;
use proptest::prelude::*;
use support::any_session::World;
use support::cases::config;
use support::events::{event, policy};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..config() })]

    #[test]
    fn random_events_neither_lose_nor_invent_bytes(policy in policy(), events in vec(event(), 1..60)) {
        let mut world = World::new(policy);
        for event in events {
            world.check_steps(&[event]);
            world.check_persistence();
        }
        world.check_ends();
    }
}

/// The random sequences reach every state and every end reason.
#[test]
fn every_state_and_every_end_reason_is_reached() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config(), rng);
    let (mut states, mut endings) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        let strategy = (policy(), vec(event(), 60));
        let (policy, events) = strategy.new_tree(&mut runner).expect("no filter").current();
        let mut world = World::new(policy);
        for event in &events {
            world.step(event);
            states.push(world.server.session.state());
            endings.extend(world.server.session.end_reason());
        }
    }
    for state in State::ALL {
        assert!(states.contains(state), "{state}");
    }
    for ending in [
        EndReason::Closed,
        EndReason::ClosedIncomplete,
        EndReason::Cancelled,
        EndReason::TimedOut,
        EndReason::EntityLost,
    ] {
        assert!(endings.contains(&ending), "{ending:?}");
    }
}
