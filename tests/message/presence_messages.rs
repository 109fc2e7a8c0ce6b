//! Presence of fields in messages: the readers and the writer are compared with the table.

use crate::support;
use bits_proto::deviation::Deviation;
use bits_proto::error::ErrorKind;
use bits_proto::field::FieldName as F;
use bits_proto::field::{FieldName, HResult};
use bits_proto::message::MessageKind as K;
use bits_proto::message::presence::{Presence, TABLE, of};
use bits_proto::message::{Ack, AckContext, MessageKind, Refusal};
use support::complete::{Sample, complete, decode, every_kind};
use support::read::{Message, answer};

#[test]
fn a_complete_message_has_every_field_and_no_deviation() {
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
            let is_ack = sample.kind.is_success() && field == F::PacketType;
            let kind = if is_ack { ErrorKind::NotAnAck } else { ErrorKind::MissingField };
            let dropped = sample.without(&[field]);
            let found = dropped.read();
            assert_eq!(found.error(), Some((kind, Some(field.as_str()))), "{}", sample.kind);
            let offset = found.result.err().and_then(|error| error.offset());
            let end = dropped.to_bytes().len() - 2;
            assert_eq!(
                offset,
                Some(end),
                "{field} is reported missing at the empty line of {}",
                sample.kind
            );
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
        other => panic!("{other} is never `Expected`"),
    }
}

#[test]
fn a_message_without_an_expected_field_is_accepted_and_recorded() {
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

/// All optional fields are removed at once, because none of them replaces another.
#[test]
fn the_required_fields_are_enough() {
    for sample in every_kind() {
        let optional = [sample.has(Presence::Optional), sample.has(Presence::Expected)].concat();
        let outcome = sample.without(&optional).granted();
        let mut expected: Vec<_> = match sample.kind {
            // Nothing else is expected of a response that may not be the server's.
            K::Refusal => vec![Deviation::MissingPacketType],
            _ => sample.has(Presence::Expected).into_iter().map(deviation_without).collect(),
        };
        expected.sort_unstable();
        assert_eq!(outcome.deviations(), expected, "{}", sample.kind);
    }
}

#[test]
fn the_error_fields_of_a_refusal_replace_each_other() {
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
    // A context without a code says whose failure the status is.
    let alone = sample.without(&[F::Error, F::ErrorCode]).granted();
    assert_ne!(alone.message(), sample.without(&ERRORS).granted().message());
}

/// Returns a valid value of the field.
fn value_of(field: FieldName) -> &'static str {
    let in_sample = |sample: Sample| {
        sample.fields.into_iter().find(|(name, _)| *name == field).map(|(_, value)| value)
    };
    every_kind().find_map(in_sample).unwrap_or("BITS_POST")
}

/// Returns true if adding the field turns a notification by value into one by reference.
fn changes_kind(kind: MessageKind, field: FieldName) -> bool {
    kind == K::NotificationByValue
        && matches!(field, F::RequestDataFileName | F::ResponseDataFileName)
}

/// Adds a field with a valid, an invalid and an empty value, at either end.
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
fn an_unexpected_field_is_recorded_and_ignored() {
    for sample in every_kind() {
        let whole = sample.granted();
        let unexpected = sample.has(Presence::Unexpected).into_iter();
        for field in unexpected.filter(|field| !changes_kind(sample.kind, *field)) {
            let expected = match (sample.kind, field) {
                (kind, _) if kind.is_success() && ERRORS.contains(&field) => {
                    Deviation::ErrorOnSuccess
                }
                (K::Refusal, F::Protocol) => Deviation::ProtocolOnRefusal,
                _ => Deviation::UnexpectedField,
            };
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
fn a_conflicting_unexpected_field_is_ignored() {
    for sample in every_kind() {
        let whole = sample.granted();
        let unexpected = sample.has(Presence::Unexpected).into_iter();
        // A list may be spread over several fields, so two lists do not conflict.
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
fn an_error_and_an_unexpected_field_on_a_success_are_both_recorded() {
    for sample in every_kind().filter(|sample| sample.kind.is_success()) {
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

/// Fields that are not defined for a message cannot conflict.
#[test]
fn a_repeated_ignored_field_changes_nothing() {
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

/// Framing is checked before the fields of the message.
#[test]
fn a_transfer_coding_beside_a_length_is_rejected_before_presence_is_checked() {
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

/// A message without optional values has no additional fields.
#[test]
fn the_writer_omits_absent_values() {
    let refusal = Refusal::new(bits_proto::http1::StatusCode::FORBIDDEN).expect("no success");
    let bytes = Message::from(Ack::from(refusal)).encode("/", &[]).expect("no extras");
    let text = b"HTTP/1.1 403 Forbidden\r\nBITS-Packet-Type: Ack\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(bytes, text);
    let code = refusal.with_error(HResult::E_ACCESSDENIED, bits_proto::field::ErrorContext::SERVER);
    let bytes = Message::from(Ack::from(code)).encode("/", &[]).expect("no extras");
    let head = answer::<bits_proto::http1::StatusLine<'_>>(&bytes, &AckContext::Ping);
    let support::read::Answer::Whole(head) = head else { panic!("{head:?}") };
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
