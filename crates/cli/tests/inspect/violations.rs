//! Violations that `inspect` reports, of single messages and of their sequence.

use crate::support::inspector::{self, json_lines};
use serde_json::{Value, json};

const ID: &str = "{A0FF5911-4144-45B3-BF27-27AFC8EC8A67}";

fn inspect(arguments: &[&str], input: &[u8]) -> std::process::Output {
    inspector::inspect("vectors", arguments, input)
}

/// Returns the names of the violated rules of each message.
fn rules(arguments: &[&str], input: &[u8]) -> Vec<Vec<String>> {
    let name = |violation: &Value| violation["rule"].as_str().expect("a name").to_string();
    let names = |line: &Value| {
        let violations = line["violations"].as_array().expect("a list");
        violations.iter().map(name).collect()
    };
    let lines = json_lines(&inspect(&[&["--json"], arguments].concat(), input));
    lines.iter().map(names).collect()
}

fn fragment(first: u64, last: u64, total: u64) -> String {
    let length = last - first + 1;
    let body = "x".repeat(length as usize);
    format!(
        "BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Fragment\r\nBITS-Session-Id: {ID}\r\n\
         Content-Range: bytes {first}-{last}/{total}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn received(next: u64) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nBITS-Session-Id: {ID}\r\n\
         BITS-Received-Content-Range: {next}\r\nContent-Length: 0\r\n\r\n"
    )
}

#[test]
fn a_violation_has_a_rule_a_section_a_severity_and_a_message() {
    let input = [fragment(0, 9, 30), received(10), fragment(20, 29, 30)].concat();
    let output = inspect(&["--json", "-"], input.as_bytes());
    assert_eq!(output.status.code(), Some(1), "a MUST is violated");
    let lines = json_lines(&output);
    assert_eq!(lines[0]["violations"], json!([]));
    assert_eq!(
        lines[2]["violations"],
        json!([{
            "rule": "offset-skips-ahead",
            "section": "2.2.7.2",
            "severity": "MUST",
            "message": "fragment starts after the offset in the last Ack; it must start at that offset \
                (received 20, expected 10)",
        }])
    );
}

#[test]
fn only_a_violated_must_leads_to_exit_status_1() {
    let status = |arguments: &[&str]| inspect(arguments, b"").status.code();
    // A missing packet type is suspicious, a missing session id is a MUST, a long name a SHOULD.
    assert_eq!(status(&["rules/no-packet-type-404.http"]), Some(0));
    assert_eq!(status(&["rules/content-name-261-bytes.http"]), Some(0));
    // The specification does not forbid equal duplicates, in one field line or in several.
    for file in ["length-list", "length-duplicate-equal", "packet-type-duplicate-equal"] {
        let file = format!("rules/{file}.http");
        assert_eq!(status(&[&file]), Some(0), "{file}");
    }
    let duplicate = ["--ack-for", "close-session", "rules/ack-duplicate-equal.http"];
    assert_eq!(status(&duplicate), Some(0));
    let must = ["--ack-for", "close-session", "rules/ack-session-id-missing-close.http"];
    assert_eq!(status(&must), Some(1));
    assert_eq!(status(&[&["--exit-zero"], &must[..]].concat()), Some(0));
    let help = String::from_utf8(inspect(&["--help"], b"").stdout).expect("UTF-8");
    for text in ["\nExit status:\n  0  ", "\n  1  ", "\n  2  ", "--exit-zero"] {
        assert!(help.contains(text), "{text:?} is not in {help}");
    }
}

#[test]
fn violations_depend_on_earlier_messages() {
    let again = [fragment(0, 9, 30), received(10), fragment(0, 9, 30)].concat();
    assert_eq!(rules(&["-"], again.as_bytes())[2], ["offset-goes-back"]);
    let onwards = [fragment(0, 9, 30), received(10), fragment(10, 29, 30), received(30)].concat();
    assert!(rules(&["-"], onwards.as_bytes()).iter().all(Vec::is_empty));
    let longer = [fragment(0, 9, 30), received(10), fragment(10, 29, 31)].concat();
    assert_eq!(rules(&["-"], longer.as_bytes())[2], ["total-changes"]);
    let twice = [fragment(0, 9, 30), received(10), received(20)].concat();
    assert_eq!(rules(&["-"], twice.as_bytes())[2], ["unasked-answer"]);
    // Messages to another URL belong to another session.
    let elsewhere = fragment(0, 9, 30).replace("/e ", "/other ");
    let apart = [fragment(0, 9, 30), received(10), elsewhere].concat();
    assert!(rules(&["-"], apart.as_bytes()).iter().all(Vec::is_empty));
}

#[test]
fn unknown_earlier_messages_cause_no_violation() {
    let input = [fragment(10, 19, 30), received(20)].concat();
    assert_eq!(rules(&["-"], input.as_bytes()), [[""; 0]; 2]);
    let from_start = rules(&["--from-start", "-"], input.as_bytes());
    assert_eq!(from_start, [["request-before-create"], ["granted-without-session"]]);
    let whole = rules(&["--from-start", "upload.http", "upload-reply.http"], b"");
    assert!(whole.len() > 20 && whole.iter().all(Vec::is_empty), "{whole:?}");
}

#[test]
fn a_message_that_is_rejected_breaks_a_rule() {
    let output = inspect(&["--json", "rules/range-multiple.http", "rules/bare-lf.http"], b"");
    for line in json_lines(&output) {
        let messages: Vec<_> = line["violations"].as_array().expect("a list").iter().collect();
        assert_eq!(line["verdict"], "rejected");
        assert_eq!(messages.len(), 1, "{line}");
        assert_eq!(messages[0]["message"], line["error"]["message"]);
        assert_eq!(messages[0]["section"], line["error"]["section"]);
    }
    // Also if the observer does not know the earlier messages.
    let beyond = rules(&["pairs/received-beyond-sent.http"], b"");
    assert_eq!(beyond[1], ["received-beyond-sent"]);
}

#[test]
fn a_response_without_a_request_is_read_for_itself() {
    let alone = rules(&["--ack-for", "fragment", "rules/ack-received-misspelt.http"], b"");
    assert_eq!(alone, [["misspelt-received"]]);
    let negative = rules(&["--ack-for", "fragment", "rules/ack-received-negative.http"], b"");
    assert_eq!(negative, [["not-decimal"]]);
}

#[test]
fn the_table_shows_rules_and_severities() {
    let input = [fragment(0, 9, 30), received(10), fragment(20, 29, 30)].concat();
    let output = inspect(&["-"], input.as_bytes());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("MUST offset-skips-ahead: "), "{text}");
    let output = inspect(&["rules/ack-received-misspelt.http", "rules/range-multiple.http"], b"");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    // Each is reported once, and counted in the summaries of its file and of both.
    for rule in ["misspelt-received", "not-byte-range"] {
        assert_eq!(text.matches(&format!(" {rule}: ")).count(), 1, "{rule} in\n{text}");
        assert_eq!(text.matches(&format!("  {rule}\n")).count(), 2, "{rule} in\n{text}");
    }
    assert_eq!(text.matches("FIRST-LAST/TOTAL").count(), 1, "{text}");
}

/// Captured conversations of the example programs.
#[test]
fn captures_of_the_examples_have_no_violation() {
    let rules_of = |file: &str| -> Vec<_> {
        let lines =
            json_lines(&inspector::inspect("captures", &["--json", "--from-start", file], b""));
        assert!(lines.len() > 10, "{file}: {} messages", lines.len());
        let broken = lines.iter().filter(|line| line["violations"] != json!([]));
        broken.map(|line| (line["kind"].clone(), line["violations"][0]["rule"].clone())).collect()
    };
    assert_eq!(rules_of("upload.pcap"), []);
    // A web page that an intermediary returns with 200 instead of the server's response.
    assert_eq!(rules_of("faults.pcapng"), [(json!("ack"), json!("not-an-ack"))]);
}

/// Returns the rules that the messages of a session violate.
fn rules_of_session(messages: &[String]) -> Vec<Vec<String>> {
    let create = "BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Create-Session\r\n\
        BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}\r\n\
        Content-Length: 0\r\n\r\n";
    let created = format!(
        "HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nBITS-Session-Id: {ID}\r\n\
         BITS-Protocol: {{7df0354d-249b-430f-820d-3d2a9bef4931}}\r\nContent-Length: 0\r\n\r\n"
    );
    let mut rules = rules(&["-"], [create, &created, &messages.concat()].concat().as_bytes());
    rules.split_off(2)
}

/// Removes a field from a message.
fn without(message: String, field: &str) -> String {
    let lines = message.split_inclusive("\r\n").filter(|line| !line.starts_with(field));
    lines.collect()
}

/// The bytes of all fragments of a session were sent.
#[test]
fn a_server_may_acknowledge_bytes_of_an_earlier_fragment() {
    let messages = [
        fragment(0, 9, 30),
        received(10),
        fragment(10, 19, 30),
        received(20),
        fragment(0, 9, 30),
        received(20),
        fragment(0, 9, 30),
        received(21),
    ];
    let repeated = ["offset-goes-back"];
    let expected = [&[][..], &[], &[], &[], &repeated, &[], &repeated, &["received-beyond-sent"]];
    assert_eq!(rules_of_session(&messages), expected);
    // The first fragment was not captured.
    let late = rules(&["-"], messages[2..6].concat().as_bytes());
    assert_eq!(late, [&[][..], &[], &repeated, &[]]);
}

#[test]
fn an_ack_without_an_offset_names_none() {
    let ack = || without(received(0), "BITS-Received");
    let messages =
        [fragment(0, 9, 30), ack(), fragment(10, 19, 30), ack(), fragment(0, 9, 30), ack()];
    let missing = ["missing-received"];
    let expected = [&[][..], &missing, &[], &missing, &[], &missing];
    assert_eq!(rules_of_session(&messages), expected);
}

#[test]
fn the_error_code_0_is_no_error_code() {
    for code in ["0", "0x00000000"] {
        let refused = format!(
            "HTTP/1.1 500 X\r\nBITS-Packet-Type: Ack\r\nBITS-Error-Code: {code}\r\n\
             BITS-Error-Context: 5\r\nContent-Length: 0\r\n\r\n"
        );
        let found = rules_of_session(&[fragment(0, 9, 30), refused]);
        assert_eq!(found, [&[][..], &["missing-error"]]);
    }
}

#[test]
fn a_server_may_not_omit_the_packet_type() {
    let refused = "HTTP/1.1 500 X\r\nBITS-Error-Code: 0x80200020\r\nContent-Length: 0\r\n\r\n";
    let input = [fragment(0, 9, 30), refused.into()].concat();
    let lines = json_lines(&inspect(&["--json", "-"], input.as_bytes()));
    let violation = &lines[1]["violations"][0];
    assert_eq!(
        (&violation["rule"], &violation["severity"]),
        (&json!("missing-packet-type"), &json!("MUST"))
    );
}

#[test]
fn the_section_of_an_ack_forbids_error_fields() {
    let ack = received(10).replace("Content-Length", "BITS-Error: 0x1\r\nContent-Length");
    let input = [fragment(0, 9, 30), ack].concat();
    let lines = json_lines(&inspect(&["--json", "-"], input.as_bytes()));
    let violation = &lines[1]["violations"][0];
    assert_eq!(violation["rule"], "error-on-success");
    assert_eq!(
        (&violation["severity"], &violation["section"]),
        (&json!("MUST"), &json!("2.2.7.2"))
    );
}

#[test]
fn the_responses_to_downloads_are_checked() {
    let request =
        |range: &str| format!("GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes={range}\r\n\r\n");
    let part =
        |range: &str| format!("--b\r\nContent-Range: bytes {range}/100\r\n\r\n0123456789\r\n");
    let response = |parts: &[&str]| {
        let parts: String = parts.iter().map(|range| part(range)).collect();
        let length = parts.len() + "--b--\r\n".len();
        format!(
            "HTTP/1.1 206 Partial Content\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
             Content-Type: multipart/byteranges; boundary=b\r\nContent-Length: {length}\r\n\r\n\
             {parts}--b--\r\n"
        )
    };
    let ranges = request("20-29,0-9");
    let dated = response(&["0-9", "20-29"]);
    let undated = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc".to_string();
    let input = [&ranges, &dated, &ranges, &response(&["20-29", "0-9"]), &request("1-1"), &undated];
    let found = rules(&["-"], input.map(String::as_str).concat().as_bytes());
    let none: [&str; 0] = [];
    assert_eq!(found[1], ["reordered-ranges"]);
    assert_eq!(found[3], none);
    assert_eq!(found[5], ["download-without-date", "range-ignored"]);
    let page = "GET /page HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n";
    assert_eq!(rules(&["-"], [page, &undated].concat().as_bytes()), [none, none], "a web page");
    let identity = page.replace("gzip", "identity");
    let found_for_identity = rules(&["-"], [&identity[..], &undated].concat().as_bytes());
    assert_eq!(found_for_identity, [&none[..], &["download-without-date"]]);
    assert!([0, 2, 4].iter().all(|index| found[*index] == none), "{found:?}");
}

#[test]
fn a_malformed_response_answers_its_download() {
    let request = "GET /file HTTP/1.1\r\nHost: h\r\n\r\n";
    let malformed = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n";
    let head = "HEAD /file HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0\r\n\r\n";
    let response = "HTTP/1.1 200 OK\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                    Content-Length: 100\r\n\r\n";
    let ranged = request.replace("\r\n\r\n", "\r\nRange: bytes=0-0\r\n\r\n");
    let found = rules(&["-"], [&ranged, malformed, head, response].concat().as_bytes());
    assert!(found.iter().all(Vec::is_empty), "{found:?}");
}
