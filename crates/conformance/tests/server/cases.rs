//! The table of cases.

use std::collections::BTreeSet;
use std::fs;

use bits_conformance::server::{Suite, cases};

/// Returns the ids of the requirements of the specification.
fn requirements() -> BTreeSet<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CONFORMANCE.md");
    let text = fs::read_to_string(path).expect("the table of requirements");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| R")?.split_once(" |"));
    rows.map(|(id, _)| format!("R{id}")).collect()
}

#[test]
fn every_case_is_based_on_requirements_that_exist() {
    let known = requirements();
    for case in cases() {
        assert!(!case.requirements.is_empty(), "{}", case.id);
        for id in case.requirements {
            let is_rfc = id.strip_prefix("RFC").is_some_and(|it| it.contains('-'));
            assert!(is_rfc || known.contains(*id), "{}: unknown {id}", case.id);
        }
    }
}

#[test]
fn ids_are_stable_names_and_advice_is_one_sentence() {
    let mut ids = BTreeSet::new();
    for case in cases() {
        assert!(ids.insert(case.id), "{} is used twice", case.id);
        let is_part = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        };
        assert!(case.id.split('.').count() >= 2 && case.id.split('.').all(is_part), "{}", case.id);
        assert!(case.advice.ends_with('.') && case.advice.len() <= 110, "{}", case.advice);
        assert!(!case.advice.contains('\n') && !case.advice.contains(". "), "{}", case.advice);
    }
    assert!(ids.len() >= 150, "{} cases", ids.len());
}

#[test]
fn patterns_select_cases() {
    let select = |pattern: &str| Suite::new("").only(pattern).cases().map(|it| it.id).collect();
    let ids: Vec<_> = select("notify.failure");
    assert_eq!(ids, ["notify.failure", "notify.failure.context", "notify.failure.again"]);
    let ids: Vec<_> = select("*.body");
    assert_eq!(ids, ["ping.body", "create.body", "close.body", "cancel.body", "message.body"]);
    let ids: Vec<_> = select("notify.fail");
    assert_eq!(ids, Vec::<&str>::new());
}
