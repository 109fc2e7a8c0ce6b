//! Faults of Close-Session and Cancel-Session.

use super::{accepted, acknowledged, answers, leaks, loses, reads};
use crate::double::{Fault, Reply, set};
use crate::seen::{has, is_of};

pub const FAULTS: &[(&str, Fault)] = &[
    loses!("close.publishes", 62),
    answers!(
        "close.again",
        |seen| seen.is("close-session") && has(seen.past, "close-session") && is_of(seen.past, 63),
        accepted(seen)
    ),
    answers!(
        "close.then_cancel",
        |seen| seen.is("cancel-session") && has(seen.past, "close-session") && is_of(seen.past, 63),
        accepted(seen)
    ),
    answers!(
        "close.then_fragment",
        |seen| seen.is_fragment(0, 64) && has(seen.past, "close-session"),
        acknowledged(seen)
    ),
    leaks!("close.incomplete", 165),
    reads!("close.body", "Content-Length: 4\r\n", "Content-Length: 0\r\n"),
    answers!(
        "close.length.missing",
        |seen| seen.is("close-session") && !seen.has("Content-Length"),
        Some(Reply::Silence)
    ),
    loses!("close.lost_ack", 66),
    (
        "cancel.acknowledged",
        Fault::Changes(|seen, response| {
            if seen.is("cancel-session") && is_of(seen.past, 67) {
                *response.status_mut() = http::StatusCode::BAD_REQUEST;
                set(response, "BITS-Error-Code", "0x80070057");
                set(response, "BITS-Error-Context", "0x5");
            }
        }),
    ),
    leaks!("cancel.discards", 68),
    answers!(
        "cancel.new_session",
        |seen| seen.is("create-session") && is_of(seen.past, 72),
        Reply::refusal(403, "0x80070005")
    ),
    (
        "cancel.before_fragments",
        Fault::Changes(|seen, response| {
            if seen.is("cancel-session") && !has(seen.past, "fragment") && seen.past.len() == 1 {
                *response.status_mut() = http::StatusCode::BAD_REQUEST;
                set(response, "BITS-Error-Code", "0x80070057");
                set(response, "BITS-Error-Context", "0x5");
            }
        }),
    ),
    answers!(
        "cancel.again",
        |seen| seen.is("cancel-session")
            && has(seen.past, "cancel-session")
            && is_of(seen.past, 70),
        accepted(seen)
    ),
    answers!(
        "cancel.then_close",
        |seen| seen.is("close-session") && has(seen.past, "cancel-session") && is_of(seen.past, 70),
        accepted(seen)
    ),
    answers!(
        "cancel.then_fragment",
        |seen| seen.is_fragment(24, 71) && has(seen.past, "cancel-session"),
        acknowledged(seen)
    ),
    reads!("cancel.body", "Content-Length: 6\r\n", "Content-Length: 0\r\n"),
    answers!(
        "cancel.length.missing",
        |seen| seen.is("cancel-session") && !seen.has("Content-Length"),
        Some(Reply::Silence)
    ),
];
