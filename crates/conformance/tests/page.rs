//! `docs/CONFORMANCE-CASES.md` lists every case. After a change:
//!
//! ```sh
//! BITS_BLESS=1 cargo test -p bits-conformance --test page
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use bits_conformance::client::{self, Transfer};
use bits_conformance::{Case, Level, server};
use bits_proto_test_tools::markdown;

/// Areas of the suite for servers, with their subjects.
const SERVER_AREAS: &[(&str, &str)] = &[
    ("ping", "Ping"),
    ("create", "Create-Session"),
    ("upload", "entities that arrive in order"),
    ("fragment", "gaps, repeats and overlaps"),
    ("range", "syntax of Content-Range"),
    ("length", "Content-Length"),
    ("body", "bodies that are short, long, slow or missing"),
    ("session", "session ids"),
    ("close", "Close-Session"),
    ("cancel", "Cancel-Session"),
    ("spelling", "spellings that clients use"),
    ("duplicate", "fields that occur twice"),
    ("path", "paths of entities"),
    ("connection", "HTTP connections"),
    ("smuggling", "requests that proxies and servers may separate differently"),
    ("notify", "notifications of a server application, with `--application`"),
    ("download", "downloads of published entities"),
    ("message", "rules for every response, decided with the observer of `bits-proto`"),
];

/// Areas of the suite for clients that upload.
const UPLOAD_AREAS: &[(&str, &str)] = &[
    ("upload", "uploads to an ordinary server"),
    ("ack", "variants of an Ack with the same meaning"),
    ("value", "Acks with values that are unusual, missing or invalid"),
    ("connection", "connections that end early"),
    ("retry", "failures that end after a retry"),
    ("refusal", "refusals after which the client must give up"),
    ("limit", "limits of the length of fragments"),
    ("resync", "servers that have received more or fewer bytes than they acknowledged"),
    ("session", "sessions that the server no longer has"),
    ("close", "Close-Session"),
    ("credentials", "servers that require credentials"),
    ("anonymous", "clients without credentials"),
    ("digest", "servers that require Digest authentication"),
    ("host", "host ids"),
    ("proxy", "proxies, and their responses"),
    ("redirect", "redirects"),
    ("reply", "replies of the server application"),
    ("file", "files that change during the upload"),
    ("killed", "clients that are killed and started again"),
    ("message", "rules for every request, decided with the observer of `bits-proto`"),
];

/// Areas of the suite for clients that download.
const DOWNLOAD_AREAS: &[(&str, &str)] = &[
    ("download", "downloads from an ordinary server"),
    ("request", "requests of the client"),
    ("response", "variants of a response with the same meaning"),
    ("body", "the end of bodies"),
    ("connection", "connections that end early"),
    ("stall", "responses that stall"),
    ("resume", "downloads that continue"),
    ("part", "responses with a part of the entity"),
    ("range", "responses to a range that the server does not satisfy"),
    ("change", "entities that change between two responses"),
    ("coding", "content codings"),
    ("redirect", "redirects"),
    ("credentials", "servers that require credentials"),
    ("anonymous", "clients without credentials"),
    ("digest", "servers that require Digest authentication"),
    ("proxy", "proxies that require credentials"),
    ("retry", "failures that end after a retry"),
    ("refusal", "failures after which the client must give up"),
    ("page", "pages instead of the entity"),
    ("head", "malformed heads"),
    ("killed", "clients that are killed and started again"),
];

fn document(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// Returns the links to the sentences of the specification, by id.
fn sentences() -> BTreeMap<String, String> {
    let text = markdown::read(&document("CONFORMANCE.md"));
    let (mut anchor, mut links) = (String::new(), BTreeMap::new());
    for line in text.lines() {
        if line.starts_with("### ") {
            anchor = markdown::anchor(line);
        }
        if let Some((id, _)) = line.strip_prefix("| R").and_then(|line| line.split_once(" |")) {
            links.insert(format!("R{id}"), format!("[R{id}](CONFORMANCE.md#{anchor})"));
        }
    }
    links
}

/// Returns a link to a section of an RFC, such as `RFC9112-6.3`.
fn rfc(id: &str) -> String {
    let (number, section) =
        id.strip_prefix("RFC").and_then(|it| it.split_once('-')).expect("an RFC");
    format!(
        "[RFC {number}, {section}](https://www.rfc-editor.org/rfc/rfc{number}#section-{section})"
    )
}

/// Returns a table of cases for each area.
fn tables(cases: impl Iterator<Item = Case>, areas: &[(&str, &str)]) -> String {
    let (cases, sentences) = (cases.collect::<Vec<_>>(), sentences());
    let mut text = String::new();
    let found = cases.chunk_by(|a, b| a.area() == b.area()).collect::<Vec<_>>();
    let names = found.iter().map(|cases| cases[0].area());
    assert!(names.eq(areas.iter().map(|(name, _)| *name)), "every area has a subject");
    for (cases, (name, subject)) in found.into_iter().zip(areas) {
        let _ = writeln!(text, "\n### {name}: {subject}\n");
        text += "| id | level | based on | advice |\n|---|---|---|---|\n";
        for case in cases {
            let ids = case.requirements.iter();
            let ids = ids.map(|id| sentences.get(*id).cloned().unwrap_or_else(|| rfc(id)));
            let ids = ids.collect::<Vec<_>>().join(", ");
            let _ = writeln!(text, "| `{}` | {} | {ids} | {} |", case.id, case.level, case.advice);
        }
    }
    text
}

/// Returns the number of cases of each level.
fn counts(suites: &[(&str, Vec<Case>)]) -> String {
    let mut text = String::from("| suite |");
    let levels = Level::ALL.iter().map(|it| it.name()).chain(["all"]);
    levels.for_each(|level| text += &format!(" {level} |"));
    text += &format!("\n|---|{}\n", "---|".repeat(Level::ALL.len() + 1));
    for (name, cases) in suites {
        let count = |level: Level| cases.iter().filter(|it| it.level == level).count();
        let counts = Level::ALL.iter().map(|level| count(*level)).chain([cases.len()]);
        let counts = counts.map(|count| format!(" {count} |")).collect::<String>();
        let _ = writeln!(text, "| `{name}` |{counts}");
    }
    text
}

#[test]
fn the_page_lists_every_case() {
    let mut parts = Vec::new();
    markdown::assert_current(&document("CONFORMANCE-CASES.md"), |part| {
        let text = match part {
            "counts" => counts(&[
                ("bits conformance server", server::cases().collect()),
                ("bits conformance client", client::cases(Transfer::Upload).collect()),
                (
                    "bits conformance client --direction download",
                    client::cases(Transfer::Download).collect(),
                ),
            ]),
            "cases of servers" => tables(server::cases(), SERVER_AREAS),
            "cases of clients that upload" => tables(client::cases(Transfer::Upload), UPLOAD_AREAS),
            "cases of clients that download" => {
                tables(client::cases(Transfer::Download), DOWNLOAD_AREAS)
            }
            // A test of the program generates it.
            _ => return None,
        };
        parts.push(part.to_owned());
        Some(text)
    });
    let expected = [
        "counts",
        "cases of servers",
        "cases of clients that upload",
        "cases of clients that download",
    ];
    assert_eq!(parts, expected);
}
