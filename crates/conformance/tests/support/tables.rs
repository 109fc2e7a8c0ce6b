//! Rules for the tables of cases and of faults.

use std::collections::BTreeSet;
use std::fs;

use bits_conformance::{Case, Report};
use tokio::task::JoinSet;

/// Returns the ids of the requirements of the specification.
fn requirements() -> BTreeSet<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CONFORMANCE.md");
    let text = fs::read_to_string(path).expect("the table of requirements");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| R")?.split_once(" |"));
    rows.map(|(id, _)| format!("R{id}")).collect()
}

/// Asserts that the requirements of all cases exist.
pub fn have_requirements(cases: impl Iterator<Item = Case>) {
    let known = requirements();
    for case in cases {
        assert!(!case.requirements.is_empty(), "{}", case.id);
        for id in case.requirements {
            let is_rfc = id.strip_prefix("RFC").is_some_and(|it| it.contains('-'));
            assert!(is_rfc || known.contains(*id), "{}: unknown {id}", case.id);
        }
    }
}

/// Asserts that the ids are unique names of parts, that each advice is one sentence, and that there are this many.
pub fn have_ids_and_advice(cases: impl Iterator<Item = Case>, least: usize) {
    let mut ids = BTreeSet::new();
    for case in cases {
        assert!(ids.insert(case.id), "{} is used twice", case.id);
        let is_part = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        };
        assert!(case.id.split('.').count() >= 2 && case.id.split('.').all(is_part), "{}", case.id);
        assert!(case.advice.ends_with('.') && case.advice.len() <= 110, "{}", case.advice);
        assert!(!case.advice.contains('\n') && !case.advice.contains(". "), "{}", case.advice);
    }
    assert!(ids.len() >= least, "{} cases", ids.len());
}

/// Asserts that each case has a fault, and each fault a case.
pub fn have_faults(cases: impl Iterator<Item = Case>, faults: impl Iterator<Item = &'static str>) {
    let cases = cases.map(|case| case.id).collect::<BTreeSet<_>>();
    let faults = faults.collect::<BTreeSet<_>>();
    let missing = cases.difference(&faults).collect::<Vec<_>>();
    let unknown = faults.difference(&cases).collect::<Vec<_>>();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "{missing:?} have no fault, {unknown:?} no case"
    );
}

/// Returns the failures with the beginning of each message of their evidence.
pub fn describe(report: &Report) -> String {
    let mut text = String::new();
    for it in report.failures() {
        text += &format!("{}: {}\n", it.case.id, it.verdict.reason().unwrap_or_default());
        for message in &it.evidence {
            let message = message.to_string();
            text += &format!("{}\n", message.get(..2000).unwrap_or(&message));
        }
    }
    text
}

/// Returns the pattern of the cases that are examined with the fault at this position.
///
/// These are all cases if `BITS_FAULTS` is set, and for every eighth fault in CI. Otherwise, these are the
/// cases of the area, which take a tenth of the time.
fn examined(position: usize, id: &'static str) -> &'static str {
    let is_set = |name| std::env::var_os(name).is_some();
    if is_set("BITS_FAULTS") || is_set("CI") && position % 8 == 0 {
        return "*";
    }
    id.split('.').next().unwrap_or_default()
}

/// Asserts that each fault fails its case and no other. The function examines the cases that match a pattern with a
/// fault, which has an id; this many run at the same time.
///
/// Set `BITS_FAULTS` to a pattern to examine all cases with each fault whose case matches.
pub async fn fail_their_cases_only<F, R>(
    faults: impl Iterator<Item = (Case, F)>,
    jobs: usize,
    examine: impl Fn(&'static str, F, &'static str) -> R,
) where
    R: Future<Output = Report> + Send + 'static,
{
    let only = std::env::var("BITS_FAULTS").unwrap_or("*".into());
    let mut running = JoinSet::<String>::new();
    let mut wrong = String::new();
    for (position, (case, fault)) in faults.enumerate() {
        if !case.matches(&only) {
            continue;
        }
        if running.len() == jobs {
            wrong += &running.join_next().await.expect("a fault").expect("no panic");
        }
        let id = case.id;
        let report = examine(id, fault, examined(position, id));
        running.spawn(async move {
            let report = report.await;
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
