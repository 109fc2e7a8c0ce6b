//! Faults at the end of uploads.

use super::upload_connection::stops;
use super::{adds, claims, gives_up};
use crate::double::Fault;

pub const FAULTS: &[(&str, Fault)] = &[
    claims!("close.sent", |past, it| {
        past.length == 47_001 && it.get("BITS-Received-Content-Range") == Some("47001")
    }),
    stops!("close.lost", 47_002),
    gives_up!("close.ack_lost", |past, it| past.length == 47_003 && it.status == 500),
    claims!("close.refused", |past, it| past.length == 47_004 && it.status == 403),
    gives_up!("close.no_content", |past, it| past.length == 47_005 && it.status == 204),
    adds!(
        "close.once",
        |past, sent| past.length == 47_006 && sent.is("Close-Session")
            => sent.packet("Cancel-Session")
    ),
];
