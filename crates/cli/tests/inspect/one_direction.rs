//! Captures that contain one direction of a connection, or lack some responses.

use crate::support::capture::Side::{Client, Server};
use crate::support::capture::{Dialogue, Segment, plain_pcap};
use crate::support::dialogues::{
    INITIAL, close, close_ack, explain, fragment, fragment_ack, ping, ping_ack, rules, upload,
    words,
};
use crate::support::inspector::{inspect, json_lines};
use serde_json::Value;

fn create() -> Vec<u8> {
    b"BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Create-Session\r\n\
      BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}\r\n\
      Content-Length: 0\r\n\r\n"
        .to_vec()
}

/// Returns the segments of one side.
fn of(side: crate::support::capture::Side, segments: &[Segment]) -> Vec<Segment> {
    segments.iter().filter(|segment| segment.side == side).cloned().collect()
}

/// Explains a conversation from its beginning.
fn explain_from_start(segments: &[Segment]) -> Vec<Value> {
    json_lines(&inspect("vectors", &["--json", "--from-start", "-"], &plain_pcap(segments)))
}

#[test]
fn requests_without_captured_responses_are_not_pipelined() {
    let requests = of(Client, &upload(50000, INITIAL));
    for reports in [explain(&plain_pcap(&requests)), explain_from_start(&requests)] {
        let kinds = ["create-session", "fragment", "fragment", "ping", "close-session"];
        assert_eq!(words(&reports), kinds.map(|kind| format!("{kind} ok")));
        assert!(rules(&reports).concat().is_empty(), "{reports:?}");
    }
    // Without the beginning of the connection, too.
    assert!(rules(&explain(&plain_pcap(&requests[2..]))).concat().is_empty());
}

#[test]
fn requests_without_captured_responses_are_checked_by_themselves() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    let other_length = String::from_utf8(fragment(10, 10, 30)).expect("UTF-8");
    let other_length = other_length.replace("Content-Length: 10", "Content-Length: 9");
    dialogue.say(Client, &fragment(0, 10, 30)).say(Client, &[b'a'; 10]);
    dialogue.say(Server, &fragment_ack(10));
    dialogue.say(Client, other_length.as_bytes()).say(Client, &[b'a'; 9]);
    let reports = explain(&plain_pcap(&of(Client, &dialogue.segments)));
    assert_eq!(rules(&reports), [&[][..], &["length-mismatch"]]);
}

#[test]
fn a_file_of_requests_has_no_order() {
    let requests = [create(), ping(), close()].concat();
    for arguments in [&["--json", "-"][..], &["--json", "--from-start", "-"]] {
        let reports = json_lines(&inspect("vectors", arguments, &requests));
        assert!(rules(&reports).concat().is_empty(), "{reports:?}");
    }
    // With a response in the file, the order counts.
    let input = [create(), ping(), ping_ack()].concat();
    let reports = json_lines(&inspect("vectors", &["--json", "-"], &input));
    assert_eq!(rules(&reports)[1], ["pipelined-request"]);
}

/// The response on another connection may have arrived.
#[test]
fn requests_on_other_connections_are_not_concurrent() {
    let mut left = Dialogue::opened(50000, INITIAL);
    let mut right = Dialogue::opened(50001, INITIAL);
    left.say(Client, &fragment(0, 10, 30)).say(Client, &[b'a'; 10]).say(Server, &fragment_ack(10));
    right.say(Client, &fragment(10, 10, 30)).say(Client, &[b'a'; 10]);
    let segments = [left.segments, right.segments].concat();
    let reports = explain(&plain_pcap(&of(Client, &segments)));
    assert_eq!(words(&reports), ["fragment ok"; 2]);
    assert!(rules(&reports).concat().is_empty(), "{reports:?}");
    // With the server's segments, a missing response counts.
    let unanswered = |it: &&Segment| it.side == Client || it.data.is_empty();
    let both: Vec<_> = segments.iter().filter(unanswered).cloned().collect();
    let reports = explain(&plain_pcap(&both));
    assert_eq!(rules(&reports), [&[][..], &["concurrent-request"]]);
}

/// The server sent no data, but its acknowledgements were captured.
#[test]
fn requests_that_do_not_wait_for_a_response_are_pipelined() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &ping());
    dialogue.push(Server, ".", b"");
    dialogue.say(Client, &ping());
    let reports = explain(&plain_pcap(&dialogue.segments));
    assert_eq!(rules(&reports), [&[][..], &["pipelined-request"]]);
}

/// The acknowledgement of the client shows that the response arrived.
#[test]
fn a_response_that_was_not_captured_may_have_arrived() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &ping()).say(Server, &ping_ack());
    dialogue.say(Client, &ping());
    dialogue.lose(Server, ping_ack().len() as u32);
    dialogue.say(Client, &close());
    let reports = explain(&plain_pcap(&dialogue.segments));
    assert_eq!(words(&reports)[..2], ["ping ok", "ack ok"]);
    assert!(rules(&reports).concat().is_empty(), "{reports:?}");
    // A response that did not arrive is still pending.
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &ping()).say(Server, &ping_ack());
    dialogue.say(Client, &ping()).say(Client, &close());
    let reports = explain(&plain_pcap(&dialogue.segments));
    assert_eq!(rules(&reports)[3], ["pipelined-request"]);
    // Each response answers one request.
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &ping()).say(Server, &ping_ack());
    dialogue.say(Client, &ping());
    dialogue.lose(Server, ping_ack().len() as u32);
    dialogue.say(Client, &ping()).say(Client, &ping());
    let reports = explain(&plain_pcap(&dialogue.segments));
    assert_eq!(rules(&reports).last().expect("a message"), &["pipelined-request"]);
}

/// A response that was captured is not missed, even if the client acknowledged a part of it.
#[test]
fn a_captured_response_answers_its_request() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    let (ack, closed) = (ping_ack(), close_ack());
    dialogue.say(Client, &ping()).say(Server, &ack[..20]).say(Client, &close());
    dialogue.say(Server, &[&ack[20..], &closed[..]].concat());
    let reports = explain(&plain_pcap(&dialogue.segments));
    assert_eq!(words(&reports), ["ping ok", "close-session ok", "ack ok", "ack ok"]);
    assert_eq!(rules(&reports), [&[][..], &["pipelined-request"], &[], &[]]);
    // Acknowledged bytes of a captured response belong to no other one.
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &ping()).say(Client, &close()).say(Server, &ping_ack());
    dialogue.say(Client, &ping());
    let reports = explain(&plain_pcap(&dialogue.segments));
    let pipelined = ["pipelined-request"];
    assert_eq!(rules(&reports), [&[][..], &pipelined, &[], &pipelined]);
}

#[test]
fn responses_without_captured_requests_are_checked_by_themselves() {
    let reports = explain_from_start(&of(Server, &upload(50000, INITIAL)));
    assert_eq!(words(&reports), ["ack ok"; 5]);
    assert!(rules(&reports).concat().is_empty(), "{reports:?}");
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    let lone = String::from_utf8(ping_ack()).expect("UTF-8");
    let lone = lone.replace("Content-Length", "BITS-Protocol: 1\r\nContent-Length");
    dialogue.say(Client, &ping()).say(Server, lone.as_bytes());
    dialogue.say(Client, &close()).say(Server, &close_ack());
    let reports = explain(&plain_pcap(&of(Server, &dialogue.segments)));
    assert_eq!(rules(&reports), [&["not-guid", "missing-field"][..], &[]]);
}

/// A response without a packet type may belong to any protocol.
#[test]
fn other_responses_without_captured_requests_violate_no_rule() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &close()).say(Server, b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n");
    let of_page = explain(&plain_pcap(&of(Server, &dialogue.segments)));
    assert!(rules(&of_page).concat().is_empty(), "{of_page:?}");
}

#[test]
fn one_captured_direction_shows_whether_requests_were_answered() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &ping()).say(Server, &ping_ack());
    dialogue.say(Client, &ping()).say(Server, &ping_ack()).close();
    let found = explain(&plain_pcap(&of(Client, &dialogue.segments)));
    assert_eq!(words(&found), ["ping ok", "ping ok"]);
    assert!(rules(&found).concat().is_empty(), "{found:?}");
    // Nothing was received between the requests.
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &ping()).say(Client, &ping()).say(Server, &ping_ack()).close();
    let found = explain(&plain_pcap(&of(Client, &dialogue.segments)));
    assert_eq!(rules(&found).concat(), ["pipelined-request"]);
    // The direction was captured, and the server did not respond.
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &ping()).say(Client, &ping()).close();
    let found = explain(&plain_pcap(&dialogue.segments));
    assert_eq!(rules(&found).concat(), ["pipelined-request"]);
}
