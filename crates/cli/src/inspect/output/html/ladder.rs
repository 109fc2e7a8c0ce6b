//! The ladder diagram of a conversation: a list of messages as arrows between lifelines. Each message opens
//! its details.

use maud::{Markup, html};

use super::conversation::{Labels, ends, severity_class};
use super::message::Details;
use super::selection::{Chosen, Row};
use super::{visible, visible_up_to};
use crate::inspect::conversation::Ending;
use crate::inspect::counted::counted;
use crate::inspect::dialogues::{Entry, Message};
use crate::inspect::output::details;
use crate::inspect::report::{Party, Report, Verdict};
use crate::inspect::source::End;

/// Maximum number of columns of the text at an arrow.
const MAX_LABEL: usize = 72;
/// Maximum number of columns of the name of a message, which may be the method of another protocol.
const MAX_NAME: usize = 32;
/// Maximum number of rules that are named at an arrow.
const MAX_CHIPS: usize = 4;

/// Returns the diagram of a conversation.
pub fn ladder(labels: &Labels<'_>, chosen: &Chosen<'_, '_>, details: &Details) -> Markup {
    let [client, server] = ends(chosen.dialogue);
    let has_application = chosen.dialogue.has_application();
    let mut parties = vec![(Party::Client, client), (Party::Server, server)];
    parties.extend(has_application.then(|| (Party::Application, String::new())));
    let width = if has_application { "three" } else { "two" };
    let times = if labels.start.is_some() { "timed" } else { "untimed" };
    html! {
        div class=(format!("ladder {width} {times}")) {
            div.lifelines aria-hidden="true" { div.lane {
                @for (party, _) in &parties { i class=(party.name()) {} }
            } }
            div.parties { div.lane {
                @for (party, address) in &parties {
                    span class=(party.name()) { b { (party.name()) } @if !address.is_empty() { small title=(address) { (address) } } }
                }
            } }
            ol { @for row in &chosen.rows { (self::row(labels, row, details)) } }
        }
    }
}

fn row(labels: &Labels<'_>, row: &Row<'_, '_>, details: &Details) -> Markup {
    match row {
        Row::Gap { count, first, last } => {
            let verb = if *count == 1 { "is" } else { "are" };
            let count = counted(*count as u64, "message");
            event(
                &format!("{count} between #{first} and #{last} {verb} left out of this page"),
                "gap",
                None,
            )
        }
        Row::Entry(Entry::Connection(ends)) => {
            event(&format!("connection {}: {ends}", labels.connection(ends)), "opened", None)
        }
        Row::Entry(Entry::Ended(ending)) => {
            event(&end(labels, ending), "ended", labels.time(ending.time))
        }
        Row::Entry(Entry::Message(message)) => arrow_row(labels, message, details),
        Row::MoreEndings(count) => {
            event(&format!("{} ended", counted(*count as u64, "more connection")), "ended", None)
        }
    }
}

fn end(labels: &Labels<'_>, ending: &Ending) -> String {
    let number = labels.connection(&ending.connection);
    match ending.end {
        End::Closed => format!("connection {number} closed"),
        End::Reset => format!("connection {number} reset"),
        End::Replaced => format!("connection {number} replaced by another one on the same ports"),
    }
}

fn event(text: &str, class: &str, time: Option<String>) -> Markup {
    html! {
        li class=(format!("event {class}")) {
            span.no {}
            span.time { @if let Some(time) = time { (time) } }
            span.lane { span.text { (visible(text)) } }
            span.verdict {}
        }
    }
}

fn arrow_row(labels: &Labels<'_>, message: &Message<'_>, details: &Details) -> Markup {
    let report = message.report;
    let is_bad = !report.violations.is_empty() || report.is_failure();
    let class = if is_bad { "message bad" } else { "message" };
    html! {
        li class=(class) {
            details {
                summary {
                    span.no { "#" (report.index) }
                    span.time { @if let Some(time) = labels.time(report.time) { (time) } }
                    span.lane { (arrow(message)) }
                    span.verdict { span class=(format!("chip {}", report.verdict.name())) { (report.verdict.name()) } }
                }
                div.more id=(labels.id(report.index)) { (details.of(report)) }
            }
        }
    }
}

fn arrow(message: &Message<'_>) -> Markup {
    let report = message.report;
    let (from, to) = (report.sender(), report.receiver());
    let direction = match report.direction {
        None => "undirected",
        Some(_) if from < to => "right",
        Some(_) => "left",
    };
    let [left, right] = if from < to { [from, to] } else { [to, from] };
    let line = match report.verdict {
        Verdict::Partial => "cut",
        Verdict::Skipped => "skipped",
        _ if message.effect.is_repeated => "repeated",
        _ => "whole",
    };
    let class = format!("arrow {direction} {line} {}-{}", left.name(), right.name());
    html! {
        span class=(class) {
            span.label {
                @if report.direction.is_some() { span.unseen { (from.name()) " to " (to.name()) ": " } }
                b { (visible_up_to(&details::name(report), MAX_NAME)) } " "
                bdi { (visible_up_to(&details::details(report, Some(MAX_LABEL)), MAX_LABEL)) }
                (chips(message))
            }
            i.line aria-hidden="true" {}
        }
    }
}

/// Names the rules that a message violates, and its deviations.
fn chips(message: &Message<'_>) -> Markup {
    let Message { report, effect } = message;
    let rules = report.violations.iter();
    let rules: Vec<_> = rules
        .map(|it| (severity_class(it.severity()), format!("{} {}", it.severity(), it.rule())))
        .chain(deviations(report).map(|name| ("deviates", format!("deviation {name}"))))
        .collect();
    html! {
        @if effect.is_repeated { " " span.chip.again { "sent again" } }
        @for (class, text) in rules.iter().take(MAX_CHIPS) { " " span class=(format!("chip {class}")) { (text) } }
        @if rules.len() > MAX_CHIPS { " " span.chip { "and " (rules.len() - MAX_CHIPS) " more" } }
    }
}

/// Returns the deviations that are not also violations.
fn deviations(report: &Report) -> impl Iterator<Item = &'static str> {
    let is_listed = |name: &str| report.violations.iter().any(|violation| violation.rule() == name);
    report.deviations.iter().map(|deviation| deviation.name()).filter(move |name| !is_listed(name))
}
