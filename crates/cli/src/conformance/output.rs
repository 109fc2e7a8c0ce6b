//! Reports for people.

use std::fmt::Write as _;

use bits_conformance::{Case, CaseReport, Level, Report, Verdict};
use comfy_table::{ContentArrangement, Table, presets};

/// Returns the list of cases, as a table or as JSON.
pub fn list(cases: impl Iterator<Item = Case>, is_json: bool) -> String {
    if is_json {
        let cases = cases.collect::<Vec<_>>();
        return serde_json::to_string_pretty(&cases).unwrap_or_default();
    }
    let mut table = table(&["case", "level", "requirements", "advice"]);
    for case in cases {
        let requirements = case.requirements.join(" ");
        table.add_row([case.id, case.level.name(), &requirements, case.advice]);
    }
    table.to_string()
}

/// Returns the result of one case as a line.
pub fn line(report: &CaseReport) -> String {
    let name = match report.verdict {
        Verdict::Fail(_) => "FAIL",
        ref verdict => verdict.name(),
    };
    format!("{name:<14} {:<10} {}", report.case.level, report.case.id)
}

/// Returns the failures, the reasons of cases that were not examined, and a summary. Failures with which data is
/// lost come first.
pub fn report(report: &Report, has_evidence: bool) -> String {
    let (losses, others) = report.failures().partition::<Vec<_>, _>(|it| it.loses_data);
    let mut text = String::new();
    for case in losses.iter().chain(&others) {
        write_failure(&mut text, case, has_evidence);
    }
    text.push_str(&unexamined(report));
    let _ = writeln!(text, "{}", summary(report));
    if !losses.is_empty() {
        let ids = losses.iter().map(|it| it.case.id).collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "Data is lost or damaged in: {ids}.");
    }
    let (sent, received) = (report.bytes_sent, report.bytes_received);
    let _ = writeln!(text, "{} bytes sent, {} bytes received.", sent, received);
    if let Some(first) = report.remaining.first() {
        let count = report.remaining.len();
        let name = first.rsplit_once('-').map_or(&**first, |(name, _)| name);
        let _ = writeln!(text, "Up to {count} files named {name}-… remain on the server.");
    }
    text
}

fn write_failure(text: &mut String, report: &CaseReport, has_evidence: bool) {
    let case = &report.case;
    let effect = if report.loses_data { ", data is lost or damaged" } else { "" };
    let sections = case.sections().join(", ");
    let _ = writeln!(text, "FAIL {} ({}, {sections}{effect})", case.id, case.level);
    let _ = writeln!(text, "  {}", report.verdict.reason().unwrap_or_default());
    let _ = writeln!(text, "  {}", case.advice);
    if has_evidence {
        for message in &report.evidence {
            let _ = writeln!(text, "  {}", message.to_string().replace('\n', "\n  "));
        }
    }
    text.push('\n');
}

/// Returns the reasons why cases were not examined, with the number of cases.
fn unexamined(report: &Report) -> String {
    let mut reasons = Vec::<(&str, &str, usize)>::new();
    for case in &report.cases {
        let (Verdict::Skipped(reason) | Verdict::NotApplicable(reason)) = &case.verdict else {
            continue;
        };
        let name = case.verdict.name();
        match reasons.iter_mut().find(|(it, text, _)| *it == name && text == reason) {
            Some((_, _, count)) => *count += 1,
            None => reasons.push((name, reason, 1)),
        }
    }
    let lines = reasons.iter().map(|(name, reason, count)| format!("{count} {name}: {reason}\n"));
    let text = lines.collect::<String>();
    if text.is_empty() { text } else { text + "\n" }
}

fn summary(report: &Report) -> Table {
    let mut table = table(&["level", "pass", "fail", "skipped", "not applicable"]);
    for level in Level::ALL {
        add_row(&mut table, level.name(), report.cases.iter().filter(|it| it.case.level == *level));
    }
    add_row(&mut table, "all", report.cases.iter());
    table
}

fn add_row<'a>(table: &mut Table, name: &str, cases: impl Iterator<Item = &'a CaseReport>) {
    let names = ["pass", "fail", "skipped", "not-applicable"];
    let mut counts = [0; 4];
    for case in cases {
        if let Some(index) = names.iter().position(|it| *it == case.verdict.name()) {
            counts[index] += 1;
        }
    }
    let counts = counts.map(|count| count.to_string());
    table.add_row(std::iter::once(name).chain(counts.iter().map(String::as_str)));
}

fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(columns);
    table
}
