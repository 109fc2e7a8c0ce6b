//! Rules for the tables of cases.

use std::collections::BTreeSet;
use std::fs;

use bits_conformance::Case;

/// Returns the ids of the requirements of the specification.
fn requirements() -> BTreeSet<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CONFORMANCE.md");
    let text = fs::read_to_string(path).expect("the table of requirements");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| R")?.split_once(" |"));
    rows.map(|(id, _)| format!("R{id}")).collect()
}

/// Asserts that the requirements of all cases exist.
pub fn have_requirements(cases: impl Iterator<Item = Case>) {
    let known = requirements();
    for case in cases {
        assert!(!case.requirements.is_empty(), "{}", case.id);
        for id in case.requirements {
            let is_rfc = id.strip_prefix("RFC").is_some_and(|it| it.contains('-'));
            assert!(is_rfc || known.contains(*id), "{}: unknown {id}", case.id);
        }
    }
}

/// Asserts that the ids are unique names of parts, that each advice is one sentence, and that there are this many.
pub fn have_ids_and_advice(cases: impl Iterator<Item = Case>, least: usize) {
    let mut ids = BTreeSet::new();
    for case in cases {
        assert!(ids.insert(case.id), "{} is used twice", case.id);
        let is_part = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        };
        assert!(case.id.split('.').count() >= 2 && case.id.split('.').all(is_part), "{}", case.id);
        assert!(case.advice.ends_with('.') && case.advice.len() <= 110, "{}", case.advice);
        assert!(!case.advice.contains('\n') && !case.advice.contains(". "), "{}", case.advice);
    }
    assert!(ids.len() >= least, "{} cases", ids.len());
}
