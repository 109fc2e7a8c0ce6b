//! `upload` and `download`: the transfer rate that it prints.

use std::time::Duration;

use bits_proto_programs::client::console::rate;

#[test]
fn bytes_of_previous_processes_do_not_count_for_the_rate() {
    let second = Duration::from_secs(1);
    assert_eq!(rate(0, 1000, second), 1000);
    assert_eq!(rate(900, 1000, second), 100);
    assert_eq!(rate(900, 1000, 2 * second), 50);
    assert_eq!(rate(1000, 1000, second), 0);
    // An empty file, and a file sent faster than the clock resolution.
    assert_eq!(rate(0, 0, second), 0);
    assert_eq!(rate(0, 1000, Duration::ZERO), 1_000_000);
}
