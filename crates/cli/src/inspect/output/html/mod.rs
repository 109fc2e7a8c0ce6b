//! A page for browsers. It contains no script and loads nothing.
//!
//! All text of the capture is escaped by `maud`, after [`visible`] has replaced control characters and
//! limited its length. The length of the page is bounded: of long captures it says how many messages are
//! left out.

mod conversation;
mod ladder;
mod message;
mod plot;
mod section;
mod selection;
mod violations;
mod write;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::conversation::severity_class;
pub use self::write::write;
use super::shorten::{printable, shorten};
use super::summary;
use crate::inspect::captured::Explained;
use crate::inspect::counted::counted;
use crate::inspect::summary::Summary;

const STYLE: &str = include_str!("style.css");
/// Only the style of the page itself is allowed, and its empty icon.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// Maximum number of messages in a page.
const MAX_MESSAGES: usize = 2000;
/// Maximum number of conversations in a page.
const MAX_CONVERSATIONS: usize = 100;
/// Maximum length of the details of all messages.
const MAX_DETAILS: usize = 8 << 20;
/// Maximum number of columns of a value.
const MAX_VALUE: usize = 1000;

/// Numbers of messages, conversations and bytes of details: those that a page may still contain, or those that a
/// section contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Capacity {
    messages: usize,
    conversations: usize,
    details: usize,
}

/// Collects the inputs of a page.
pub struct Page {
    /// Number of inputs that follow.
    inputs: usize,
    capacity: Capacity,
    sections: Vec<(String, Markup)>,
    total: Summary,
}

impl Page {
    /// Creates the page of a number of inputs, which share its capacity.
    pub fn new(inputs: usize) -> Self {
        let capacity = Capacity {
            messages: MAX_MESSAGES,
            conversations: MAX_CONVERSATIONS,
            details: MAX_DETAILS,
        };
        Self { inputs, capacity, sections: Vec::new(), total: Summary::default() }
    }

    /// Adds an input with its explanation.
    pub fn add(&mut self, file: &str, explained: &Explained, summary: &Summary) {
        let inputs = self.inputs.max(1);
        let share = Capacity {
            messages: self.capacity.messages / inputs,
            conversations: self.capacity.conversations / inputs,
            details: self.capacity.details / inputs,
        };
        self.inputs = inputs - 1;
        self.total.add(summary);
        let (section, used) =
            section::section(self.sections.len(), file, explained, summary, share);
        self.capacity.messages -= used.messages;
        self.capacity.conversations -= used.conversations;
        self.capacity.details -= used.details;
        self.sections.push((file.into(), section));
    }

    /// Adds an input that cannot be read.
    pub fn add_unreadable(&mut self, file: &str, reason: &str) {
        let damage = Some(reason.to_owned());
        self.add(file, &Explained { damage, ..Explained::default() }, &Summary::default());
    }

    /// Returns the page as text.
    pub fn finish(&self) -> String {
        let title = match self.sections.as_slice() {
            [(file, _)] => format!("BITS traffic in {}", visible(base_name(file))),
            files => format!("BITS traffic in {} files", files.len()),
        };
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="referrer" content="no-referrer";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    link rel="icon" href="data:,";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header.top {
                        h1 { (title) }
                        @if self.total.requests + self.total.responses > 0 {
                            (result(&self.total))
                            p.filter { label { input #only type="checkbox"; " Only messages with problems" } }
                        }
                    }
                    main {
                        @if self.sections.len() > 1 { (self.contents()) }
                        @for (_, section) in &self.sections { (section) }
                    }
                    footer { p.by { "Written by bits inspect " (env!("CARGO_PKG_VERSION")) "." } }
                }
            }
        };
        page.into_string()
    }

    /// Lists the inputs, and counts over all of them.
    fn contents(&self) -> Markup {
        html! {
            nav aria-label="Files" {
                ul { @for (index, (file, _)) in self.sections.iter().enumerate() {
                    li { a href=(format!("#f{index}")) { bdi { (visible(file)) } } }
                } }
            }
            section {
                h2 { "Summary of " (self.sections.len()) " files" }
                (summary_list(&self.total))
            }
        }
    }
}

/// Returns text from a capture without characters that a browser interprets, and shortened in the middle.
fn visible(text: &str) -> String {
    visible_up_to(text, MAX_VALUE)
}

/// Returns visible text of at most `columns` columns. A column may have several characters, such as accents.
fn visible_up_to(text: &str, columns: usize) -> String {
    let text = shorten(&printable(text), columns);
    match text.char_indices().nth(2 * columns) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().filter(|name| !name.is_empty()).unwrap_or(path)
}

/// Returns the lines of a summary. The first value of each is emphasised.
fn summary_list(summary: &Summary) -> Markup {
    html! {
        dl.summary { @for (label, text) in summary::lines(summary) {
            @let (first, rest) = text.split_at(text.find(", ").unwrap_or(text.len()));
            @let class = if rest.is_empty() { "short" } else { "long" };
            div class=(class) { dt { (label) } dd { b { (first) } (rest.trim_start_matches(", ")) } }
        } }
    }
}

/// Returns the number of violations, in the colour of the most severe one.
fn result(summary: &Summary) -> Markup {
    let count = summary.violations.values().sum();
    let severity = summary.violations.keys().next().map(|rule| severity_class(rule.severity()));
    let text = if count == 0 { "no violations".into() } else { counted(count, "violation") };
    html! { span class=(format!("chip {}", severity.unwrap_or("ok"))) { (text) } }
}
