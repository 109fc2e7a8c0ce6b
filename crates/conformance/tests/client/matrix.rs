//! Each fault fails its case and no other.

use bits_conformance::client::{Transfer, cases};

use crate::double::suite;
use crate::faults::faults;
use crate::tables;

#[test]
fn every_case_of_uploads_has_a_fault() {
    tables::have_faults(cases(Transfer::Upload), faults(Transfer::Upload).map(|(id, _)| id));
}

#[test]
fn every_case_of_downloads_has_a_fault() {
    tables::have_faults(cases(Transfer::Download), faults(Transfer::Download).map(|(id, _)| id));
}

async fn each_fault_fails_its_case_and_no_other(transfer: Transfer) {
    let find = |id| cases(transfer).find(|case| case.id == id).expect("a case");
    let faults = faults(transfer).map(|(id, fault)| (find(id), fault));
    tables::fail_their_cases_only(faults, 4, |id, fault, pattern| {
        // Some cases are for clients without credentials and replies.
        let is_full =
            !id.starts_with("anonymous.") && !matches!(id, "upload.empty" | "killed.close");
        async move {
            let suite = suite(transfer, Some(fault), is_full).only(pattern);
            suite.run(|_| {}).await.expect("a client")
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_uploads_fails_its_case_and_no_other() {
    each_fault_fails_its_case_and_no_other(Transfer::Upload).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_downloads_fails_its_case_and_no_other() {
    each_fault_fails_its_case_and_no_other(Transfer::Download).await;
}
