//! Faults with connections that break.

use super::{gives_up, reads};
use crate::double::Fault;

/// Gives up after a connection without a response, with a file of this length.
macro_rules! stops {
    ($id:literal, $length:expr) => {
        (
            $id,
            Fault::Ends(|past| {
                let is_lost = past.exchanges.last().is_some_and(|it| it.received.is_none());
                (past.length == $length && is_lost).then(|| Err("connection lost".into()))
            }),
        )
    };
}
pub(super) use stops;

pub const FAULTS: &[(&str, Fault)] = &[
    stops!("connection.create_lost", 42_001),
    stops!("connection.create_ack_lost", 42_002),
    stops!("connection.reset_before_body", 42_003),
    stops!("connection.reset_in_body", 42_004),
    gives_up!("connection.reset_in_body.resynchronised", |past, it| past.length == 42_005
        && it.status == 416),
    stops!("connection.ack_lost", 42_006),
    reads!(
        "connection.ack_lost.resynchronised",
        |past, _sent, it| past.length == 42_007 && it.status == 416
            => it.set("BITS-Received-Content-Range", "0")
    ),
    stops!("connection.last_ack_lost", 42_008),
    stops!("connection.head_cut", 42_009),
    gives_up!("connection.idle_closed", |past, _it| past.length == 42_010),
    stops!("connection.silent", 42_013),
    (
        "connection.not_http",
        Fault::Ends(|past| {
            let is_lost = past.exchanges.last().is_some_and(|it| it.received.is_none());
            (past.length == 42_012 && is_lost).then_some(Ok(()))
        }),
    ),
];
