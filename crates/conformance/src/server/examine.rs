//! The run of all selected cases.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::application::Application;
use super::entry::{Entry, Outcome, Plan};
use super::probe::probe;
use super::root;
use super::shared::Shared;
use super::target::Target;
use super::test::Test;
use super::{Suite, SuiteError};
use crate::{CaseReport, Report};

pub(super) async fn run(
    suite: Suite,
    on_case: impl FnMut(&CaseReport),
) -> Result<Report, SuiteError> {
    let entries = suite.selected().collect::<Vec<_>>();
    if entries.is_empty() {
        return Err(SuiteError::NoCase { pattern: suite.selection.only.join(", ") });
    }
    let selection = suite.selection.clone();
    let shared = Arc::new(share(suite).await?);
    let remaining = probe(&shared).await?;
    shared.keep(remaining);
    let examine = |entry| {
        let shared = Arc::clone(&shared);
        async move { examine(entry, &shared).await }
    };
    let cases = selection.run(&entries, examine, on_case).await;
    if let Some(root) = &shared.root {
        root::remove(root, &shared.prefix);
    }
    Ok(Report {
        peer: shared.target.url().into(),
        cases,
        bytes_sent: shared.sent.load(Ordering::Relaxed),
        bytes_received: shared.received.load(Ordering::Relaxed),
        remaining: shared.remaining(),
    })
}

async fn share(suite: Suite) -> Result<Shared, SuiteError> {
    let target = Target::new(&suite.url, suite.ca.as_deref())?;
    let application = match suite.application {
        None => None,
        Some(address) => Some(Application::listen(address).await.map_err(|error| {
            SuiteError::Application { address: address.to_string(), reason: error.to_string() }
        })?),
    };
    // Names only need to differ between runs, so the process id replaces a missing random source.
    let random = getrandom::u32().unwrap_or(std::process::id());
    Ok(Shared {
        target,
        root: suite.root,
        application,
        headers: suite.headers,
        timeout: suite.timeout,
        max_bytes: suite.max_bytes,
        prefix: format!("bits-conformance-{random:08x}"),
        names: AtomicU64::new(1),
        sent: AtomicU64::new(0),
        received: AtomicU64::new(0),
        has_downloads: AtomicBool::new(false),
        remaining: Mutex::default(),
    })
}

/// Examines one case.
async fn examine(entry: &Entry, shared: &Arc<Shared>) -> CaseReport {
    let mut test = Test::new(shared);
    let outcome: Outcome = match entry.plan {
        Plan::Run(run) => run(&mut test).await,
        Plan::Variant(variant) => variant.run(&mut test).await,
    };
    let (findings, evidence) = {
        let mut log = test.log();
        (std::mem::take(&mut log.findings), std::mem::take(&mut log.messages))
    };
    shared.keep(test.clean_up().await);
    CaseReport::new(entry.case, outcome, findings, evidence)
}
