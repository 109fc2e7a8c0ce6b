//! The details of one message: start line, remarks, fields, and the values that JSON has.

use std::collections::HashMap;

use maud::{Markup, html};
use serde_json::Value;

use super::conversation::Labels;
use super::{selection, visible};
use crate::inspect::output::clock::absolute;
use crate::inspect::output::remarks::remarks;
use crate::inspect::report::{Report, StartLine};

/// Maximum number of remarks about a message.
const MAX_REMARKS: usize = 20;
/// Keys of JSON whose values the page shows outside of the table.
const SHOWN_ELSEWHERE: [&str; 5] = ["file", "index", "fields", "violations", "deviations"];

/// The details of the messages in the section of an input, by the index of the message.
pub struct Details {
    markup: HashMap<usize, Markup>,
    /// Length of all details.
    pub length: usize,
    /// Number of messages whose details are left out.
    pub left_out: usize,
}

impl Details {
    /// Creates the details of messages up to a total length, those of important messages first.
    pub fn new<'r>(
        labels: &Labels<'_>,
        reports: impl Iterator<Item = &'r Report>,
        max_length: usize,
    ) -> Self {
        let mut reports: Vec<_> = reports.collect();
        reports.sort_by_key(|report| selection::rank(report, false));
        let mut details = Self { markup: HashMap::new(), length: 0, left_out: 0 };
        for report in reports {
            let markup = message_details(labels, report);
            let length = details.length + markup.0.len();
            if length > max_length {
                details.left_out += 1;
                continue;
            }
            details.length = length;
            details.markup.insert(report.index, markup);
        }
        details
    }

    pub fn of(&self, report: &Report) -> Markup {
        let left_out = || html! { p.note { "The details are left out of this page." } };
        self.markup.get(&report.index).cloned().unwrap_or_else(left_out)
    }
}

/// Returns the details of a message.
fn message_details(labels: &Labels<'_>, report: &Report) -> Markup {
    let remarks = remarks(report, None);
    let left_out = remarks.len().saturating_sub(MAX_REMARKS);
    let values = report.to_json();
    let others = values.as_object().into_iter().flatten();
    let others = others.filter(|(key, _)| !SHOWN_ELSEWHERE.contains(&key.as_str()));
    let clock = report.time.filter(|_| labels.start.is_some()).and_then(|time| absolute(time, 6));
    html! {
        @if let Some(line) = start_line(report) { p.start { code { bdi { (line) } } } }
        @if !remarks.is_empty() { ul.remarks {
            @for remark in remarks.iter().take(MAX_REMARKS) { li { bdi { (visible(remark)) } } }
            @if left_out > 0 { li { "and " (left_out) " more" } }
        } }
        div.tables {
            @if !report.fields.is_empty() { (table("Fields", report.fields.iter())) }
            (table("Message", others))
        }
        @if let Some(clock) = clock { p.note { "Head complete at " (clock) "." } }
    }
}

fn start_line(report: &Report) -> Option<String> {
    match &report.start_line {
        StartLine::Unknown => None,
        StartLine::Request { method, target } => Some(visible(&format!("{method} {target}"))),
        StartLine::Response { status, reason } => Some(visible(&format!("{status} {reason}"))),
    }
}

/// Returns a table of values that are neither null nor empty. Those in an object have rows of their own.
fn table<'v>(caption: &str, values: impl Iterator<Item = (&'v String, &'v Value)>) -> Markup {
    let mut rows = Vec::new();
    for (key, value) in values {
        match value {
            Value::Object(object) => {
                let inner = object.iter().map(|(inner, value)| (format!("{key}.{inner}"), value));
                rows.extend(inner.filter_map(|(key, value)| Some((key, text(value)?))));
            }
            value => rows.extend(text(value).map(|text| (key.clone(), text))),
        }
    }
    html! {
        table.values {
            caption { (caption) }
            tbody { @for (key, value) in rows {
                tr { th scope="row" { code { (key) } } td { bdi { (visible(&value)) } } }
            } }
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Object(_) => None,
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Array(values) => {
            let texts: Vec<_> = values.iter().filter_map(text).collect();
            Some(texts.join(", ")).filter(|text| !text.is_empty())
        }
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
    }
}
