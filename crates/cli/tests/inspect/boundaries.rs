//! The boundaries of messages: bodies in chunks or without a length, malformed heads, bytes that belong to no
//! message, and unrelated messages.

use crate::support::capture::Side::{Client, Server};
use crate::support::capture::{Dialogue, plain_pcap};
use crate::support::dialogues::{
    INITIAL, close, close_ack, explain, fragment, fragment_ack, ping, ping_ack, words,
};
use crate::support::inspector::{inspect, text};
use bits_cli::inspect::conversation::{self, Context};
use bits_cli::inspect::report::Report;
use serde_json::Value;

fn reports(bytes: &[u8]) -> Vec<Value> {
    conversation::explain("", bytes, Context::default()).iter().map(Report::to_json).collect()
}

/// Returns the direction, kind and verdict of each message, and the number and reason of skipped bytes.
fn lines(reports: &[Value]) -> Vec<String> {
    let line = |report: &Value| {
        let arrow = match report["direction"].as_str() {
            Some("request") => ">",
            Some("response") => "<",
            _ => "?",
        };
        match &report["skipped"] {
            Value::Null => format!("{arrow} {} {}", text(report, "kind"), text(report, "verdict")),
            skipped => format!("{arrow} {} {}", text(skipped, "reason"), report["length"]),
        }
    };
    reports.iter().map(line).collect()
}

#[track_caller]
fn assert_lines(bytes: &[u8], expected: &[&str]) {
    assert_eq!(lines(&reports(bytes)), expected);
}

/// Also checks that the reports of a capture have the same fields as those of a file of messages.
#[track_caller]
fn assert_both(messages: &[&[u8]], expected: &[&str]) -> Vec<Value> {
    assert_lines(&messages.concat(), expected);
    let found = explain(&plain_pcap(&dialogue(messages).close().segments));
    assert_eq!(lines(&found), expected);
    found
}

/// Returns a dialogue in which messages that do not begin with a method come from the server.
fn dialogue(messages: &[&[u8]]) -> Dialogue {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    for message in messages {
        let is_request =
            message.first().is_some_and(u8::is_ascii_uppercase) && !message.starts_with(b"HTTP/");
        dialogue.say_in(if is_request { Client } else { Server }, message, 100);
    }
    dialogue
}

fn rules(reports: &[Value]) -> Vec<&str> {
    let violations = reports.iter().flat_map(|it| it["violations"].as_array().expect("a list"));
    violations.map(|violation| text(violation, "rule")).collect()
}

/// Returns a response in chunks.
fn chunked(head: &str, body: &str) -> Vec<u8> {
    format!("{head}\r\nTransfer-Encoding: chunked\r\n\r\n{body}").into_bytes()
}

const ACK: &str = "HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack";
const FOREIGN: &[u8] = b"CCM_POST /ccm_system/request HTTP/1.1\r\nContent-Length: 6\r\n\r\n<Msg/>";

#[test]
fn an_ack_in_chunks_ends_with_its_last_chunk() {
    let empty = chunked(ACK, "0\r\n\r\n");
    let body = chunked(ACK, "4;a=b\r\nwxyz\r\n0001\r\n\n\r\n00\r\nTrailer: 1\r\n\r\n");
    // A message inside a chunk is a part of the body.
    let nested =
        chunked(ACK, "2c\r\nHTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n\r\n0\r\n\r\n");
    for ack in [empty, body, nested] {
        let expected = ["> ping ok", "< ack deviates", "> ping ok", "< ack ok"];
        let found = assert_both(&[&ping(), &ack, &ping(), &ping_ack()], &expected);
        assert_eq!(found[1]["deviations"], serde_json::json!(["chunked-response"]));
        assert_eq!(found[1]["length"], ack.len());
    }
}

#[test]
fn unrelated_messages_break_no_rule_and_do_not_end_the_listing() {
    let reply = chunked("HTTP/1.1 200 OK", "5\r\nreply\r\n0\r\n\r\n");
    let get = b"CCM_GET /SMS_MP/.sms_pol?x HTTP/1.1\r\nContent-Length: 0\r\n\r\n";
    let policy = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\npol";
    let messages = [FOREIGN, &reply, get, policy, &ping(), &ping_ack()];
    let foreign = ["> other foreign", "< other foreign", "> other foreign", "< other foreign"];
    let found = assert_both(&messages, &[&foreign[..], &["> ping ok", "< ack ok"]].concat());
    assert!(rules(&found).is_empty(), "{found:?}");
}

#[test]
fn a_malformed_unrelated_message_is_reported_and_breaks_no_rule() {
    let folded = b"GET /x HTTP/1.1\r\nA: 1\r\n 2\r\n\r\n";
    for response in [
        &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nServer : a\r\nContent-Length: 0\r\n\r\n",
        &chunked("HTTP/1.1 200 OK", "x"),
    ] {
        let input = [FOREIGN, response, b"12345", folded, b"HTTP/1.1 400 B\r\n\r\n", &ping()];
        let output = inspect("vectors", &["--json", "-"], &input.concat());
        assert_eq!(output.status.code(), Some(0));
        let found = reports(&input.concat());
        let is_malformed: Vec<_> = found.iter().map(|report| !report["error"].is_null()).collect();
        assert_eq!(is_malformed, [false, true, false, true, false, false], "{found:?}");
        assert!(lines(&found)[2].starts_with("< unknown-end "), "{found:?}");
        assert!(rules(&found).is_empty(), "{found:?}");
    }
}

#[test]
fn every_malformed_head_is_reported() {
    let spaced = |message: Vec<u8>| {
        String::from_utf8(message).expect("ASCII").replace("/e HTTP", "/my file HTTP").into_bytes()
    };
    let request = spaced(fragment(0, 100, 100));
    let body = [b'Z'; 100];
    let (ping, close) = (spaced(ping()), spaced(close()));
    let request = [&request[..], &body].concat();
    let messages = [&ping[..], &ping_ack(), &request, &fragment_ack(100), &close, &close_ack()];
    let mut expected = vec!["> other rejected", "< ack ok", "> other rejected"];
    expected.extend(["> unknown-end 100", "< ack ok", "> other rejected", "< ack ok"]);
    let found = assert_both(&messages, &expected);
    assert_eq!(rules(&found), ["http-version"; 3]);
    // The requests tell what their responses answer.
    let requests: Vec<_> = found.iter().filter_map(|it| it["ack_for"].as_str()).collect();
    assert_eq!(requests, ["ping", "fragment", "close-session"]);
}

#[test]
fn malformed_heads_one_after_another_are_reported_each() {
    // The first has no empty line at its end.
    let heads = [&b"BITS_POST /a HTTP/1.1\r\nBITS-Packet-Type: Ping\r\nbroken\r\n"[..], &ping()];
    assert_lines(&heads.concat(), &["> other rejected", "> ping ok"]);
    let version = b"BITS_POST /a HTTP/2.0\r\n\r\n";
    let lower = b"BITS_POST /a\r\nBITS-Packet-Type: Ping\r\n\r\n";
    let heads = [&version[..], lower, version, &ping()].concat();
    assert_lines(
        &heads,
        &["> other rejected", "> other rejected", "> other rejected", "> ping ok"],
    );
}

#[test]
fn bytes_after_a_complete_message_have_its_direction() {
    let answer = b"HTTP/1.1 500 E\r\nBITS-Packet-Type: Ack\r\nBITS-Error-Code: 0x1\r\n\
        BITS-Error-Context: 0x5\r\nContent-Length: 0\r\n\r\n";
    let leftover = b"500: Internal Server Error";
    let input = [&fragment(0, 10, 30)[..], &[b'x'; 10], answer, leftover].concat();
    assert_lines(&input, &["> fragment ok", "< ack ok", "< after-message 26"]);
    let found = reports(&input);
    assert_eq!(found[2]["skipped"]["excerpt"], "500: Internal Server Error");
    assert_eq!(found[2]["skipped"]["offset"], input.len() - 26);
    let output = inspect("vectors", &["-"], &input);
    assert_eq!(output.status.code(), Some(1), "the bytes are unexpected");
    // In a capture the position is that in the stream of the server, and the listing continues.
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &[&fragment(0, 10, 30)[..], &[b'x'; 10]].concat());
    dialogue.say(Server, &[&answer[..], leftover].concat());
    dialogue.say(Client, &ping()).say(Server, &ping_ack());
    dialogue.say(Client, &[&ping()[..], b"{}"].concat()).say(Server, &ping_ack()).close();
    let found = explain(&plain_pcap(&dialogue.segments));
    let mut expected = vec!["> fragment ok", "< ack ok", "< after-message 26", "> ping ok"];
    expected.extend(["< ack ok", "> ping ok", "> after-message 2", "< ack ok"]);
    assert_eq!(lines(&found), expected);
    assert_eq!(found[2]["skipped"]["offset"], answer.len());
    assert_eq!(text(&found[2], "connection"), "10.0.0.1:50000 > 10.0.0.2:80");
    assert!(rules(&found).is_empty(), "{found:?}");
}

#[test]
fn skipped_bytes_come_after_the_request_that_their_sender_had_received() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &ping()).say(Server, &ping_ack());
    dialogue.say(Client, &ping()).say(Server, b"\0junk").say(Server, &ping_ack()).close();
    let mut segments = dialogue.segments;
    // They were captured before the request.
    segments.swap(5, 6);
    let found = explain(&plain_pcap(&segments));
    let expected = ["> ping ok", "< ack ok", "> ping ok", "< after-message 5", "< ack ok"];
    assert_eq!(lines(&found), expected);
}

#[test]
fn skipped_bytes_of_a_client_may_be_a_request() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &ping()).say(Server, &ping_ack());
    dialogue.say(Client, b"\0junk").say(Server, &ping_ack()).close();
    let found = explain(&plain_pcap(&dialogue.segments));
    assert_eq!(lines(&found), ["> ping ok", "< ack ok", "> after-message 5", "< ack ok"]);
    assert!(rules(&found).is_empty(), "the response may answer it: {found:?}");
}

#[test]
fn bytes_before_the_first_message_have_no_direction_in_a_file() {
    let input = [b"\x00\x01junk", &ping()[..], &ping_ack()].concat();
    assert_lines(&input, &["? before-message 6", "> ping ok", "< ack ok"]);
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, b"\x00\x01junk").say(Client, &ping()).say(Server, &ping_ack());
    let found = explain(&plain_pcap(&dialogue.segments));
    assert_eq!(lines(&found), ["> before-message 6", "> ping ok", "< ack ok"]);
    assert_lines(b"no message", &["? before-message 10"]);
}

#[test]
fn empty_lines_around_messages_are_no_skipped_bytes() {
    let input = [b"\r\n", &ping()[..], b"\r\n\r\n", &ping_ack(), b"\r\n \n"].concat();
    assert_lines(&input, &["> ping ok", "< ack ok"]);
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &ping()).say(Client, b"\r\n").say(Server, &ping_ack());
    dialogue.say(Client, &ping()).say(Client, b"\r\n").say(Server, &ping_ack()).close();
    let found = explain(&plain_pcap(&dialogue.segments));
    assert_eq!(lines(&found), ["> ping ok", "< ack ok", "> ping ok", "< ack ok"]);
}

#[test]
fn a_malformed_body_in_chunks_is_followed_by_the_next_message() {
    for body in
        ["x\r\n\r\n", "2\r\nabX\r\n0\r\n\r\n", "2\r\nab\r\n-1\r\n\r\n", "99999999999999999\r\n"]
    {
        let ack = chunked(ACK, body);
        let input = [&ping()[..], &ack, &ping(), &ping_ack()].concat();
        let found = reports(&input);
        let skipped = found[2]["length"].as_u64().expect("a number");
        let expected = [
            "> ping ok",
            "< ack rejected",
            &*format!("< unknown-end {skipped}"),
            "> ping ok",
            "< ack ok",
        ];
        assert_eq!(lines(&found), expected, "{body:?}");
        assert_eq!(found[1]["length"].as_u64(), Some(ack.len() as u64 - skipped), "{body:?}");
        let messages = found[1]["violations"].as_array().expect("a list").iter();
        let messages: Vec<_> = messages.map(|violation| &violation["message"]).collect();
        assert!(messages.contains(&&found[1]["error"]["message"]), "{found:?}");
    }
    // A chunk that is too long contains the beginning of the next message.
    let ack = chunked(ACK, "1\r\na\r\n20\r\nshort\r\n0\r\n\r\n");
    let input = [&ping()[..], &ack, &ping_ack(), &ping()].concat();
    let expected = ["> ping ok", "< ack rejected", "< unknown-end 18", "< ack ok", "> ping ok"];
    assert_lines(&input, &expected);
}

#[test]
fn a_body_in_chunks_with_a_gap_is_partial() {
    let ack = chunked(ACK, "40\r\n");
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &ping()).say(Server, &ack).lose(Server, 70).say(Server, b"0\r\n\r\n");
    dialogue.say(Client, &close()).say(Server, &close_ack()).close();
    let found = explain(&plain_pcap(&dialogue.segments));
    assert_eq!(words(&found), ["ping ok", "ack partial -70", "close-session ok", "ack ok"]);
    assert_lines(&[&ping()[..], &ack].concat(), &["> ping ok", "< ack partial"]);
}

/// A response whose body ends with the connection.
const UNTIL_CLOSE: &[u8] = b"HTTP/1.1 502 Bad Gateway\r\n\r\n<html></html>";

#[test]
fn a_body_without_a_length_ends_with_the_connection() {
    let verdict = |end: &dyn Fn(&mut Dialogue)| {
        let mut dialogue = Dialogue::opened(50000, INITIAL);
        dialogue.say(Client, &ping()).say(Server, UNTIL_CLOSE);
        end(&mut dialogue);
        let found = explain(&plain_pcap(&dialogue.segments));
        assert_eq!((found.len(), &found[1]["length"]), (2, &UNTIL_CLOSE.len().into()));
        text(&found[1], "verdict").to_string()
    };
    assert_eq!(verdict(&|dialogue| _ = dialogue.close()), "deviates");
    assert_eq!(verdict(&|dialogue| dialogue.push(Server, "F.", b"")), "deviates");
    // More bytes may have followed.
    assert_eq!(verdict(&|_| {}), "partial");
    assert_eq!(verdict(&|dialogue| dialogue.push(Client, "F.", b"")), "partial");
    assert_eq!(verdict(&|dialogue| dialogue.push(Client, "R.", b"")), "partial");
}

#[test]
fn a_body_without_a_length_ends_earlier_if_the_connection_is_used_again() {
    let expected = ["> ping ok", "< ack deviates", "< unknown-end 13", "> ping ok", "< ack ok"];
    assert_both(&[&ping(), UNTIL_CLOSE, &ping(), &ping_ack()], &expected);
    // Without a body.
    let bare = b"HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\n\r\n";
    let expected = ["> ping ok", "< ack deviates", "> ping ok", "< ack ok"];
    assert_both(&[&ping(), bare, &ping(), &ping_ack()], &expected);
    // The client did not wait for the response.
    let expected = ["> ping ok", "> ping ok", "< ack deviates", "< ack ok"];
    assert_both(&[&ping(), &ping(), bare, &ping_ack()], &expected);
    // A downloaded file may contain messages.
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, b"GET /log HTTP/1.1\r\n\r\n");
    dialogue.say(Server, b"HTTP/1.1 200 OK\r\n\r\nlog:\r\n").say(Server, &ping_ack()).close();
    let found = explain(&plain_pcap(&dialogue.segments));
    assert_eq!(lines(&found), ["> download ok", "< download ok"]);
}

#[test]
fn a_request_of_unknown_length_is_followed_by_the_next_message() {
    let fragment = String::from_utf8(fragment(0, 9, 9)).expect("ASCII");
    let fragment = fragment.replace("Content-Length: 9\r\n", "") + "NINEBYTES";
    let messages = [fragment.as_bytes(), &fragment_ack(9), &close(), &close_ack()];
    let mut expected = vec!["> fragment rejected", "> unknown-end 9", "< ack ok"];
    expected.extend(["> close-session ok", "< ack ok"]);
    assert_both(&messages, &expected);
}

#[test]
fn responses_without_a_body_end_with_their_head() {
    let length = "Content-Length: 500\r\n\r\n";
    for (request, response) in [
        ("HEAD / HTTP/1.1\r\n\r\n", format!("HTTP/1.1 200 OK\r\n{length}")),
        ("HEAD / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".into()),
        ("HEAD / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n".into()),
        ("PUT / HTTP/1.1\r\n\r\n", format!("HTTP/1.1 204 No Content\r\n{length}")),
        ("PUT / HTTP/1.1\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n".into()),
        ("GET / HTTP/1.1\r\n\r\n", format!("HTTP/1.1 304 Not Modified\r\n{length}")),
    ] {
        let messages = [request.as_bytes(), response.as_bytes(), &ping(), &ping_ack()];
        let found = explain(&plain_pcap(&dialogue(&messages).close().segments));
        assert_eq!(lines(&found)[2..], ["> ping ok", "< ack ok"], "{response}");
        assert_eq!(found.len(), 4, "{response}");
        assert_eq!(lines(&reports(&messages.concat())), lines(&found), "{response}");
    }
}

#[test]
fn an_interim_response_precedes_the_final_one() {
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
    let head = fragment(0, 9, 9);
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &head).say(Server, interim).say(Client, b"NINEBYTES");
    dialogue.say(Server, &fragment_ack(9)).close();
    let found = explain(&plain_pcap(&dialogue.segments));
    assert_eq!(lines(&found), ["> fragment ok", "< other foreign", "< ack ok"]);
    assert_eq!(found[2]["ack_for"], "fragment");
}

#[test]
fn bytes_after_a_switch_to_another_protocol_are_skipped_in_both_directions() {
    let upgrade = b"GET /chat HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let switching = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
    let connect = b"CONNECT origin.example:443 HTTP/1.1\r\n\r\n";
    // A length in the response to CONNECT is ignored.
    let connected = b"HTTP/1.1 200 Connected\r\nContent-Length: 7\r\n\r\n";
    for (request, response, first) in [
        (&upgrade[..], &switching[..], ["> download ok", "< download ok"]),
        (connect, connected, ["> other foreign", "< other foreign"]),
    ] {
        let mut dialogue = dialogue(&[request, response]);
        dialogue.say(Client, b"\x81\x05hello").say(Server, b"\x16\x03\x03\0\x02hi");
        dialogue.say(Client, b"\x81\x03bye").close();
        let file = plain_pcap(&dialogue.segments);
        let mut found = lines(&explain(&file));
        found[2..].sort();
        let skipped = ["< other-protocol 7", "> other-protocol 12"];
        assert_eq!(found, [first, skipped].concat());
        let output = inspect("vectors", &["-"], &file);
        assert_eq!(output.status.code(), Some(0), "such bytes are valid");
    }
    // A refused CONNECT is an ordinary response, and HTTP inside a tunnel is listed.
    let refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\n\r\nrefused";
    let expected = ["> other foreign", "< other foreign", "> ping ok", "< ack ok"];
    assert_both(&[connect, refused, &ping(), &ping_ack()], &expected);
    assert_both(&[connect, connected, &ping(), &ping_ack()], &expected);
}

#[test]
fn joined_lengths_are_a_deviation() {
    let joined = |message: Vec<u8>| {
        let message = String::from_utf8(message).expect("ASCII");
        message.replace("Content-Length: 0", "Content-Length: 0, 0").into_bytes()
    };
    let (ping, ack) = (joined(ping()), joined(ping_ack()));
    let expected = ["> ping deviates", "< ack deviates", "> ping deviates", "< ack deviates"];
    let found = assert_both(&[&ping, &ack, &ping, &ack], &expected);
    for report in &found {
        assert_eq!(report["deviations"], serde_json::json!(["duplicate-field"]));
        assert_eq!(report["violations"][0]["severity"], "suspicious");
        assert_eq!(report["fields"]["content_length"], 0);
    }
}
