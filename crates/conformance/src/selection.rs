//! The run of all selected cases.

use std::collections::BTreeMap;
use std::future::Future;

use tokio::task::JoinSet;

use crate::entry::Entry;
use crate::{CaseReport, Finding, Verdict};

/// The cases to examine, and how many of them at a time.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) only: Vec<String>,
    pub(crate) is_bail: bool,
    pub(crate) jobs: usize,
}

impl Selection {
    pub(crate) const fn new() -> Self {
        Self { only: Vec::new(), is_bail: false, jobs: 4 }
    }

    /// Returns true for a selected case.
    pub(crate) fn includes<P>(&self, entry: &Entry<P>) -> bool {
        let mut patterns = self.only.iter();
        self.only.is_empty() || patterns.any(|pattern| entry.case.matches(pattern))
    }

    /// Examines cases. The callback receives each result when it is known. The results of cases with
    /// rules are known at the end.
    pub(crate) async fn run<P, F>(
        &self,
        entries: &[&'static Entry<P>],
        examine: impl Fn(&'static Entry<P>) -> F,
        mut on_case: impl FnMut(&CaseReport),
    ) -> Vec<CaseReport>
    where
        P: Copy + 'static,
        F: Future<Output = CaseReport> + Send + 'static,
    {
        let mut results = BTreeMap::new();
        let mut waiting = entries.iter().enumerate();
        let mut running = JoinSet::new();
        loop {
            let mut failed = results.values().filter(|it: &&CaseReport| it.verdict.is_fail());
            let has_ended = self.is_bail && failed.next().is_some();
            while running.len() < self.jobs && !has_ended {
                let Some((index, entry)) = waiting.next() else { break };
                let examination = examine(entry);
                running.spawn(async move { (index, examination.await) });
            }
            let Some(ended) = running.join_next().await else { break };
            // A panic of a case is a defect of this crate.
            let (index, report) = ended.expect("a case does not panic");
            if entries.get(index).is_some_and(|entry| entry.rules.is_empty()) {
                on_case(&report);
            }
            results.insert(index, report);
        }
        let mut cases = results.into_iter().collect::<Vec<_>>();
        judge_rules(entries, &mut cases);
        let of_rules = cases.iter().filter(|(index, _)| !entries[*index].rules.is_empty());
        of_rules.for_each(|(_, report)| on_case(report));
        cases.into_iter().map(|(_, report)| report).collect()
    }
}

/// Defines the methods of a suite that choose the cases, and how they run.
macro_rules! selection_methods {
    () => {
        /// Selects cases by their id; see [`Case::matches`]. Several calls select more cases.
        pub fn only(mut self, pattern: impl Into<String>) -> Self {
            self.selection.only.push(pattern.into());
            self
        }

        /// Ends after the first failure.
        pub fn bail(mut self, bail: bool) -> Self {
            self.selection.is_bail = bail;
            self
        }

        /// Sets the number of cases that run at the same time. By default, this is 4.
        pub fn jobs(mut self, jobs: usize) -> Self {
            self.selection.jobs = jobs.max(1);
            self
        }

        /// Returns the selected cases.
        pub fn cases(&self) -> impl Iterator<Item = Case> {
            self.selected().map(|entry| entry.case)
        }
    };
}
pub(crate) use selection_methods;

/// Fails the cases whose rules were violated in conversations that are otherwise as expected.
fn judge_rules<P: Copy>(entries: &[&Entry<P>], cases: &mut [(usize, CaseReport)]) {
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
