//! Faults in reading Acks.

use super::{adds, claims, loses, reads, sends};
use crate::double::{Fault, History, Received, Sent};

/// Sends the session id of the last response.
fn adopt_id(past: &History, sent: &mut Sent) {
    let id = past.last().and_then(|it| it.get("BITS-Session-Id"));
    if let Some(id) = id.filter(|_| sent.get("BITS-Session-Id").is_some()) {
        sent.set("BITS-Session-Id", id);
    }
}

/// Returns true for a fragment with status 200 that is not acknowledged completely.
fn is_doubtful(past: &History, received: &Received) -> bool {
    received.status == 200 && past.count("Fragment") == 1
}

pub const FAULTS: &[(&str, Fault)] = &[
    loses!("ack.lower_case", |_past, it| it.has("bits-packet-type")),
    loses!("ack.upper_case", |_past, it| it.has("BITS-PACKET-TYPE")),
    loses!("ack.packet_type_case", |_past, it| it.has("Packet-Type: ACK")),
    loses!("ack.no_space", |_past, it| it.has("BITS-Packet-Type:Ack")),
    loses!("ack.white_space", |_past, it| it.has("\t")),
    loses!("ack.unknown_fields", |_past, it| it.has("BITS-Unknown")),
    loses!("ack.chunked", |_past, it| it.has("chunked") && it.body.is_empty()),
    loses!("ack.chunked_body", |_past, it| it.body.starts_with(b"A body that")),
    loses!("ack.until_close", |past, it| past.length == 41_009
        && it.get("Content-Length").is_none()),
    loses!("ack.connection_close", |past, it| past.length == 41_010 && it.has("close")),
    loses!("ack.body", |_past, it| it.body == b"<html><body>OK</body></html>"),
    loses!("ack.http_1_0", |_past, it| it.has("HTTP/1.0")),
    loses!("ack.interim", |_past, it| it.has_interim),
    loses!("ack.created", |_past, it| it.status == 201),
    loses!("ack.error_on_success", |_past, it| it.status == 200 && it.has("BITS-Error-Code")),
    loses!("ack.duplicate_field", |past, it| past.length == 41_016
        && it.head.matches("BITS-Received").count() == 2),
    loses!("value.session_id.absent", |past, it| past.length == 41_101
        && it.get("BITS-Session-Id").is_none()),
    sends!("value.session_id.spelling", |past, sent| past.length == 41_102 => adopt_id(past, sent)),
    sends!(
        "value.session_id.opaque",
        |past, sent| past.length == 41_103 && sent.get("BITS-Session-Id").is_some() => {
            let id = sent.get("BITS-Session-Id").unwrap_or_default().trim_end_matches('=').to_owned();
            sent.set("BITS-Session-Id", &id);
        }
    ),
    sends!(
        "value.session_id.lower_case",
        |past, sent| past.length == 41_104 && sent.get("BITS-Session-Id").is_some() => {
            let id = sent.get("BITS-Session-Id").unwrap_or_default().to_ascii_uppercase();
            sent.set("BITS-Session-Id", &format!("{{{id}}}"));
        }
    ),
    sends!("value.session_id.other", |past, sent| past.length == 41_105 => adopt_id(past, sent)),
    adds!(
        "value.session_id.missing",
        |past, sent| past.length == 41_106 && past.exchanges.len() == 1
            => sent.fragment("bytes 0-0/41106")
    ),
    loses!("value.protocol.case", |_past, it| it.has("{7DF0354D")),
    reads!(
        "value.protocol.not_offered",
        |past, _sent, it| it.has("{33333333-2222")
            => it.set("BITS-Protocol", "{7df0354d-249b-430f-820d-3d2a9bef4931}")
    ),
    reads!(
        "value.offset.behind",
        |past, sent, it| past.length == 41_109 && sent.range().is_some_and(|range| range[0] == 0)
            => {
                let end = sent.range().map_or(0, |range| range[1] + 1);
                it.set("BITS-Received-Content-Range", &end.to_string());
            }
    ),
    claims!("value.offset.ahead", |past, it| past.length == 41_110 && is_doubtful(past, it)),
    claims!("value.offset.missing", |past, it| past.length == 41_111 && is_doubtful(past, it)),
    claims!("value.offset.unreadable", |past, it| past.length == 41_112 && is_doubtful(past, it)),
    claims!("value.offset.conflict", |past, it| past.length == 41_113 && is_doubtful(past, it)),
    adds!(
        "value.late",
        |past, sent| past.length == 41_114 && past.count("Fragment") == 1 && sent.is("Fragment")
            => sent.clone()
    ),
];
