//! Faults that violate a rule in a transfer that is otherwise as expected.

use super::{adds, sends};
use crate::double::{Fault, History, Sent};

/// The length of the file of these cases.
const LENGTH: u64 = 52_000;

/// A session that does not exist.
const UNKNOWN: &str = "{B0FF5911-4144-45B3-BF27-27AFC8EC8A67}";

/// Returns true after the first fragment.
fn is_begun(past: &History, sent: &Sent) -> bool {
    past.length == LENGTH && past.count("Fragment") == 1 && sent.is("Fragment")
}

pub const FAULTS: &[(&str, Fault)] = &[
    sends!(
        "message.method",
        |past, sent| past.length == LENGTH && sent.is("Close-Session") => sent.method = "POST".into()
    ),
    sends!(
        "message.content_length",
        |past, sent| past.length == LENGTH && sent.is("Close-Session")
            => sent.set("Content-Length", "")
    ),
    sends!(
        "message.body",
        |past, sent| past.length == LENGTH && sent.is("Close-Session") => {
            sent.set("Content-Length", "1");
            sent.body = vec![b'x'];
        }
    ),
    sends!(
        "message.length",
        |past, sent| past.length == LENGTH && sent.range().is_some_and(|it| it[0] == 0) => {
            sent.body.push(b'x');
            let length = sent.body.len().to_string();
            sent.set("Content-Length", &length);
        }
    ),
    sends!(
        "message.protocols",
        |past, sent| past.length == LENGTH && sent.is("Create-Session")
            => sent.set("BITS-Supported-Protocols", "")
    ),
    adds!(
        "message.session_id",
        |past, sent| is_begun(past, sent) => {
            let mut packet = sent.packet("Cancel-Session");
            packet.set("BITS-Session-Id", UNKNOWN);
            packet
        }
    ),
    adds!(
        "message.before_create",
        |past, sent| past.length == LENGTH && past.exchanges.is_empty() => {
            let mut packet = sent.packet("Close-Session");
            packet.set("BITS-Session-Id", UNKNOWN);
            packet
        }
    ),
    adds!(
        "message.after_end",
        |past, sent| past.length == LENGTH && sent.is("Close-Session")
            => sent.fragment("bytes 51999-51999/52000")
    ),
    sends!(
        "message.offset",
        |past, sent| {
            let is_later = sent.range().is_some_and(|it| it[0] > 0);
            past.length == LENGTH && past.count("Fragment") == 1 && is_later
        } => {
            let first = past.exchanges.last().map(|it| it.sent.clone()).expect("a fragment");
            sent.set("Content-Range", first.get("Content-Range").unwrap_or_default());
            sent.body = first.body;
        }
    ),
    adds!(
        "message.total",
        |past, sent| is_begun(past, sent) => sent.fragment("bytes 16384-16384/52001")
    ),
    adds!(
        "message.close",
        |past, sent| is_begun(past, sent) => sent.packet("Close-Session")
    ),
    sends!(
        "message.pipelined",
        |past, sent| past.length == LENGTH && sent.is("Create-Session")
            => sent.body = sent.packet("Ping").bytes()
    ),
    sends!(
        "message.content_name",
        |past, sent| past.length == LENGTH && sent.range().is_some_and(|it| it[0] > 0)
            => sent.set("Content-Name", "other.bin")
    ),
    adds!(
        "message.content_range",
        |past, sent| is_begun(past, sent) => {
            let mut packet = sent.fragment("bytes 16384-16384/52000");
            packet.set("Content-Range", "");
            packet
        }
    ),
    adds!(
        "message.required",
        |past, sent| is_begun(past, sent) => sent.packet("Suspend-Session")
    ),
    sends!(
        "message.advised",
        |past, sent| past.length == LENGTH && sent.is("Fragment")
            => sent.set("Content-Name", &"n".repeat(300))
    ),
];
