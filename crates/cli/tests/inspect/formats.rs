//! The formats for other programs: Zeek logs and JSON with the Elastic Common Schema.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Output;

use crate::support::capture::plain_pcap;
use crate::support::dialogues::{INITIAL, upload};
use crate::support::inspector::{self, json_lines, text};
use bits_cli::inspect::output::clock::{absolute, relative};
use bits_cli::inspect::output::schema::{ECS, Field, ZEEK};
use bits_cli::inspect::output::zeek::cell;
use bits_cli::inspect::source::Time;
use serde_json::{Value, json};

/// Files with requests and responses of every kind, and with errors.
const FILES: [&str; 7] = [
    "captures/faults.pcapng",
    "vectors/upload-reply.http",
    "vectors/notify-by-value.http",
    "vectors/rules/range-multiple.http",
    "vectors/rules/ack-received-misspelt.http",
    "vectors/rules/failure-session-not-found.http",
    "-",
];

/// Bytes outside of messages, and a target with a query.
const INPUT: &[u8] = b"junk\nBITS_POST /e?id=1 HTTP/1.1\r\nBITS-Packet-Type: Ping\r\n\
    Content-Length: 0\r\n\r\n";

fn inspect(arguments: &[&str], input: &[u8]) -> Output {
    inspector::inspect("", arguments, input)
}

fn formatted(format: &str) -> Output {
    inspect(&[&["--format", format], &FILES[..]].concat(), INPUT)
}

/// A Zeek log, read with the help of its header.
struct Log {
    path: String,
    types: BTreeMap<String, String>,
    /// Cells that are set. Those of vectors and sets are separated.
    rows: Vec<BTreeMap<String, Vec<String>>>,
}

/// Reads a log as Zeek's documentation describes it.
fn read_log(text: &str) -> Log {
    let mut headers = BTreeMap::new();
    let mut separator = String::new();
    let mut rows = Vec::new();
    for line in text.lines() {
        if let Some(value) = line.strip_prefix("#separator ") {
            separator = unescape(value);
        } else if let Some(header) = line.strip_prefix('#') {
            let (name, values) = header.split_once(&separator).expect("a value");
            let values: Vec<_> = values.split(&separator).map(String::from).collect();
            assert!(headers.insert(name.to_string(), values).is_none(), "{name} twice");
        } else {
            rows.push(line);
        }
    }
    let (names, kinds) = (&headers["fields"], &headers["types"]);
    assert_eq!(names.len(), kinds.len());
    let [unset, empty] = ["unset_field", "empty_field"].map(|it| &headers[it][0]);
    let set_separator = &headers["set_separator"][0];
    let cells = |kind: &str, cell: &str| -> Vec<String> {
        match kind.split('[').next() {
            _ if cell == empty => Vec::new(),
            Some("vector" | "set") => cell.split(set_separator).map(unescape).collect(),
            _ => vec![unescape(cell)],
        }
    };
    let row = |line: &str| {
        let parts: Vec<_> = line.split(&separator).collect();
        assert_eq!(parts.len(), names.len(), "{line}");
        let columns = names.iter().zip(kinds).zip(parts).filter(|(_, cell)| cell != unset);
        columns.map(|((name, kind), cell)| (name.clone(), cells(kind, cell))).collect()
    };
    Log {
        path: headers["path"][0].clone(),
        types: names.iter().cloned().zip(kinds.iter().cloned()).collect(),
        rows: rows.into_iter().map(row).collect(),
    }
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match rest.as_bytes() {
            [b'\\', b'x', ..] => {
                bytes.push(u8::from_str_radix(&rest[2..4], 16).expect("two digits"));
                4
            }
            [b'\\', b'\\', ..] => {
                bytes.push(b'\\');
                2
            }
            _ => {
                bytes.extend_from_slice(&rest.as_bytes()[..first.len_utf8()]);
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    String::from_utf8(bytes).expect("UTF-8")
}

fn is_of_type(kind: &str, cells: &[String]) -> bool {
    let is_one = |kind: &str, cell: &str| match kind {
        "time" => {
            cell.split_once('.').is_some_and(|(_, it)| it.len() == 6 && cell.parse::<f64>().is_ok())
        }
        "count" => cell.parse::<u64>().is_ok(),
        "port" => cell.parse::<u16>().is_ok(),
        "addr" => cell.parse::<std::net::IpAddr>().is_ok(),
        "bool" => matches!(cell, "T" | "F"),
        "string" => true,
        _ => false,
    };
    match kind.split_once('[') {
        Some((_, kind)) => cells.iter().all(|cell| is_one(kind.trim_end_matches(']'), cell)),
        None => cells.len() == 1 && is_one(kind, &cells[0]),
    }
}

#[test]
fn a_zeek_log_is_read_by_its_own_header() {
    let output = formatted("zeek");
    let log = read_log(std::str::from_utf8(&output.stdout).expect("UTF-8"));
    assert_eq!(log.path, "bits");
    let messages = json_lines(&formatted("json"));
    assert_eq!(log.rows.len(), messages.len());
    let mut set = BTreeSet::new();
    for (row, message) in log.rows.iter().zip(&messages) {
        for (name, cells) in row {
            let kind = &log.types[name];
            assert!(is_of_type(kind, cells), "{name} of type {kind}: {cells:?}");
            set.insert(name.clone());
        }
        let one = |name: &str| row.get(name).map(|cells| cells[0].as_str());
        assert_eq!(one("file"), message["file"].as_str());
        assert_eq!(one("kind"), message["kind"].as_str());
        assert_eq!(one("verdict"), message["verdict"].as_str());
        assert_eq!(one("failure"), message["failure"].as_str());
        assert_eq!(one("session_id"), message["fields"]["session_id"].as_str());
        let ends = one("id.orig_h").map(|_| {
            let end = |side: &str| {
                format!("{}:{}", row[&format!("id.{side}_h")][0], row[&format!("id.{side}_p")][0])
            };
            format!("{} > {}", end("orig"), end("resp"))
        });
        assert_eq!(ends.as_deref(), message["connection"].as_str());
        let time = message["time"].as_str().map(|time| &time[..time.len() - 3]);
        assert_eq!(one("ts"), time);
        let rules = message["violations"].as_array().expect("a list").iter();
        let rules: Vec<_> = rules.map(|it| it["rule"].as_str().expect("a name")).collect();
        assert_eq!(row["violations"], rules);
        assert_eq!(row["severities"].len(), rules.len());
    }
    let unused: Vec<_> = log.types.keys().filter(|name| !set.contains(*name)).collect();
    assert_eq!(unused, [""; 0], "columns without any value");
}

#[test]
fn special_text_in_a_zeek_log_is_escaped() {
    let value = |name: &str| {
        let input = format!(
            "BITS_POST /a\\b HTTP/1.1\r\nBITS-Packet-Type: Ping\r\nContent-Name: {name}\r\n\
             Content-Length: 0\r\n\r\n"
        );
        let output = inspect(&["--format", "zeek", "-"], input.as_bytes());
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let row = read_log(&text).rows.remove(0);
        assert_eq!(row["uri"], ["/a\\b"], "{text}");
        let line = text.lines().last().expect("a line").to_string();
        (row["content_name"][0].clone(), line)
    };
    for name in ["a\tb", "-", "(empty)", "a,b", "\\x41", "caf\u{E9}\u{85}"] {
        let (found, line) = value(name);
        assert_eq!(found, name, "{line}");
    }
    assert!(value("a\tb").1.contains("\ta\\x09b\t"));
    assert!(value("-").1.contains("\t\\x2d\t"));
    assert!(value("(empty)").1.contains("\t\\x28empty)\t"));
    assert_eq!(cell(&json!("a,b")), "a,b");
    assert_eq!(cell(&json!(["a,b", "-", "c"])), "a\\x2cb,\\x2d,c", "in a list");
}

/// Returns the names of the values, with dots between the levels. Lists are values.
fn leaves(value: &Value, name: &str, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                leaves(value, &name, found);
            }
        }
        _ => _ = found.insert(name.into(), value.clone()),
    }
}

#[test]
fn ecs_has_the_fields_of_its_schema_with_their_types() {
    let output = formatted("ecs");
    let objects = json_lines(&output);
    let messages = json_lines(&formatted("json"));
    assert_eq!(objects.len(), messages.len());
    let kinds: BTreeMap<_, _> = ECS.iter().map(|field| (field.name, field.kind)).collect();
    let mut set = BTreeSet::new();
    for (object, message) in objects.iter().zip(&messages) {
        let mut found = BTreeMap::new();
        leaves(object, "", &mut found);
        for (name, value) in &found {
            let kind =
                *kinds.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not in the schema"));
            let is_right = match kind {
                "long" | "unsigned_long" => value.is_u64(),
                "boolean" => value.is_boolean(),
                "nested" => value.as_array().is_some_and(|list| list.iter().all(Value::is_object)),
                "ip" => value.as_str().is_some_and(|ip| ip.parse::<std::net::IpAddr>().is_ok()),
                "keyword" => value.is_string() || value.is_array(),
                _ => value.is_string(),
            };
            assert!(is_right, "{name} of type {kind}: {value}");
            set.insert(name.clone());
        }
        assert_eq!(object["event"]["action"], message["kind"]);
        assert_eq!(object["bits"]["verdict"], message["verdict"]);
        assert_eq!(object["bits"]["violations"], message["violations"]);
        let ends = found.get("client.ip").map(|_| {
            let end = |it: &str| format!("{}:{}", text(&object[it], "ip"), object[it]["port"]);
            format!("{} > {}", end("client"), end("server"))
        });
        assert_eq!(ends.as_deref(), message["connection"].as_str());
        if ends.is_some() {
            let is_request = object["http"].get("request").is_some();
            let sender = if is_request { "client" } else { "server" };
            assert!(object["source"] == object[sender] || message["verdict"] == "partial");
        }
        assert_eq!(found.contains_key("url.original"), found.contains_key("http.request.method"));
    }
    let unused: Vec<_> = kinds.keys().filter(|name| !set.contains(**name)).collect();
    assert_eq!(unused, [&""; 0], "fields without any value");
}

#[test]
fn ecs_has_the_time_of_the_capture() {
    let output = inspect(&["--format", "ecs", "captures/upload.pcap"], b"");
    let objects = json_lines(&output);
    assert_eq!(objects[0]["@timestamp"], "2026-11-24T10:30:45.084212000Z");
    let plain = inspect(&["--format", "ecs", "vectors/upload.http"], b"");
    assert!(json_lines(&plain).iter().all(|object| object.get("@timestamp").is_none()));
}

#[test]
fn the_source_is_the_sender_of_the_message() {
    let file = plain_pcap(&upload(50000, INITIAL));
    let objects = json_lines(&inspect(&["--format", "ecs", "-"], &file));
    let (client, server) = ("10.0.0.1:50000", "10.0.0.2:80");
    let end = |it: &Value| format!("{}:{}", text(it, "ip"), it["port"]);
    for (object, [source, destination]) in
        objects.iter().zip([[client, server], [server, client]].iter().cycle())
    {
        assert_eq!(end(&object["source"]), *source);
        assert_eq!(end(&object["destination"]), *destination);
        assert_eq!(
            (end(&object["client"]).as_str(), end(&object["server"]).as_str()),
            (client, server)
        );
    }
    assert!(objects.len() > 9);
}

#[test]
fn ecs_divides_the_target_of_a_request() {
    let url = |target: &str| {
        let input = format!(
            "BITS_POST {target} HTTP/1.1\r\nHost: h\r\nBITS-Packet-Type: Ping\r\nContent-Length: 0\r\n\r\n"
        );
        json_lines(&inspect(&["--format", "ecs", "-"], input.as_bytes()))[0]["url"].clone()
    };
    let parts = |target: &str| {
        let url = url(target);
        assert_eq!(text(&url, "original"), target);
        (text(&url, "path").to_string(), url.get("query").cloned())
    };
    assert_eq!(parts("/a/b"), ("/a/b".into(), None));
    assert_eq!(parts("/a?b=/c?d"), ("/a".into(), Some("b=/c?d".into())));
    assert_eq!(parts("http://host:80/a?"), ("/a".into(), Some("".into())));
    assert_eq!(parts("http://host"), ("/".into(), None));
}

#[test]
fn a_length_that_elasticsearch_cannot_store_is_left_out() {
    let http = |length: u64| {
        let input = format!("POST /e HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n");
        json_lines(&inspect(&["--format", "ecs", "-"], input.as_bytes()))[0]["http"].clone()
    };
    let max = i64::MAX as u64;
    assert_eq!(http(max)["request"]["body"]["bytes"], max);
    assert!(http(max + 1)["request"].get("body").is_none());
}

#[test]
fn outcomes_are_those_of_responses() {
    let outcomes = |file: &str| -> Vec<String> {
        let objects = json_lines(&inspect(&["--format", "ecs", file], b""));
        objects.iter().map(|it| text(&it["event"], "outcome").to_string()).collect()
    };
    assert_eq!(outcomes("vectors/rules/failure-session-not-found.http"), ["failure"]);
    assert_eq!(outcomes("vectors/upload.http")[..2], ["unknown", "success"]);
    assert_eq!(outcomes("vectors/rules/truncated-body.http"), ["unknown"]);
}

#[test]
fn times_are_relative_or_in_utc() {
    let time = |seconds: i128, nanoseconds: i128| Time(seconds * 1_000_000_000 + nanoseconds);
    let first = time(1_795_516_245, 84_212_000);
    assert_eq!(relative(first, first, 3), "+0.000");
    assert_eq!(relative(time(1_795_516_247, 83_999_999), first, 3), "+1.999");
    assert_eq!(relative(time(1_795_516_244, 84_212_000), first, 6), "-1.000000");
    assert_eq!(absolute(first, 3).as_deref(), Some("2026-11-24T10:30:45.084Z"));
    assert_eq!(
        absolute(time(951_782_400, 5), 9).as_deref(),
        Some("2000-02-29T00:00:00.000000005Z")
    );
    assert_eq!(absolute(time(-1, 0), 3).as_deref(), Some("1969-12-31T23:59:59.000Z"));
    assert_eq!(absolute(Time(i128::MAX), 3), None);
    assert_eq!(absolute(time(-100_000_000_000, 0), 3), None, "before the year 0");
}

#[test]
fn text_has_relative_times_unless_dates_are_requested() {
    let first = |arguments: &[&str]| {
        let output = inspect(&[arguments, &["captures/upload.pcap"]].concat(), b"");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let lines: Vec<_> = text.lines().map(String::from).collect();
        let start = lines.iter().position(|line| line.starts_with("0 ")).expect("a message");
        (lines[start..start + 3].to_vec(), text)
    };
    let (lines, text) = first(&[]);
    assert!(text.contains("Times are seconds after 2026-11-24T10:30:45.084Z."), "{text}");
    assert!(lines[0].starts_with("0   +0.000  ") && lines[2].starts_with("2   +0.003  "), "{text}");
    let (lines, text) = first(&["--absolute"]);
    assert!(!text.contains("Times are seconds after"), "{text}");
    assert!(lines[2].starts_with("2   2026-11-24T10:30:45.087Z  "), "{text}");
}

#[test]
fn json_is_short_for_its_format() {
    let of =
        |arguments: &[&str]| inspect(&[arguments, &["vectors/upload.http"]].concat(), b"").stdout;
    assert_eq!(of(&["--json"]), of(&["--format", "json"]));
    assert_eq!(of(&[]), of(&["--format", "text"]));
}

#[test]
fn conflicting_options_are_rejected() {
    for arguments in [
        &["--json", "--format", "ecs"][..],
        &["--json", "--wide"],
        &["--format", "zeek", "--absolute"],
        &["--summary"],
        &["--format", "ecs", "--summary"],
        &["--schema"],
        &["--schema", "--json"],
        &["--format", "xml"],
    ] {
        let output = inspect(arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn names_of_fields_are_unique() {
    for schema in [ZEEK, ECS] {
        let names: BTreeSet<_> = schema.iter().map(|field: &Field| field.name).collect();
        assert_eq!(names.len(), schema.len());
    }
}
