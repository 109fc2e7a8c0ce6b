//! Validation returns every error of a message. That it returns what parsing returns first is checked
//! for every input of the other tests, in `support::read`.

use bits_proto::error::ErrorKind;
use bits_proto::field::FieldName;
use bits_proto::http1::{RequestLine, StatusCode, StatusLine, Version};
use bits_proto::message::{
    Ack, AckContext, NotificationRequest, NotificationResponse, ParseOptions, Request,
};

type Fields<'a> = &'a [(&'a str, &'a [u8])];

const FRAGMENT: AckContext<'_> =
    AckContext::Fragment { session_id: None, content_range: None, sent_up_to: None };

fn request_line(method: &str) -> RequestLine<'_> {
    RequestLine { method, target: "/e", version: Version::Http11 }
}

fn status_line(code: u16) -> StatusLine<'static> {
    let status = StatusCode::try_from(code).expect("a status code");
    StatusLine { version: Version::Http11, status, reason: "" }
}

fn errors_of_request(method: &str, fields: Fields<'_>) -> Vec<(ErrorKind, Option<&'static str>)> {
    let (mut errors, line) = (Vec::new(), request_line(method));
    Request::validate_fields(line, fields.iter().copied(), &ParseOptions::DEFAULT, |error| {
        errors.push((error.kind(), error.field()));
    });
    errors
}

fn errors_of_ack(code: u16, fields: Fields<'_>) -> Vec<(ErrorKind, Option<&'static str>)> {
    let mut errors = Vec::new();
    Ack::validate_fields(status_line(code), fields.iter().copied(), &FRAGMENT, |error| {
        errors.push((error.kind(), error.field()));
    });
    errors
}

fn in_field(kind: ErrorKind, field: FieldName) -> (ErrorKind, Option<&'static str>) {
    (kind, Some(field.as_str()))
}

#[test]
fn every_error_of_a_request_is_returned() {
    let fields: Fields<'_> = &[
        ("BITS-Packet-Type", b"Fragment"),
        ("Content-Name", b"a"),
        ("Content-Name", b"b"),
        ("Content-Range", b"bytes 5-4/9"),
        ("Content-Encoding", b"gzip"),
        ("Transfer-Encoding", b"chunked"),
        ("Content-Length", b"five"),
    ];
    let expected = [
        in_field(ErrorKind::TransferEncoding, FieldName::TransferEncoding),
        in_field(ErrorKind::NotDecimal, FieldName::ContentLength),
        in_field(ErrorKind::ConflictingField, FieldName::ContentName),
        in_field(ErrorKind::MissingField, FieldName::SessionId),
        in_field(ErrorKind::FirstBeyondLast, FieldName::ContentRange),
        in_field(ErrorKind::UnsupportedEncoding, FieldName::ContentEncoding),
    ];
    assert_eq!(errors_of_request("BITS_POST", fields), expected);
}

#[test]
fn every_conflicting_field_is_returned_once_and_the_first_in_the_message_first() {
    let fields: Fields<'_> = &[
        ("BITS-Packet-Type", b"Close-Session"),
        ("Content-Length", b"0"),
        ("Content-Name", b"a"),
        ("BITS-Session-Id", b"1"),
        ("BITS-Session-Id", b"2"),
        ("BITS-Session-Id", b"3"),
        ("Content-Name", b"b"),
    ];
    let expected = [
        in_field(ErrorKind::ConflictingField, FieldName::SessionId),
        in_field(ErrorKind::ConflictingField, FieldName::ContentName),
    ];
    assert_eq!(errors_of_request("BITS_POST", fields), expected);
}

#[test]
fn without_a_method_or_a_packet_type_there_is_nothing_else_to_validate() {
    let ping: Fields<'_> = &[("BITS-Packet-Type", b"Ping"), ("Content-Length", b"7")];
    assert_eq!(errors_of_request("GET", ping), [(ErrorKind::NotBits, None)]);
    let expected = [in_field(ErrorKind::MissingField, FieldName::PacketType)];
    assert_eq!(errors_of_request("BITS_POST", &[("Content-Range", b"x")]), expected);
}

#[test]
fn every_error_of_an_ack_is_returned() {
    let fields: Fields<'_> = &[
        ("BITS-Packet-Type", b"Ping"),
        ("BITS-Session-Id", b"a b"),
        ("BITS-Received-Content-Range", b"-1"),
    ];
    let expected = [
        in_field(ErrorKind::WrongPacketType, FieldName::PacketType),
        in_field(ErrorKind::InvalidByte, FieldName::SessionId),
        in_field(ErrorKind::NotDecimal, FieldName::ReceivedContentRange),
    ];
    assert_eq!(errors_of_ack(200, fields), expected);
}

#[test]
fn an_interim_response_to_a_packet_is_an_error_and_the_only_one() {
    let fields: Fields<'_> = &[("BITS-Packet-Type", b"Ack"), ("BITS-Session-Id", b"a b")];
    assert_eq!(errors_of_ack(100, fields), [(ErrorKind::InterimResponse, None)]);
    let mut errors = Vec::new();
    NotificationResponse::validate_fields(status_line(103), [], |error| errors.push(error.kind()));
    assert_eq!(errors, [ErrorKind::InterimResponse]);
}

#[test]
fn a_notification_that_is_not_a_post_is_an_error_and_not_the_only_one() {
    let fields: Fields<'_> = &[("BITS-Original-Request-URL", b"")];
    let mut errors = Vec::new();
    let validated = NotificationRequest::validate_fields(
        request_line("PUT"),
        fields.iter().copied(),
        |error| {
            errors.push((error.kind(), error.field()));
        },
    );
    let expected = [
        (ErrorKind::NotPost, None),
        in_field(ErrorKind::MissingField, FieldName::ContentLength),
        in_field(ErrorKind::Empty, FieldName::OriginalRequestUrl),
    ];
    assert_eq!((errors.as_slice(), validated.message), (&expected[..], None));
}

#[test]
fn a_conflict_is_reported_with_the_first_value_that_differs() {
    let conflict = |fields: Fields<'_>| {
        let line = request_line("BITS_POST");
        let parsed = Request::from_fields(line, fields.iter().copied(), &ParseOptions::DEFAULT);
        let error = parsed.expect_err("a conflict");
        let text = |value: Option<&[u8]>| value.map(|value| value.escape_ascii().to_string());
        (text(error.received()), text(error.conflicting()))
    };
    let lengths: Fields<'_> = &[
        ("BITS-Packet-Type", b"Ping"),
        ("Content-Length", b"5"),
        ("Content-Length", b"05"),
        ("Content-Length", b"6"),
        ("Content-Length", b"7"),
    ];
    assert_eq!(conflict(lengths), (Some("5".into()), Some("6".into())));
    let names: Fields<'_> = &[
        ("BITS-Packet-Type", b"Ping"),
        ("Content-Length", b"0"),
        ("Content-Name", b"a"),
        ("Content-Name", b"a"),
        ("Content-Name", b"b"),
        ("Content-Name", b"c"),
    ];
    assert_eq!(conflict(names), (Some("a".into()), Some("b".into())));
}
