//! The inspector with connections: several at once, reused ports, incomplete captures, and the assignment of
//! responses to requests.

use crate::support::capture::Side::{Client, Server};
use crate::support::capture::{Dialogue, FORMAT, Link, captured, pcap, plain_pcap};
use crate::support::dialogues::{
    INITIAL, assert_says, close, close_ack, explain, fragment, fragment_ack, ping, ping_ack, plain,
    upload, words,
};
use crate::support::inspector::{text, without_packets};
use crate::support::vectors;

#[test]
fn ports_that_are_used_again() {
    let mut first = upload(50000, INITIAL);
    let second = upload(50000, [7_000_000, 900]);
    let whole = words(&explain(&plain_pcap(&first)));
    // After a regular end, without an end, and in the middle of a message.
    for keep in [first.len(), first.len() - 3, 9] {
        let segments: Vec<_> = first[..keep].iter().chain(&second).cloned().collect();
        let reports = explain(&plain_pcap(&segments));
        let (before, after): (Vec<_>, Vec<_>) = reports
            .into_iter()
            .partition(|it| text(it, "connection") == "10.0.0.1:50000 > 10.0.0.2:80");
        assert_eq!(words(&after), whole, "{keep}");
        assert_eq!(text(&after[0], "connection"), "10.0.0.1:50000 > 10.0.0.2:80 #2");
        assert_eq!(words(&before)[..before.len() - 1], whole[..before.len() - 1], "{keep}");
    }
    // Without a SYN, after the end of the first.
    first.extend_from_slice(&second[3..]);
    let reports = explain(&plain_pcap(&first));
    assert_eq!(words(&reports), [whole.clone(), whole].concat());
}

#[test]
fn two_connections_at_once() {
    let (left, right) = (upload(50000, INITIAL), upload(50001, [5, 6]));
    let both: Vec<_> = left.iter().zip(&right).flat_map(|(l, r)| [l.clone(), r.clone()]).collect();
    let reports = explain(&plain_pcap(&both));
    let whole = plain(&vectors::conversation("upload.http"));
    for (port, other) in [("50000", 0), ("50001", 1)] {
        let of: Vec<_> =
            reports.iter().filter(|it| text(it, "connection").contains(port)).collect();
        assert_eq!(of.iter().map(|it| without_packets(it)).collect::<Vec<_>>(), whole);
        // The connections take turns.
        assert_eq!(of[0]["index"], other);
        assert_eq!(of[1]["index"], 2 + other);
    }
}

#[test]
fn each_response_is_read_for_a_request_of_its_own_connection() {
    let mut left = Dialogue::opened(50000, INITIAL);
    let mut right = Dialogue::opened(50001, INITIAL);
    left.say(Client, &fragment(0, 5, 5)).say(Client, b"12345");
    right.say(Client, &ping()).say(Server, &ping_ack());
    left.say(Server, &fragment_ack(5));
    let (l, r) = (left.segments, right.segments);
    let segments = [&l[..5], &r[..], &l[5..]].concat();
    let reports = explain(&plain_pcap(&segments));
    let requests: Vec<_> = reports.iter().filter_map(|it| it["ack_for"].as_str()).collect();
    assert_eq!(requests, ["ping", "fragment"]);
    assert!(reports.iter().all(|report| report["verdict"] == "ok"), "{reports:?}");
}

#[test]
fn a_response_captured_before_its_request_is_shown_after_it() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &ping()).say(Server, &ping_ack());
    dialogue.say(Client, &close()).say(Server, &close_ack());
    let mut segments = dialogue.segments;
    segments[3..].reverse();
    assert_says(&segments, &["ping ok", "ack ok", "close-session ok", "ack ok"]);
}

#[test]
fn a_connection_that_is_cut() {
    for flags in ["R", "R.", "F."] {
        let mut dialogue = Dialogue::opened(50000, INITIAL);
        dialogue.say(Client, &ping()).say(Server, &ping_ack());
        dialogue.say(Client, &fragment(0, 1000, 1000)).say(Client, &[b'a'; 300]);
        dialogue.push(Client, flags, b"");
        assert_says(&dialogue.segments, &["ping ok", "ack ok", "fragment partial"]);
    }
}

#[test]
fn messages_after_a_rejected_head_are_parsed() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    let coded = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: gzip\r\n\r\n5\r\nHTTP/\r\n0\r\n\r\n";
    dialogue.say(Client, &ping()).say(Server, coded);
    dialogue.say(Client, &close()).say(Server, &close_ack());
    let skipped = ["ping ok", "other rejected", "skipped skipped"];
    let says = [&skipped[..], &["close-session ok", "ack ok"]].concat();
    assert_says(&dialogue.segments, &says);
}

#[test]
fn a_response_to_head_has_no_body() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, b"HEAD /reply HTTP/1.1\r\nHost: e\r\n\r\n");
    dialogue.say(Server, b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
    dialogue.say(Client, b"GET /reply HTTP/1.1\r\nHost: e\r\n\r\n");
    dialogue.say(Server, b"HTTP/1.1 200 OK\r\n\r\n").say(Server, &[b'r'; 500]);
    dialogue.lose(Server, 20).say(Server, b"end").close();
    let says = ["download ok", "download ok", "download ok", "download partial -20"];
    assert_says(&dialogue.segments, &says);
}

#[test]
fn requests_that_do_not_wait_are_answered_in_turn() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &[ping(), close()].concat());
    dialogue.say(Server, &[ping_ack(), close_ack()].concat());
    let reports = explain(&plain_pcap(&dialogue.segments));
    let requests: Vec<_> = reports.iter().filter_map(|it| it["ack_for"].as_str()).collect();
    assert_eq!(requests, ["ping", "close-session"]);
    assert_eq!(words(&reports), ["ping ok", "close-session ok", "ack ok", "ack ok"]);
}

#[test]
fn events_are_ordered_by_time() {
    let mut left = Dialogue::opened(50000, INITIAL);
    let mut right = Dialogue::opened(50001, INITIAL);
    left.say(Client, &ping()).say(Server, &ping_ack());
    right.say(Client, &close()).say(Server, &close_ack());
    let mut packets = captured(&[left.segments, right.segments].concat(), Link::Ethernet);
    packets.reverse();
    let reports = explain(&pcap(FORMAT, Link::Ethernet, &packets));
    assert_eq!(words(&reports), ["ping ok", "ack ok", "close-session ok", "ack ok"]);
}
