//! The table: what is asked for, how it stands, and the tests that show it.

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

/// Id, section and level of every requirement: facts about the specification, in its order.
const REQUIREMENTS: &str = include_str!("ids.tsv");

/// A requirement of the specification, by what is committed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement<'t> {
    pub id: &'t str,
    pub section: &'t str,
    pub level: &'t str,
}

/// How a requirement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Enforced,
    Host,
    NotApplicable,
    Departed,
}

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: &'static str,
    /// Only of a requirement.
    pub standing: Option<Standing>,
    pub about: &'static str,
    pub note: &'static str,
    pub tests: Vec<&'static str>,
}

impl Standing {
    pub const ALL: [Self; 4] = [Self::Enforced, Self::Host, Self::NotApplicable, Self::Departed];

    pub const fn words(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::Host => "host's duty",
            Self::NotApplicable => "not applicable",
            Self::Departed => "departed from on purpose",
        }
    }

    fn read(word: &str) -> Self {
        match word {
            "enforced" => Self::Enforced,
            "host" => Self::Host,
            "n/a" => Self::NotApplicable,
            "departed" => Self::Departed,
            other => panic!("{other:?} is no standing"),
        }
    }
}

/// The committed list.
pub fn requirements() -> Vec<Requirement<'static>> {
    REQUIREMENTS.lines().skip(1).map(|line| requirement(line.split('\t'))).collect()
}

/// The first three of these columns.
pub fn requirement<'t>(mut columns: impl Iterator<Item = &'t str>) -> Requirement<'t> {
    let mut next = || columns.next().unwrap_or_else(|| panic!("too few columns"));
    Requirement { id: next(), section: next(), level: next() }
}

/// The rows of a text: `id standing | about | note`, the standing only of requirements, the note
/// where there is one; and on indented lines below it, the tests.
fn read(text: &'static str, has_standing: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if line.starts_with(' ') {
            let row = rows.last_mut().unwrap_or_else(|| panic!("{line:?} belongs to no row"));
            row.tests.extend(line.split_whitespace());
            continue;
        }
        let mut cells = line.split('|').map(str::trim);
        let (head, about) = (cells.next().unwrap_or_default(), cells.next());
        let (id, standing) = match head.split_once(' ') {
            Some((id, standing)) if has_standing => (id, Some(Standing::read(standing))),
            None if !has_standing => (head, None),
            _ => panic!("{line:?}: an id, and of a requirement how it stands"),
        };
        let about = about.unwrap_or_else(|| panic!("{line:?} is about nothing"));
        let note = cells.next().unwrap_or_default();
        assert_eq!(cells.next(), None, "{line:?} has too many cells");
        rows.push(Row { id, standing, about, note, tests: Vec::new() });
    }
    rows
}

/// The requirements of the specification.
pub fn specification() -> Vec<Row> {
    let parts =
        [messages::ROWS, ends::ROWS, client::ROWS, server::ROWS, backend::ROWS, downloads::ROWS];
    parts.into_iter().flat_map(|part| read(part, true)).collect()
}

pub fn decisions() -> Vec<Row> {
    read(decisions::ROWS, false)
}

pub fn peers() -> Vec<Row> {
    read(peers::ROWS, false)
}

pub fn mistakes() -> Vec<Row> {
    read(mistakes::MISTAKES, false)
}

pub fn asks() -> Vec<Row> {
    read(mistakes::ASKS, false)
}

/// All of them.
pub fn everything() -> Vec<Row> {
    [specification(), decisions(), peers(), mistakes(), asks()].concat()
}
