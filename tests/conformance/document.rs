//! `CONFORMANCE.md`, made of the table.

use crate::table::{self, Requirement, Row, Standing};

const INTRODUCTION: &str = "\
# Conformance

How this crate stands to each of the 269 normative sentences of [\\[MC-BUP\\]], to what was decided
where its sources disagree, to what peers send, and to mistakes that are made impossible. Each row
names tests that fail if it is not true: `file::function` is a function in `tests/file.rs`.

This file is generated from the table in `tests/conformance/`; `cargo test --test conformance` says
when it is old, and with `BITS_BLESS=1` writes it anew.

[\\[MC-BUP\\]]: https://learn.microsoft.com/openspecs/windows_protocols/mc-bup
";

const LEGEND: &str = "\
* **enforced**: the crate keeps it in what it writes and does. What a peer does against it is
  refused, or, where it can mean only one thing, read with a remark: a `Deviation`.
* **host's duty**: it takes a socket, a file, a clock, a random source or a user. The crate says
  when it is due, by what is named.
* **not applicable**: it is about something that this crate is not: downloads, peer caching, the
  listener of an HTTP server, later versions.
* **departed from on purpose**: the crate does otherwise unless told so, for the reason given; an
  A with a number is one of the decisions below.

The specification is named by section and number: R2.2.6-1 is the first sentence with a MUST, a
SHOULD or a MAY in section 2.2.6. What each is about is said in words of our own; the specification
has the wording.
";

/// The groups of sections, in order: the first whose sections begin like that.
const GROUPS: &[(&str, &str)] = &[
    ("2.1", "Transport"),
    ("2.2.1", "All messages"),
    ("2.2.2", "Create-Session"),
    ("2.2.3", "The Ack for Create-Session"),
    ("2.2.4", "Ping"),
    ("2.2.5", "The Ack for Ping"),
    ("2.2.6", "Fragment"),
    ("2.2.7", "The Ack for Fragment"),
    ("2.2.8", "Close-Session"),
    ("2.2.9", "The Ack for Close-Session"),
    ("2.2.10", "Cancel-Session"),
    ("2.2.11", "The Ack for Cancel-Session"),
    ("2.2.12", "The notification of an application"),
    ("2.2.13", "The application's answer"),
    ("2.2", "Messages"),
    ("2.3", "Downloads"),
    ("3.1.1", "The client: what it knows"),
    ("3.1.4", "The client: what its caller asks"),
    ("3.1.5", "The client: packets and answers"),
    ("3.1.6", "The client: timers"),
    ("3.2.1", "The server: what is configured"),
    ("3.2.2", "The server: timers"),
    ("3.2.3", "The server: how it begins"),
    ("3.2.4", "The server: uploads enabled and disabled"),
    ("3.2.5", "The server: packets and answers"),
    ("3.2.6", "The server: what times out"),
    ("3.2.7", "The server: other events"),
    ("3.2", "The server"),
    ("3.3", "The back-end client"),
    ("3.4", "The application"),
    ("3.5", "Downloads: the server"),
    ("3.6", "Downloads: the client"),
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

fn shown_by(row: &Row) -> String {
    row.tests.iter().map(|test| format!("`{test}`")).collect::<Vec<_>>().join(", ")
}

fn stands(row: &Row) -> String {
    let standing = row.standing.map_or("", Standing::words);
    if row.note.is_empty() { standing.into() } else { format!("{standing}: {}", row.note) }
}

/// How many there are of each standing, by level.
fn counts(requirements: &[Requirement<'_>], rows: &[Row]) -> String {
    let levels = ["MUST", "SHOULD", "MAY"];
    let count = |standing: Option<Standing>, level: &str| {
        let pairs = requirements.iter().zip(rows).filter(|(requirement, row)| {
            requirement.level.starts_with(level) && (standing.is_none() || row.standing == standing)
        });
        pairs.count().to_string()
    };
    let mut text = heading(&["how it stands", "MUST (NOT)", "SHOULD (NOT)", "MAY", "all"]);
    let standings = Standing::ALL.map(|standing| (standing.words(), Some(standing)));
    for (words, standing) in standings.into_iter().chain([("all", None)]) {
        let [must, should, may] = levels.map(|level| count(standing, level));
        text += &line(&[words, &must, &should, &may, &count(standing, "")]);
    }
    text
}

fn specification() -> String {
    let (requirements, rows) = (table::requirements(), table::specification());
    let mut text = format!("{}\n{LEGEND}", counts(&requirements, &rows));
    text += "\n## What the specification asks for\n";
    let mut open = ("", "");
    for (Requirement { section, level, .. }, row) in requirements.iter().zip(&rows) {
        let group = group(section);
        if group != open {
            text += &format!("\n### {} {}\n\n", group.0, group.1);
            text += &heading(&["id", "level", "about", "how it stands", "shown by"]);
            open = group;
        }
        text += &line(&[row.id, level, row.about, &stands(row), &shown_by(row)]);
    }
    text
}

fn part(title: &str, about: &str, columns: [&str; 4], rows: &[Row]) -> String {
    let mut text = format!("\n## {title}\n\n{about}\n\n{}", heading(&columns));
    for row in rows {
        text += &line(&[row.id, row.about, row.note, &shown_by(row)]);
    }
    text
}

pub fn document() -> String {
    let parts = [
        part(
            "Decisions where the sources disagree",
            "The text of the specification, Microsoft's pages, captures and Windows differ. \
             Numbers that are not here were never given.",
            ["id", "question", "decision", "shown by"],
            &table::decisions(),
        ),
        part(
            "What peers send",
            "And what is sent to them.",
            ["id", "what is sent", "what is made of it", "shown by"],
            &table::peers(),
        ),
        part(
            "Mistakes made impossible",
            "Each was made by somebody, and would have to get past types and tests here.",
            ["id", "mistake", "what stands in its way", "shown by"],
            &table::mistakes(),
        ),
        part(
            "What users ask for",
            "As far as a test can show it.",
            ["id", "asked for", "what there is", "shown by"],
            &table::asks(),
        ),
    ];
    format!("{INTRODUCTION}\n{}{}", specification(), parts.concat())
}
