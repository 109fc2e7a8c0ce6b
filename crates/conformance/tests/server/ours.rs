//! The suite passes on `bits-server`, and each fault fails its case.

use std::collections::BTreeSet;

use bits_conformance::server::{Suite, cases};
use bits_conformance::{CaseReport, Report, Verdict};
use tokio::task::JoinSet;

use crate::double::{Double, Place};
use crate::faults::faults;

async fn examine(double: &Double) -> Report {
    double.suite().run(|_| {}).await.expect("a BITS server")
}

/// Returns the failures with their evidence.
fn describe(report: &Report) -> String {
    let mut text = String::new();
    for it in report.failures() {
        text += &format!("{}: {}\n", it.case.id, it.verdict.reason().unwrap_or_default());
        it.evidence.iter().for_each(|message| text += &format!("{message}\n"));
    }
    text
}

/// Returns the cases without a result, except those that the predicate permits.
fn unexamined(report: &Report, is_permitted: impl Fn(&CaseReport) -> bool) -> Vec<String> {
    let cases = report.cases.iter().filter(|it| it.verdict != Verdict::Pass && !is_permitted(it));
    cases.map(|it| format!("{}: {:?}", it.case.id, it.verdict)).collect()
}

/// Asserts that every case passes that does not need one of these options.
async fn assert_passes(double: &Double, missing: &[&str]) {
    let report = examine(double).await;
    assert!(report.is_success(), "{}", describe(&report));
    let is_permitted = |it: &CaseReport| {
        let reason = it.verdict.reason().unwrap_or_default();
        missing.iter().any(|option| reason.starts_with(&format!("needs {option}")))
    };
    let unexamined = unexamined(&report, is_permitted);
    assert!(unexamined.is_empty(), "{unexamined:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_passes_on_bits_server() {
    assert_passes(&Double::start(None).await, &["--root"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_passes_on_bits_server_with_a_bucket() {
    let double = Double::start_with(Place::Bucket).await;
    assert_passes(&double, &["--root", "--application"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_passes_on_bits_server_with_a_root() {
    let double = Double::start_with(Place::Folder).await;
    let report = examine(&double).await;
    assert!(report.is_success(), "{}", describe(&report));
    let unexamined = unexamined(&report, |_| false);
    assert!(unexamined.is_empty(), "{unexamined:?}");
    assert_eq!(double.files(), Vec::<String>::new(), "the suite removes its files");
}

#[test]
fn every_case_has_a_fault() {
    let cases = cases().map(|case| case.id).collect::<BTreeSet<_>>();
    let faults = faults().map(|(id, _)| id).collect::<BTreeSet<_>>();
    let missing = cases.difference(&faults).collect::<Vec<_>>();
    let unknown = faults.difference(&cases).collect::<Vec<_>>();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "{missing:?} have no fault, {unknown:?} no case"
    );
}

/// Examines all cases in CI, and elsewhere those of the area, which takes a tenth of the time.
fn selection(suite: Suite, id: &str) -> Suite {
    if std::env::var_os("CI").is_some() {
        return suite;
    }
    let area = id.split('.').next().unwrap_or_default();
    suite.only(area)
}

/// Set `BITS_FAULTS` to a pattern to run some of them.
#[tokio::test(flavor = "multi_thread")]
async fn each_fault_fails_its_case_and_no_other() {
    let only = std::env::var("BITS_FAULTS").unwrap_or("*".into());
    let mut running = JoinSet::<String>::new();
    let mut wrong = String::new();
    for (id, fault) in faults() {
        if !cases().any(|case| case.id == id && case.matches(&only)) {
            continue;
        }
        if running.len() == 8 {
            wrong += &running.join_next().await.expect("a fault").expect("no panic");
        }
        running.spawn(async move {
            let double = Double::start(Some(fault)).await;
            let suite = selection(double.suite(), id);
            let report = suite.run(|_| {}).await.expect("a BITS server");
            let failed = report.failures().map(|it| it.case.id).collect::<Vec<_>>();
            match failed == [id] {
                true => String::new(),
                false => format!("the fault of {id} fails {failed:?}:\n{}", describe(&report)),
            }
        });
    }
    while let Some(end) = running.join_next().await {
        wrong += &end.expect("no panic");
    }
    assert!(wrong.is_empty(), "{wrong}");
}
