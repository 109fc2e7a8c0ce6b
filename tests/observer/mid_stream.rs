//! An observer that comes late, at every point of conversations that break no rule, and finds
//! nothing: unknown is not wrong.

use crate::support;
use crate::support::watch::Passed;
use crate::world;
use bits_proto::observer::Observer;
use support::vectors;
use world::World;

/// From each message on.
fn join_everywhere(passed: &[Passed]) {
    for start in 0..passed.len() {
        let mut observer = Observer::mid_stream();
        passed[start..].iter().for_each(|passed| passed.pass(&mut observer));
    }
}

/// What our own two ends say to each other on a bad network.
#[test]
fn our_own_uploads() {
    let mut messages = 0;
    for seed in 0..150 {
        let mut world = World::new(seed);
        world.watch.passed = Some(Vec::new());
        world.run();
        let passed = world.watch.passed.take().expect("it was recorded");
        messages += passed.len();
        join_everywhere(&passed);
    }
    assert!(messages > 4_000, "{messages} messages");
}

/// Conversations in the shape of the captures.
#[test]
fn captured_conversations() {
    for name in ["upload.http", "upload-reply.http"] {
        let messages = vectors::conversation(name);
        let passed = messages.into_iter().map(|bytes| match bytes.starts_with(b"HTTP/") {
            true => Passed::Response(1, bytes),
            false => Passed::Request(1, bytes),
        });
        join_everywhere(&passed.collect::<Vec<_>>());
    }
}
