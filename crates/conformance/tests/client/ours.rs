//! The suite passes on `bits-client`, and on the double without a fault.

use std::time::Duration;

use bits_client::Client;
use bits_conformance::client::{Job, Suite, Transfer};
use bits_conformance::{Report, Verdict};

use crate::double;
use crate::tables::describe;

/// Asserts that every case passes, except those that these options leave out.
async fn assert_passes(suite: Suite, left_out: &[&str]) {
    let report = suite.run(|_| {}).await.expect("a client");
    assert!(report.is_success(), "{}", describe(&report));
    let skipped = skipped(&report, left_out);
    assert!(skipped.is_empty(), "{skipped:?}");
}

/// Returns the cases without a result, except those with one of these reasons.
fn skipped(report: &Report, left_out: &[&str]) -> Vec<String> {
    let is_expected = |reason: &str| left_out.iter().any(|it| reason.starts_with(it));
    let cases = report
        .cases
        .iter()
        .filter(|it| it.verdict != Verdict::Pass && !it.verdict.reason().is_some_and(is_expected));
    cases.map(|it| format!("{}: {:?}", it.case.id, it.verdict)).collect()
}

/// The time for one case, which is longer than that of the client for one response.
const LIMIT: Duration = Duration::from_secs(90);

/// The reasons of cases that need a command without these.
const WITHOUT: &[&str] = &["needs {user}", "needs {reply}"];
const WITH: &[&str] = &["needs a command without {user}", "needs a command without {reply}"];

/// Transfers a file with `bits-client`.
async fn transfer(
    direction: Transfer,
    job: Job,
    has_credentials: bool,
    has_reply: bool,
) -> Result<(), String> {
    let builder = match &job.proxy {
        Some(url) => Client::builder().proxy(url),
        None => Client::builder().no_proxy(),
    };
    let mut builder = builder
        .retries(4)
        .backoff(Duration::from_millis(5), Duration::from_millis(20))
        .timeout(Duration::from_secs(10));
    if has_credentials {
        builder = builder.basic(&job.user, &job.password);
    }
    let client = builder.build().map_err(|error| error.report())?;
    let done = match direction {
        Transfer::Upload => {
            let upload = client.upload(&job.url).file(&job.file).fragment_size(16 * 1024);
            let upload = if has_reply { upload.reply_to(&job.reply) } else { upload };
            upload.send().await.map(drop)
        }
        _ => client.download(&job.url).to(&job.file).send().await.map(drop),
    };
    done.map_err(|error| error.report())
}

fn ours(direction: Transfer) -> Suite {
    Suite::in_process(direction, move |job| transfer(direction, job, false, false))
        .timeout(LIMIT)
        .jobs(16)
}

fn ours_with_credentials(direction: Transfer) -> Suite {
    Suite::in_process(direction, move |job| transfer(direction, job, true, true))
        .credentials()
        .reply()
        .timeout(LIMIT)
        .jobs(16)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_uploads_passes_on_bits_client() {
    assert_passes(ours(Transfer::Upload), WITHOUT).await;
    assert_passes(ours_with_credentials(Transfer::Upload), WITH).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_downloads_passes_on_bits_client() {
    assert_passes(ours(Transfer::Download), WITHOUT).await;
    assert_passes(ours_with_credentials(Transfer::Download), WITH).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_passes_on_the_double() {
    for transfer in [Transfer::Upload, Transfer::Download] {
        assert_passes(double::suite(transfer, None, false), WITHOUT).await;
        assert_passes(double::suite(transfer, None, true), WITH).await;
    }
}
