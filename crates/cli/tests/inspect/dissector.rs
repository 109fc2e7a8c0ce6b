//! The dissector for Wireshark. Its results are compared with those of `bits inspect`, field by field.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use bits_proto::observer::{DownloadRule, SequenceRule};
use bits_proto_test_tools::markdown;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::capture::{Dialogue, Side, dialogue_of, plain_pcap};
use crate::support::inspector::{self, json_lines, repository};
use crate::support::{installed, vectors};

/// Fields that both programs show as text, by their names in JSON and in display filters.
const TEXTS: [(&str, &str); 15] = [
    ("session_id", "bits.session_id"),
    ("first", "bits.range.first"),
    ("last", "bits.range.last"),
    ("total", "bits.range.total"),
    ("content_length", "bits.content_length"),
    ("content_name", "bits.content_name"),
    ("received", "bits.received"),
    ("reply_url", "bits.reply_url"),
    ("host_id", "bits.host_id"),
    ("fallback_timeout", "bits.host_id_fallback_timeout"),
    ("original_request_url", "bits.original_request_url"),
    ("request_data_file_name", "bits.request_data_file_name"),
    ("response_data_file_name", "bits.response_data_file_name"),
    ("static_response_url", "bits.static_response_url"),
    ("status", "bits.status_code"),
];

/// Codes, which both programs show as hexadecimal numbers.
const NUMBERS: [(&str, &str); 2] = [("code", "bits.error_code"), ("context", "bits.error_context")];

/// Rules about what earlier messages of the session sent.
const OF_SESSION: [&str; 1] = ["received-beyond-sent"];

/// A message as a program shows it: values by name, and violated rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Shown {
    values: BTreeMap<String, String>,
    rules: BTreeSet<String>,
}

/// Messages by sender and receiver. Both programs show the messages of one direction in order.
type Directions = BTreeMap<String, Vec<Shown>>;

/// Returns the output of `bits dissector`.
fn dissector(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bits"));
    let output = command.arg("dissector").args(arguments).output().expect("the program runs");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// tshark with the script.
struct Tshark {
    program: PathBuf,
    folder: TempDir,
}

impl Tshark {
    /// Returns `None` if tshark is not installed.
    fn find() -> Option<Self> {
        let program = installed::find("tshark")?;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("bits.lua"), dissector(&[])).expect("a file");
        Some(Self { program, folder })
    }

    fn write(&self, name: &str, capture: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, capture).expect("a file");
        path
    }

    fn run(&self, capture: &Path, has_script: bool, arguments: &[&str]) -> String {
        let mut command = Command::new(&self.program);
        // Preferences and plugins of the user have no effect.
        command.env("HOME", self.folder.path()).env("XDG_CONFIG_HOME", self.folder.path());
        command.arg("-n").arg("-r").arg(capture).args(arguments);
        if has_script {
            let script = self.folder.path().join("bits.lua");
            command.arg("-X").arg(format!("lua_script:{}", script.display()));
        }
        let output = command.output().expect("tshark runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        let is_expected = |line: &&str| !line.starts_with("Running as user ");
        let errors: Vec<_> = errors.lines().filter(is_expected).collect();
        assert!(output.status.success() && errors.is_empty(), "{errors:?}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors: Vec<_> = text.lines().filter(|line| line.contains("Lua Error")).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        text
    }

    fn messages(&self, capture: &Path, arguments: &[&str]) -> Directions {
        let arguments = [&["-T", "pdml"], arguments].concat();
        messages(&self.run(capture, true, &arguments))
    }
}

/// Returns the value of an attribute in a line of PDML.
fn attribute<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let (_, rest) = line.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

fn unescaped(text: &str) -> String {
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Reads PDML, which has one element per line.
fn messages(pdml: &str) -> Directions {
    let mut directions = Directions::new();
    let mut ends: BTreeMap<&str, &str> = BTreeMap::new();
    let (mut shown, mut listed) = (None, BTreeSet::new());
    for line in pdml.lines().map(str::trim_start) {
        let name = attribute(line, "name").unwrap_or_default();
        let value = attribute(line, "show").unwrap_or_default();
        if line.starts_with("<proto name=\"bits\"") {
            shown = Some(Shown::default());
        } else if line == "</proto>" {
            let Some(message) = shown.take() else { continue };
            assert_eq!(message.rules, listed, "expert infos");
            listed.clear();
            let port = |name| ends.get(name).copied().unwrap_or_default();
            let direction = format!("{} > {}", port("tcp.srcport"), port("tcp.dstport"));
            directions.entry(direction).or_default().push(message);
        } else if let Some(message) = &mut shown {
            if let Some(rule) = ["bits.deviation.", "bits.violation."]
                .iter()
                .find_map(|prefix| name.strip_prefix(prefix))
            {
                message.rules.insert(rule.into());
            } else if matches!(name, "bits.deviation" | "bits.violation") {
                listed.insert(unescaped(value));
            } else {
                let values = &mut message.values;
                values.entry(name.into()).or_insert_with(|| unescaped(value));
            }
        } else if name.starts_with("tcp.") {
            ends.insert(name, value);
        }
    }
    directions
}

/// Returns the messages that `bits inspect` shows, except those of other protocols and those without a
/// complete head.
fn inspected(capture: &Path) -> Directions {
    let capture = capture.to_str().expect("UTF-8");
    let output = inspector::command().args(["--json", capture]).output().expect("output");
    let mut directions = Directions::new();
    for report in json_lines(&output) {
        let Some(shown) = shown(&report) else { continue };
        let ports = report["connection"].as_str().expect("ends").split(" > ");
        let mut ports: Vec<_> = ports.filter_map(|end| end.rsplit(':').next()).collect();
        if report["direction"] == "response" {
            ports.reverse();
        }
        directions.entry(ports.join(" > ")).or_default().push(shown);
    }
    directions
}

fn shown(report: &Value) -> Option<Shown> {
    let kind = report["kind"].as_str().expect("a kind");
    let is_partial = report["verdict"] == "partial" && report["fields"].as_object()?.is_empty();
    let is_other = report["verdict"] == "foreign" && kind != "ack";
    // Responses to unknown requests without any field of the protocol are left to HTTP.
    let is_unknown = kind == "other" && report["direction"] == "response";
    if is_partial || is_other || is_unknown || matches!(kind, "download" | "skipped" | "unknown") {
        return None;
    }
    let mut values = BTreeMap::from([("bits.kind".to_owned(), kind.to_owned())]);
    if let Some(ack_for) = report["ack_for"].as_str() {
        values.insert("bits.ack_for".into(), ack_for.into());
    }
    for (key, filter) in TEXTS.iter().chain(&NUMBERS) {
        let text = match &report["fields"][key] {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            number => number.to_string(),
        };
        values.insert((*filter).into(), text);
    }
    let others: BTreeSet<_> = (SequenceRule::ALL.iter().map(|rule| rule.name()))
        .chain(DownloadRule::ALL.iter().map(|rule| rule.name()))
        .chain(OF_SESSION)
        .collect();
    let rules = report["violations"].as_array()?.iter().filter_map(|it| it["rule"].as_str());
    // The observer reports nothing about notifications without a request.
    let is_alone = kind == "notification-response" && report["ack_for"].is_null();
    let deviations = report["deviations"].as_array()?.iter().filter(|_| is_alone);
    let rules = rules.chain(deviations.filter_map(Value::as_str));
    let rules = rules.filter(|rule| !others.contains(rule)).map(str::to_owned).collect();
    Some(Shown { values, rules })
}

/// Removes the values of tshark that `bits inspect` does not show, and writes numbers alike.
fn comparable(shown: &Shown) -> Shown {
    let names = TEXTS.iter().chain(&NUMBERS).map(|(_, filter)| *filter);
    let names: BTreeSet<_> = names.chain(["bits.kind", "bits.ack_for"]).collect();
    let is_number = |name: &str| NUMBERS.iter().any(|(_, filter)| *filter == name);
    let values = shown.values.iter().filter(|(name, _)| names.contains(name.as_str()));
    let values = values.map(|(name, value)| {
        let digits = value.trim_start_matches("0x").trim_start_matches('0').to_lowercase();
        (name.clone(), if is_number(name) { digits } else { value.clone() })
    });
    Shown { values: values.collect(), rules: shown.rules.clone() }
}

fn differences(tshark: &Directions, inspected: &Directions) -> Vec<String> {
    let mut found = Vec::new();
    let directions: BTreeSet<_> = tshark.keys().chain(inspected.keys()).collect();
    for direction in directions {
        let of = |all: &Directions| -> Vec<Shown> {
            all.get(direction).into_iter().flatten().map(comparable).collect()
        };
        let (left, right) = (of(tshark), of(inspected));
        for index in 0..left.len().max(right.len()) {
            let (mut left, right) = (left.get(index).cloned(), right.get(index));
            // `bits inspect` shows no fields of a malformed head.
            let is_malformed = right.is_some_and(|it| it.values.len() == 1);
            if let Some(left) = left.as_mut().filter(|_| is_malformed) {
                left.values.retain(|name, _| name == "bits.kind");
            }
            if left.as_ref() != right {
                found.push(format!("{direction}\n  tshark:  {left:?}\n  inspect: {right:?}"));
            }
        }
    }
    found
}

#[track_caller]
fn assert_agree(tshark: &Tshark, capture: &Path) -> usize {
    let expected = inspected(capture);
    // Without a filter for the first of two passes, tshark dissects packets in the second one only.
    for passes in [&[][..], &["-2", "-R", "frame"]] {
        let found = tshark.messages(capture, passes);
        let differences = differences(&found, &expected);
        assert!(differences.is_empty(), "{}: {}", capture.display(), differences.join("\n"));
    }
    expected.values().map(Vec::len).sum()
}

#[test]
fn recorded_captures() {
    let Some(tshark) = Tshark::find() else { return };
    let folder = repository().join("tests/captures");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|it| it == "pcap" || it == "pcapng") {
            assert!(assert_agree(&tshark, &path) > 10, "{}", path.display());
            count += 1;
        }
    }
    assert_eq!(count, 2);
}

#[test]
fn captures_of_the_demonstration() {
    let Some(tshark) = Tshark::find() else { return };
    let file = tshark.write("file", &vec![b'x'; 300_000]);
    let capture = tshark.folder.path().join("demo.pcap");
    for faults in [&[][..], &["--faults", "1"], &["--faults", "7"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bits"));
        command.args(["demo", "--fragment-size", "50000", "--capture"]).arg(&capture).arg(&file);
        assert!(command.args(faults).output().expect("the program runs").status.success());
        assert!(assert_agree(&tshark, &capture) >= 16);
    }
}

/// Returns the messages of each vector, by name.
fn all_vectors() -> BTreeMap<String, Vec<Vec<u8>>> {
    let folder = vectors::folder();
    let rows = vectors::manifest(&folder);
    let names: BTreeSet<_> = rows.iter().map(|row| row["file"].clone()).collect();
    let messages = |name: &String| {
        let bytes = vectors::file(&folder, name);
        // The bytes after the first head of a rule belong to it.
        if name.starts_with("rules/") { vec![bytes] } else { vectors::split_messages(&bytes) }
    };
    names.iter().map(|name| (name.clone(), messages(name))).collect()
}

#[test]
fn every_vector_in_segments_of_any_length() {
    let Some(tshark) = Tshark::find() else { return };
    let vectors = all_vectors();
    for length in [60, 1400, usize::MAX] {
        let (mut segments, mut expected) = (Vec::new(), Directions::new());
        for ((name, messages), port) in vectors.iter().zip(20_000..) {
            let of_vector = dialogue_of(port, [1000, 2000], messages, length);
            let path = tshark.write("one.pcap", &plain_pcap(&of_vector));
            expected.append(&mut inspected(&path));
            segments.extend(of_vector);
            assert!(port < 30_000, "{name}");
        }
        let path = tshark.write("vectors.pcap", &plain_pcap(&segments));
        let found = tshark.messages(&path, &[]);
        let names: Vec<_> = vectors.keys().collect();
        let port = |text: &str| text.split(" > ").filter_map(|it| it.parse::<usize>().ok()).max();
        let differences: Vec<_> = differences(&found, &expected)
            .into_iter()
            .map(|it| {
                let port = port(it.lines().next().unwrap_or_default()).unwrap_or(20_000);
                format!("{}: {it}", names[port - 20_000])
            })
            .collect();
        assert!(differences.is_empty(), "{length}: {}", differences.join("\n"));
    }
}

#[test]
fn several_messages_in_one_segment() {
    let Some(tshark) = Tshark::find() else { return };
    let messages = vectors::conversation("upload.http");
    let (responses, requests): (Vec<_>, Vec<_>) =
        messages.into_iter().partition(|message| message.starts_with(b"HTTP/"));
    let (requests, responses) = (requests.concat(), responses.concat());
    // Two cuts inside heads and bodies, and none.
    for length in [500, 777, usize::MAX] {
        let mut dialogue = Dialogue::opened(50_000, [1000, 2000]);
        dialogue.say_in(Side::Client, &requests, length);
        dialogue.say_in(Side::Server, &responses, length).close();
        let path = tshark.write("several.pcap", &plain_pcap(&dialogue.segments));
        assert_eq!(assert_agree(&tshark, &path), 10);
    }
}

#[test]
fn connections_without_packets_look_as_before() {
    let Some(tshark) = Tshark::find() else { return };
    let folder = vectors::folder();
    for length in [50, 1400] {
        let mut segments = Vec::new();
        for (name, port) in ["download-get-whole", "download-head"].iter().zip(40_000..) {
            let bytes = vectors::file(&folder, &format!("pairs/{name}.http"));
            let messages = vectors::split_messages(&bytes);
            segments.extend(dialogue_of(port, [1000, 2000], &messages, length));
        }
        let path = tshark.write("downloads.pcap", &plain_pcap(&segments));
        let (before, after) = (tshark.run(&path, false, &[]), tshark.run(&path, true, &[]));
        assert!(before.contains("GET ") && before.contains("HTTP/1.1 200 OK"), "{before}");
        assert_eq!(before, after);
    }
}

#[test]
fn every_name_in_the_script_is_in_a_table() {
    let script = dissector(&[]);
    let mut count = 0;
    for table in ["D", "E", "F", "K"] {
        let (_, rest) = script.split_once(&format!("local {table} = {{\n")).expect("a table");
        let (entries, _) = rest.split_once("\n}\n").expect("its end");
        for place in script.split(|it: char| !it.is_ascii_alphanumeric() && it != '.' && it != '_')
        {
            let Some(name) = place.strip_prefix(&format!("{table}.")) else { continue };
            let name = name.split('.').next().unwrap_or_default();
            assert!(entries.contains(&format!("[\"{name}\"] = ")), "{place}");
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}

/// After a change: `BITS_BLESS=1 cargo test -p bits-cli --test inspect dissector`.
#[test]
fn the_guide_lists_the_display_filters() {
    markdown::assert_current(&repository().join("docs/WIRESHARK.md"), |command| {
        assert_eq!(command, "dissector --filters");
        Some(dissector(&["--filters"]))
    });
}

#[test]
fn the_readme_shows_the_current_output() {
    let Some(tshark) = Tshark::find() else { return };
    let readme = std::fs::read_to_string(repository().join("README.md")).expect("README.md");
    let (_, section) = readme.split_once("\n## Wireshark\n").expect("a section");
    let (section, _) = section.split_once("\n## ").expect("the next section");
    let blocks: Vec<_> = section.split("```").skip(1).step_by(2).collect();
    assert_eq!(blocks.len(), 2);
    let capture = repository().join("tests/captures/upload.pcap");
    for (block, has_script) in blocks.into_iter().zip([false, true]) {
        let arguments = ["-T", "fields", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info"];
        let output = tshark.run(&capture, has_script, &arguments).replace('\t', "  ");
        let mut lines = block.lines().skip(1);
        assert!(lines.all(|line| output.lines().any(|it| it.starts_with(line))), "{output}");
    }
}
