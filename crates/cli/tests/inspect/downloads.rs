//! The rules that responses to downloads violate, among them responses whose body is sent in chunks or
//! has a wrong length.

use bits_proto::observer::{DownloadRule, Severity};

use crate::support::capture::Side::{Client, Server};
use crate::support::capture::{Dialogue, plain_pcap};
use crate::support::dialogues::{INITIAL, explain, rules, words};
use crate::support::inspector::{inspect, json_lines, repository};

const REQUEST: &[u8] = b"GET /f HTTP/1.1\r\nRange: bytes=2-3,7-8\r\n\r\n";
const BODY: &[u8] = b"--b\r\nContent-Range: bytes 7-8/9\r\n\r\nhi\r\n\
    --b\r\nContent-Range: bytes 2-3/9\r\n\r\ncd\r\n--b--\r\n";
const FOUND: [&str; 2] = ["download-without-length", "reordered-ranges"];

/// Returns the head of a response with several ranges.
fn head(framing: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 206 Partial Content\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
         Content-Type: multipart/byteranges; boundary=b\r\n{framing}\r\n\r\n"
    )
    .into_bytes()
}

/// Returns a response whose body is sent in chunks of `length` bytes.
fn in_chunks(body: &[u8], length: usize) -> Vec<u8> {
    let mut message = head("Transfer-Encoding: chunked");
    for chunk in body.chunks(length) {
        message.extend(format!("{:x};name=value\r\n", chunk.len()).bytes());
        message.extend([chunk, b"\r\n"].concat());
    }
    message.extend(b"0\r\n\r\n");
    message
}

/// Returns the rules that the response to the request violates, in a capture of these segments.
fn violations(segments: &[&[u8]]) -> Vec<String> {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, REQUEST);
    for segment in segments {
        dialogue.say(Server, segment);
    }
    dialogue.say(Client, REQUEST);
    let reports = explain(&plain_pcap(&dialogue.segments));
    assert_eq!(words(&reports), ["download ok", "download ok", "download ok"]);
    rules(&reports).swap_remove(1)
}

/// Chunks of every length end in the head of a part and in its data.
#[test]
fn parts_in_chunks_are_checked() {
    for length in 1..=BODY.len() {
        let response = in_chunks(BODY, length);
        assert_eq!(violations(&[&response]), FOUND, "chunks of {length} bytes");
    }
}

#[test]
fn segments_may_end_in_the_head_of_a_chunk_or_of_a_part() {
    let response = in_chunks(BODY, 9);
    let after = |text: &str| {
        let index = response.windows(text.len()).position(|it| it == text.as_bytes());
        index.unwrap_or_else(|| panic!("no {text:?}")) + text.len()
    };
    for end in [after("9;na"), after("Content-"), after("ame=value\r\n--b"), after("\r\n\r\n9")] {
        let (first, second) = response.split_at(end);
        assert_eq!(violations(&[first, second]), FOUND, "{:?}", first.escape_ascii().to_string());
    }
    let bytes: Vec<_> = response.chunks(1).collect();
    assert_eq!(violations(&bytes), FOUND);
}

#[test]
fn a_body_that_ends_early_lacks_its_last_parts() {
    let cut = &BODY[..BODY.len() / 2];
    let missing = ["download-without-length", "missing-parts"];
    assert_eq!(violations(&[&in_chunks(cut, 9)]), missing);
    let framing = format!("Content-Length: {}", cut.len());
    assert_eq!(violations(&[&head(&framing), cut]), missing[1..]);
}

/// The parts of the next response do not belong to this one.
#[test]
fn a_body_ends_where_its_head_says() {
    let half = BODY.len() / 2;
    let framing = format!("Content-Length: {half}");
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &[REQUEST, REQUEST].concat());
    dialogue.say(Server, &[&head(&framing)[..], &BODY[..half], &in_chunks(BODY, 9)].concat());
    let reports = explain(&plain_pcap(&dialogue.segments));
    assert_eq!(rules(&reports)[2..], [vec!["missing-parts"], FOUND.to_vec()]);
}

#[test]
fn an_unreadable_body_is_not_compared_with_the_request() {
    let second = BODY.len() / 2;
    let (first, second) = (&BODY[..second - b"--b".len()], &BODY[second..]);
    let unreadable = [first, b"--x", second].concat();
    let ended = [first, b"--b--\r\n--x", second].concat();
    assert_eq!(violations(&[&in_chunks(&unreadable, 9)]), FOUND[..1]);
    assert_eq!(violations(&[&in_chunks(&ended, 9)]), ["download-without-length", "missing-parts"]);
}

/// Returns the messages of the input that violates a rule: its parts between NULs without the number of
/// their connection.
fn messages_with(rule: DownloadRule) -> Vec<u8> {
    let folder = repository().join("fuzz/regressions/observe_downloads");
    let path = folder.join(format!("rule-{}", rule.name()));
    let input = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    input.split(|byte| *byte == 0).flat_map(|message| &message[1..]).copied().collect()
}

#[test]
fn every_rule_of_downloads_is_reported() {
    for rule in DownloadRule::ALL {
        let output = inspect("vectors", &["--json", "-"], &messages_with(*rule));
        let reports = json_lines(&output);
        let (last, others) = reports.split_last().expect("messages");
        assert_eq!(rules(std::slice::from_ref(last)), [[rule.name()]], "{rule:?}");
        assert!(rules(others).concat().is_empty(), "{rule:?}: {reports:?}");
        let violation = &last["violations"][0];
        assert_eq!(violation["severity"], rule.severity().name());
        assert_eq!(violation["section"], rule.section());
        let status = i32::from(rule.severity() == Severity::Must);
        assert_eq!(output.status.code(), Some(status), "{rule:?}");
    }
}
