//! The suite passes on `bits-server`, and each fault fails its case.

use std::collections::BTreeSet;

use bits_conformance::server::cases;
use bits_conformance::{Report, Verdict};
use tokio::task::JoinSet;

use crate::double::Double;
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

#[tokio::test(flavor = "multi_thread")]
async fn every_case_passes_on_bits_server() {
    let double = Double::start(None).await;
    let report = examine(&double).await;
    assert!(report.is_success(), "{}", describe(&report));
    let unexamined = report.cases.iter().filter(|it| it.verdict != Verdict::Pass);
    let unexamined = unexamined.map(|it| (it.case.id, it.verdict.reason())).collect::<Vec<_>>();
    assert!(unexamined.is_empty(), "{unexamined:?}");
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
            let report = examine(&double).await;
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
