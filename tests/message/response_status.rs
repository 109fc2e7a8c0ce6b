//! Responses by status: successes, and refusals with their codes, offsets and times.

use bits_proto::deviation::Deviation;
use bits_proto::error::ErrorKind;
use bits_proto::field::{HResult, ReceivedContentRange};
use bits_proto::http1::{BodyLength, Framing, StatusLine, Version};
use bits_proto::message::{Ack, AckContext, Decoded, MessageKind, PingAck, Refusal};

use super::failures::{combinations, expected_failure};
use super::refusals::status;
use crate::support::messages::{self, Draft, Reader, session};

/// Returns an Ack of this status with fields.
fn read_ack<'b>(number: u16, fields: &[(&'b str, &'b str)]) -> Decoded<Ack<'b>> {
    let line = StatusLine { version: Version::Http11, status: status(number), reason: "" };
    let pairs = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
    let decoded = Ack::from_fields(line, pairs, &AckContext::Ping);
    decoded.unwrap_or_else(|error| panic!("{number} with {fields:?}: {error}"))
}

#[test]
fn a_refusal_that_is_read_has_the_class_of_its_parts_with_and_without_a_packet_type() {
    for (number, code, context) in combinations().filter(|(number, ..)| *number >= 300) {
        let written = code.map_or(String::new(), |code| format!("{code:X}"));
        let origin = context.map_or(String::new(), |context| format!("{context:X}"));
        let fields = [
            ("BITS-Packet-Type", "Ack"),
            ("Content-Length", "0"),
            ("BITS-Received-Content-Range", "7"),
            ("BITS-Error-Code", &written),
            ("BITS-Error-Context", &origin),
        ];
        let expected = expected_failure(number, code, context);
        for fields in [&fields[..], &fields[1..]] {
            let Decoded { message: ack, deviations, .. } = read_ack(number, fields);
            assert_eq!(ack.failure(), expected, "{number} with {code:X?} and {context:X?}");
            assert_eq!(ack.status().get(), number);
            let Ack::Refused(refusal) = ack else { panic!("{number}: {ack:?}") };
            assert_eq!(refusal.code().map(HResult::get), code, "{number}");
            assert_eq!(refusal.context().map(|it| it.0), context, "{number}");
            assert_eq!(refusal.received(), Some(ReceivedContentRange(7)), "{number}");
            assert_eq!(Some(refusal.failure()), ack.failure(), "{number}");
            let is_bare = fields.len() == 4;
            assert_eq!(deviations.contains(Deviation::MissingPacketType), is_bare, "{number}");
        }
    }
}

#[test]
fn every_success_status_with_a_packet_type_is_a_success() {
    let documented = |kind, number| match number {
        200 => true,
        201 => matches!(kind, MessageKind::CreateSessionAck | MessageKind::CloseSessionAck),
        _ => false,
    };
    for number in 200..=299 {
        for context in [
            AckContext::Ping,
            messages::for_create(),
            messages::for_fragment(0, 99, 200),
            messages::for_close(),
            AckContext::CancelSession { session_id: Some(session("1")) },
        ] {
            let draft = match context.kind() {
                MessageKind::PingAck => Draft::ack(),
                MessageKind::CreateSessionAck => Draft::create_ack(),
                MessageKind::FragmentAck => Draft::fragment_ack(),
                _ => Draft::close_ack(),
            };
            let draft = draft.line(&format!("HTTP/1.1 {number} Success"));
            let deviations = Reader::Ack(context).deviations(&draft);
            let expected = match number {
                _ if documented(context.kind(), number) => None,
                201 => Some(Deviation::UnexpectedCreated),
                _ => Some(Deviation::UnexpectedSuccess),
            };
            assert_eq!(deviations, expected.into_iter().collect(), "{number} {context:?}");
            let line = draft.status_line();
            let ack = Ack::from_fields(line, draft.pairs(), &context).expect("it is valid");
            assert_eq!(ack.message.kind(), context.kind(), "{number}");
            assert_eq!(ack.message.failure(), None, "{number}");
            // Without the packet type it may be a page of another server.
            let bare = Reader::Ack(context).error(&draft.without("BITS-Packet-Type"));
            assert_eq!(bare.kind(), ErrorKind::NotAnAck, "{number} {context:?}");
        }
    }
}

#[test]
fn a_204_has_no_length() {
    let fields = [("BITS-Packet-Type", "Ack")];
    let Decoded { message, deviations, .. } = read_ack(204, &fields);
    assert_eq!(message, Ack::Ping(PingAck));
    assert_eq!(deviations, Deviation::UnexpectedSuccess.into());
}

#[test]
fn a_205_without_a_length_does_not_wait_for_the_end_of_the_connection() {
    let without = Framing::default();
    assert_eq!(without.response_body(status(205)), BodyLength::NoBody);
    assert_eq!(without.response_body(status(206)), BodyLength::UntilClose);
    let with = Framing::from_fields([("Content-Length", "7")]).expect("a length");
    assert_eq!(with.response_body(status(205)), BodyLength::Known(7));
}

/// Returns code and context of a refusal with these values of BITS-Error, BITS-Error-Code and
/// BITS-Error-Context.
fn read_codes(error: &str, code: &str, context: &str) -> (Option<u32>, Option<u32>) {
    let fields = [
        ("BITS-Packet-Type", "Ack"),
        ("Content-Length", "0"),
        ("BITS-Error-Context", context),
        ("BITS-Error-Code", code),
        ("BITS-Error", error),
    ];
    let pairs = fields.map(|(name, value)| (name, value.as_bytes()));
    let line = StatusLine { version: Version::Http11, status: status(500), reason: "" };
    let ack = Ack::from_fields(line, pairs, &AckContext::Ping).map(|decoded| decoded.message);
    let Ok(Ack::Refused(refusal)) = ack else {
        panic!("{error:?}, {code:?}, {context:?}: {ack:?}")
    };
    (refusal.code().map(HResult::get), refusal.context().map(|context| context.0))
}

#[test]
fn the_first_error_field_present_is_used() {
    for (error, code, context, read) in [
        ("0x7", "0x8", "0x5", (Some(7), Some(5))),
        ("0x7", "", "0x7", (Some(7), Some(7))),
        ("", "0x8", "0x5", (Some(8), Some(5))),
        ("0x7", "0", "0x5", (Some(7), Some(5))),
        ("0x7", "0x8", "", (Some(7), None)),
        ("0x7", "0x8", "0x99", (Some(7), Some(0x99))),
        // Zero is not an error. The context says whose failure the status is.
        ("0", "0x8", "0x5", (None, Some(5))),
        ("0", "", "0x5", (None, Some(5))),
        ("", "", "0x7", (None, Some(7))),
        ("", "", "", (None, None)),
        // An unreadable value counts as absent.
        ("0x80070057L", "0x8", "0x5", (Some(8), Some(5))),
        ("0x7", "0x80070057L", "0x5", (Some(7), Some(5))),
        ("E_INVALIDARG", "no code", "0x5", (None, Some(5))),
        ("0x7", "", "server", (Some(7), None)),
    ] {
        assert_eq!(read_codes(error, code, context), read, "{error:?}, {code:?}, {context:?}");
    }
}

#[test]
fn a_bare_416_says_where_to_go_on() {
    let line = StatusLine { version: Version::Http11, status: status(416), reason: "" };
    let fields = [("BITS-Received-Content-Range", &b"7"[..])];
    let ack = Ack::from_fields(line, fields, &AckContext::Ping).map(|decoded| decoded.message);
    assert_eq!(ack, Ok(Refusal::out_of_sync(ReceivedContentRange(7)).into()));
}

#[test]
fn a_refusal_has_the_time_of_the_next_try_if_it_is_valid() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (values, expected) in [
        (&["120"][..], Some("120")),
        (&[date], Some(date)),
        (&["120", "120"], Some("120")),
        (&[], None),
        (&["soon"], None),
        (&[""], None),
        (&["120", "121"], None),
    ] {
        for packet_type in ["Ack", ""] {
            let fields = [("BITS-Packet-Type", packet_type), ("BITS-Error", "0x1")];
            let fields = fields.into_iter().filter(|(_, value)| !value.is_empty());
            let fields: Vec<_> =
                fields.chain(values.iter().map(|value| ("Retry-After", *value))).collect();
            let Decoded { message, deviations, .. } = read_ack(429, &fields);
            let Ack::Refused(refusal) = message else { panic!("{message:?}") };
            let retry_after = refusal.retry_after().map(|it| it.to_string());
            assert_eq!(retry_after.as_deref(), expected, "{fields:?}");
            assert_eq!(refusal.code(), HResult::new(1), "nothing else changes");
            let is_about_value = |it: &Deviation| it.name().starts_with("unreadable");
            assert_eq!(deviations.iter().find(is_about_value), None, "{fields:?}");
        }
    }
}
