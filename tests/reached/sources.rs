//! Variants of the enums without a list of their values, read from the sources.

use std::fs;
use std::path::Path;

/// Groups of counts, each with the file and the name of the enum.
pub const ENUMS: &[(&str, &str, &str)] = &[
    ("session end", "server/session.rs", "EndReason"),
    ("session error", "server/step.rs", "EventError"),
    ("failed work", "server/step.rs", "HostError"),
    ("table error", "server/response.rs", "SessionsError"),
    ("upload stop", "client/error.rs", "StopReason"),
    ("upload error", "client/error.rs", "EventError"),
    ("notification failure", "backend/outcome.rs", "NotificationError"),
    ("notification error", "backend/poll.rs", "EventError"),
    ("download stop", "download/client/error.rs", "StopReason"),
    ("download error", "download/client/error.rs", "EventError"),
    ("violation", "observer/violation.rs", "Violation"),
];

/// Returns the variants of an enum, which are indented by one level.
pub fn variants(path: &str, name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src").join(path);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let start = format!("pub enum {name}");
    let is_start =
        |line: &str| line.strip_prefix(&start).is_some_and(|it| it.starts_with([' ', '<']));
    let lines = text.lines().skip_while(|line| !is_start(line));
    let body = lines.skip(1).take_while(|line| *line != "}");
    let variants: Vec<_> = body
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|letter: char| letter.is_ascii_uppercase()))
        .map(|line| line.chars().take_while(char::is_ascii_alphanumeric).collect())
        .collect();
    assert!(!variants.is_empty(), "{path:?} has no enum {name}");
    variants
}
