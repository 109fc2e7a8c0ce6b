//! The table of cases.

use bits_conformance::server::{Suite, cases};

use crate::tables;

#[test]
fn every_case_is_based_on_requirements_that_exist() {
    tables::have_requirements(cases());
}

#[test]
fn ids_are_stable_names_and_advice_is_one_sentence() {
    tables::have_ids_and_advice(cases(), 150);
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
