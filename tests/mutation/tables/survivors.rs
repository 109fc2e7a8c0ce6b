//! The list of changes that no test notices.

use crate::catalogue::Mutation;

const TEXT: &str = include_str!("survivors.txt");

/// An entry: table, cell and value, with `*` for any text and `|` between alternatives.
struct Entry {
    line: usize,
    table: &'static str,
    cell: &'static str,
    value: &'static str,
}

impl Entry {
    fn matches(&self, mutation: &Mutation) -> bool {
        self.table == mutation.table
            && is_one_of_cells(self.cell, &mutation.cell)
            && is_one_of(self.value, &mutation.value)
    }
}

pub struct Survivors(Vec<Entry>);

impl Survivors {
    /// Reads the list. Each block of entries follows lines with the reason.
    pub fn read() -> Self {
        let (mut entries, mut has_reason) = (Vec::new(), false);
        for (line, text) in (1..).zip(TEXT.lines().map(str::trim)) {
            match text {
                "" => has_reason = false,
                _ if text.starts_with('#') => has_reason = true,
                _ => {
                    assert!(has_reason, "line {line}: a survivor without a reason");
                    let (table, rest) = text.split_once(": ").expect("table: cell -> value");
                    let (cell, value) = rest.split_once(" -> ").expect("cell -> value");
                    entries.push(Entry { line, table, cell, value });
                }
            }
        }
        Self(entries)
    }

    pub fn contains(&self, mutation: &Mutation) -> bool {
        self.0.iter().any(|entry| entry.matches(mutation))
    }

    /// Returns a line for each survivor that is not listed, and for each listed change that was noticed.
    pub fn compare(
        &self,
        all: &[&Mutation],
        survivors: &[&Mutation],
        is_complete: bool,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        for mutation in all {
            let entry = self.0.iter().find(|entry| entry.matches(mutation));
            match (survivors.contains(mutation), entry) {
                (true, None) => problems.push(format!("survived: {mutation}")),
                (false, Some(entry)) => {
                    problems.push(format!("line {} lists, but noticed: {mutation}", entry.line));
                }
                _ => {}
            }
        }
        if is_complete {
            let is_unused = |entry: &&Entry| !all.iter().any(|it| entry.matches(it));
            let unused = self.0.iter().filter(is_unused);
            problems.extend(unused.map(|entry| format!("line {} fits no mutation", entry.line)));
        }
        problems
    }
}

/// Returns true for the name of a cell in one of the rows and one of the columns, or for one of the names.
fn is_one_of_cells(patterns: &str, name: &str) -> bool {
    match (patterns.rsplit_once(", "), name.rsplit_once(", ")) {
        (Some((rows, columns)), Some((row, column))) => {
            is_one_of(rows, row) && is_one_of(columns, column)
        }
        _ => is_one_of(patterns, name),
    }
}

/// Returns true if the text fits one of the patterns between each `|`.
fn is_one_of(patterns: &str, text: &str) -> bool {
    patterns.split('|').any(|pattern| fits(pattern, text))
}

/// Returns true if the text has the parts of the pattern around each `*`.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((start, pattern)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| fits(pattern, &text[at..]))
}
