//! Spellings of packets: those of the specification, of Windows, and of proxies.

use crate::Level::{Must, Robustness, Should};
use crate::server::entry::Entry;
use crate::server::packet::Packet;
use crate::server::variant::{Base, Edit, Expect, Variant};

const TYPE: &str = "BITS-Packet-Type";
const PROTOCOLS: &str = "BITS-Supported-Protocols";

/// A request in an unusual spelling, and its expected effect.
macro_rules! variant {
    ($expect:ident, $id:literal, $level:ident, $requirements:expr, $advice:literal, $base:ident, $edits:expr) => {
        Entry::variant(
            $id,
            $level,
            $requirements,
            $advice,
            Variant { base: Base::$base, edits: $edits, expect: Expect::$expect },
        )
    };
}

/// A request that has its ordinary effect.
macro_rules! accepted {
    ($($argument:tt)*) => { variant!(Accepted, $($argument)*) };
}

/// A request that is refused.
macro_rules! refused {
    ($($argument:tt)*) => { variant!(Refused, $($argument)*) };
}

/// A packet type in another letter case.
macro_rules! packet_type {
    ($id:literal, $level:ident, $requirement:literal, $base:ident, $value:literal) => {
        accepted!(
            $id,
            $level,
            &[$requirement],
            "Compare packet types without regard to letter case: sources and clients differ.",
            $base,
            &[Edit::Set(TYPE, $value)]
        )
    };
}

pub(super) const CASES: &[Entry] = &[
    packet_type!("spelling.ping.upper_case", Must, "R2.2.4.2-1", Ping, "PING"),
    packet_type!("spelling.ping.lower_case", Robustness, "R2.2.4.2-1", Ping, "ping"),
    packet_type!("spelling.create.upper_case", Must, "R2.2.2.2-1", Create, "CREATE-SESSION"),
    packet_type!("spelling.create.lower_case", Robustness, "R2.2.2.2-1", Create, "create-session"),
    packet_type!("spelling.fragment.upper_case", Must, "R2.2.6.2-1", Fragment, "FRAGMENT"),
    packet_type!("spelling.fragment.lower_case", Robustness, "R2.2.6.2-1", Fragment, "fragment"),
    packet_type!("spelling.close.upper_case", Must, "R2.2.8.2-1", Close, "CLOSE-SESSION"),
    packet_type!("spelling.close.lower_case", Robustness, "R2.2.8.2-1", Close, "close-session"),
    packet_type!("spelling.cancel.upper_case", Must, "R2.2.10.2-1", Cancel, "CANCEL-SESSION"),
    packet_type!("spelling.cancel.lower_case", Robustness, "R2.2.10.2-1", Cancel, "cancel-session"),
    accepted!(
        "spelling.names.lower_case",
        Must,
        &["R2.2.1-2", "RFC9110-5.1"],
        "Compare field names without regard to letter case; HTTP/2 front ends write lower case.",
        Fragment,
        &[Edit::Change(|packet| with_names(packet, |name| name.to_ascii_lowercase()))]
    ),
    accepted!(
        "spelling.names.upper_case",
        Must,
        &["R2.2.1-2", "RFC9110-5.1"],
        "Compare field names without regard to letter case.",
        Fragment,
        &[Edit::Change(|packet| with_names(packet, |name| name.to_ascii_uppercase()))]
    ),
    accepted!(
        "spelling.no_space",
        Must,
        &["R2.2.1-2", "RFC9112-5"],
        "Accept fields without a space behind the colon.",
        Fragment,
        &[Edit::Change(|packet| Packet { separator: ":", ..packet })]
    ),
    accepted!(
        "spelling.tab",
        Must,
        &["R2.2.1-2", "RFC9112-5"],
        "Accept fields with tabs and spaces around the value.",
        Fragment,
        &[Edit::Set(TYPE, "\tFragment \t"), Edit::Set("Content-Range", " \tbytes 0-9/20\t"),]
    ),
    accepted!(
        "spelling.unknown_field",
        Must,
        &["R2.2-3"],
        "Ignore fields that you do not understand.",
        Fragment,
        &[Edit::Add("X-Unknown", "value"), Edit::Add("BITS-Unknown", "value")]
    ),
    accepted!(
        "spelling.long_field",
        Must,
        &["R2.2.1-5", "R2.2-3"],
        "Accept fields of up to 4 KiB, such as cookies and tokens.",
        Fragment,
        &[Edit::Change(|packet| packet.add("Cookie", "c".repeat(4000)))]
    ),
    accepted!(
        "spelling.windows.create",
        Must,
        &["R2.2-1"],
        "Accept Create-Session with the fields that Windows sends.",
        Create,
        &[Edit::Change(windows)]
    ),
    accepted!(
        "spelling.windows.fragment",
        Must,
        &["R2.2-1"],
        "Accept a fragment with the fields that Windows sends.",
        Fragment,
        &[Edit::Change(windows), Edit::Add("Content-Name", "file.bin")]
    ),
    accepted!(
        "spelling.protocols.upper_case",
        Robustness,
        &["R2.2.2.2-2"],
        "Compare protocols as GUIDs, whose digits have no case.",
        Create,
        &[Edit::Set(PROTOCOLS, "{7DF0354D-249B-430F-820D-3D2A9BEF4931}")]
    ),
    accepted!(
        "spelling.protocols.spaces",
        Robustness,
        &["R2.2.2.2-3"],
        "Accept any number of spaces between protocols.",
        Create,
        &[Edit::Set(
            PROTOCOLS,
            "{22222222-2222-4333-8444-555555555555}   {7df0354d-249b-430f-820d-3d2a9bef4931}"
        )]
    ),
    accepted!(
        "spelling.content_encoding.identity",
        Should,
        &["R2.2.6.3-1"],
        "Accept Content-Encoding: identity, which changes nothing.",
        Fragment,
        &[Edit::Add("Content-Encoding", "identity")]
    ),
    refused!(
        "spelling.content_encoding.gzip",
        Robustness,
        &["R2.2.6.3-1"],
        "Refuse a content coding that you would not decode.",
        Fragment,
        &[Edit::Add("Content-Encoding", "gzip")]
    ),
    refused!(
        "spelling.packet.unknown",
        Must,
        &["R2.2.1.2-1", "R3.2.5.2.3-3"],
        "Refuse an unknown packet type.",
        Fragment,
        &[Edit::Set(TYPE, "Frag")]
    ),
    refused!(
        "spelling.packet.missing",
        Must,
        &["R2.2.1.2-2", "R3.2.5.2.3-3"],
        "Refuse BITS_POST without BITS-Packet-Type.",
        Fragment,
        &[Edit::Remove(TYPE)]
    ),
    refused!(
        "spelling.packet.empty",
        Must,
        &["R2.2.1.2-1", "R3.2.5.2.3-3"],
        "Refuse an empty packet type.",
        Fragment,
        &[Edit::Set(TYPE, "")]
    ),
    refused!(
        "spelling.packet.ack",
        Must,
        &["R2.2.1.2-1", "R3.2.5.2.3-3"],
        "Refuse a request of the type Ack.",
        Fragment,
        &[Edit::Set(TYPE, "Ack")]
    ),
    refused!(
        "duplicate.packet_type",
        Robustness,
        &["R2.2.1-2", "RFC9110-5.3"],
        "Refuse two different packet types.",
        Fragment,
        &[Edit::Add(TYPE, "Cancel-Session")]
    ),
    refused!(
        "duplicate.session_id",
        Robustness,
        &["R2.2.1-2", "RFC9110-5.3"],
        "Refuse two different session ids.",
        Fragment,
        &[Edit::Add("BITS-Session-Id", "{00000000-0000-4000-8000-000000000002}")]
    ),
    refused!(
        "duplicate.content_range",
        Robustness,
        &["R2.2.1-2", "RFC9110-5.3"],
        "Refuse two different ranges.",
        Fragment,
        &[Edit::Add("Content-Range", "bytes 5-14/20")]
    ),
    Entry::variant(
        "duplicate.equal",
        Robustness,
        &["RFC9110-5.3"],
        "Answer a request that has a field twice with one value, whether you accept it or not.",
        Variant {
            base: Base::Fragment,
            edits: &[Edit::Add("Content-Range", "bytes 0-9/20")],
            expect: Expect::Answered,
        },
    ),
];

fn with_names(mut packet: Packet, change: fn(&str) -> String) -> Packet {
    packet.fields.iter_mut().for_each(|(name, _)| *name = change(name));
    packet
}

/// Adds the fields that Windows sends with each packet.
fn windows(packet: Packet) -> Packet {
    packet
        .add("Connection", "Keep-Alive")
        .add("Accept", "*/*")
        .add("Accept-Encoding", "identity")
        .add("User-Agent", "Microsoft BITS/7.8")
        .add("Pragma", "no-cache")
}
