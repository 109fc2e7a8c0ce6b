//! Prints the reports as a table.

use std::collections::BTreeSet;

use comfy_table::{Cell, Color, ContentArrangement, Row, Table, presets};
use serde_json::Value;

use bits_proto::field::ContentName;
use bits_proto::observer::Violation;

use crate::report::{Report, StartLine, Verdict};
use crate::source::Direction;

/// Returns a table of the messages of one file, in colour if standard output is a terminal.
pub fn table(reports: &[Report]) -> Table {
    let connections: BTreeSet<_> = reports.iter().map(|it| it.connection.as_ref()).collect();
    let has_connections = connections.len() > 1;
    let mut header = vec!["#", "", "message", "status", "session", "bytes", "verdict", "remarks"];
    if has_connections {
        header.insert(1, "connection");
    }
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header)
        .add_rows(reports.iter().map(|report| row(report, has_connections)));
    table
}

fn row(report: &Report, has_connections: bool) -> Row {
    let mut cells = vec![Cell::new(report.index)];
    if has_connections {
        cells.push(Cell::new(report.connection.as_deref().unwrap_or_default()));
    }
    cells.extend([
        Cell::new(match report.direction {
            Some(Direction::Request) => "→",
            Some(Direction::Response) => "←",
            None => "",
        }),
        Cell::new(printable(&message(report))),
        Cell::new(printable(status(report).trim())),
        Cell::new(printable(&session(report))),
        Cell::new(bytes(report)),
        coloured(report),
        Cell::new(printable(&remarks(report).join("\n"))),
    ]);
    Row::from(cells)
}

/// Replaces control characters from peers, which the terminal might interpret.
fn printable(text: &str) -> String {
    let safe =
        |letter: char| if letter.is_control() && letter != '\n' { '\u{FFFD}' } else { letter };
    text.chars().map(safe).collect()
}

fn coloured(report: &Report) -> Cell {
    let cell = Cell::new(report.verdict.name());
    if std::env::var_os("NO_COLOR").is_some() { cell } else { cell.fg(colour(report)) }
}

fn colour(report: &Report) -> Color {
    match report.verdict {
        Verdict::Rejected => Color::Red,
        Verdict::Partial | Verdict::Skipped => Color::Magenta,
        Verdict::Foreign => Color::DarkGrey,
        Verdict::Deviates => Color::Yellow,
        Verdict::Ok if report.failure.is_some() => Color::Yellow,
        Verdict::Ok => Color::Green,
    }
}

fn message(report: &Report) -> String {
    match (report.kind, report.ack_context) {
        ("ack", Some(ack_context)) => format!("ack for {ack_context}"),
        ("download" | "other", _) if report.is_request() => match &report.start_line {
            StartLine::Request { method, target } => format!("{method} {target}"),
            _ => report.note.clone().unwrap_or_default(),
        },
        (kind, _) => kind.into(),
    }
}

fn status(report: &Report) -> String {
    match &report.start_line {
        StartLine::Response { status, reason } => format!("{status} {reason}"),
        _ if report.is_request() => String::new(),
        _ => report.note.clone().unwrap_or_default(),
    }
}

fn text<'r>(report: &'r Report, key: &str) -> &'r str {
    report.fields.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn number(report: &Report, key: &str) -> Option<u64> {
    report.fields.get(key).and_then(Value::as_u64)
}

/// Returns the beginning of the session id, which suffices to distinguish sessions.
fn session(report: &Report) -> String {
    let id = text(report, "session_id");
    match id.char_indices().nth(12) {
        Some(_) => format!("{}…", id.chars().take(9).collect::<String>()),
        None => id.into(),
    }
}

/// Returns the range of a fragment, or the offset that the server expects next.
fn bytes(report: &Report) -> String {
    if let (Some(first), Some(last), Some(total)) =
        (number(report, "first"), number(report, "last"), number(report, "total"))
    {
        return format!("{first}–{last} of {total}");
    }
    number(report, "received").map(|next| format!("next {next}")).unwrap_or_default()
}

fn description(violation: &Violation) -> String {
    let (severity, rule, section) = (violation.severity(), violation.rule(), violation.section());
    match violation {
        // The description contains the section.
        Violation::Message(_) => format!("{severity} {rule}: {violation}"),
        _ => format!("{severity} {rule}: {violation} ([MC-BUP] {section})"),
    }
}

/// Returns notable values, violations and deviations.
fn remarks(report: &Report) -> Vec<String> {
    let mut remarks: Vec<String> = Vec::new();
    let named = [
        ("content_name", "name"),
        ("protocol", "protocol"),
        ("host_id", "continue at host"),
        ("reply_url", "reply at"),
        ("static_response_url", "reply at"),
        ("original_request_url", "uploaded to"),
        ("code", "code"),
    ];
    for (key, label) in named {
        if !text(report, key).is_empty() {
            remarks.push(format!("{label} {}", text(report, key)));
        }
    }
    let name = text(report, "content_name");
    if !name.is_empty() && ContentName::try_from(name).is_ok_and(|name| !name.is_safe()) {
        remarks.push("the name is not safe to use as a file name".into());
    }
    let missing = report.missing.filter(|missing| *missing > 0);
    remarks.extend(missing.map(|missing| format!("{missing} bytes were not captured")));
    remarks.extend(report.skipped.as_ref().map(ToString::to_string));
    let malformed = report.error.filter(|_| report.verdict == Verdict::Foreign);
    remarks.extend(malformed.map(|error| format!("malformed: {error}")));
    remarks.extend(report.failure.map(|failure| format!("the client should: {failure}")));
    remarks.extend(report.violations.iter().map(description));
    let is_listed = |violation| report.violations.contains(&violation);
    let unlisted = report.deviations.iter().filter(|it| !is_listed(Violation::from(**it)));
    remarks.extend(unlisted.map(|it| format!("{it}: {}", it.description())));
    remarks.extend(report.reply.map(|reply| {
        let code =
            reply.code().map(|code| format!(" with {}", code.with_name())).unwrap_or_default();
        format!("a server should answer {}{code}", reply.status())
    }));
    remarks
}
