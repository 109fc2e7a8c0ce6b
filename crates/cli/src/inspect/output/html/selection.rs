//! Chooses the messages of a page if there are too many of them.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::Capacity;
use crate::inspect::dialogues::{Dialogue, Entry, Message};
use crate::inspect::report::{Report, Verdict};

/// A conversation in the page.
pub struct Chosen<'d, 'r> {
    pub dialogue: &'d Dialogue<'r>,
    pub rows: Vec<Row<'d, 'r>>,
}

pub enum Row<'d, 'r> {
    Entry(&'d Entry<'r>),
    /// Messages that are left out.
    Gap {
        count: usize,
        first: usize,
        last: usize,
    },
    /// A number of connections that ended after those before.
    MoreEndings(usize),
}

/// Number of messages at the end of a conversation that are shown if possible. Of equally important messages the
/// first ones are shown.
const LAST_MESSAGES: usize = 10;

/// Maximum number of connections that are shown to end after one message.
const MAX_ENDINGS: usize = 5;

impl<'r> Chosen<'_, 'r> {
    /// Returns the messages in the page.
    pub fn messages(&self) -> impl Iterator<Item = &Message<'r>> {
        self.rows.iter().filter_map(|row| match row {
            Row::Entry(Entry::Message(message)) => Some(message),
            Row::Entry(_) | Row::Gap { .. } | Row::MoreEndings(_) => None,
        })
    }
}

/// Returns as many conversations as the capacity allows, in their order. Those with violations are
/// preferred.
pub fn conversations<'d, 'r>(
    dialogues: &'d [Dialogue<'r>],
    capacity: Capacity,
) -> Vec<Chosen<'d, 'r>> {
    let mut order: Vec<_> = dialogues.iter().enumerate().collect();
    let has_violation =
        |dialogue: &Dialogue<'_>| dialogue.messages().any(|it| !it.report.violations.is_empty());
    if order.len() > capacity.conversations {
        order.sort_by_key(|(_, dialogue)| Reverse(has_violation(dialogue)));
        order.truncate(capacity.conversations);
        order.sort_by_key(|(index, _)| *index);
    }
    // Short conversations leave their share to longer ones.
    let mut by_length: Vec<_> =
        order.iter().map(|(index, dialogue)| (dialogue.messages().count(), *index)).collect();
    by_length.sort_unstable();
    let (mut messages, mut left) = (capacity.messages, by_length.len());
    let mut limits = HashMap::new();
    for (length, index) in by_length {
        let limit = length.min(messages / left);
        limits.insert(index, limit);
        messages -= limit;
        left -= 1;
    }
    let choose = |(index, dialogue): (usize, &'d Dialogue<'r>)| Chosen {
        dialogue,
        rows: rows(dialogue, limits[&index]),
    };
    order.into_iter().map(choose).collect()
}

/// Returns at most `limit` messages of a conversation, and the gaps between them.
fn rows<'d, 'r>(dialogue: &'d Dialogue<'r>, limit: usize) -> Vec<Row<'d, 'r>> {
    let shown = shown(dialogue, limit);
    let is_shown = |message: &Message<'_>| shown.contains(&message.report.index);
    let mut rows = Vec::new();
    // A connection is shown with the message after it, and its end with the one before it.
    let (mut connection, mut is_after_shown, mut endings) = (None, false, 0);
    for entry in &dialogue.entries {
        match entry {
            Entry::Connection(_) => connection = Some(entry),
            Entry::Message(message) if is_shown(message) => {
                rows.extend(connection.take().map(Row::Entry));
                rows.push(Row::Entry(entry));
                (is_after_shown, endings) = (true, 0);
            }
            Entry::Message(message) => {
                add_to_gap(&mut rows, message.report.index);
                is_after_shown = false;
            }
            Entry::Ended(_) if is_after_shown => {
                endings += 1;
                add_ending(&mut rows, entry, endings);
            }
            Entry::Ended(_) => {}
        }
    }
    rows
}

fn add_ending<'d, 'r>(rows: &mut Vec<Row<'d, 'r>>, entry: &'d Entry<'r>, number: usize) {
    match rows.last_mut() {
        Some(Row::MoreEndings(count)) => *count += 1,
        _ if number > MAX_ENDINGS => rows.push(Row::MoreEndings(1)),
        _ => rows.push(Row::Entry(entry)),
    }
}

fn add_to_gap(rows: &mut Vec<Row<'_, '_>>, index: usize) {
    match rows.last_mut() {
        Some(Row::Gap { count, last, .. }) => (*count, *last) = (*count + 1, index),
        _ => rows.push(Row::Gap { count: 1, first: index, last: index }),
    }
}

/// Returns the indices of the messages to show, the most important ones if they are too many.
fn shown(dialogue: &Dialogue<'_>, limit: usize) -> HashSet<usize> {
    let length = dialogue.messages().count();
    let mut ranked: Vec<_> = dialogue
        .messages()
        .enumerate()
        .map(|(position, message)| {
            let is_last = position + LAST_MESSAGES >= length;
            (rank(message.report, is_last), message.report.index)
        })
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().take(limit).map(|(_, index)| index).collect()
}

/// Returns the rank of a message, 0 for the most important ones.
pub fn rank(report: &Report, is_last: bool) -> u8 {
    match report.verdict {
        _ if report.violates_must() => 0,
        _ if !report.violations.is_empty() => 1,
        Verdict::Rejected | Verdict::Partial | Verdict::Skipped => 1,
        _ if is_last => 2,
        _ => 3,
    }
}
