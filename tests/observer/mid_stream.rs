//! An observer that comes late, at every point of conversations that break no rule, and finds
//! nothing: unknown is not wrong.

use crate::support;
use crate::support::wire_observer::WireEvent;
use crate::world;
use bits_proto::observer::Observer;
use support::vectors;
use world::World;

/// From each message on.
fn join_everywhere(events: &[WireEvent]) {
    for start in 0..events.len() {
        let mut observer = Observer::mid_stream();
        events[start..].iter().for_each(|event| event.replay(&mut observer));
    }
}

/// What our own two ends say to each other on a bad network.
#[test]
fn our_own_uploads() {
    let mut messages = 0;
    for seed in 0..150 {
        let mut world = World::new(seed);
        world.observer.recorded = Some(Vec::new());
        world.run();
        let events = world.observer.recorded.take().expect("it was recorded");
        messages += events.len();
        join_everywhere(&events);
    }
    assert!(messages > 4_000, "{messages} messages");
}

/// Conversations in the shape of the captures.
#[test]
fn captured_conversations() {
    for name in ["upload.http", "upload-reply.http"] {
        let messages = vectors::conversation(name);
        let events = messages.into_iter().map(|bytes| match bytes.starts_with(b"HTTP/") {
            true => WireEvent::Response(1, bytes),
            false => WireEvent::Request(1, bytes),
        });
        join_everywhere(&events.collect::<Vec<_>>());
    }
}
