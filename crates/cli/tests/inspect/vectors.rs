//! The inspector with all test vectors, and its command line.
//!
//! If `BITS_WIRE` names a folder with a `MANIFEST.tsv` of captured messages and their verdicts, every message in
//! it is checked as well:
//!
//! ```sh
//! BITS_WIRE=path/to/wire cargo test -p bits-cli --test inspect
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::inspector::{self, json_lines};
use bits_cli::inspect::conversation::{Context, explain};
use bits_cli::inspect::pending::PendingRequest;
use bits_cli::inspect::report::{Report, Skipped, Verdict};
use bits_cli::inspect::source::SkipReason;
use serde_json::Value;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors");

/// Parses a tab-separated file with a header line into rows by column name.
fn manifest(folder: &Path) -> Vec<BTreeMap<String, String>> {
    let path = folder.join("MANIFEST.tsv");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let mut lines = text.lines().map(|line| line.split('\t'));
    let header: Vec<_> = lines.next().expect("a header line").collect();
    lines
        .map(|row| header.iter().zip(row).map(|(key, it)| (key.to_string(), it.to_string())))
        .map(BTreeMap::from_iter)
        .collect()
}

/// Assumes this request for a response without one.
fn answering(ack_for: Option<PendingRequest<'static>>) -> Context {
    Context { ack_for, ..Context::default() }
}

fn read(folder: &Path, file: &str) -> Vec<u8> {
    std::fs::read(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Returns a report in the terms of the manifest: kind, verdict, deviations, failure, reply.
fn in_words(report: &Report) -> String {
    let json = report.to_json();
    let word = |value: &Value| value.as_str().unwrap_or("-").to_string();
    let deviations = json["deviations"].as_array().expect("a list");
    let deviations = deviations.iter().map(word).collect::<Vec<_>>().join(",");
    let reply = &json["reply"];
    let reply = match reply {
        Value::Null => "-".into(),
        _ => format!("{}/{}/{}", reply["status"], word(&reply["code"]), word(&reply["context"])),
    };
    [
        word(&json["kind"]),
        word(&json["verdict"]),
        if deviations.is_empty() { "-".into() } else { deviations },
        word(&json["failure"]),
        reply,
    ]
    .join(" ")
}

#[test]
fn every_vector_is_read_as_its_manifest_says() {
    let folder = Path::new(VECTORS);
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut alone = BTreeMap::new();
    for row in manifest(folder) {
        let columns = ["kind", "verdict", "deviations", "failure", "reply"];
        let words = columns.map(|column| row[column].clone()).join(" ");
        expected.entry(row["file"].clone()).or_default().push(words);
        alone.insert(row["file"].clone(), PendingRequest::assumed(&row["ack_for"]));
    }
    let mut wrong = Vec::new();
    for (file, expected) in &expected {
        let reports = explain(file, &read(folder, file), answering(alone[file]));
        // The body of a rejected message may be skipped.
        let messages = reports.iter().filter(|report| report.verdict != Verdict::Skipped);
        let found: Vec<_> = messages.map(in_words).collect();
        if found != *expected {
            wrong.push(format!("{file}\n  expected {expected:#?}\n  found {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(expected.len() > 200, "only {} vectors", expected.len());
}

#[test]
fn every_vector_file_is_in_the_manifest() {
    let folder = Path::new(VECTORS);
    let listed: Vec<_> = manifest(folder).into_iter().map(|row| row["file"].clone()).collect();
    for sub in ["", "rules", "pairs"] {
        let files = std::fs::read_dir(folder.join(sub)).expect("the folder of vectors");
        for file in files.map(|file| file.expect("a file").path()) {
            if file.extension().is_some_and(|it| it == "http") {
                let name = file.strip_prefix(folder).expect("inside the folder");
                let name = name.to_str().expect("UTF-8").replace('\\', "/");
                assert!(listed.contains(&name), "{name} has no row");
            }
        }
    }
}

#[test]
fn a_conversation_cut_anywhere_is_explained_up_to_the_cut() {
    for file in ["upload.http", "upload-reply.http", "notify-by-value.http"] {
        let bytes = read(Path::new(VECTORS), file);
        let whole: Vec<_> =
            explain(file, &bytes, Context::default()).iter().map(in_words).collect();
        for cut in 0..bytes.len() {
            let reports = explain(file, &bytes[..cut], Context::default());
            let (last, before) = match reports.split_last() {
                Some((last, before)) if last.verdict == Verdict::Partial => (Some(last), before),
                _ => (None, &reports[..]),
            };
            let before: Vec<_> = before.iter().map(in_words).collect();
            assert_eq!(before, whole[..before.len()], "{file} cut at {cut}");
            let error = last.and_then(|last| last.error);
            assert_eq!(error, None, "{file} cut at {cut}");
        }
    }
}

#[test]
fn an_ack_is_read_for_the_request_before_it() {
    let bytes = read(Path::new(VECTORS), "upload.http");
    let requests: Vec<_> =
        explain("", &bytes, Context::default()).iter().filter_map(|it| it.ack_context).collect();
    assert_eq!(requests, ["create-session", "fragment", "fragment", "ping", "close-session"]);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let bytes = read(Path::new(VECTORS), "upload.http");
    // All requests first, then all Acks.
    let whole = explain("", &bytes, Context::default());
    let split = split_directions(&bytes);
    let reports = explain("", &split, Context::default());
    let answers = |reports: &[Report]| -> Vec<String> {
        reports.iter().filter(|it| !it.is_request()).map(in_words).collect()
    };
    assert_eq!(answers(&reports), answers(&whole));
    assert_eq!(reports.len(), whole.len());
}

fn split_directions(bytes: &[u8]) -> Vec<u8> {
    let mut starts: Vec<_> = (0..bytes.len())
        .filter(|at| {
            let rest = &bytes[*at..];
            rest.starts_with(b"HTTP/1.1 ") || rest.starts_with(b"BITS_POST ")
        })
        .collect();
    starts.push(bytes.len());
    let messages = starts.windows(2).map(|bounds| &bytes[bounds[0]..bounds[1]]);
    let (acks, requests): (Vec<_>, Vec<_>) = messages.partition(|it| it.starts_with(b"HTTP/"));
    [requests.concat(), acks.concat()].concat()
}

#[test]
fn an_interim_response_leaves_the_request_unanswered() {
    let bytes = b"BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Ping\r\nContent-Length: 0\r\n\r\n\
        HTTP/1.1 100 Continue\r\n\r\n\
        HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nContent-Length: 0\r\n\r\n";
    let reports = explain("", bytes, Context::default());
    let words: Vec<_> = reports.iter().map(in_words).collect();
    assert_eq!(words, ["ping ok - - -", "other foreign - - -", "ack ok - - -"]);
}

#[test]
fn values_are_shown_even_when_the_message_is_rejected() {
    let bytes = read(Path::new(VECTORS), "rules/content-encoding-gzip.http");
    let json = explain("", &bytes, Context::default())[0].to_json();
    assert_eq!(json["verdict"], "rejected");
    assert_eq!(json["error"]["field"], "Content-Encoding");
    assert_eq!(json["error"]["section"], "2.2.6.1");
    assert!(json["error"]["offset"].as_u64().is_some_and(|at| at < bytes.len() as u64));
    assert!(json["fields"]["last"].is_u64() && json["fields"]["session_id"].is_string());
}

fn inspect(arguments: &[&str], input: &[u8]) -> Output {
    inspector::inspect("vectors", arguments, input)
}

#[test]
fn without_files_two_conversations_are_explained() {
    let output = inspect(&[], b"");
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("upload.http") && text.contains("upload-reply.http"));
    assert!(text.contains("close-session") && text.contains("upload completed"), "{text}");
}

#[test]
fn control_characters_of_a_peer_do_not_reach_the_terminal() {
    // U+009B starts a control sequence in many terminals.
    let csi = "\u{9B}31m";
    let bytes = format!(
        "BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Create-Session\r\nContent-Name: {csi}\r\n\
         BITS-Supported-Protocols: {{7df0354d-249b-430f-820d-3d2a9bef4931}}\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let output = inspect(&["-"], bytes.as_bytes());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("\u{FFFD}31m") && !text.contains('\u{9B}'), "{text}");
}

#[test]
fn json_has_every_key_for_every_message() {
    let keys = [
        "file",
        "index",
        "kind",
        "ack_for",
        "verdict",
        "deviations",
        "fields",
        "failure",
        "error",
        "reply",
        "connection",
        "time",
        "missing",
        "violations",
        "direction",
        "length",
        "unsent",
        "skipped",
        "authentication",
    ];
    let output = inspect(&["--json", "upload.http", "rules/transfer-encoding-on-create.http"], b"");
    let lines = json_lines(&output);
    assert!(lines.len() > 10, "{} lines", lines.len());
    for line in lines {
        let found: Vec<_> = line.as_object().expect("an object").keys().cloned().collect();
        assert_eq!(found, keys);
        let of_captures = [&line["connection"], &line["time"], &line["missing"]];
        assert!(of_captures.iter().all(|value| value.is_null()), "{line}");
    }
}

#[test]
fn the_exit_status_tells_good_from_bad_from_unreadable() {
    let status = |arguments: &[&str], input| inspect(arguments, input).status.code();
    let ok = b"BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Ping\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(status(&["-"], ok), Some(0));
    assert_eq!(status(&["-"], b""), Some(0), "an empty input is valid");
    assert_eq!(status(&["-"], &ok[..20]), Some(1), "cut short");
    assert_eq!(status(&["-"], b"\0\xFF junk\r\n\r\n"), Some(1));
    assert_eq!(status(&["rules/range-multiple.http"], b""), Some(1));
    assert_eq!(status(&["no such file"], b""), Some(2));
    assert_eq!(status(&["."], b""), Some(2), "a folder");
    assert_eq!(status(&["--ack-for", "nonsense", "-"], b""), Some(2));
    assert_eq!(status(&["--nonsense"], b""), Some(2));
    assert_eq!(status(&["--exit-zero", "-"], &ok[..20]), Some(0));
    assert_eq!(status(&["--exit-zero", "no such file"], b""), Some(2));
    let unreadable = inspect(&["no such file", "upload.http"], b"");
    assert!(!unreadable.stderr.is_empty() && !unreadable.stdout.is_empty());
}

#[test]
fn ack_for_sets_the_request_of_a_lone_response() {
    let ack = b"HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nContent-Length: 0\r\n\r\n";
    let verdicts = ["ping", "fragment", "close-session", "create-session", "notification"]
        .map(|it| json_lines(&inspect(&["--json", "--ack-for", it, "-"], ack))[0].clone());
    let verdicts = verdicts.map(|it| it["verdict"].as_str().expect("text").to_string());
    assert_eq!(verdicts, ["ok", "deviates", "deviates", "rejected", "deviates"]);
}

/// Returns true if the report matches the verdict of a captured message.
fn fits(verdict: &str, note: &str, report: &Report) -> bool {
    use Verdict::{Deviates, Foreign, Ok, Partial, Rejected};
    match verdict {
        "ok" => report.verdict == Ok,
        "ok-dev" => report.verdict == Deviates,
        "reject" => report.verdict == Rejected && report.reply.is_some(),
        "error" | "error-dev" => report.verdict != Rejected && report.failure.is_some(),
        "resync" => report.failure.map(|it| it.name()) == Some("resynchronise"),
        "incomplete" => report.verdict == Partial,
        "not-bits" => report.verdict == Foreign || report.failure.is_some(),
        // An offset beyond the total is found only with the request.
        "protocol-error" => report.verdict == Rejected || note.contains("offset > total"),
        "policy" => report.verdict != Partial,
        other => panic!("unknown verdict {other}"),
    }
}

fn alone(packet_kind: &str) -> Option<PendingRequest<'static>> {
    let inner = packet_kind.strip_prefix("Ack(").and_then(|rest| rest.strip_suffix(')'));
    PendingRequest::assumed(match inner.map(|inner| inner.split(',').next().unwrap_or(inner)) {
        Some("Create") => "create-session",
        Some("Ping") => "ping",
        Some("Close") => "close-session",
        Some("Cancel") => "cancel-session",
        Some(_) => "fragment",
        None if packet_kind.starts_with("Notification response") => "notification",
        None => "",
    })
}

#[test]
fn captured_messages_get_their_verdicts() {
    let Some(folder) = std::env::var_os("BITS_WIRE").map(PathBuf::from) else {
        println!("BITS_WIRE is not set: no captured messages were run");
        return;
    };
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in manifest(&folder).iter().filter(|row| row["verdict"] != "raw-body") {
        let (file, verdict) = (&row["file"], &row["verdict"]);
        let mut reports =
            explain(file, &read(&folder, file), answering(alone(&row["packet_kind"])));
        // The body of a message whose end is unknown.
        let is_body = |it: &Skipped| it.reason == SkipReason::UnknownEnd;
        reports.retain(|report| !report.skipped.as_ref().is_some_and(is_body));
        let is_expected = |report: &Report| fits(verdict, &row["expected_outcome"], report);
        if reports.is_empty() || !reports.iter().all(is_expected) {
            let found: Vec<_> = reports.iter().map(in_words).collect();
            wrong.push(format!("{file}: {verdict}, but {found:?}"));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 0, "{folder:?} holds no messages");
    println!("{count} captured messages");
}

/// Both captured conversations, message by message in the order in which they were sent. The reply is left out,
/// because the capture contains only the start of its body.
#[test]
fn captured_conversations_are_explained_without_a_rejection() {
    let Some(folder) = std::env::var_os("BITS_WIRE").map(PathBuf::from) else {
        println!("BITS_WIRE is not set: no captured conversation was run");
        return;
    };
    let upload = ["create-session", "fragment", "ping", "close-session"];
    let upload_reply = ["create-session", "ping", "notification", "fragment", "close-session"];
    for (conversation, requests) in [("spec41_", &upload[..]), ("spec42_", &upload_reply)] {
        let rows = manifest(&folder);
        let files = rows.iter().map(|row| &row["file"]);
        let left_out = ["_full", "_all_", "_reply_"];
        let mut files: Vec<_> = files
            .filter(|it| {
                it.starts_with(conversation) && !left_out.iter().any(|out| it.contains(out))
            })
            .collect();
        files.sort();
        let bytes: Vec<u8> = files.iter().flat_map(|file| read(&folder, file)).collect();
        let reports = explain(conversation, &bytes, Context::default());
        let answered: Vec<_> = reports.iter().filter_map(|report| report.ack_context).collect();
        assert_eq!(answered, requests, "{conversation}");
        for report in &reports {
            let is_expected = !report.is_failure() && report.verdict != Verdict::Foreign;
            assert!(is_expected, "{conversation}: {report:?}");
        }
    }
}
