//! `upload`: what it says of how fast it was.

use std::time::Duration;

use bits_proto_programs::upload::console::rate;

#[test]
fn what_another_process_sent_makes_nothing_faster() {
    let second = Duration::from_secs(1);
    assert_eq!(rate(0, 1000, second), 1000);
    assert_eq!(rate(900, 1000, second), 100);
    assert_eq!(rate(900, 1000, 2 * second), 50);
    assert_eq!(rate(1000, 1000, second), 0);
    // A file without bytes, and one that was sent before anybody could look at a clock.
    assert_eq!(rate(0, 0, second), 0);
    assert_eq!(rate(0, 1000, Duration::ZERO), 1_000_000);
}
