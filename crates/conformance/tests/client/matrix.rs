//! Each fault fails its case and no other.

use std::collections::BTreeSet;

use bits_conformance::Report;
use bits_conformance::client::{Suite, Transfer, cases};
use tokio::task::JoinSet;

use crate::double::suite;
use crate::faults::faults;

/// Returns the failures with the beginning of each message of their evidence.
pub fn describe(report: &Report) -> String {
    let mut text = String::new();
    for it in report.failures() {
        text += &format!("{}: {}\n", it.case.id, it.verdict.reason().unwrap_or_default());
        for message in &it.evidence {
            let message = message.to_string();
            text += &format!("{}\n", message.get(..1000).unwrap_or(&message));
        }
    }
    text
}

fn every_case_has_a_fault(transfer: Transfer) {
    let cases = cases(transfer).map(|case| case.id).collect::<BTreeSet<_>>();
    let faults = faults(transfer).map(|(id, _)| id).collect::<BTreeSet<_>>();
    let missing = cases.difference(&faults).collect::<Vec<_>>();
    let unknown = faults.difference(&cases).collect::<Vec<_>>();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "{missing:?} have no fault, {unknown:?} no case"
    );
}

#[test]
fn every_case_of_uploads_has_a_fault() {
    every_case_has_a_fault(Transfer::Upload);
}

#[test]
fn every_case_of_downloads_has_a_fault() {
    every_case_has_a_fault(Transfer::Download);
}

/// Selects the cases that are examined with the fault at this position.
///
/// These are all cases if `BITS_FAULTS` is set, and for every eighth fault in CI. Otherwise, these are the
/// cases of the area, which take a tenth of the time.
fn selection(suite: Suite, position: usize, id: &str) -> Suite {
    let is_set = |name| std::env::var_os(name).is_some();
    if is_set("BITS_FAULTS") || is_set("CI") && position % 8 == 0 {
        return suite;
    }
    suite.only(id.split('.').next().unwrap_or_default())
}

/// Set `BITS_FAULTS` to a pattern to examine all cases with each fault whose case matches.
async fn each_fault_fails_its_case_and_no_other(transfer: Transfer) {
    let only = std::env::var("BITS_FAULTS").unwrap_or("*".into());
    let mut running = JoinSet::<String>::new();
    let mut wrong = String::new();
    for (position, (id, fault)) in faults(transfer).enumerate() {
        if !cases(transfer).any(|case| case.id == id && case.matches(&only)) {
            continue;
        }
        if running.len() == 4 {
            wrong += &running.join_next().await.expect("a fault").expect("no panic");
        }
        // Some cases are for clients without credentials and replies.
        let is_plain = id.starts_with("plain.") || id.starts_with("anonymous.");
        let is_full = !is_plain && !matches!(id, "upload.empty" | "killed.close");
        running.spawn(async move {
            let suite = selection(suite(transfer, Some(fault), is_full), position, id);
            let report = suite.run(|_| {}).await.expect("a client");
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

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_uploads_fails_its_case_and_no_other() {
    each_fault_fails_its_case_and_no_other(Transfer::Upload).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_downloads_fails_its_case_and_no_other() {
    each_fault_fails_its_case_and_no_other(Transfer::Download).await;
}
