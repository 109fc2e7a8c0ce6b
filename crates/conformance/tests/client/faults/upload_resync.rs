//! Faults with offsets.

use super::{claims, gives_up, reads, succeeds};
use crate::double::Fault;

/// Reads the offset in a 416 as another one, with a file of this length.
macro_rules! offset {
    ($id:literal, $length:expr, $offset:literal) => {
        reads!(
            $id,
            |past, _sent, it| past.length == $length && it.status == 416
                => it.set("BITS-Received-Content-Range", $offset)
        )
    };
}

pub const FAULTS: &[(&str, Fault)] = &[
    offset!("resync.behind", 45_101, "0"),
    reads!(
        "resync.start",
        |past, _sent, it| past.length == 45_102 && it.status == 416 => {
            it.status = 500;
            it.set("BITS-Error", "");
            it.set("BITS-Error-Code", "0x8020001F");
        }
    ),
    gives_up!("resync.needless", |past, it| past.length == 45_103 && it.status == 416),
    gives_up!("resync.with_error", |_past, it| it.get("BITS-Error-Code") == Some("0x8020001D")),
    gives_up!("resync.without_packet_type", |_past, it| {
        it.status == 416 && it.get("BITS-Packet-Type").is_none()
    }),
    claims!("resync.beyond_total", |_past, it| {
        it.get("BITS-Received-Content-Range") == Some("99999999")
    }),
    offset!("resync.without_offset", 45_107, "1000"),
    offset!("resync.unreadable", 45_108, "99"),
    succeeds!("resync.forever", 45_109),
];
