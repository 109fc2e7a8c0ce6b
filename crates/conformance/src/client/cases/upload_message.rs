//! Rules of uploads that hold in every conversation, which the observer checks.

use crate::Level::{Must, Should};
use crate::client::entry::Entry;
use crate::client::scenario::Expect::Finishes;
use crate::client::upload::{Scenario, Upload};

/// The conversation if no other cases are selected.
const ORDINARY: Scenario = Scenario::new(Finishes, 52_000, Upload::ordinary);

/// A case that fails if a rule is violated in any conversation that is otherwise as expected.
macro_rules! rules {
    ($id:literal, $level:ident, $requirements:expr, $rules:expr, $advice:literal) => {
        Entry::upload($id, $level, $requirements, $advice, ORDINARY).with_rules($rules)
    };
}

pub(super) const CASES: &[Entry] = &[
    rules!(
        "message.method",
        Must,
        &["R2.2.1-3"],
        &["plain-post", "method-override", "not-bits"],
        "Send packets with the method BITS_POST."
    ),
    rules!(
        "message.content_length",
        Must,
        &["R2.2.1.1-4"],
        &["missing-content-length", "missing-field Content-Length"],
        "Send Content-Length with each packet, also if it is 0."
    ),
    rules!(
        "message.body",
        Must,
        &["R2.2.4.3-1", "R2.2.2.3-1", "R2.2.8.3-1", "R2.2.10.3-1"],
        &["unexpected-body"],
        "Send no body with packets other than Fragment."
    ),
    rules!(
        "message.length",
        Must,
        &["R2.2.6.3-1"],
        &["length-mismatch"],
        "Send as many bytes in a Fragment as its Content-Range has."
    ),
    rules!(
        "message.protocols",
        Must,
        &["R2.2.2.2-4"],
        &["missing-field BITS-Supported-Protocols", "unbraced-guid"],
        "Send BITS-Supported-Protocols with Create-Session, as GUIDs in braces."
    ),
    rules!(
        "message.session_id",
        Must,
        &["R2.2.1.2-4", "R2.2.3.2-3"],
        &["unknown-session", "missing-field BITS-Session-Id"],
        "Send the session id of the Ack for Create-Session with each later packet."
    ),
    rules!(
        "message.before_create",
        Must,
        &["R2.2.3.2-3"],
        &["request-before-create"],
        "Create a session before any packet that needs one."
    ),
    rules!(
        "message.after_end",
        Must,
        &["R2.2.8-1", "R2.2.10-1"],
        &["request-after-end", "fragment-after-close", "request-after-cancel"],
        "Send no packets for a session that has ended, except to repeat a packet without a response."
    ),
    rules!(
        "message.offset",
        Must,
        &["R2.2.7.2-2", "R3.1.5.1.4-1"],
        &["offset-goes-back", "offset-skips-ahead"],
        "Start each Fragment at the offset in the last Ack, and nowhere else."
    ),
    rules!(
        "message.total",
        Must,
        &["R2.2.6.1-3"],
        &["total-changes"],
        "Send the same total length with all fragments of a session."
    ),
    rules!(
        "message.close",
        Must,
        &["R2.2.8-1"],
        &["close-before-whole"],
        "Send Close-Session after all bytes are acknowledged, and not before."
    ),
    rules!(
        "message.pipelined",
        Must,
        &["R3.1.5.1.4-1"],
        &["pipelined-request", "concurrent-request"],
        "Wait for the response to a packet before the next one."
    ),
    rules!(
        "message.content_name",
        Should,
        &["R2.2.6.1-2"],
        &["content-name-changes"],
        "Send the same Content-Name with all fragments of a session."
    ),
    rules!(
        "message.content_range",
        Must,
        &["R2.2.6.1-3"],
        &[
            "range-white-space",
            "missing-field Content-Range",
            "not-byte-range",
            "first-beyond-last",
            "last-beyond-total",
        ],
        "Send Content-Range with each Fragment, as bytes FIRST-LAST/TOTAL."
    ),
    rules!(
        "message.required",
        Must,
        &["R2.2.1-2"],
        &["MUST"],
        "Follow the rules for packets; the reason names the violated one."
    ),
    rules!(
        "message.advised",
        Should,
        &["R2.2.1-5"],
        &["SHOULD"],
        "Follow the recommendations for packets; the reason names the one that was not followed."
    ),
];
