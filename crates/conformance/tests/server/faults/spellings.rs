//! Faults of the spelling of packets.

use super::{answers, reads};
use crate::double::{Fault, Reply};

const TYPE: &str = "BITS-Packet-Type: Fragment\r\n";

/// Refuses a field with this value.
macro_rules! refuses {
    ($id:literal, $name:literal, $value:literal) => {
        answers!($id, |seen| seen.field($name) == Some($value), Reply::invalid())
    };
    ($id:literal, $value:literal) => {
        refuses!($id, "BITS-Packet-Type", $value)
    };
}

pub const FAULTS: &[(&str, Fault)] = &[
    refuses!("spelling.ping.upper_case", "PING"),
    refuses!("spelling.ping.lower_case", "ping"),
    refuses!("spelling.create.upper_case", "CREATE-SESSION"),
    refuses!("spelling.create.lower_case", "create-session"),
    refuses!("spelling.fragment.upper_case", "FRAGMENT"),
    refuses!("spelling.fragment.lower_case", "fragment"),
    refuses!("spelling.close.upper_case", "CLOSE-SESSION"),
    refuses!("spelling.close.lower_case", "close-session"),
    refuses!("spelling.cancel.upper_case", "CANCEL-SESSION"),
    refuses!("spelling.cancel.lower_case", "cancel-session"),
    reads!("spelling.names.lower_case", "bits-packet-type: Fragment\r\n", ""),
    reads!("spelling.names.upper_case", "BITS-PACKET-TYPE: Fragment\r\n", ""),
    reads!("spelling.no_space", "BITS-Packet-Type:Fragment\r\n", ""),
    reads!("spelling.tab", "\tFragment \t", "Unknown"),
    answers!("spelling.unknown_field", |seen| seen.has("BITS-Unknown"), Reply::invalid()),
    answers!("spelling.long_field", |seen| seen.has("Cookie"), Reply::invalid()),
    answers!(
        "spelling.windows.create",
        |seen| seen.has("User-Agent") && seen.is("create-session"),
        Reply::invalid()
    ),
    answers!(
        "spelling.windows.fragment",
        |seen| seen.has("User-Agent") && seen.is("fragment"),
        Reply::invalid()
    ),
    refuses!(
        "spelling.protocols.upper_case",
        "BITS-Supported-Protocols",
        "{7DF0354D-249B-430F-820D-3D2A9BEF4931}"
    ),
    answers!(
        "spelling.protocols.spaces",
        |seen| seen.field("BITS-Supported-Protocols").is_some_and(|it| it.contains("   ")),
        Reply::invalid()
    ),
    refuses!("spelling.content_encoding.identity", "Content-Encoding", "identity"),
    reads!("spelling.content_encoding.gzip", "Content-Encoding: gzip\r\n", ""),
    reads!("spelling.packet.unknown", "BITS-Packet-Type: Frag\r\n", TYPE),
    (
        "spelling.packet.missing",
        Fault::ReadsHead(|head| {
            if head.contains("Content-Range") && !head.to_lowercase().contains("packet-type") {
                return head.replace("\r\n\r\n", &format!("\r\n{TYPE}\r\n"));
            }
            head.into()
        }),
    ),
    reads!("spelling.packet.empty", "BITS-Packet-Type: \r\n", TYPE),
    reads!("spelling.packet.ack", "BITS-Packet-Type: Ack\r\n", TYPE),
    reads!("duplicate.packet_type", "BITS-Packet-Type: Cancel-Session\r\n\r\n", "\r\n"),
    reads!(
        "duplicate.session_id",
        "BITS-Session-Id: {00000000-0000-4000-8000-000000000002}\r\n",
        ""
    ),
    reads!("duplicate.content_range", "Content-Range: bytes 5-14/20\r\n", ""),
    answers!(
        "duplicate.equal",
        |seen| {
            let ranges = seen.parts.headers.get_all("Content-Range");
            ranges.iter().filter(|it| *it == "bytes 0-9/20").count() == 2
        },
        Some(Reply::Silence)
    ),
];
