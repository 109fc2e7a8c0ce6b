//! Which message carries which field: the table against the specification, and the readers and the
//! writer against the table.
//!
//! The table's documentation is generated here, and a test says when it is old:
//!
//! ```sh
//! BITS_BLESS=1 cargo test --test presence
//! ```

mod common;

use std::fmt::Write as _;

use bits_proto::Error;
use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::error::ErrorKind;
use bits_proto::field::{FieldName, HResult};
use bits_proto::head::{Progress, RequestHead, ResponseHead, Slots};
use bits_proto::message::presence::{Presence, TABLE, of};
use bits_proto::message::{
    Ack, AckFor, Decoded, MessageKind, NotificationRequest, NotificationResponse, Policy, Refusal,
    Request,
};
use common::read::{Message, answer, any};

/// What [MC-BUP] 2.2 says, in its own words: `M` the field MUST be present, `N` it MUST NOT, `S`
/// the section of the message names it and lets it be left out (SHOULD, MAY, or on a condition),
/// `.` the section does not name it. What is said for all messages, in 2.2.1, is in the cells of
/// all it is said for. BITS-Error-Code, X-HTTP-Method-Override and Transfer-Encoding are not in
/// the text at all.
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
Accept-encoding                 .  .  .  .  .   .  S  .  .  .   .   .  .  .
X-HTTP-Method-Override          .  .  .  .  .   .  .  .  .  .   .   .  .  .
Transfer-Encoding               .  .  .  .  .   .  .  .  .  .   .   .  .  .
";

use FieldName as F;
use MessageKind as K;

/// Where the table is not the text: the cells, what they are instead, and why.
const LENIENT: &[(&[K], F, Presence, &str)] = &[
    (&[K::Refusal], F::PacketType, Presence::Expected, "a proxy may answer in its place"),
    (&[K::CreateSessionAck], F::Protocol, Presence::Expected, "where one protocol was offered"),
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
        "they have no body, or one that ends with the connection, as captured",
    ),
    (&[K::FragmentAck], F::ReceivedContentRange, Presence::Expected, "the fragment says it"),
    (&[K::Refusal], F::Error, Presence::Optional, "a status may say it all"),
    (&[K::Refusal], F::ErrorCode, Presence::Optional, "as Windows and Microsoft's pages have it"),
    (&[K::Refusal], F::ErrorContext, Presence::Optional, "a status may say it all"),
];

/// What the text makes of a cell where there is no reason to depart from it. The fields of the
/// protocol are remarked on where they do not belong; those of HTTP belong anywhere.
fn by_the_text(word: &str, field: FieldName) -> Presence {
    match word {
        "M" => Presence::Required,
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

/// The cells of the specification, in its own order.
fn specified() -> Vec<(FieldName, Vec<&'static str>)> {
    let row = |line: &'static str| {
        let mut words = line.split_whitespace();
        let name = words.next().expect("a name");
        (FieldName::recognise(name).unwrap_or_else(|| panic!("{name}")), words.collect())
    };
    SPECIFICATION.lines().skip(2).map(row).collect()
}

#[test]
fn the_table_is_the_specification_but_where_it_says_why_not() {
    for (field, words) in specified() {
        assert_eq!(words.len(), MessageKind::ALL.len(), "{field}");
        for (word, kind) in words.into_iter().zip(MessageKind::ALL) {
            let by_the_text = by_the_text(word, field);
            let expected = lenient(*kind, field).unwrap_or(by_the_text);
            assert_eq!(of(*kind, field), expected, "{field} of {kind}, which is {word:?}");
            assert_ne!(
                lenient(*kind, field),
                Some(by_the_text),
                "{field} of {kind} is no exception"
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

// The readers.

const SESSION: &str = "{3F9C1A52-7E64-4B0D-8A2F-6D15C0E4B793}";
const BITS_1_5: &str = "{7df0354d-249b-430f-820d-3d2a9bef4931}";

type Fields = Vec<(FieldName, &'static str)>;

/// A message as it would be written by hand.
#[derive(Clone)]
struct Sample {
    kind: MessageKind,
    line: &'static str,
    fields: Fields,
}

fn sample(kind: MessageKind, line: &'static str, fields: &[(FieldName, &'static str)]) -> Sample {
    Sample { kind, line, fields: fields.to_vec() }
}

/// A message with everything it may carry, in the order of the captures.
fn complete(kind: MessageKind) -> Sample {
    match kind {
        K::NotificationByReference | K::NotificationByValue | K::NotificationResponse => {
            complete_notification(kind)
        }
        K::Refusal => sample(
            kind,
            "HTTP/1.1 500 Internal Server Error",
            &[
                (F::PacketType, "Ack"),
                (F::SessionId, SESSION),
                (F::ContentLength, "0"),
                (F::ReceivedContentRange, "10"),
                (F::Error, "0x80200020"),
                (F::ErrorCode, "0x80200020"),
                (F::ErrorContext, "0x5"),
            ],
        ),
        kind if kind.is_grant() => complete_ack(kind),
        kind => complete_request(kind),
    }
}

fn complete_request(kind: MessageKind) -> Sample {
    let name = (F::ContentName, "report.bin");
    let session = (F::SessionId, SESSION);
    let empty = (F::ContentLength, "0");
    let fields: Fields = match kind {
        K::Ping => vec![(F::PacketType, "Ping"), name, empty],
        K::CreateSession => {
            vec![(F::PacketType, "Create-Session"), (F::SupportedProtocols, BITS_1_5), name, empty]
        }
        K::CloseSession => vec![(F::PacketType, "Close-Session"), session, name, empty],
        K::CancelSession => vec![(F::PacketType, "Cancel-Session"), session, name, empty],
        _ => vec![
            (F::PacketType, "Fragment"),
            session,
            name,
            (F::ContentRange, "bytes 10-19/20"),
            (F::ContentEncoding, "identity"),
            (F::ContentLength, "10"),
        ],
    };
    sample(kind, "BITS_POST /inbox/report.bin HTTP/1.1", &fields)
}

fn complete_ack(kind: MessageKind) -> Sample {
    let ack = (F::PacketType, "Ack");
    let session = (F::SessionId, SESSION);
    let empty = (F::ContentLength, "0");
    let fields: Fields = match kind {
        K::PingAck => vec![ack, empty],
        K::CreateSessionAck => vec![
            ack,
            (F::Protocol, BITS_1_5),
            session,
            (F::HostId, "upload.example"),
            (F::HostIdFallbackTimeout, "110"),
            empty,
            (F::AcceptEncoding, "identity"),
        ],
        K::FragmentAck => vec![
            ack,
            session,
            empty,
            (F::ReceivedContentRange, "20"),
            (F::ReplyUrl, r"BITS-Sessions\Replies\1"),
        ],
        _ => vec![ack, session, empty],
    };
    sample(kind, "HTTP/1.1 200 OK", &fields)
}

fn complete_notification(kind: MessageKind) -> Sample {
    let url = (F::OriginalRequestUrl, "http://origin.example/inbox/report.bin");
    match kind {
        K::NotificationResponse => sample(
            kind,
            "HTTP/1.1 200 OK",
            &[
                (F::StaticResponseUrl, "https://app.example/replies/1"),
                (F::CopyFileToDestination, "1"),
                (F::ContentLength, "0"),
            ],
        ),
        K::NotificationByValue => {
            sample(kind, "POST /app HTTP/1.1", &[url, (F::ContentLength, "20")])
        }
        _ => sample(
            kind,
            "POST /app HTTP/1.1",
            &[
                url,
                (F::RequestDataFileName, r"D:\requests\1"),
                (F::ResponseDataFileName, r"D:\replies\1"),
                (F::ContentLength, "0"),
            ],
        ),
    }
}

impl Sample {
    fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("{}\r\n", self.line);
        for (field, value) in &self.fields {
            write!(head, "{field}: {value}\r\n").expect("a string takes everything");
        }
        (head + "\r\n").into_bytes()
    }

    fn without(&self, dropped: &[FieldName]) -> Self {
        let mut sample = self.clone();
        sample.fields.retain(|(field, _)| !dropped.contains(field));
        sample
    }

    /// With one field more, at the start or at the end.
    fn with(&self, at_start: bool, field: FieldName, value: &'static str) -> Self {
        let mut sample = self.clone();
        let at = if at_start { 0 } else { sample.fields.len() };
        sample.fields.insert(at, (field, value));
        sample
    }

    fn has(&self, presence: Presence) -> Vec<FieldName> {
        let fields = FieldName::ALL.iter().copied();
        fields.filter(|field| of(self.kind, *field) == presence).collect()
    }

    fn read(&self) -> Outcome {
        Outcome::of(self.kind, &self.to_bytes())
    }

    fn granted(&self) -> Outcome {
        let outcome = self.read();
        assert!(outcome.result.is_ok(), "{}: {outcome:?}", self.kind);
        outcome
    }
}

/// What a message was read as. The text of a message has all its values.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    result: Result<(String, Deviations), Error>,
}

impl Outcome {
    fn of(kind: MessageKind, bytes: &[u8]) -> Self {
        Self {
            result: decode(kind, bytes).map(|Decoded { message, deviations }| {
                (format!("{:?} {message:?}", message.kind()), deviations)
            }),
        }
    }

    fn message(&self) -> &str {
        self.result.as_ref().map_or("none", |(message, _)| message)
    }

    fn deviations(&self) -> Vec<Deviation> {
        let deviations =
            self.result.as_ref().map_or(Deviations::EMPTY, |(_, deviations)| *deviations);
        deviations.iter().collect()
    }

    fn error(&self) -> Option<(ErrorKind, Option<&'static str>)> {
        self.result.as_ref().err().map(|error| (error.kind(), error.field()))
    }
}

/// The request that the Acks of this file answer.
fn with_ack_for<T>(kind: MessageKind, read: impl FnOnce(&AckFor<'_>) -> T) -> T {
    let asked = match kind {
        K::PingAck => K::Ping,
        K::CreateSessionAck => K::CreateSession,
        K::CloseSessionAck => K::CloseSession,
        K::CancelSessionAck => K::CancelSession,
        _ => K::Fragment,
    };
    let bytes = complete(asked).to_bytes();
    match decode(asked, &bytes).map(|decoded| decoded.message) {
        Ok(Message::Request(request)) => read(&AckFor::from(&request)),
        other => panic!("{asked}: {other:?}"),
    }
}

fn decode(kind: MessageKind, bytes: &[u8]) -> Result<Decoded<Message<'_>>, Error> {
    if !bytes.starts_with(b"HTTP/") {
        return decode_request(kind, bytes);
    }
    let mut slots = Slots::new();
    let Progress::Complete(head) = ResponseHead::parse(bytes, &mut slots)? else {
        panic!("{kind}: {} is incomplete", bytes.escape_ascii())
    };
    if kind == K::NotificationResponse {
        return any(NotificationResponse::from_head(&head));
    }
    with_ack_for(kind, |ack_for| any(Ack::from_head(&head, ack_for)))
}

fn decode_request(kind: MessageKind, bytes: &[u8]) -> Result<Decoded<Message<'_>>, Error> {
    let mut slots = Slots::new();
    let Progress::Complete(head) = RequestHead::parse(bytes, &mut slots)? else {
        panic!("{kind}: {} is incomplete", bytes.escape_ascii())
    };
    if kind.is_request() {
        return any(Request::from_head(&head, &Policy::DEFAULT));
    }
    any(NotificationRequest::from_head(&head))
}

fn every_kind() -> impl Iterator<Item = Sample> {
    MessageKind::ALL.iter().map(|kind| complete(*kind))
}

#[test]
fn a_complete_message_has_every_field_it_carries_and_nothing_unusual() {
    for sample in every_kind() {
        let carried: Vec<_> = TABLE.iter().map(|(field, _)| *field).collect();
        let carried = carried.into_iter().filter(|field| is_carried(sample.kind, *field));
        let fields: Vec<_> = sample.fields.iter().map(|(field, _)| *field).collect();
        assert_eq!(fields, carried.collect::<Vec<_>>(), "{}", sample.kind);
        let outcome = sample.granted();
        assert_eq!(outcome.deviations(), [], "{}", sample.kind);
        assert!(outcome.message().starts_with(&format!("{:?} ", sample.kind)), "{outcome:?}");
    }
}

fn is_carried(kind: MessageKind, field: FieldName) -> bool {
    matches!(of(kind, field), Presence::Required | Presence::Expected | Presence::Optional)
}

#[test]
fn a_message_is_refused_without_a_required_field() {
    for sample in every_kind() {
        for field in sample.has(Presence::Required) {
            let is_ack = sample.kind.is_grant() && field == F::PacketType;
            let kind = if is_ack { ErrorKind::NotAnAck } else { ErrorKind::MissingField };
            let dropped = sample.without(&[field]);
            let found = dropped.read();
            assert_eq!(found.error(), Some((kind, Some(field.as_str()))), "{}", sample.kind);
            let offset = found.result.err().and_then(|error| error.offset());
            let end = dropped.to_bytes().len() - 2;
            assert_eq!(offset, Some(end), "{field} is missed at the empty line of {}", sample.kind);
        }
    }
}

fn deviation_without(field: FieldName) -> Deviation {
    match field {
        F::PacketType => Deviation::MissingPacketType,
        F::Protocol => Deviation::MissingProtocol,
        F::SessionId => Deviation::MissingSessionId,
        F::ContentLength => Deviation::MissingContentLength,
        F::ReceivedContentRange => Deviation::MissingReceived,
        other => panic!("{other} is expected nowhere"),
    }
}

#[test]
fn a_message_without_an_expected_field_is_accepted_and_remarked_on() {
    for sample in every_kind() {
        for field in sample.has(Presence::Expected) {
            let outcome = sample.without(&[field]).granted();
            assert_eq!(
                outcome.deviations(),
                [deviation_without(field)],
                "{field} of {}",
                sample.kind
            );
        }
    }
}

const ERRORS: [FieldName; 3] = [F::Error, F::ErrorCode, F::ErrorContext];

#[test]
fn a_message_is_accepted_without_an_optional_field() {
    for sample in every_kind() {
        let optional = sample.has(Presence::Optional).into_iter();
        for field in optional.filter(|field| !ERRORS.contains(field)) {
            let outcome = sample.without(&[field]).granted();
            let alone = match field {
                F::HostId => vec![Deviation::TimeoutWithoutHostId],
                F::HostIdFallbackTimeout => vec![Deviation::HostIdWithoutTimeout],
                _ => vec![],
            };
            assert_eq!(outcome.deviations(), alone, "{field} of {}", sample.kind);
            assert_ne!(outcome.message(), sample.read().message(), "{field} of {}", sample.kind);
        }
    }
}

/// All fields that can be left out, left out at once: none stands in for another.
#[test]
fn the_required_fields_are_enough() {
    for sample in every_kind() {
        let optional = [sample.has(Presence::Optional), sample.has(Presence::Expected)].concat();
        let outcome = sample.without(&optional).granted();
        let mut expected: Vec<_> = match sample.kind {
            // Nothing more is expected of what may not be the server's.
            K::Refusal => vec![Deviation::MissingPacketType],
            _ => sample.has(Presence::Expected).into_iter().map(deviation_without).collect(),
        };
        expected.sort_unstable();
        assert_eq!(outcome.deviations(), expected, "{}", sample.kind);
    }
}

#[test]
fn the_error_fields_of_a_refusal_stand_in_for_each_other() {
    let sample = complete(K::Refusal);
    let whole = sample.granted();
    for dropped in [F::Error, F::ErrorCode] {
        assert_eq!(sample.without(&[dropped]).granted(), whole, "{dropped}");
    }
    let cases: [(&[FieldName], Deviation); 4] = [
        (&[F::ErrorContext], Deviation::MissingErrorContext),
        (&[F::ErrorContext, F::Error], Deviation::MissingErrorContext),
        (&[F::Error, F::ErrorCode], Deviation::ContextWithoutError),
        (&ERRORS, Deviation::MissingError),
    ];
    for (dropped, deviation) in cases {
        assert_eq!(sample.without(dropped).granted().deviations(), [deviation], "{dropped:?}");
    }
    // A context alone says nothing, so nothing of it is left.
    let alone = sample.without(&[F::Error, F::ErrorCode]).granted();
    assert_eq!(alone.message(), sample.without(&ERRORS).granted().message());
}

/// A value the field may have, where it belongs.
fn value_of(field: FieldName) -> &'static str {
    let in_sample = |sample: Sample| {
        sample.fields.into_iter().find(|(name, _)| *name == field).map(|(_, value)| value)
    };
    every_kind().find_map(in_sample).unwrap_or("BITS_POST")
}

/// One of the two paths turns a notification by value into one by reference.
fn changes_kind(kind: MessageKind, field: FieldName) -> bool {
    kind == K::NotificationByValue
        && matches!(field, F::RequestDataFileName | F::ResponseDataFileName)
}

/// Adds a field with a good value, a bad one and none, at either end.
fn additions(sample: &Sample, field: FieldName) -> impl Iterator<Item = (&'static str, Sample)> {
    let values = [value_of(field), "?"].into_iter();
    let samples: Vec<_> = values
        .flat_map(|value| {
            [true, false].map(|at_start| (value, sample.with(at_start, field, value)))
        })
        .collect();
    samples.into_iter()
}

#[test]
fn an_unexpected_field_is_remarked_on_and_not_read() {
    for sample in every_kind() {
        let whole = sample.granted();
        let unexpected = sample.has(Presence::Unexpected).into_iter();
        for field in unexpected.filter(|field| !changes_kind(sample.kind, *field)) {
            let is_error = sample.kind.is_grant() && ERRORS.contains(&field);
            let expected =
                if is_error { Deviation::ErrorOnSuccess } else { Deviation::UnexpectedField };
            for (value, added) in additions(&sample, field) {
                let outcome = added.granted();
                let name = format!("{field}: {value} on {}", sample.kind);
                assert_eq!(outcome.deviations(), [expected], "{name}");
                assert_eq!(outcome.message(), whole.message(), "{name}");
            }
        }
    }
}

#[test]
fn an_unexpected_field_that_contradicts_itself_is_not_read_either() {
    for sample in every_kind() {
        let whole = sample.granted();
        let unexpected = sample.has(Presence::Unexpected).into_iter();
        // A list may be spread over several fields, so two lists are no contradiction.
        for field in unexpected
            .filter(|field| !changes_kind(sample.kind, *field) && *field != F::SupportedProtocols)
        {
            let twice = sample.with(true, field, value_of(field)).with(false, field, "?");
            let outcome = twice.granted();
            assert_eq!(outcome.deviations().len(), 1, "{field} on {}", sample.kind);
            assert_eq!(outcome.message(), whole.message(), "{field} on {}", sample.kind);
        }
    }
}

#[test]
fn an_error_and_a_stray_field_on_a_success_are_both_remarked_on() {
    for sample in every_kind().filter(|sample| sample.kind.is_grant()) {
        let added =
            sample.with(true, F::ErrorCode, "0x80200020").with(true, F::StaticResponseUrl, "/");
        let expected = [Deviation::UnexpectedField, Deviation::ErrorOnSuccess];
        assert_eq!(added.granted().deviations(), expected, "{}", sample.kind);
    }
}

#[test]
fn a_single_path_makes_a_notification_one_by_reference() {
    let sample = complete(K::NotificationByValue);
    let paths = [F::RequestDataFileName, F::ResponseDataFileName];
    for (given, missing) in [(paths[0], paths[1]), (paths[1], paths[0])] {
        let found = sample.with(false, given, r"D:\1").read().error();
        assert_eq!(found, Some((ErrorKind::MissingField, Some(missing.as_str()))), "{given}");
    }
}

#[test]
fn an_ignored_field_changes_nothing() {
    for sample in every_kind() {
        let whole = sample.granted();
        let ignored = sample.has(Presence::Ignored).into_iter();
        for field in ignored.filter(|field| *field != F::TransferEncoding) {
            for (value, added) in additions(&sample, field) {
                assert_eq!(added.granted(), whole, "{field}: {value} on {}", sample.kind);
            }
        }
    }
}

/// What is not the message's business cannot contradict itself either.
#[test]
fn an_ignored_field_changes_nothing_however_often_it_is_there() {
    let mut wrong = Vec::new();
    for sample in every_kind() {
        let whole = sample.granted();
        let ignored = sample.has(Presence::Ignored).into_iter();
        for field in ignored.filter(|field| *field != F::TransferEncoding) {
            for second in [value_of(field), "?"] {
                let twice = sample.with(true, field, value_of(field)).with(false, field, second);
                let outcome = twice.read();
                if outcome != whole {
                    wrong.push(format!("{field} on {}: {:?}", sample.kind, outcome.result));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of them, such as {:#?}", wrong.len(), &wrong[..2]);
}

/// It is framing, which is judged before there is a message.
#[test]
fn a_transfer_coding_is_refused_before_any_table_is_asked() {
    for sample in every_kind() {
        let found = sample.with(true, F::TransferEncoding, "chunked").read().error();
        let expected = Some((ErrorKind::TransferEncoding, Some("Transfer-Encoding")));
        assert_eq!(found, expected, "{}", sample.kind);
    }
}

// The writer.

#[test]
fn the_writer_writes_the_fields_that_are_carried_in_the_order_of_the_table() {
    for sample in every_kind() {
        let bytes = sample.to_bytes();
        let decoded = decode(sample.kind, &bytes).expect("a complete message");
        let target = sample.line.split(' ').nth(1).expect("a target or a status");
        let written = decoded.message.encode(target, &[]).expect("no extras");
        assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn the_writer_takes_ignored_fields_as_extras_and_no_others() {
    for sample in every_kind() {
        let bytes = sample.to_bytes();
        let message = decode(sample.kind, &bytes).expect("a complete message").message;
        for field in FieldName::ALL {
            let extras = [(field.as_str(), value_of(*field).as_bytes())];
            let is_free =
                of(sample.kind, *field) == Presence::Ignored && *field != F::TransferEncoding;
            let error =
                message.encode("/", &extras).err().map(|error| (error.kind(), error.field()));
            let reserved = (!is_free).then_some((ErrorKind::ReservedExtra, Some(field.as_str())));
            assert_eq!(error, reserved, "{field} of {}", sample.kind);
        }
    }
}

/// A message with nothing optional has no field too many either.
#[test]
fn the_writer_writes_no_field_for_what_is_not_there() {
    let refusal = Refusal::new(bits_proto::head::Status::FORBIDDEN).expect("no success");
    let bytes = Message::from(Ack::from(refusal)).encode("/", &[]).expect("no extras");
    let text = b"HTTP/1.1 403 Forbidden\r\nBITS-Packet-Type: Ack\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(bytes, text);
    let code = refusal.with_error(HResult::E_ACCESSDENIED, bits_proto::field::ErrorContext::SERVER);
    let bytes = Message::from(Ack::from(code)).encode("/", &[]).expect("no extras");
    let head = answer::<bits_proto::head::StatusLine<'_>>(&bytes, &AckFor::Ping);
    let common::read::Answer::Whole(head) = head else { panic!("{head:?}") };
    let names: Vec<_> = head.fields.iter().map(|(name, _)| *name).collect();
    let expected = [
        "BITS-Packet-Type",
        "Content-Length",
        "BITS-Error",
        "BITS-Error-Code",
        "BITS-Error-Context",
    ];
    assert_eq!(names, expected);
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
    }
}

const LEGEND: &str = "\
Without *required* fields a message is an error; without *expected* ones it \
deviates, as it does with a field where the cell is empty. A dash is a field that is none \
of the message's business.
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
    let written = include_str!("../src/message/presence.md").replace("\r\n", "\n");
    assert_eq!(written, document, "{DOCUMENT} is old: BITS_BLESS=1 cargo test --test presence");
}
