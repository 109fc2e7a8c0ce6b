//! Faults with bodies, connections and content codings.

use super::{copies, fails, first, pieces, sends};
use crate::double::Fault;

pub const FAULTS: &[(&str, Fault)] = &[
    copies!("body.truncated", |past| pieces(past, 1)),
    fails!("body.truncated.retried", |past| past.is_broken()),
    copies!("body.truncated.always", |past| pieces(past, 9)),
    copies!("body.chunked", |past| [b"3e8\r\n".to_vec(), pieces(past, 1)].concat()),
    copies!("body.chunked.truncated", |past| pieces(past, 1)),
    copies!("body.chunked.with_length", |past| first(past, 10)),
    copies!("body.until_close", |past| first(past, 19_999)),
    copies!("body.until_close.reset", |past| pieces(past, 1)),
    copies!("body.too_long", |past| [pieces(past, 1), b"More bytes.".to_vec()].concat()),
    copies!("body.conflicting_lengths", |past| pieces(past, 1)),
    copies!("body.invalid_length", |_past| Vec::new()),
    fails!("connection.closed", |past| past.is_broken()),
    fails!("connection.reset", |past| past.is_broken()),
    copies!("connection.head_cut", |_past| Vec::new()),
    copies!("connection.not_http", |_past| b"SSH-2.0-OpenSSH_9.2p1\r\n".to_vec()),
    fails!("stall.response", |past| past.is_broken()),
    fails!("stall.body", |past| past.is_broken()),
    sends!(
        "coding.requested",
        |past, sent| past.is("coding.requested") => sent.set("Accept-Encoding", "deflate, gzip")
    ),
    copies!("coding.unrequested", |past| pieces(past, 1)),
    copies!("coding.unknown", |past| pieces(past, 1)),
    fails!("coding.identity", |past| past.last().is_some_and(|it| it.has("identity"))),
    copies!("coding.rest", |past| pieces(past, 2)),
];
