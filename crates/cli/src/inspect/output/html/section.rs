//! The section of one input: summary, violations, and conversations.

use maud::{Markup, html};

use super::conversation::{Labels, conversation, overview};
use super::message::Details;
use super::selection::Chosen;
use super::violations::violations;
use super::{Capacity, selection, summary_list, visible};
use crate::inspect::captured::Explained;
use crate::inspect::counted::counted;
use crate::inspect::dialogues::dialogues;
use crate::inspect::output::clock::absolute;
use crate::inspect::summary::Summary;

/// Returns the section of an input, and the part of the capacity that it uses.
pub fn section(
    index: usize,
    file: &str,
    explained: &Explained,
    summary: &Summary,
    capacity: Capacity,
) -> (Markup, Capacity) {
    let labels = Labels::new(index, &explained.reports);
    let dialogues = dialogues(&explained.reports, &explained.endings);
    let chosen = selection::conversations(&dialogues, capacity);
    let start = labels.start.and_then(|start| absolute(start, 3));
    let left_out = dialogues.len() - chosen.len();
    let messages = || chosen.iter().flat_map(Chosen::messages).map(|message| message.report);
    let details = Details::new(&labels, messages(), capacity.details);
    let used = Capacity {
        messages: messages().count(),
        conversations: chosen.len(),
        details: details.length,
    };
    let has_several = chosen.len() + left_out > 1;
    let section = html! {
        section.file id=(format!("f{index}")) {
            h2 { bdi { (visible(file)) } }
            @if let Some(start) = start { p.note { "Times are seconds after " (start) "." } }
            (problems(explained))
            @if !explained.reports.is_empty() {
                (summary_list(summary))
                (violations(&labels, &explained.reports, summary, &chosen))
                @if has_several { (overview(&labels, &chosen)) }
                (left_out_note(left_out, "further conversation"))
                (left_out_note(details.left_out, "further description"))
                @for chosen in &chosen { (conversation(&labels, chosen, &details)) }
            }
        }
    };
    (section, used)
}

/// Returns a note about the number of items that are left out; empty if all are included.
fn left_out_note(count: usize, noun: &str) -> Markup {
    let verb = if count == 1 { "is" } else { "are" };
    html! { @if count > 0 {
        p.note { (counted(count as u64, noun)) " " (verb) " left out of this page." }
    } }
}

/// Lists errors and notes about parts of the input that are not explained.
fn problems(explained: &Explained) -> Markup {
    let errors: Vec<_> = explained.failure.iter().chain(&explained.damage).collect();
    let is_empty = explained.reports.is_empty() && errors.is_empty();
    html! {
        @for error in errors { p.error role="alert" { (visible(error)) } }
        @for note in &explained.notes { p.note { (visible(note)) } }
        @if is_empty { p.note { "The input contains no HTTP message." } }
    }
}
