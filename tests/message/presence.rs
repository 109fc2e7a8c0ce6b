//! Presence of fields in messages: the table is compared with the specification. The readers and the writer are
//! compared with the table in `presence_messages.rs`.
//!
//! This file also generates the documentation of the table. If it is out of date, a test fails. To update it:
//!
//! ```sh
//! BITS_BLESS=1 cargo test --all-features --test library message::presence
//! ```

use bits_proto::field::FieldName;
use bits_proto::message::MessageKind;
use bits_proto::message::presence::{Presence, TABLE, of};

/// The requirements of [MC-BUP] 2.2. `M`: the field MUST be present. `N`: it MUST NOT be present. `S`: the
/// section of the message names it, as optional (SHOULD, MAY, or conditional). `.`: the section does not name
/// it. Requirements for all messages, in 2.2.1, are entered in all cells concerned. The text does not mention
/// BITS-Error-Code, X-HTTP-Method-Override and Transfer-Encoding.
const SPECIFICATION: &str = "
                                Pi Cr Fr Cl Ca  Pi Cr Fr Cl Ca  Re  Rf Va Rs
BITS-Packet-Type                M  M  M  M  M   M  M  M  M  M   M   .  .  .
BITS-Supported-Protocols        .  M  .  .  .   .  .  .  .  .   .   .  .  .
BITS-Protocol                   .  .  .  .  .   .  M  .  .  .   N   .  .  .
BITS-Session-Id                 M  .  M  M  M   M  M  M  M  M   S   .  .  .
BITS-Host-Id                    .  .  .  .  .   .  S  .  .  .   .   .  .  .
BITS-Host-Id-Fallback-Timeout   .  .  .  .  .   .  S  .  .  .   .   .  .  .
BITS-Original-Request-URL       .  .  .  .  .   .  .  .  .  .   .   M  M  .
BITS-Request-DataFile-Name      .  .  .  .  .   .  .  .  .  .   .   M  N  .
BITS-Response-DataFile-Name     .  .  .  .  .   .  .  .  .  .   .   M  N  .
BITS-Static-Response-URL        .  .  .  .  .   .  .  .  .  .   .   .  .  S
BITS-Copy-File-To-Destination   .  .  .  .  .   .  .  .  .  .   .   .  .  S
Content-Name                    .  S  S  .  .   .  .  .  .  .   .   .  .  .
Content-Range                   .  .  M  .  .   .  .  .  .  .   .   .  .  .
Content-Encoding                .  .  S  .  .   .  .  .  .  .   .   .  .  .
Content-Length                  M  M  M  M  M   M  M  M  M  M   M   M  M  M
BITS-Received-Content-Range     .  .  .  .  .   .  .  M  .  .   S   .  .  .
BITS-Reply-URL                  .  .  .  .  .   .  .  S  .  .   .   .  .  .
BITS-Error                      .  .  .  .  .   N  N  N  N  N   M   .  .  .
BITS-Error-Code                 .  .  .  .  .   .  .  .  .  .   .   .  .  .
BITS-Error-Context              .  .  .  .  .   N  N  N  N  N   M   .  .  .
Retry-After                     .  .  .  .  .   .  .  .  .  .   S   .  .  .
Accept-encoding                 .  .  .  .  .   .  S  .  .  .   .   .  .  .
X-HTTP-Method-Override          .  .  .  .  .   .  .  .  .  .   .   .  .  .
Transfer-Encoding               .  .  .  .  .   .  .  .  .  .   .   .  .  .
";

use FieldName as F;
use MessageKind as K;

/// Deviations of the table from the specification: cells, their value, and the reason.
const LENIENT: &[(&[K], F, Presence, &str)] = &[
    (&[K::Refusal], F::PacketType, Presence::Expected, "a proxy may answer instead of the server"),
    (&[K::CreateSessionAck], F::Protocol, Presence::Expected, "if one protocol was offered"),
    (&[K::Ping], F::SessionId, Presence::Ignored, "captured Pings have none"),
    (&[K::PingAck], F::SessionId, Presence::Ignored, "captured Acks for them have none"),
    (
        &[K::FragmentAck, K::CloseSessionAck, K::CancelSessionAck],
        F::SessionId,
        Presence::Expected,
        "captured Acks for Fragments have none",
    ),
    (
        &[K::Ping, K::CloseSession, K::CancelSession],
        F::ContentName,
        Presence::Optional,
        "captured Close-Sessions have it",
    ),
    (
        &[K::Ping, K::CreateSession, K::CloseSession, K::CancelSession],
        F::ContentLength,
        Presence::Expected,
        "in HTTP, a request without it has no body",
    ),
    (
        &[
            K::PingAck,
            K::CreateSessionAck,
            K::FragmentAck,
            K::CloseSessionAck,
            K::CancelSessionAck,
            K::Refusal,
            K::NotificationByReference,
            K::NotificationResponse,
        ],
        F::ContentLength,
        Presence::Expected,
        "no body, or one that ends with the connection, as captured",
    ),
    (
        &[K::FragmentAck],
        F::ReceivedContentRange,
        Presence::Expected,
        "the offset follows from the fragment",
    ),
    (&[K::Refusal], F::Error, Presence::Optional, "a status may be sufficient"),
    (
        &[K::Refusal],
        F::ErrorCode,
        Presence::Optional,
        "used by Windows and Microsoft's documentation",
    ),
    (&[K::Refusal], F::ErrorContext, Presence::Optional, "a status may be sufficient"),
];

/// Returns the value of a cell if there is no reason to deviate. Unexpected fields of the protocol are recorded
/// as deviations; those of HTTP may occur anywhere.
fn by_the_text(word: &str, field: FieldName) -> Presence {
    match word {
        "M" => Presence::Required,
        // Retry-After comes from HTTP.
        "S" => Presence::Optional,
        "." if !field.as_str().starts_with("BITS-") => Presence::Ignored,
        "N" | "." => Presence::Unexpected,
        other => panic!("{field}: {other:?}"),
    }
}

fn lenient(kind: MessageKind, field: FieldName) -> Option<Presence> {
    let cell =
        |(kinds, of, _, _): &&(&[K], F, Presence, &str)| *of == field && kinds.contains(&kind);
    LENIENT.iter().find(cell).map(|(_, _, presence, _)| *presence)
}

/// Returns the cells of the specification, in its order.
fn specified() -> Vec<(FieldName, Vec<&'static str>)> {
    let row = |line: &'static str| {
        let mut words = line.split_whitespace();
        let name = words.next().expect("a name");
        (FieldName::from_name(name).unwrap_or_else(|| panic!("{name}")), words.collect())
    };
    SPECIFICATION.lines().skip(2).map(row).collect()
}

#[test]
fn the_table_matches_the_specification_except_for_listed_deviations() {
    for (field, words) in specified() {
        assert_eq!(words.len(), MessageKind::ALL.len(), "{field}");
        for (word, kind) in words.into_iter().zip(MessageKind::ALL) {
            let by_the_text = by_the_text(word, field);
            let expected = lenient(*kind, field).unwrap_or(by_the_text);
            assert_eq!(of(*kind, field), expected, "{field} of {kind}, which is {word:?}");
            assert_ne!(
                lenient(*kind, field),
                Some(by_the_text),
                "{field} of {kind} is not an exception"
            );
        }
    }
}

#[test]
fn the_table_and_the_specification_name_the_same_fields_and_messages_once() {
    let sorted = |mut fields: Vec<FieldName>| {
        fields.sort_unstable();
        fields
    };
    let all = sorted(FieldName::ALL.to_vec());
    assert_eq!(sorted(specified().into_iter().map(|(field, _)| field).collect()), all);
    assert_eq!(sorted(TABLE.iter().map(|(field, _)| *field).collect()), all);
    assert_eq!(TABLE[0].1.len(), 14);
    for (column, kind) in MessageKind::ALL.iter().enumerate() {
        assert_eq!(*kind as usize, column, "{kind}");
    }
}

#[test]
fn looking_a_field_up_agrees_with_the_table() {
    for (field, columns) in TABLE {
        for (kind, presence) in MessageKind::ALL.iter().zip(columns) {
            assert_eq!(of(*kind, field), presence, "{field} of {kind}");
        }
    }
}

// The documentation.

const DOCUMENT: &str = "src/message/presence.md";

const fn word(presence: Presence) -> &'static str {
    match presence {
        Presence::Required => "required",
        Presence::Expected => "expected",
        Presence::Optional => "optional",
        Presence::Ignored => "–",
        Presence::Unexpected => "",
        _ => panic!("a presence without a word in the documentation"),
    }
}

const LEGEND: &str = "\
*required*: a message without the field is rejected. *expected*: its absence is a deviation. \
Empty cell: its presence is a deviation, and its value is ignored. –: the field is not defined \
for the message and is ignored.
";

fn row(first: &str, cells: impl IntoIterator<Item = String>) -> String {
    let cells: String = cells.into_iter().map(|cell| format!(" {cell} |")).collect();
    format!("| {first} |{cells}\n")
}

fn document() -> String {
    let kinds = MessageKind::ALL.iter();
    let titles = kinds.map(|kind| format!("{} ({})", kind.name(), kind.section()));
    let mut text = row("field", titles);
    text += &format!("|---|{}\n", "---|".repeat(MessageKind::ALL.len()));
    for (field, columns) in TABLE {
        text += &row(field.as_str(), columns.map(|presence| word(presence).to_string()));
    }
    format!("{text}\n{LEGEND}")
}

#[test]
fn the_documentation_is_the_table() {
    let document = document();
    if std::env::var_os("BITS_BLESS").is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
        std::fs::write(&path, document).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        return;
    }
    let written = include_str!("../../src/message/presence.md").replace("\r\n", "\n");
    assert_eq!(
        written, document,
        "{DOCUMENT} is out of date: BITS_BLESS=1 cargo test --all-features --test library message::presence"
    );
}
