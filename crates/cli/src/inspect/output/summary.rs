//! Prints a summary as text.

use std::io::{self, Write};

use bits_proto::observer::Severity;
use comfy_table::{ContentArrangement, Table, presets};

use super::text::Layout;
use crate::inspect::counted::counted;
use crate::inspect::summary::Summary;

/// Number of columns before a value.
const LABEL: usize = 20;

/// Prints a summary of one input, or of all.
pub fn print(
    out: &mut impl Write,
    title: &str,
    summary: &Summary,
    layout: Layout,
) -> io::Result<()> {
    writeln!(out, "{title}")?;
    for (label, text) in lines(summary) {
        let (first, rest) = (format!("  {label:<LABEL$}"), " ".repeat(LABEL + 2));
        let lines = layout.wrap(&text, &first, &rest);
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }
    if !summary.violations.is_empty() {
        print_violations(out, summary, layout)?;
    }
    writeln!(out)
}

/// Returns the lines of a summary: a label and a text each.
pub fn lines(summary: &Summary) -> Vec<(&'static str, String)> {
    let violations: u64 = summary.violations.values().sum();
    vec![
        ("conversations", summary.conversations.to_string()),
        ("messages", messages(summary)),
        ("sessions", sessions(summary)),
        ("bytes", bytes(summary)),
        ("packets repeated", summary.transfer.retries.to_string()),
        ("resynchronisations", summary.transfer.resynchronisations.to_string()),
        ("violations", if violations == 0 { "none".into() } else { violations.to_string() }),
    ]
}

fn messages(summary: &Summary) -> String {
    let mut parts =
        vec![counted(summary.requests, "request"), counted(summary.responses, "response")];
    let exceptions = [
        (summary.foreign, "not BITS"),
        (summary.rejected, "rejected"),
        (summary.partial, "incomplete"),
    ];
    let exceptions = exceptions.iter().filter(|(count, _)| *count > 0);
    parts.extend(exceptions.map(|(count, what)| format!("{count} {what}")));
    if summary.skipped > 0 {
        parts.push(format!("{} outside of messages", counted(summary.skipped, "byte")));
    }
    parts.join(", ")
}

/// Counts the results of the sessions, which only responses show.
fn sessions(summary: &Summary) -> String {
    let sessions = &summary.sessions;
    if sessions.open > 0 && summary.responses == 0 {
        return format!("{} with an unknown result", counted(sessions.open, "session"));
    }
    let counts = [
        (sessions.created, "created"),
        (sessions.closed, "closed"),
        (sessions.cancelled, "cancelled"),
        (sessions.lost, "lost"),
        (sessions.open, "still open"),
    ];
    counts.map(|(count, what)| format!("{count} {what}")).join(", ")
}

/// Compares the bytes that the client sent with those that the server acknowledged.
fn bytes(summary: &Summary) -> String {
    let transfer = &summary.transfer;
    let sent = format!("{} sent in {}", transfer.sent, counted(transfer.fragments, "fragment"));
    match transfer.fragments > 0 && summary.responses == 0 {
        true => format!("{sent}; the responses were not captured"),
        false => format!("{sent}, {} acknowledged", transfer.acknowledged),
    }
}

/// Prints a table of the violated rules, and the meaning of their severities.
fn print_violations(out: &mut impl Write, summary: &Summary, layout: Layout) -> io::Result<()> {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["", "severity", "count", "by", "section", "rule"]);
    for (rule, count) in summary.sorted_violations() {
        let (severity, by) = (rule.severity().name(), rule.party.name());
        table.add_row(["", severity, &count.to_string(), by, rule.section, rule.name]);
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    let text = meanings(summary);
    layout.wrap(&text, "  ", "  ").iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// Explains the sections and the severities of the violated rules.
pub fn meanings(summary: &Summary) -> String {
    let meaning = "Sections are those of [MC-BUP], the specification of the protocol.";
    let has = |severity| summary.violations.keys().any(|rule| rule.severity() == severity);
    let meanings = [
        (Severity::Must, "MUST: the specification forbids it."),
        (Severity::Should, "SHOULD: the specification advises against it."),
        (
            Severity::Suspicious,
            "suspicious: not forbidden, but a sign of a fault, a proxy, or an attack.",
        ),
    ];
    let meanings = meanings.into_iter().filter(|(severity, _)| has(*severity)).map(|it| it.1);
    [meaning].into_iter().chain(meanings).collect::<Vec<_>>().join(" ")
}
