//! Refusals with details that cannot be read: the rest of the refusal counts.

use crate::support::messages;
use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::error::ErrorKind;
use bits_proto::field::{ErrorContext, HResult, ReceivedContentRange};
use bits_proto::http1::{Progress, StatusCode};
use bits_proto::message::{
    Ack, AckContext, Failure, HeaderSlots, NO_EXTRAS, Refusal, ResponseHead,
};
use messages::{Draft, Reader, for_close, for_fragment};

const SENT: fn() -> AckContext<'static> = || for_fragment(0, 99, 200);

/// A refusal of a Fragment with every detail.
fn complete() -> Draft {
    Draft::refusal()
        .line("HTTP/1.1 500 Internal Server Error")
        .set("BITS-Error", "0x8020001F")
        .with("BITS-Session-Id", "1")
        .with("BITS-Received-Content-Range", "7")
}

/// Parses a refusal of a Fragment and hands it to `check`.
fn check(draft: &Draft, expected: Deviations, check: impl Fn(&Refusal<'_>)) {
    let reader = Reader::Ack(SENT());
    assert_eq!(reader.deviations(draft), expected, "{:?}", draft.text());
    let ack = Ack::from_fields(draft.status_line(), draft.pairs(), &SENT());
    match ack.map(|decoded| decoded.message) {
        Ok(Ack::Refused(refusal)) => check(&refusal),
        other => panic!("{:?}: {other:?}", draft.text()),
    }
}

#[test]
fn each_unreadable_detail_is_a_deviation_and_hides_no_other() {
    let long = "9".repeat(21);
    for (field, unreadable, deviation) in [
        ("BITS-Error", "0x80070057L", Deviation::UnreadableErrorCode),
        ("BITS-Error", "-1", Deviation::UnreadableErrorCode),
        ("BITS-Error-Context", "0x5L", Deviation::UnreadableErrorContext),
        ("BITS-Session-Id", "a b", Deviation::UnreadableSessionId),
        ("BITS-Received-Content-Range", "bytes 0-6/200", Deviation::UnreadableReceived),
        ("BITS-Received-Content-Range", long.as_str(), Deviation::UnreadableReceived),
    ] {
        for draft in [complete().set(field, unreadable), complete().with(field, "0x99")] {
            check(&draft, deviation.into(), |refusal| {
                let lost = |other| field != other;
                assert_eq!(refusal.status(), StatusCode::INTERNAL_SERVER_ERROR);
                let code = HResult::BG_E_SESSION_NOT_FOUND;
                assert_eq!(refusal.code(), lost("BITS-Error").then_some(code));
                let context = lost("BITS-Error-Context").then_some(ErrorContext::SERVER);
                assert_eq!(refusal.context(), context);
                let id = refusal.session_id().map(|id| id.to_string());
                assert_eq!(id, lost("BITS-Session-Id").then(|| "1".to_owned()));
                let received = ReceivedContentRange(7);
                let expected = lost("BITS-Received-Content-Range").then_some(received);
                assert_eq!(refusal.received(), expected);
                let class = match lost("BITS-Error") {
                    true => Failure::StartOver,
                    false => Failure::Transient,
                };
                assert_eq!(refusal.failure(), class, "{field}");
            });
        }
    }
}

#[test]
fn details_without_a_packet_type_are_read_alike() {
    let bare = || complete().without("BITS-Packet-Type").without("BITS-Session-Id");
    let missing = Deviations::from(Deviation::MissingPacketType);
    check(&bare(), missing, |refusal| {
        assert_eq!(refusal.code(), Some(HResult::BG_E_SESSION_NOT_FOUND));
        assert_eq!(refusal.context(), Some(ErrorContext::SERVER));
        assert_eq!(refusal.received(), Some(ReceivedContentRange(7)));
    });
    let unreadable = bare().set("BITS-Error", "x").set("BITS-Error-Context", "x");
    let both = Deviation::UnreadableErrorCode | Deviation::UnreadableErrorContext;
    check(&unreadable, missing | both, |refusal| {
        assert_eq!((refusal.code(), refusal.context()), (None, None));
        assert_eq!(refusal.failure(), Failure::Transient);
    });
    // Nothing is expected of the response of a proxy, and its session id is ignored.
    let page = Draft::new("HTTP/1.1 502 Bad Gateway", &[("BITS-Session-Id", "a b")]);
    check(&page, missing, |refusal| assert_eq!(refusal.session_id(), None));
}

#[test]
fn the_readable_one_of_two_error_fields_is_used() {
    let first = complete().set("BITS-Error", "0x80070057L").with("BITS-Error-Code", "0x80070057");
    let second = complete().set("BITS-Error", "0x80070057").with("BITS-Error-Code", "57L");
    for draft in [first, second] {
        check(&draft, Deviation::UnreadableErrorCode.into(), |refusal| {
            assert_eq!(refusal.code(), Some(HResult::E_INVALIDARG));
            assert_eq!(refusal.failure(), Failure::Fatal);
        });
    }
}

#[test]
fn two_different_codes_in_one_field_are_unreadable() {
    let draft = complete().with("BITS-Error", "0x80070057");
    check(&draft, Deviation::UnreadableErrorCode.into(), |refusal| {
        assert_eq!((refusal.code(), refusal.failure()), (None, Failure::Transient));
    });
    let draft = draft.with("BITS-Error-Code", "0x8020001F");
    check(&draft, Deviation::UnreadableErrorCode.into(), |refusal| {
        assert_eq!(refusal.failure(), Failure::StartOver);
    });
}

/// A 416 without a packet type and with one, and its offsets.
fn out_of_sync(offsets: &[&str]) -> [Draft; 2] {
    let draft = Draft::ack().line("HTTP/1.1 416 Out of sync");
    let field = "BITS-Received-Content-Range";
    let draft = offsets.iter().fold(draft, |draft, offset| draft.with(field, *offset));
    [draft.clone(), draft.without("BITS-Packet-Type")]
}

#[test]
fn a_416_with_an_unreadable_offset_has_no_offset() {
    for draft in [["7 bytes"].as_slice(), &["3", "7"]].into_iter().flat_map(out_of_sync) {
        let deviations = Reader::Ack(SENT()).deviations(&draft);
        assert!(deviations.contains(Deviation::UnreadableReceived), "{deviations:?}");
        check(&draft, deviations, |refusal| {
            assert_eq!((refusal.received(), refusal.failure()), (None, Failure::Resynchronise));
            let head =
                messages::written(&Ack::from(*refusal).encode(&NO_EXTRAS).expect("no extras"));
            assert!(!head.windows(8).any(|it| it == b"BITS-Rec"), "no offset is invented");
        });
    }
    for draft in out_of_sync(&[]) {
        let error = Reader::Ack(SENT()).error(&draft);
        assert_eq!(error.kind(), ErrorKind::OutOfSyncWithoutOffset, "{:?}", draft.text());
    }
}

#[test]
fn a_416_of_the_application_needs_no_offset() {
    for offset in [None, Some("999"), Some("x")] {
        let draft = out_of_sync(offset.as_slice())[0].clone().with("BITS-Error-Context", "0x7");
        let deviations = Reader::Ack(SENT()).deviations(&draft);
        check(&draft, deviations, |refusal| assert_eq!(refusal.failure(), Failure::Fatal));
    }
}

#[test]
fn an_unreadable_detail_of_a_success_is_an_error() {
    let reader = Reader::Ack(SENT());
    for (field, value) in [("BITS-Session-Id", "a b"), ("BITS-Received-Content-Range", "1 byte")] {
        let error = reader.error(&Draft::fragment_ack().set(field, value));
        assert_eq!(error.field(), Some(field), "{error}");
    }
    let twice = Draft::close_ack().with("BITS-Session-Id", "2");
    let error = Reader::Ack(for_close()).error(&twice);
    assert_eq!(error.kind(), ErrorKind::ConflictingField);
}

#[test]
fn validation_finds_no_error_in_a_refusal_with_unreadable_details() {
    let draft = complete().set("BITS-Error", "x").set("BITS-Session-Id", "a b");
    let text = draft.text();
    let mut slots = HeaderSlots::new();
    let head = ResponseHead::parse(text.as_bytes(), &mut slots).map(Progress::complete);
    let head = head.expect("a head").expect("a complete head");
    let validated = Ack::validate(&head, &SENT(), |error| panic!("{error}"));
    let expected = Deviation::UnreadableErrorCode | Deviation::UnreadableSessionId;
    assert_eq!(validated.deviations, expected);
    let parsed = Ack::from_head(&head, &SENT()).expect("it is a refusal");
    assert_eq!(validated.message.map(|ack| ack.status()), Some(parsed.message.status()));
}
