//! The fault of each case.
//!
//! The entities of most cases have lengths of their own, so that a fault can concern a single one.

mod connections;
mod downloads;
mod ends;
mod fragments;
mod messages;
mod notifications;
mod paths;
mod requests;
mod spellings;
mod uploads;

use crate::double::{Fault, Reply};
use crate::seen::Seen;

/// The id of each case, and a fault that only this case finds.
pub fn faults() -> impl Iterator<Item = (&'static str, Fault)> {
    let areas = [
        requests::FAULTS,
        uploads::FAULTS,
        fragments::FAULTS,
        ends::FAULTS,
        connections::FAULTS,
        notifications::FAULTS,
        downloads::FAULTS,
        paths::FAULTS,
        spellings::FAULTS,
        messages::FAULTS,
    ];
    areas.into_iter().flatten().copied()
}

/// Publishes other bytes of entities of this length.
macro_rules! spoils {
    ($id:literal, $total:expr) => {
        ($id, crate::double::Fault::Spoils(|past| crate::seen::is_of(past, $total)))
    };
}
/// Does not publish entities of this length.
macro_rules! loses {
    ($id:literal, $total:expr) => {
        ($id, crate::double::Fault::Loses(|past| crate::seen::is_of(past, $total)))
    };
}
/// Publishes an entity of this length that should not exist.
macro_rules! leaks {
    ($id:literal, $total:expr) => {
        ($id, crate::double::Fault::Leaks(|past| crate::seen::is_of(past, $total)))
    };
}
/// Responds without the server to requests that match.
macro_rules! answers {
    ($id:literal, |$seen:ident| $condition:expr, $reply:expr) => {
        ($id, crate::double::Fault::Answers(|$seen| if $condition { $reply } else { None }))
    };
}
/// Reads text in the head of a request as other text.
macro_rules! reads {
    ($id:literal, $from:expr, $to:expr) => {
        ($id, crate::double::Fault::Reads($from, $to))
    };
}
use {answers, leaks, loses, reads, spoils};

/// An Ack with success.
fn accepted(seen: &Seen<'_>) -> Option<Reply> {
    Some(Reply::Response(seen.ack()))
}

/// An Ack that acknowledges a fragment completely.
fn acknowledged(seen: &Seen<'_>) -> Option<Reply> {
    let end = seen.range().map_or(10, |range| range[1] + 1);
    Some(Reply::Response(seen.ack_of(end)))
}
