//! The run of all selected cases.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::task::JoinSet;

use super::application::Application;
use super::entry::{Entry, Outcome, Plan, Stop};
use super::probe::probe;
use super::root;
use super::shared::Shared;
use super::target::Target;
use super::test::Test;
use super::{Suite, SuiteError};
use crate::{CaseReport, Finding, Report, Verdict};

pub(super) async fn run(
    suite: Suite,
    mut on_case: impl FnMut(&CaseReport),
) -> Result<Report, SuiteError> {
    let entries = suite.selected().collect::<Vec<_>>();
    if entries.is_empty() {
        return Err(SuiteError::NoCase { pattern: suite.only.join(", ") });
    }
    let (is_bail, jobs) = (suite.is_bail, suite.jobs);
    let shared = Arc::new(share(suite).await?);
    let mut remaining = probe(&shared).await?;

    let mut results = BTreeMap::new();
    let mut waiting = entries.iter().copied().enumerate();
    let mut running = JoinSet::new();
    loop {
        let has_failed = is_bail && results.values().any(|it: &CaseReport| it.verdict.is_fail());
        while running.len() < jobs && !has_failed {
            let Some((index, entry)) = waiting.next() else { break };
            let shared = Arc::clone(&shared);
            running.spawn(async move { (index, examine(entry, &shared).await) });
        }
        let Some(ended) = running.join_next().await else { break };
        // A panic of a case is a defect of this crate.
        let (index, (report, names)) = ended.expect("a case does not panic");
        remaining.extend(names);
        if entries.get(index).is_some_and(|entry| entry.rules.is_empty()) {
            on_case(&report);
        }
        results.insert(index, report);
    }
    let mut cases = results.into_iter().collect::<Vec<_>>();
    judge_rules(&entries, &mut cases);
    let of_rules = cases.iter().filter(|(index, _)| !entries[*index].rules.is_empty());
    of_rules.for_each(|(_, report)| on_case(report));
    if let Some(root) = &shared.root {
        root::remove(root, &shared.prefix);
    }
    Ok(Report {
        url: shared.target.url().into(),
        cases: cases.into_iter().map(|(_, report)| report).collect(),
        bytes_sent: shared.sent.load(Ordering::Relaxed),
        bytes_received: shared.received.load(Ordering::Relaxed),
        remaining,
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
    })
}

/// Examines one case. Returns the names of entities that remain, too.
async fn examine(entry: &Entry, shared: &Arc<Shared>) -> (CaseReport, Vec<String>) {
    let mut test = Test::new(shared);
    let outcome: Outcome = match entry.plan {
        Plan::Run(run) => run(&mut test).await,
        Plan::Variant(variant) => variant.run(&mut test).await,
    };
    let verdict = match outcome {
        Ok(()) => Verdict::Pass,
        Err(Stop::Fail(reason)) => Verdict::Fail(reason),
        Err(Stop::Skip(reason)) => Verdict::Skipped(reason),
        Err(Stop::NotApplicable(reason)) => Verdict::NotApplicable(reason),
    };
    let (findings, evidence) = {
        let mut log = test.log();
        (std::mem::take(&mut log.findings), std::mem::take(&mut log.messages))
    };
    let remaining = test.clean_up().await;
    (CaseReport { case: entry.case, verdict, findings, evidence }, remaining)
}

/// Lets the cases of rules fail whose rules were violated in conversations that are otherwise as expected.
fn judge_rules(entries: &[&Entry], cases: &mut [(usize, CaseReport)]) {
    let mut violations = Vec::<(Finding, CaseReport)>::new();
    for (_, report) in cases.iter().filter(|(_, report)| !report.verdict.is_fail()) {
        for finding in &report.findings {
            let is_same = |it: &Finding| it.rule == finding.rule && it.field == finding.field;
            if !violations.iter().any(|(it, _)| is_same(it)) {
                violations.push((finding.clone(), report.clone()));
            }
        }
    }
    for (finding, violator) in violations {
        let Some(index) = entries.iter().position(|entry| entry.names(&finding)).or_else(|| {
            let severity = finding.severity.name();
            entries.iter().position(|entry| entry.rules.contains(&severity))
        }) else {
            // Suspicious behaviour is a failure only where a case names it.
            continue;
        };
        let report = cases.iter_mut().find(|(it, _)| *it == index).map(|(_, report)| report);
        let Some(report) = report.filter(|report| !report.verdict.is_fail()) else { continue };
        report.verdict = Verdict::Fail(format!(
            "{} ([MC-BUP] {}, rule {}, in {})",
            finding.message, finding.section, finding.rule, violator.case.id
        ));
        report.findings = vec![finding];
        report.evidence = violator.evidence;
    }
}
