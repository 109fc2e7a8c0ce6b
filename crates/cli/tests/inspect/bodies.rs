//! Requests without the whole of their body: cut ones, and the first requests of an authentication.

use crate::support::capture::Side::{Client, Server};
use crate::support::capture::{Dialogue, plain_pcap};
use crate::support::dialogues::{
    INITIAL, close, close_ack, explain, fragment, fragment_ack, rules, words,
};
use crate::support::inspector::text;
use serde_json::Value;

const UNAUTHORIZED: &[u8] =
    b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n";

/// Explains a fragment of 100 bytes of which `sent` were sent before the client closed its side.
fn cut(sent: usize, answer: &[u8]) -> Vec<Value> {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &fragment(0, 100, 300)).say(Client, &vec![b'a'; sent]);
    dialogue.push(Client, "F.", b"");
    dialogue.say(Server, answer).push(Server, "F.", b"");
    explain(&plain_pcap(&dialogue.segments))
}

#[test]
fn a_server_may_not_acknowledge_bytes_that_never_arrived() {
    for sent in [0, 1, 99] {
        let reports = cut(sent, &fragment_ack(100));
        assert_eq!(words(&reports), ["fragment partial", "ack ok"]);
        assert_eq!(rules(&reports), [&[][..], &["acknowledged-unsent"]], "{sent}");
        let violation = &reports[1]["violations"][0];
        let missing = format!("({} of 100 bytes are missing)", 100 - sent);
        assert!(text(violation, "message").ends_with(&missing), "{violation}");
        assert_eq!((text(violation, "severity"), text(violation, "section")), ("MUST", "2.2.7.2"));
    }
}

#[test]
fn a_server_may_acknowledge_the_bytes_that_arrived() {
    for reports in [cut(100, &fragment_ack(100)), cut(40, &fragment_ack(40))] {
        assert!(rules(&reports).concat().is_empty(), "{reports:?}");
    }
}

#[test]
fn bytes_that_were_not_captured_were_sent() {
    for closed in [true, false] {
        let mut dialogue = Dialogue::opened(50000, INITIAL);
        dialogue.say(Client, &fragment(0, 100, 300));
        dialogue.say(Client, &[b'a'; 10]).lose(Client, 90);
        if closed {
            dialogue.push(Client, "F.", b"");
        }
        dialogue.say(Server, &fragment_ack(100));
        let reports = explain(&plain_pcap(&dialogue.segments));
        assert!(rules(&reports).concat().is_empty(), "{reports:?}");
    }
    // A part was lost, and another one was never sent.
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &fragment(0, 100, 300)).say(Client, &[b'a'; 10]).lose(Client, 20);
    dialogue.push(Client, "F.", b"");
    dialogue.say(Server, &fragment_ack(100));
    let reports = explain(&plain_pcap(&dialogue.segments));
    let violation = &reports[1]["violations"][0];
    assert!(text(violation, "message").ends_with("(70 of 100 bytes are missing)"), "{reports:?}");
    // The end of the capture is not the end of the connection.
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &fragment(0, 100, 300)).say(Server, &fragment_ack(100));
    let reports = explain(&plain_pcap(&dialogue.segments));
    assert!(rules(&reports).concat().is_empty(), "{reports:?}");
}

/// After a reset, the rest may have been sent without being captured.
#[test]
fn bytes_before_a_reset_may_have_been_sent() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &fragment(0, 100, 300)).say(Client, &[b'a'; 10]);
    dialogue.say(Server, &fragment_ack(100)).push(Client, "R", b"");
    let reports = explain(&plain_pcap(&dialogue.segments));
    assert!(rules(&reports).concat().is_empty(), "{reports:?}");
}

fn with(head: &[u8], fields: &str) -> Vec<u8> {
    let text = String::from_utf8(head.to_vec()).expect("UTF-8");
    text.replace("Content-Length: 100\r\n", &format!("Content-Length: 0\r\n{fields}")).into_bytes()
}

fn answered(first: &[u8], answer: &[u8]) -> Vec<Value> {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, first).say(Server, answer);
    dialogue.say(Client, &close()).say(Server, &close_ack());
    explain(&plain_pcap(&dialogue.segments))
}

#[test]
fn the_first_requests_of_an_authentication_are_valid() {
    let token = "Authorization: NTLM TlRMTVNTUAABAAAAB4IIogAAAAA=\r\n";
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    for fields in ["", token] {
        dialogue.say(Client, &with(&fragment(0, 100, 100), fields)).say(Server, UNAUTHORIZED);
    }
    dialogue.say(Client, &fragment(0, 100, 100)).say(Client, &[b'a'; 100]);
    dialogue.say(Server, &fragment_ack(100));
    let reports = explain(&plain_pcap(&dialogue.segments));
    let leg = ["fragment ok", "ack deviates"];
    assert_eq!(words(&reports), [leg, leg, ["fragment ok", "ack ok"]].concat());
    assert!(rules(&reports).concat().is_empty(), "{reports:?}");
    let legs: Vec<_> = reports.iter().map(|report| report["authentication"] == true).collect();
    assert_eq!(legs, [true, false, true, false, false, false]);
}

/// The error is one of the request, although only the response shows it.
#[test]
fn other_requests_without_a_body_are_rejected() {
    let busy = b"HTTP/1.1 503 X\r\nBITS-Packet-Type: Ack\r\nContent-Length: 0\r\n\r\n";
    let reports = answered(&with(&fragment(0, 100, 100), ""), busy);
    assert_eq!(words(&reports)[..2], ["fragment rejected", "ack deviates"]);
    assert_eq!(rules(&reports)[..2], [&["length-mismatch"][..], &[]]);
    assert_eq!(reports[0]["authentication"], false);
    assert_eq!(reports[0]["reply"]["status"], 400);
    let reports = answered(&with(&fragment(0, 100, 100), ""), &fragment_ack(100));
    assert_eq!(rules(&reports)[0], ["length-mismatch"]);
    assert_eq!(rules(&reports)[1], ["granted-despite-error", "acknowledged-unsent"]);
    // Another error is reported in any case, and once.
    let coded = with(&fragment(0, 100, 100), "Content-Encoding: gzip\r\n");
    let reports = answered(&coded, busy);
    assert_eq!(rules(&reports)[0], ["unsupported-encoding", "length-mismatch"]);
    assert_eq!(rules(&answered(&coded, UNAUTHORIZED))[0], ["unsupported-encoding"]);
}

/// Without a response it is unknown if the server would have asked for credentials.
#[test]
fn a_request_without_a_body_and_without_a_response_violates_no_rule() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &with(&fragment(0, 100, 100), "")).close();
    let reports = explain(&plain_pcap(&dialogue.segments));
    assert_eq!(words(&reports), ["fragment ok"]);
    assert!(rules(&reports).concat().is_empty(), "{reports:?}");
}

#[test]
fn bytes_that_the_sender_did_not_send_are_counted() {
    let unsent = |flags: &'static str, side, sent: usize| {
        let mut dialogue = Dialogue::opened(50000, INITIAL);
        dialogue.say(Client, &fragment(0, 100, 100)).say(Client, &vec![b'x'; sent]);
        dialogue.push(side, flags, b"");
        let found = explain(&plain_pcap(&dialogue.segments));
        let verdict = text(&found[0], "verdict");
        assert_eq!(verdict, if sent < 100 { "partial" } else { "ok" });
        found[0]["unsent"].as_u64()
    };
    assert_eq!(unsent("F.", Client, 30), Some(70));
    assert_eq!(unsent("R", Client, 0), Some(100));
    assert_eq!(unsent("R.", Server, 30), Some(70));
    assert_eq!(unsent("F.", Client, 100), Some(0));
    // The server has closed its own side only, and the capture ends.
    assert_eq!(unsent("F.", Server, 30), Some(0));
    assert_eq!(unsent(".", Client, 30), Some(0));
}
