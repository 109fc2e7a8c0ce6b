//! The length of fragments: bounds, 413 responses, and the largest numbers.

use crate::support;
use std::time::Duration;

use bits_proto::client::{FragmentSizing, Mode, State};
use support::upload::{Client, SMALL, closed, fragment_ack, out_of_sync, refused, status};

#[test]
fn fragments_are_halved_to_the_minimum_and_then_the_upload_fails() {
    let mut client = Client::with_session(100, SMALL);
    for (range, length) in [("0..10", 5), ("0..5", 3)] {
        assert_eq!(client.next_action(), format!("fragment {range}"));
        client.exchange(&refused(413));
        assert_eq!((client.upload.fragments().length(), client.upload.failures()), (length, 0));
    }
    assert_eq!(client.next_action(), "fragment 0..3");
    assert_eq!(
        client.with_exchange(&fragment_ack(3)).next_action(),
        "fragment 3..6",
        "fragments stay short"
    );
    client.exchange(&refused(413));
    assert!(
        client.next_action().starts_with("failed: server rejected the request with status 413")
    );
    assert_eq!(client.upload.fragments().length(), 3);
}

#[test]
fn the_length_that_was_sent_is_halved() {
    // The last fragment has 8 bytes of the possible 10.
    let client = Client::with_session(18, SMALL)
        .with_exchange(&fragment_ack(10))
        .with_exchange(&refused(413));
    assert_eq!(client.next_action(), "fragment 10..14");
    for (left, ends) in [(3, true), (2, true), (4, false)] {
        let client = Client::with_session(10 + left, SMALL)
            .with_exchange(&fragment_ack(10))
            .with_exchange(&refused(413));
        assert_eq!(client.upload.state() == State::Failed, ends, "{left} bytes");
        assert_eq!(client.upload.fragments().length(), if ends { 10 } else { 3 });
    }
    let mut client = Client::with_session(18, SMALL);
    client.send();
    let now = client.now;
    client.upload.handle_unreadable(Some(status(413)), now).expect("a response is expected");
    assert_eq!(client.next_action(), "fragment 0..5");
}

#[test]
fn the_length_of_fragments_stays_within_its_bounds() {
    for (requested, length) in
        [(0, 3), (2, 3), (3, 3), (17, 17), (40, 40), (41, 40), (u64::MAX, 40)]
    {
        let mut client = Client::with_session(1000, SMALL);
        client.upload.set_fragment_length(requested).expect("no request is in flight");
        assert_eq!(client.upload.fragments(), FragmentSizing::with_bounds(length, 3, 40));
        assert_eq!(client.next_action(), format!("fragment 0..{length}"));
    }
    let odd = [((0, 0, 0), (1, 1, 1)), ((5, 9, 2), (9, 9, 9)), ((5, 1, 9), (5, 1, 9))];
    for ((length, min, max), (a, b, c)) in odd {
        let it = FragmentSizing::with_bounds(length, min, max);
        assert_eq!((it.length(), it.min(), it.max()), (a, b, c));
    }
    // Windows: 5 KiB to 13 MiB.
    let lengths =
        [0, 5_119, 5_120, 13_631_488, 13_631_489].map(|it| FragmentSizing::new(it).length());
    assert_eq!(lengths, [5_120, 5_120, 5_120, 13_631_488, 13_631_488]);
}

#[test]
fn the_largest_entity_ends_without_an_overflow() {
    let mut client = Client::with_session(u64::MAX, SMALL);
    assert_eq!(client.next_action(), "fragment 0..10");
    client.exchange(&out_of_sync(u64::MAX - 15));
    assert_eq!(client.next_action(), format!("fragment {}..{}", u64::MAX - 15, u64::MAX - 5));
    client.exchange(&fragment_ack(u64::MAX - 5));
    assert_eq!(client.next_action(), format!("fragment {}..{}", u64::MAX - 5, u64::MAX));
    client.exchange(&fragment_ack(u64::MAX));
    assert_eq!(client.with_exchange(&closed()).next_action(), "finished");

    let huge = FragmentSizing::with_bounds(u64::MAX, 1, u64::MAX);
    let mut client = Client::with_session(u64::MAX, SMALL.with_fragments(huge));
    assert_eq!(client.next_action(), format!("fragment 0..{}", u64::MAX));
    client.exchange(&fragment_ack(1));
    assert_eq!(client.next_action(), format!("fragment 1..{}", u64::MAX));
    client.exchange(&refused(413));
    assert_eq!(client.next_action(), format!("fragment 1..{}", 1 + (u64::MAX - 1) / 2));
}

#[test]
fn an_offset_beyond_a_shortened_fragment_is_accepted() {
    // The Ack for the first fragment is lost, and the next fragment is shorter. The server already
    // has ten bytes, so it stores none of the five, and acknowledges ten.
    let mut client = Client::with_session(25, SMALL);
    assert_eq!(client.next_action(), "fragment 0..10");
    client.disconnect();
    client.wait();
    client.upload.set_fragment_length(5).expect("no request is in flight");
    assert_eq!(client.next_action(), "fragment 0..5");
    client.exchange(&fragment_ack(10));
    assert_eq!(client.next_action(), "fragment 10..15");
}

/// A request in flight keeps its options.
#[test]
fn new_options_apply_from_the_next_request() {
    let mut client = Client::with_session(25, SMALL);
    let other = SMALL
        .with_mode(Mode::UploadReply)
        .with_fragments(FragmentSizing::with_bounds(4, 1, 4))
        .with_request_timeout(Duration::from_secs(7));
    let mut in_flight = client;
    in_flight.send();
    let before = in_flight.upload;
    in_flight.upload.set_options(other).expect_err("a request is in flight");
    assert_eq!(in_flight.upload, before);

    client.upload.set_options(other).expect("no request is in flight");
    assert_eq!(client.next_action(), "fragment 0..4");
    let now = client.now;
    client.upload.handle_sending(now).expect("a request is ready");
    assert_eq!(client.upload.poll_timeout(), Some(now + Duration::from_secs(7)));
    client.upload.handle_sent(now).expect("the request is being sent");
    client.upload.handle_ack(&fragment_ack(4), now).expect("the fragment is acknowledged");
    for next in [8, 12, 16, 20, 24, 25] {
        client.exchange(&fragment_ack(next));
    }
    assert_eq!(client.next_action(), "close", "the mode does not change");
}
