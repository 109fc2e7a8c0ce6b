//! Faults with replies.

use super::{adds, claims, gives_up, loses, reads, sends, succeeds};
use crate::double::{Fault, Received};

fn reply_url(received: &Received) -> &str {
    received.get("BITS-Reply-URL").unwrap_or_default()
}

/// Treats a reply that is cut as a complete one, with a file of this length.
macro_rules! accepts_cut {
    ($id:literal, $length:expr) => {
        reads!(
            $id,
            |past, _sent, it| past.length == $length && !it.is_complete => it.is_complete = true
        )
    };
}

pub const FAULTS: &[(&str, Fault)] = &[
    adds!(
        "reply.before_close",
        |past, sent| {
            let is_last = past.last().is_some_and(|it| !reply_url(it).is_empty());
            past.length == 51_001 && sent.is("Fragment") && is_last
        } => sent.packet("Close-Session")
    ),
    gives_up!("reply.absolute", |past, it| {
        past.length == 51_002 && reply_url(it).starts_with("http")
    }),
    gives_up!("reply.relative", |_past, it| reply_url(it) == "reply.bin"),
    gives_up!("reply.backslashes", |_past, it| reply_url(it).contains('\\')),
    succeeds!("reply.missing", 51_005),
    adds!(
        "reply.early_url",
        |past, sent| past.length == 51_006 && past.count("Fragment") == 1 && sent.is("Fragment") => {
            let url = past.last().map(reply_url).unwrap_or_default();
            sent.get_from(&format!("http://{}{url}", sent.authority))
        }
    ),
    reads!(
        "reply.coded",
        |past, _sent, it| past.length == 51_007 => it.set("Content-Encoding", "")
    ),
    accepts_cut!("reply.cut", 51_008),
    loses!("reply.chunked", |past, it| past.length == 51_009 && it.has("chunked")),
    accepts_cut!("reply.chunked_cut", 51_010),
    gives_up!("reply.busy", |past, it| past.length == 51_011 && it.status == 503),
    succeeds!("reply.not_found", 51_012),
    sends!(
        "reply.identity",
        |past, sent| past.length == 51_013 && sent.is("GET") => sent.set("Accept-Encoding", "gzip")
    ),
    claims!("reply.session_kept", |past, _it| {
        past.length == 51_014 && past.exchanges.last().is_some_and(|it| it.sent.is("GET"))
    }),
];
