//! Faults of request targets.

use super::answers;
use crate::double::{Fault, Reply, set};

/// Publishes outside the root what is uploaded to a request target.
macro_rules! escapes {
    ($id:literal, $text:literal) => {
        ($id, Fault::Escapes($text))
    };
}

pub const FAULTS: &[(&str, Fault)] = &[
    escapes!("path.dots", "POST /../bits-"),
    escapes!("path.dots_inside", "/../../../bits-"),
    escapes!("path.encoded_dots", "POST /%2e%2e/bits-"),
    escapes!("path.encoded_slash", "POST /..%2fbits-"),
    escapes!("path.encoded", "POST /%2e%2e%2f%2e%2e%2fbits-"),
    escapes!("path.encoded_twice", "POST /%252e%252e%252fbits-"),
    escapes!("path.backslash", "POST /..\\bits-"),
    escapes!("path.encoded_backslash", "POST /..%5cbits-"),
    escapes!("path.overlong", "POST /%c0%ae%c0%ae/bits-"),
    escapes!("path.absolute", "POST /%2ftmp%2fbits-"),
    (
        "path.nul",
        Fault::LeaksOther(|seen, knows| knows(&format!("{}%00.txt", seen.parts.uri.path()))),
    ),
    (
        "path.line_end",
        Fault::Changes(|seen, response| {
            if seen.parts.uri.path().contains("%0d%0a") {
                set(response, "X-Injected", "yes");
            }
        }),
    ),
    answers!(
        "path.long_name",
        |seen| seen.is("create-session") && seen.parts.uri.path().len() > 300,
        Some(Reply::Silence)
    ),
    answers!(
        "path.encoded_name",
        |seen| seen.parts.uri.path().contains("%2d"),
        Reply::refusal(404, "0x80070002")
    ),
];
