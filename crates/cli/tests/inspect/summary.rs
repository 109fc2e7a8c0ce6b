//! The counts after the messages.

use crate::support::capture::{Dialogue, Side, plain_pcap};
use crate::support::dialogues::{
    self, ID, INITIAL, close, close_ack, fragment_ack, ping, ping_ack,
};
use crate::support::inspector::{inspect, json_lines};
use crate::support::vectors;
use bits_cli::inspect::conversation::{Context, explain};
use bits_cli::inspect::input;
use bits_cli::inspect::report::{Party, Report};
use bits_cli::inspect::source::Direction;
use bits_cli::inspect::summary::{Sessions, Summary, Transfer};
use bits_proto::observer::Severity;
use serde_json::{Value, json};

fn summary(messages: &[Vec<u8>]) -> Summary {
    Summary::of(&explain("", &messages.concat(), Context::default()))
}

fn create(name: &str) -> Vec<u8> {
    format!(
        "BITS_POST /{name} HTTP/1.1\r\nBITS-Packet-Type: Create-Session\r\n\
         BITS-Supported-Protocols: {{7df0354d-249b-430f-820d-3d2a9bef4931}}\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into()
}

fn create_ack() -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nBITS-Session-Id: {ID}\r\n\
         BITS-Protocol: {{7df0354d-249b-430f-820d-3d2a9bef4931}}\r\nContent-Length: 0\r\n\r\n"
    )
    .into()
}

fn cancel() -> Vec<u8> {
    String::from_utf8(close()).expect("UTF-8").replace("Close-Session", "Cancel-Session").into()
}

fn refusal(status: &str, fields: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nBITS-Packet-Type: Ack\r\n{fields}Content-Length: 0\r\n\r\n")
        .into()
}

const LOST: &str = "BITS-Error-Code: 0x8020001F\r\nBITS-Error-Context: 0x5\r\n";

fn fragment(first: u64, length: u64, total: u64) -> Vec<u8> {
    let body = vec![b'x'; length as usize];
    [dialogues::fragment(first, length, total), body].concat()
}

#[test]
fn a_complete_upload_is_counted() {
    let reports = vectors::conversation("upload.http");
    let found = summary(&reports);
    assert_eq!((found.conversations, found.requests, found.responses), (1, 5, 5));
    assert_eq!((found.foreign, found.rejected, found.partial), (0, 0, 0));
    let sessions = Sessions { created: 1, closed: 1, ..Sessions::default() };
    assert_eq!(found.sessions, sessions);
    let transfer =
        Transfer { fragments: 2, sent: 502, acknowledged: 502, retries: 0, resynchronisations: 0 };
    assert_eq!(found.transfer, transfer);
    assert!(found.violations.is_empty());
}

/// The first requests of an authentication have no bytes.
#[test]
fn a_fragment_without_a_body_is_not_counted() {
    let challenge = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n".to_vec();
    let head = String::from_utf8(dialogues::fragment(0, 10, 30)).expect("UTF-8");
    let found = summary(&[
        create("e"),
        create_ack(),
        head.replace("Content-Length: 10", "Content-Length: 0").into_bytes(),
        challenge,
        fragment(0, 10, 30),
        fragment_ack(10),
    ]);
    let transfer =
        Transfer { fragments: 1, sent: 10, acknowledged: 10, retries: 0, resynchronisations: 0 };
    assert_eq!(found.transfer, transfer);
}

#[test]
fn repeated_bytes_are_sent_twice_and_acknowledged_once() {
    let found = summary(&[
        create("e"),
        create_ack(),
        fragment(0, 10, 30),
        refusal("503 Busy", "BITS-Error-Code: 0x80190193\r\nBITS-Error-Context: 0x5\r\n"),
        fragment(0, 10, 30),
        fragment_ack(10),
        fragment(10, 10, 30),
        refusal("416 Range", "BITS-Received-Content-Range: 10\r\n"),
        fragment(10, 10, 30),
        fragment_ack(20),
    ]);
    let transfer =
        Transfer { fragments: 4, sent: 40, acknowledged: 20, retries: 2, resynchronisations: 1 };
    assert_eq!(found.transfer, transfer);
    assert_eq!(found.sessions, Sessions { created: 1, open: 1, ..Sessions::default() });
}

#[test]
fn packets_without_a_range_are_retries_after_a_failure_only() {
    let busy = || refusal("503 Busy", "");
    let again = summary(&[ping(), busy(), ping(), ping_ack(), ping(), ping_ack()]);
    assert_eq!(again.transfer.retries, 1);
    let other = summary(&[ping(), busy(), close(), close_ack()]);
    assert_eq!(other.transfer.retries, 0);
}

#[test]
fn an_upload_whose_beginning_was_not_captured_counts_what_was_captured() {
    let found = summary(&[fragment(10, 10, 30), fragment_ack(20), fragment(20, 10, 30)]);
    let transfer =
        Transfer { fragments: 2, sent: 20, acknowledged: 10, retries: 0, resynchronisations: 0 };
    assert_eq!(found.transfer, transfer);
    assert_eq!(found.sessions, Sessions { open: 1, ..Sessions::default() });
}

#[test]
fn bytes_that_were_not_sent_are_not_counted() {
    let mut cut = fragment(0, 10, 30);
    cut.truncate(cut.len() - 3);
    let found = summary(&[cut.clone()]);
    assert_eq!((found.transfer.fragments, found.transfer.sent, found.partial), (1, 0, 1));
    let transfer = |dialogue: &Dialogue| {
        let file = plain_pcap(&dialogue.segments);
        let explained = input::explain("", &file, Context::default(), usize::MAX);
        Summary::of(&explained.reports).transfer
    };
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    let found = transfer(dialogue.say(Side::Client, &cut).close());
    assert_eq!((found.fragments, found.sent), (1, 7), "the connection ends");
    // Bytes that were not captured were sent.
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Side::Client, &cut).lose(Side::Client, 3);
    let found = transfer(dialogue.say(Side::Client, &ping()));
    assert_eq!((found.fragments, found.sent), (1, 10));
}

#[test]
fn sessions_end_in_one_of_three_ways() {
    let created = [create("e"), create_ack()];
    let sessions = |rest: &[Vec<u8>]| summary(&[&created, rest].concat()).sessions;
    let one = Sessions { created: 1, ..Sessions::default() };
    assert_eq!(sessions(&[]), Sessions { open: 1, ..one });
    let closed = [fragment(0, 30, 30), fragment_ack(30), close(), close_ack()];
    assert_eq!(sessions(&closed), Sessions { closed: 1, ..one });
    assert_eq!(sessions(&[cancel(), close_ack()]), Sessions { cancelled: 1, ..one });
    let lost = [fragment(0, 10, 30), refusal("500 Lost", LOST)];
    assert_eq!(sessions(&lost), Sessions { lost: 1, ..one });
    // A session that was closed cannot be lost afterwards.
    let repeated = [close(), refusal("500 Lost", LOST)];
    assert_eq!(sessions(&[&closed[..], &repeated].concat()), Sessions { closed: 1, ..one });
    // Another spelling of the same id is the same session.
    let lower = |message: Vec<u8>| {
        let text = String::from_utf8(message).expect("UTF-8");
        text.replace(ID, &ID.to_lowercase()).into_bytes()
    };
    assert_eq!(sessions(&[lower(cancel()), close_ack()]), Sessions { cancelled: 1, ..one });
}

#[test]
fn conversations_are_counted_by_url() {
    let messages = [create("a"), create_ack(), create("b"), create_ack()];
    assert_eq!(summary(&messages).conversations, 2);
    let download = b"GET /c HTTP/1.1\r\nHost: h\r\n\r\n".to_vec();
    assert_eq!(summary(&[download]).conversations, 0, "a download is no upload");
}

#[test]
fn violations_are_counted_by_rule_and_party_and_sorted_by_severity() {
    let again = [fragment(50, 10, 90), fragment_ack(60)].concat();
    let found = summary(&[
        ping(),
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
        fragment(0, 10, 30),
        fragment_ack(10),
        fragment(20, 10, 30),
        fragment_ack(30),
        again.clone(),
        again,
    ]);
    let sorted = found.sorted_violations();
    let rules: Vec<_> = sorted
        .iter()
        .map(|(rule, count)| (rule.severity().name(), *count, rule.party, rule.name))
        .collect();
    assert_eq!(
        rules,
        [
            ("MUST", 2, Party::Client, "offset-skips-ahead"),
            ("MUST", 1, Party::Client, "offset-goes-back"),
            ("MUST", 1, Party::Client, "total-changes"),
            ("suspicious", 1, Party::Server, "missing-packet-type"),
        ]
    );
}

#[test]
fn the_sender_of_a_notification_is_the_server() {
    let mut report = Report::new("", 0, Some(Direction::Request));
    assert_eq!(report.sender(), Party::Client);
    report.kind = "notification-request";
    assert_eq!(report.sender(), Party::Server);
    let mut report = Report::new("", 0, Some(Direction::Response));
    assert_eq!(report.sender(), Party::Server);
    report.kind = "notification-response";
    assert_eq!(report.sender(), Party::Application);
}

#[test]
fn a_summary_has_a_must_if_a_message_violates_one() {
    let input = [fragment(0, 10, 30), fragment_ack(10), fragment(20, 10, 30)].concat();
    let reports = explain("", &input, Context::default());
    let violates: Vec<_> = reports.iter().map(Report::violates_must).collect();
    assert_eq!(violates, [false, false, true]);
    let summary = Summary::of(&reports);
    assert!(summary.violations.keys().any(|rule| rule.severity() == Severity::Must));
}

#[test]
fn several_files_have_a_summary_each_and_one_of_all() {
    let files = ["upload.http", "upload-reply.http"];
    let text =
        |files: &[&str]| String::from_utf8(inspect("vectors", files, b"").stdout).expect("UTF-8");
    let both = text(&files);
    assert_eq!(both.matches("\nSummary\n").count(), 2, "{both}");
    let (_, total) = both.split_once("\nSummary of 2 files\n").expect("a summary of all");
    assert!(total.contains("  messages            12 requests, 12 responses\n"), "{total}");
    assert!(total.contains("  bytes               864 sent in 5 fragments, 864 ack"), "{total}");
    assert!(!text(&files[..1]).contains("Summary of"));
}

#[test]
fn json_has_summaries_only_with_an_option() {
    let files = ["upload.http", "rules/range-multiple.http"];
    let lines = |arguments: &[&str]| json_lines(&inspect("vectors", arguments, b""));
    let plain = lines(&["--json", files[0], files[1]]);
    let all = lines(&["--json", "--summary", files[0], files[1]]);
    let (summaries, messages): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|line| line.get("summary").is_some());
    assert_eq!(messages, plain);
    let named: Vec<_> = summaries.iter().map(|line| &line["summary"]["file"]).collect();
    assert_eq!(named, [&json!(files[0]), &json!(files[1]), &Value::Null]);
    let total = &summaries[2]["summary"];
    assert_eq!(total["messages"]["requests"], 6);
    assert_eq!(total["messages"]["rejected"], 1);
    assert_eq!(total["sessions"]["closed"], 1);
    assert_eq!(
        total["violations"],
        json!([{
            "rule": "not-byte-range", "section": "2.2.6.1", "severity": "MUST", "party": "client",
            "count": 1,
        }])
    );
    assert_eq!(lines(&["--json", "--summary", files[0]]).len(), 11, "one summary of one file");
}
