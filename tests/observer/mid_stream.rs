//! Observers that start late, at every point of a valid conversation, report no violation.

use crate::support;
use crate::support::wire_observer::WireEvent;
use crate::world;
use bits_proto::observer::Observer;
use support::vectors;
use world::World;

/// Starts an observer at each message.
fn start_everywhere(events: &[WireEvent]) {
    for start in 0..events.len() {
        let mut observer = Observer::mid_stream();
        events[start..].iter().for_each(|event| event.replay(&mut observer));
    }
}

/// Uploads between the client and the server of this crate on an unreliable network.
#[test]
fn uploads_of_this_crate() {
    let mut messages = 0;
    for seed in 0..150 {
        let mut world = World::new(seed);
        world.observer.recorded = Some(Vec::new());
        world.run();
        let events = world.observer.recorded.take().expect("it was recorded");
        messages += events.len();
        start_everywhere(&events);
    }
    assert!(messages > 4_000, "{messages} messages");
}

/// Conversations like those in the captures of the specification.
#[test]
fn captured_conversations() {
    for name in ["upload.http", "upload-reply.http"] {
        let messages = vectors::conversation(name);
        let events = messages.into_iter().map(|bytes| match bytes.starts_with(b"HTTP/") {
            true => WireEvent::Response(1, bytes),
            false => WireEvent::Request(1, bytes),
        });
        start_everywhere(&events.collect::<Vec<_>>());
    }
}
