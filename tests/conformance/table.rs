//! The conformance table: each requirement, its status, and the tests that verify it.

pub mod backend;
pub mod client;
pub mod decisions;
pub mod downloads;
pub mod ends;
pub mod messages;
pub mod mistakes;
pub mod peers;
pub mod server;
pub mod sources;

/// Id, section and level of every requirement, in the order of the specification.
const REQUIREMENTS: &str = include_str!("table/ids.tsv");

/// A requirement of the specification, as listed in `ids.tsv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement<'t> {
    pub id: &'t str,
    pub section: &'t str,
    pub level: &'t str,
}

/// Status of a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Enforced,
    Embedder,
    NotApplicable,
    Departed,
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: &'static str,
    /// Present on requirements only.
    pub status: Option<Status>,
    pub about: &'static str,
    pub note: &'static str,
    pub tests: Vec<&'static str>,
}

impl Status {
    pub const ALL: [Self; 4] =
        [Self::Enforced, Self::Embedder, Self::NotApplicable, Self::Departed];

    pub const fn description(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::Embedder => "embedder's duty",
            Self::NotApplicable => "not applicable",
            Self::Departed => "departed from on purpose",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "enforced" => Self::Enforced,
            "embedder" => Self::Embedder,
            "n/a" => Self::NotApplicable,
            "departed" => Self::Departed,
            other => panic!("{other:?} is not a status"),
        }
    }
}

/// Parses the committed list.
pub fn requirements() -> Vec<Requirement<'static>> {
    REQUIREMENTS.lines().skip(1).map(|line| requirement(line.split('\t'))).collect()
}

/// Builds a requirement from the first three columns.
pub fn requirement<'t>(mut columns: impl Iterator<Item = &'t str>) -> Requirement<'t> {
    let mut next = || columns.next().unwrap_or_else(|| panic!("expected at least 3 columns"));
    Requirement { id: next(), section: next(), level: next() }
}

/// Parses rows `id status | about | note`, each followed by indented lines with its tests.
/// Requirements have a status, other rows do not; the note is optional.
fn parse(text: &'static str, has_status: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if line.starts_with(' ') {
            let row = rows.last_mut().unwrap_or_else(|| panic!("{line:?} is not below a row"));
            row.tests.extend(line.split_whitespace());
            continue;
        }
        let mut cells = line.split('|').map(str::trim);
        let (head, about) = (cells.next().unwrap_or_default(), cells.next());
        let (id, status) = match head.split_once(' ') {
            Some((id, status)) if has_status => (id, Some(Status::parse(status))),
            None if !has_status => (head, None),
            _ => panic!("{line:?}: expected an id, and for requirements a status"),
        };
        let about = about.unwrap_or_else(|| panic!("{line:?} has no description"));
        let note = cells.next().unwrap_or_default();
        assert_eq!(cells.next(), None, "{line:?} has too many cells");
        rows.push(Row { id, status, about, note, tests: Vec::new() });
    }
    rows
}

/// Returns the rows for the requirements of the specification.
pub fn specification() -> Vec<Row> {
    let parts =
        [messages::ROWS, ends::ROWS, client::ROWS, server::ROWS, backend::ROWS, downloads::ROWS];
    parts.into_iter().flat_map(|part| parse(part, true)).collect()
}

pub fn decisions() -> Vec<Row> {
    parse(decisions::ROWS, false)
}

pub fn peers() -> Vec<Row> {
    parse(peers::ROWS, false)
}

pub fn mistakes() -> Vec<Row> {
    parse(mistakes::MISTAKES, false)
}

pub fn asks() -> Vec<Row> {
    parse(mistakes::ASKS, false)
}

/// Returns all rows.
pub fn everything() -> Vec<Row> {
    [specification(), decisions(), peers(), mistakes(), asks()].concat()
}
