//! Faults after lost sessions.

use super::{claims, reads, sends, succeeds};
use crate::double::Fault;

/// Does not recognize the error code, with a file of this length.
macro_rules! misses {
    ($id:literal, $length:expr) => {
        reads!(
            $id,
            |past, _sent, it| past.length == $length && it.status >= 400 => {
                it.status = 503;
                it.set("BITS-Error", "");
                it.set("BITS-Error-Code", "");
            }
        )
    };
}

pub const FAULTS: &[(&str, Fault)] = &[
    misses!("session.lost", 46_001),
    misses!("session.lost.status_400", 46_002),
    misses!("session.lost.status_404", 46_003),
    misses!("session.lost.status_410", 46_004),
    misses!("session.lost.lower_case", 46_005),
    misses!("session.lost.no_prefix", 46_006),
    misses!("session.lost.bits_error", 46_007),
    misses!("session.lost.no_context", 46_008),
    misses!("session.lost.chunked", 46_009),
    claims!("session.lost.at_end", |past, it| past.length == 46_010 && it.status == 500),
    sends!(
        "session.lost.later",
        |past, sent| {
            let is_second = past.length == 46_011 && past.count("Create-Session") == 2;
            is_second && sent.range().is_some_and(|it| it[0] == 0)
        } => sent.set("Content-Range", "bytes 16384-32767/46011")
    ),
    succeeds!("session.lost.always", 46_012),
];
