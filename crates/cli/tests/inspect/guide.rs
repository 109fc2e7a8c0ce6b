//! `docs/INSPECT.md` contains the current output of the program. After a change:
//!
//! ```sh
//! BITS_BLESS=1 cargo test -p bits-cli --test inspect guide
//! ```

use std::path::Path;

use bits_proto_test_tools::markdown;
use serde_json::Value;

use crate::support::inspector::{self, inspect, json_lines};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/INSPECT.md");

/// Returns what the guide shows for a command line: a table in Markdown, or text in a block.
fn generated(arguments: &str) -> String {
    let output = inspector::command()
        .args(arguments.split(' '))
        .env("COLUMNS", "80")
        .current_dir(inspector::repository())
        .output()
        .expect("output");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let text: String = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    assert!(!text.is_empty(), "inspect {arguments}: {}", output.status);
    match text.starts_with('|') {
        true => text,
        false => format!("```text\n{}\n```\n", text.trim_end()),
    }
}

#[test]
fn the_guide_shows_the_current_output() {
    let mut count = 0;
    markdown::assert_current(Path::new(PATH), |arguments| {
        count += 1;
        Some(generated(arguments))
    });
    assert_eq!(count, 5);
}

#[test]
fn the_guide_lists_the_keys_of_json() {
    let guide = markdown::read(Path::new(PATH));
    let (_, section) = guide.split_once("\n## JSON\n").expect("a section");
    let (section, _) = section.split_once("\n## ").expect("another section");
    let tables = section.split("\n|---").skip(1);
    let listed = tables.map(|table| {
        let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
        rows.map(|row| row.split('`').nth(1).expect("a key").to_string()).collect::<Vec<_>>()
    });
    let lines = json_lines(&inspect("vectors", &["--json", "--summary", "upload.http"], b""));
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect();
    let summary = lines.last().expect("a summary");
    let expected: [Vec<_>; 2] = [keys(&lines[0]), keys(&summary["summary"])];
    assert_eq!(listed.collect::<Vec<_>>(), expected);
}
