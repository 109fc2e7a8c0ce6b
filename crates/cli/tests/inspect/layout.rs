//! The text for people: one line per message that fits the terminal, and sentences below it.

use crate::support::cases::config;
use crate::support::inspector::inspect;
use bits_cli::inspect::conversation::Context;
use bits_cli::inspect::input;
use bits_cli::inspect::output::shorten::{printable, shorten, shorten_path, shorten_session};
use bits_cli::inspect::output::{Format, Options, Printer};
use bits_cli::inspect::report::{Report, StartLine, Verdict};
use bits_cli::inspect::source::{Direction, Time};
use bits_cli::inspect::summary::Summary;
use bits_proto::deviation::Deviation;
use bits_proto::observer::{DownloadRule, SequenceRule, Violation};
use proptest::prelude::*;
use serde_json::json;
use unicode_width::UnicodeWidthStr as _;

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests");

fn options(width: Option<usize>) -> Options {
    Options { width, ..Options::default() }
}

fn print(file: &str, reports: &[Report], options: Options) -> String {
    let mut out = Vec::new();
    let mut printer = Printer::new(options);
    printer.start(&mut out).expect("a start");
    printer.file(&mut out, file, reports, &Summary::of(reports)).expect("a file");
    printer.finish(&mut out).expect("an end");
    String::from_utf8(out).expect("UTF-8")
}

/// Returns the reports of all captures and vectors, with the path of the file.
fn all_inputs() -> Vec<(String, Vec<Report>)> {
    let folders = ["captures", "vectors", "vectors/rules", "vectors/pairs"];
    let mut inputs = Vec::new();
    for folder in folders {
        for entry in std::fs::read_dir(format!("{TESTS}/{folder}")).expect("a folder") {
            let path = entry.expect("an entry").path();
            let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
            if matches!(extension, "http" | "pcap" | "pcapng") {
                let bytes = std::fs::read(&path).expect("a file");
                let file = path.to_str().expect("UTF-8");
                inputs.push((file.to_string(), reports(file, &bytes)));
            }
        }
    }
    assert!(inputs.len() > 200, "{} inputs", inputs.len());
    inputs
}

fn reports(file: &str, bytes: &[u8]) -> Vec<Report> {
    input::explain(file, bytes, Context::default(), usize::MAX).reports
}

/// Returns the lines of messages, without the sentences below them.
fn lines(text: &str) -> Vec<&str> {
    let table = text.lines().skip_while(|line| !line.starts_with('#')).skip(1);
    table.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with(' ')).collect()
}

#[track_caller]
fn assert_fits(text: &str, width: usize) {
    let long = text.lines().find(|line| line.width() > width);
    assert_eq!(long, None, "more than {width} columns");
}

#[test]
fn every_input_has_one_line_per_message_that_fits() {
    for (file, reports) in all_inputs() {
        for width in [80, 120] {
            for is_absolute in [false, true] {
                let options = Options { is_absolute, ..options(Some(width)) };
                let text = print(&file, &reports, options);
                assert_fits(&text, width);
                assert_eq!(lines(&text).len(), reports.len(), "{file}:\n{text}");
            }
        }
    }
}

#[test]
fn the_width_is_that_of_the_variable_columns() {
    let longest = |columns: Option<&str>| {
        let mut command = crate::support::inspector::command();
        command.args(["--ack-for", "fragment", "rules/reply-url-2200-bytes.http"]);
        command.env_remove("COLUMNS").current_dir(format!("{TESTS}/vectors"));
        columns.into_iter().for_each(|it| _ = command.env("COLUMNS", it));
        let output = command.output();
        let text = String::from_utf8(output.expect("output").stdout).expect("UTF-8");
        text.lines().map(|line| line.width()).max().expect("lines")
    };
    assert_eq!(longest(Some("100")), 100);
    assert_eq!(longest(None), 120);
    assert_eq!(longest(Some("wide")), 120);
    assert_eq!(longest(Some("20")), 80, "a line of a message needs 80 columns");
}

#[test]
fn wide_text_is_complete() {
    let file = format!("{TESTS}/vectors/rules/reply-url-2200-bytes.http");
    let reports = reports(&file, &std::fs::read(&file).expect("a file"));
    let text = print(&file, &reports, options(None));
    assert!(text.contains(reports[0].text("reply_url")));
    assert!(text.contains(reports[0].text("session_id")) && !text.contains('…'), "{text}");
    let output = inspect("vectors", &["--wide", "rules/reply-url-2200-bytes.http"], b"");
    assert!(String::from_utf8_lossy(&output.stdout).contains(reports[0].text("reply_url")));
}

#[test]
fn details_are_shortened_step_by_step() {
    let mut report = Report::new("", 0, Some(Direction::Request));
    report.kind = "fragment";
    report.time = Some(Time(0));
    report.connection = Some("10.0.0.1:50000 > 10.0.0.2:80".into());
    report.start_line = StartLine::Request { method: "BITS_POST".into(), target: "/e".into() };
    let mut details = |first: u64, last: u64, total: u64| {
        for (key, value) in [("first", first), ("last", last), ("total", total)] {
            report.fields.insert(key.into(), json!(value));
        }
        report.fields.insert("session_id".into(), json!("{A0FF5911-4144-45B3-BF27-27AFC8EC8A67}"));
        let reports =
            [std::mem::replace(&mut report, Report::new("", 0, Some(Direction::Request)))];
        let text = print("", &reports, options(Some(80)));
        [report] = reports;
        lines(&text)[0].split_once(" ok ").expect("a result").1.trim().to_string()
    };
    assert_eq!(details(0, 255, 502), "bytes 0–255 of 502");
    assert_eq!(details(1_000_000, 1_999_999, 10_000_000), "1000000–1999999 of 10000000");
    assert_eq!(details(5_368_709_120, 5_378_709_119, 10_737_418_240), "5368709120–5378709119");
    let half = u64::MAX / 2;
    assert_eq!(details(half, half + 9, u64::MAX), "10 bytes");
}

#[test]
fn details_keep_their_room_beside_dates() {
    let file = format!("{TESTS}/captures/faults.pcapng");
    let reports = reports(&file, &std::fs::read(&file).expect("a file"));
    let text = print(&file, &reports, Options { is_absolute: true, ..options(Some(80)) });
    let details = ["to /upload/entity", "2000 bytes received", "2000–3999 of 8000"];
    for details in details {
        assert!(lines(&text).iter().any(|line| line.ends_with(&format!(" {details}"))), "{text}");
    }
}

#[test]
fn paths_keep_their_first_and_last_segments() {
    let path = "/uploads/2025/03/04/very/deep/file.bin";
    assert_eq!(shorten_path(path, path.len()), path);
    assert_eq!(shorten_path(path, 20), "/uploads/…/file.bin");
    assert_eq!(shorten_path(path, 18), "/uploads…/file.bin", "too narrow for segments");
    let url = "https://host.example/one/two/three/file.bin";
    assert_eq!(shorten_path(url, 35), "https://host.example/…/file.bin");
    let windows = r"BITS-Sessions\Replies\{94E2D6B0-1F73-4A8C-B6E5-2D0C97F8A341}\response.bin";
    assert_eq!(shorten_path(windows, 40), r"BITS-Sessions\…\response.bin");
    assert_eq!(shorten_path("/no-other-segment-than-this.bin", 20), "/no-other…n-this.bin");
}

#[test]
fn session_ids_keep_their_ends() {
    assert_eq!(shorten_session("{94E2D6B0-1F73-4A8C-B6E5-2D0C97F8A341}"), "94E2…A341");
    assert_eq!(shorten_session("-12345"), "-12345");
    assert_eq!(shorten_session("{}"), "");
}

#[test]
fn what_a_terminal_might_interpret_is_replaced() {
    let text = "a\u{1B}[31m\u{9B}b\n\u{202E}c\u{2066}\u{2028}d\u{200F}é漢";
    let replaced = "a\u{FFFD}[31m\u{FFFD}b\u{FFFD}\u{FFFD}c\u{FFFD}\u{FFFD}d\u{FFFD}é漢";
    assert_eq!(printable(text), replaced);
}

#[test]
fn an_empty_input_is_named() {
    let output = inspect("vectors", &["-"], b"");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(text, "-\nThe input contains no HTTP message.\n\n");
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z/\\\\ ]{0,60}",
        any::<String>(),
        // Wide, combining and joined characters.
        "[漢字é\u{301}👩\u{200D}🔬\u{FE0F}🇩🇪/ ]{0,60}",
    ]
}

fn report() -> impl Strategy<Value = Report> {
    let fields = prop::collection::vec(text(), 7);
    let numbers = (any::<[u64; 4]>(), any::<[bool; 4]>());
    let kinds = prop::sample::select(
        &[
            "create-session",
            "ping",
            "fragment",
            "close-session",
            "ack",
            "notification-request",
            "notification-response",
            "download",
            "other",
            "unknown",
        ][..],
    );
    (fields, numbers, kinds, any::<i128>(), any::<usize>(), 0_u16..1000).prop_map(
        |(texts, (numbers, flags), kind, time, index, status)| {
            let [is_request, has_start, has_time, has_missing] = flags;
            let direction = if is_request { Direction::Request } else { Direction::Response };
            let mut report = Report::new("file", index, Some(direction));
            let [method, target, reason, id, name, url, ends] = texts.try_into().expect("seven");
            report.kind = kind;
            report.verdict = [Verdict::Ok, Verdict::Partial, Verdict::Foreign][index % 3];
            report.start_line = match (has_start, is_request) {
                (false, _) => StartLine::Unknown,
                (true, true) => StartLine::Request { method, target },
                (true, false) => StartLine::Response { status, reason },
            };
            let texts = [("session_id", id), ("content_name", name), ("reply_url", url.clone())];
            let texts = texts.into_iter().map(|(key, it)| (key, json!(it)));
            let keys = ["first", "last", "total", "received"];
            let numbers = keys.into_iter().zip(numbers.map(|it| json!(it)));
            report.fields = texts.chain(numbers).map(|(key, it)| (key.to_string(), it)).collect();
            report.fields.insert("host_id".into(), json!(url));
            report.connection = Some(ends);
            report.time = has_time.then_some(Time(time));
            report.missing = has_missing.then_some(u64::MAX);
            report
        },
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn shortened_text_fits(text in text(), width in 0_usize..100) {
        prop_assert!(shorten(&text, width).width() <= width);
        prop_assert!(shorten_path(&text, width).width() <= width);
    }

    #[test]
    fn any_reports_have_lines_that_fit(
        reports in prop::collection::vec(report(), 1..4),
        file in text(),
        width in 80_usize..130,
        is_absolute: bool,
    ) {
        let options = Options { format: Format::Text, is_absolute, ..options(Some(width)) };
        let text = print(&file, &reports, options);
        assert_fits(&text, width);
    }
}

/// Returns the lines about the last message of an input, with single blanks.
fn about_the_last(input: &str) -> Vec<String> {
    let reports = reports("-", input.as_bytes());
    let text = print("-", &reports, options(None));
    let table = text.lines().skip_while(|line| !line.starts_with('#'));
    let lines: Vec<_> = table.take_while(|line| !line.is_empty()).collect();
    let last = lines.iter().rposition(|line| !line.starts_with(' ')).expect("a message");
    let words = lines[last..].iter().map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.map(|words| words.join(" ")).collect()
}

const FRAGMENT: &str = "BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Fragment\r\n\
    BITS-Session-Id: {3F9C1A52-7E64-4B0D-8A2F-6D15C0E4B793}\r\n\
    Content-Range: bytes 10-11/30\r\nContent-Length: 2\r\n\r\nxx";

fn refusal(status: &str, fields: &str) -> Vec<String> {
    about_the_last(&format!(
        "{FRAGMENT}HTTP/1.1 {status}\r\nBITS-Packet-Type: Ack\r\n{fields}Content-Length: 0\r\n\r\n"
    ))
}

#[test]
fn a_refusal_comes_with_its_reason_and_advice() {
    assert_eq!(
        refusal("500 Lost", "BITS-Error-Code: 0x8020001F\r\nBITS-Error-Context: 0x5\r\n"),
        [
            "1 ← ack 500 ok fragment rejected with 0x8020001F BG_E_SESSION_NOT_FOUND",
            "The server gives the reason: the session does not exist; the upload must be restarted.",
            "The client should start over with Create-Session.",
        ]
    );
    let application =
        refusal("503 Full", "BITS-Error-Code: 0x80070070\r\nBITS-Error-Context: 0x7\r\n");
    assert_eq!(
        application[1],
        "The server application gives the reason: the disk is full (the code of Win32)."
    );
    let zero = refusal("500 Zero", "BITS-Error-Code: 0x0\r\nBITS-Error-Context: 0x5\r\n");
    assert!(zero[0].ends_with(" fragment rejected"), "{zero:?}");
    assert_eq!(
        refusal("416 Range", "BITS-Received-Content-Range: 5\r\n"),
        [
            "1 ← ack 416 ok fragment rejected; byte 5 is expected",
            "The client should continue at byte 5.",
        ]
    );
}

#[test]
fn violations_and_advice_are_sentences() {
    let name = "BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Create-Session\r\n\
        BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}\r\n\
        Content-Name: ..\\x\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(
        about_the_last(name),
        [
            "0 → create-session ok ..\\x to /e",
            "The name \"..\\x\" is not safe to use as a file name.",
        ]
    );
    let skipped = about_the_last(&format!("{FRAGMENT}\u{1}junk"));
    assert_eq!(
        skipped[1],
        "Skipped 5 bytes that are not HTTP, after a complete message: \"\\x01junk\"."
    );
    let cut = about_the_last(&FRAGMENT[..FRAGMENT.len() - 1]);
    assert_eq!(cut[1], "The message is incomplete: the connection or the file ends inside it.");
    let length = about_the_last(&FRAGMENT.replace("Length: 2", "Length: 3"));
    assert!(
        length[1].starts_with("MUST length-mismatch: Content-Length: ")
            && length[1].ends_with(", [MC-BUP] 2.2.1.1)."),
        "{length:?}"
    );
    let reply = "A server should answer with the status 400 and the code 0x80070057 E_INVALIDARG.";
    assert_eq!(length[2], reply);
}

#[test]
fn a_summary_without_responses_claims_no_results() {
    let lines = |input: &str| {
        let text = print("-", &reports("-", input.as_bytes()), options(Some(80)));
        let line = |label: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("  {label:<20}")));
            line.expect("a line").to_string()
        };
        [line("sessions"), line("bytes")]
    };
    let sent = "2 sent in 1 fragment";
    assert_eq!(
        lines(FRAGMENT),
        [
            "1 session with an unknown result".into(),
            format!("{sent}; the responses were not captured")
        ]
    );
    let ack = "HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nBITS-Received-Content-Range: 12\r\n\
        Content-Length: 0\r\n\r\n";
    assert_eq!(
        lines(&format!("{FRAGMENT}{ack}")),
        [
            "0 created, 0 closed, 0 cancelled, 0 lost, 1 still open".into(),
            format!("{sent}, 2 acknowledged")
        ]
    );
}

#[test]
fn an_accepted_fragment_is_described_without_its_offset() {
    let ack = "HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nContent-Length: 0\r\n\r\n";
    let about = about_the_last(&format!("{FRAGMENT}{ack}"));
    assert_eq!(about[0], "1 ← ack 200 deviates fragment accepted");
}

#[test]
fn lost_bytes_are_counted() {
    let mut report = Report::new("", 0, Some(Direction::Request));
    report.verdict = Verdict::Partial;
    let mut sentence = |missing: Option<u64>, unsent: u64| {
        (report.missing, report.unsent) = (missing, unsent);
        let reports = [std::mem::replace(&mut report, Report::new("", 0, None))];
        let text = print("-", &reports, options(Some(80)));
        [report] = reports;
        text.lines().find(|line| line.starts_with("      ")).expect("a sentence").trim().to_string()
    };
    assert_eq!(sentence(Some(1), 0), "1 byte of the message was not captured.");
    assert_eq!(sentence(Some(2), 3), "2 bytes of the message were not captured.");
    assert_eq!(sentence(Some(0), 3), "3 bytes of the message were not sent.");
    assert!(sentence(None, 0).starts_with("The message is incomplete: "));
}

#[test]
fn every_rule_fits() {
    let mut report = Report::new("", 0, Some(Direction::Request));
    report.kind = "notification-response";
    let rules = SequenceRule::ALL.iter().map(|rule| Violation::from(*rule));
    let rules = rules.chain(DownloadRule::ALL.iter().map(|rule| Violation::from(*rule)));
    report.violations = rules.chain(Deviation::ALL.iter().map(|it| Violation::from(*it))).collect();
    let text = print("-", &[report], options(Some(80)));
    assert_fits(&text, 80);
    for rule in SequenceRule::ALL {
        assert!(text.contains(&format!("application  {:<9}  {rule}\n", rule.section())), "{text}");
    }
}
