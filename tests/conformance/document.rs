//! Generates `docs/CONFORMANCE.md` from the table.

use crate::table::{self, Requirement, Row, Status};

const INTRODUCTION: &str = "\
# Conformance

This table lists the 269 normative sentences of [\\[MC-BUP\\]] with the status of this crate. It also
lists decisions where the sources disagree, messages of known peers, and mistakes of other
implementations that are prevented here. Each row names the tests that fail if it is not true:
`server::work::function` is a function in `tests/server/work.rs`.

This file is generated from the table in `tests/conformance/`. `cargo test --test conformance` fails
if it is out of date; with `BITS_BLESS=1` the same command regenerates it.

[\\[MC-BUP\\]]: https://learn.microsoft.com/openspecs/windows_protocols/mc-bup
";

const LEGEND: &str = "\
* **enforced**: the crate follows the rule in everything it writes and does. A peer that breaks it
  is rejected; where the meaning is unambiguous, the message is accepted with a `Deviation`.
* **embedder's duty**: the rule needs a socket, a file, a clock, a random source or a user. The
  crate requests the work through the named item.
* **not applicable**: the rule concerns something outside this crate: the listener of an HTTP
  server, later versions.
* **departed from on purpose**: the crate differs by default, for the given reason. An A or D with a
  number refers to a decision below.

Ids consist of section and number: R2.2.6-1 is the first sentence with MUST, SHOULD or MAY in
section 2.2.6. The table describes each sentence in its own words; the specification has the
authoritative text.
";

/// Section prefixes and their headings. The first matching prefix applies.
const GROUPS: &[(&str, &str)] = &[
    ("2.1", "Transport"),
    ("2.2.1", "All messages"),
    ("2.2.2", "Create-Session"),
    ("2.2.3", "Ack for Create-Session"),
    ("2.2.4", "Ping"),
    ("2.2.5", "Ack for Ping"),
    ("2.2.6", "Fragment"),
    ("2.2.7", "Ack for Fragment"),
    ("2.2.8", "Close-Session"),
    ("2.2.9", "Ack for Close-Session"),
    ("2.2.10", "Cancel-Session"),
    ("2.2.11", "Ack for Cancel-Session"),
    ("2.2.12", "Notification request"),
    ("2.2.13", "Notification response"),
    ("2.2", "Messages"),
    ("2.3", "Downloads"),
    ("3.1.1", "Client: state"),
    ("3.1.4", "Client: calls of the application"),
    ("3.1.5", "Client: requests and responses"),
    ("3.1.6", "Client: timers"),
    ("3.2.1", "Server: configuration"),
    ("3.2.2", "Server: timers"),
    ("3.2.3", "Server: initialization"),
    ("3.2.4", "Server: enabling and disabling uploads"),
    ("3.2.5", "Server: requests and responses"),
    ("3.2.6", "Server: timeouts"),
    ("3.2.7", "Server: other events"),
    ("3.2", "Server"),
    ("3.3", "Back-end client"),
    ("3.4", "Server application"),
    ("3.5", "Downloads: server"),
    ("3.6", "Downloads: client"),
];

fn is_within(section: &str, group: &str) -> bool {
    section.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn group(section: &str) -> (&'static str, &'static str) {
    let found = GROUPS.iter().find(|(group, _)| is_within(section, group));
    *found.unwrap_or_else(|| panic!("{section} is in no group"))
}

fn line(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn heading(cells: &[&str]) -> String {
    line(cells) + &format!("|{}\n", "---|".repeat(cells.len()))
}

fn test_list(row: &Row) -> String {
    row.tests.iter().map(|test| format!("`{test}`")).collect::<Vec<_>>().join(", ")
}

fn status_cell(row: &Row) -> String {
    let status = row.status.map_or("", Status::description);
    if row.note.is_empty() { status.into() } else { format!("{status}: {}", row.note) }
}

/// Counts the requirements of each status by level.
fn counts(requirements: &[Requirement<'_>], rows: &[Row]) -> String {
    let levels = ["MUST", "SHOULD", "MAY"];
    let count = |status: Option<Status>, level: &str| {
        let pairs = requirements.iter().zip(rows).filter(|(requirement, row)| {
            requirement.level.starts_with(level) && (status.is_none() || row.status == status)
        });
        pairs.count().to_string()
    };
    let mut text = heading(&["status", "MUST (NOT)", "SHOULD (NOT)", "MAY", "all"]);
    let statuses = Status::ALL.map(|status| (status.description(), Some(status)));
    for (name, status) in statuses.into_iter().chain([("all", None)]) {
        let [must, should, may] = levels.map(|level| count(status, level));
        text += &line(&[name, &must, &should, &may, &count(status, "")]);
    }
    text
}

fn specification() -> String {
    let (requirements, rows) = (table::requirements(), table::specification());
    let mut text = format!("{}\n{LEGEND}", counts(&requirements, &rows));
    text += "\n## Requirements of the specification\n";
    let mut open = ("", "");
    for (Requirement { section, level, .. }, row) in requirements.iter().zip(&rows) {
        let group = group(section);
        if group != open {
            text += &format!("\n### {} {}\n\n", group.0, group.1);
            text += &heading(&["id", "level", "about", "status", "tests"]);
            open = group;
        }
        text += &line(&[row.id, level, row.about, &status_cell(row), &test_list(row)]);
    }
    text
}

fn part(title: &str, about: &str, columns: [&str; 4], rows: &[Row]) -> String {
    let mut text = format!("\n## {title}\n\n{about}\n\n{}", heading(&columns));
    for row in rows {
        text += &line(&[row.id, row.about, row.note, &test_list(row)]);
    }
    text
}

pub fn document() -> String {
    let parts = [
        part(
            "Decisions where the sources disagree",
            "The text of the specification, Microsoft's pages, captures and Windows differ here. \
             Missing numbers were never assigned.",
            ["id", "question", "decision", "tests"],
            &table::decisions(),
        ),
        part(
            "Messages of peers",
            "Spellings and variants that known clients and servers send, and the spellings sent to them.",
            ["id", "message", "handling", "tests"],
            &table::peers(),
        ),
        part(
            "Prevented mistakes",
            "Each occurs in another implementation. Types and tests prevent it here.",
            ["id", "mistake", "prevented by", "tests"],
            &table::mistakes(),
        ),
        part(
            "Requests of users",
            "Limited to those that a test can verify.",
            ["id", "request", "support", "tests"],
            &table::asks(),
        ),
    ];
    format!("{INTRODUCTION}\n{}{}", specification(), parts.concat())
}
