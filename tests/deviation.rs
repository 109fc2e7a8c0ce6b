//! Deviations: for each, a message with that deviation only, and a similar message without one.

use crate::support::messages;
use std::collections::BTreeSet;

use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::message::{AckContext, ParseOptions};
use messages::{Draft, PROTOCOL, Reader, for_close, for_create, for_fragment};

const REQUEST: Reader = Reader::Request(ParseOptions::DEFAULT);
const LENIENT: Reader = Reader::Request(ParseOptions::LENIENT);
const PING_ACK: Reader = Reader::Ack(AckContext::Ping);

/// A message with one deviation, and the most similar message without it.
struct Row {
    deviation: Deviation,
    reader: Reader,
    with: Draft,
    without: Draft,
}

const fn row(deviation: Deviation, reader: Reader, with: Draft, without: Draft) -> Row {
    Row { deviation, reader, with, without }
}

fn rows() -> Vec<Row> {
    let rows = [requests(), protocol_lists(), acks(), create_acks(), fragment_acks(), refusals()];
    rows.into_iter().flatten().chain(notifications()).collect()
}

fn requests() -> Vec<Row> {
    let overridden = || Draft::ping().with("X-HTTP-Method-Override", "BITS_POST");
    let only_override = ParseOptions::DEFAULT.with_method_override(true);
    let only_plain = ParseOptions::DEFAULT.with_plain_post(true);
    let named = |len| Draft::ping().with("Content-Name", "x".repeat(len));
    let spaced = |range| Draft::fragment().set("Content-Range", range);
    let post = "POST /e HTTP/1.1";
    use Deviation::*;
    vec![
        row(MethodOverride, LENIENT, overridden().line(post), overridden()),
        row(MethodOverride, Reader::Request(only_override), overridden().line(post), overridden()),
        row(PlainPost, LENIENT, Draft::ping().line(post), Draft::ping()),
        row(PlainPost, Reader::Request(only_plain), overridden().line(post), overridden()),
        row(
            DuplicateField,
            REQUEST,
            Draft::close().with("bits-session-id", "1"),
            Draft::close().with("X-Session-Id", "1"),
        ),
        row(DuplicateField, REQUEST, Draft::ping().with("Content-Length", "0"), Draft::ping()),
        row(DuplicateField, REQUEST, Draft::ping().with("Content-Length", "00"), Draft::ping()),
        row(DuplicateField, REQUEST, Draft::ping().set("Content-Length", "0, 0"), Draft::ping()),
        row(DuplicateField, PING_ACK, Draft::ack().set("Content-Length", "0, 0"), Draft::ack()),
        row(
            UnexpectedField,
            REQUEST,
            Draft::create().with("BITS-Session-Id", "1"),
            Draft::ping().with("BITS-Session-Id", "1"),
        ),
        row(
            UnexpectedField,
            REQUEST,
            Draft::ping().with("BITS-Error", "0x80070057"),
            Draft::ping().with("BITS-Error", ""),
        ),
        row(
            UnexpectedField,
            REQUEST,
            Draft::fragment().with("BITS-Request-DataEntity-Name", "x"),
            Draft::fragment().with("Accept-Encoding", "gzip"),
        ),
        row(MissingContentLength, REQUEST, Draft::ping().without("Content-Length"), Draft::ping()),
        row(UnexpectedBody, LENIENT, Draft::close().set("Content-Length", "1"), Draft::close()),
        row(UnexpectedBody, LENIENT, Draft::close().set("Content-Length", "4096"), Draft::close()),
        row(LongContentName, REQUEST, named(261), named(260)),
        row(RangeWhiteSpace, REQUEST, spaced("bytes  0-99/200"), spaced("bytes 0-99/200")),
        row(RangeWhiteSpace, REQUEST, spaced("bytes\t0-99/200"), spaced("BYTES 00-099/200 ")),
    ]
}

fn protocol_lists() -> Vec<Row> {
    let offering = |list: &str| Draft::create().set("BITS-Supported-Protocols", list);
    let many = |count| offering(&vec![PROTOCOL; count].join(" "));
    let bare = PROTOCOL.trim_matches(['{', '}']);
    let twice = format!("{PROTOCOL} ,\t {PROTOCOL},");
    use Deviation::*;
    vec![
        row(UnbracedGuid, REQUEST, offering(bare), offering(&PROTOCOL.to_uppercase())),
        row(UnbracedGuid, REQUEST, offering(&format!("{PROTOCOL} {bare}")), offering(&twice)),
        row(
            JoinedProtocols,
            REQUEST,
            Draft::create().with("bits-supported-protocols", PROTOCOL),
            offering(&twice),
        ),
        row(ExcessProtocols, REQUEST, many(101), many(100)),
    ]
}

fn acks() -> Vec<Row> {
    let served = |len| Draft::ack().with("Server", "x".repeat(len));
    let closed = || Draft::close_ack().line("HTTP/1.1 201 Created");
    let of_close = Reader::Ack(for_close());
    let as_guid = |id| Draft::close_ack().set("BITS-Session-Id", id);
    let guid = AckContext::CloseSession { session_id: Some(messages::session(GUID)) };
    use Deviation::*;
    vec![
        row(Http10, PING_ACK, Draft::ack().line("HTTP/1.0 200 OK"), Draft::ack()),
        row(LongValue, PING_ACK, served(4097), served(4096)),
        row(MissingContentLength, PING_ACK, Draft::ack().without("Content-Length"), Draft::ack()),
        row(ChunkedResponse, PING_ACK, Draft::ack().chunked(), Draft::ack()),
        row(ChunkedResponse, of_close, Draft::refusal().chunked(), Draft::refusal()),
        row(UnexpectedBody, PING_ACK, Draft::ack().set("Content-Length", "1"), Draft::ack()),
        row(
            UnexpectedField,
            PING_ACK,
            Draft::ack().with("BITS-Protocol", PROTOCOL),
            Draft::ack().with("BITS-Session-Id", "1"),
        ),
        row(
            DuplicateField,
            of_close,
            Draft::close_ack().with("BITS-Packet-Type", "Ack"),
            Draft::close_ack(),
        ),
        row(
            MissingSessionId,
            of_close,
            Draft::close_ack().without("BITS-Session-Id"),
            Draft::close_ack(),
        ),
        row(OtherSessionId, of_close, as_guid("2"), as_guid("1")),
        row(
            OtherSessionId,
            Reader::Ack(guid),
            as_guid(&GUID.replace('A', "B")),
            as_guid(&GUID.to_lowercase()),
        ),
        row(UnexpectedCreated, PING_ACK, Draft::ack().line("HTTP/1.1 201 Created"), Draft::ack()),
        row(
            UnexpectedCreated,
            Reader::Ack(for_fragment(0, 99, 200)),
            Draft::fragment_ack().line("HTTP/1.1 201 Created"),
            Draft::fragment_ack(),
        ),
        row(
            UnexpectedCreated,
            Reader::Ack(AckContext::CancelSession { session_id: None }),
            closed(),
            Draft::close_ack(),
        ),
        row(
            UnexpectedSuccess,
            of_close,
            Draft::close_ack().line("HTTP/1.1 204 No Content").without("Content-Length"),
            closed(),
        ),
        row(
            ErrorOnSuccess,
            of_close,
            closed().with("BITS-Error-Context", "0x5"),
            closed().with("BITS-Error-Context", ""),
        ),
        row(
            ErrorOnSuccess,
            PING_ACK,
            Draft::ack().with("BITS-Error", "0").with("BITS-Error-Code", "no code"),
            Draft::ack(),
        ),
    ]
}

const GUID: &str = "{A0FF5911-4144-45B3-BF27-27AFC8EC8A67}";

fn create_acks() -> Vec<Row> {
    let reader = Reader::Ack(for_create());
    let base = Draft::create_ack;
    let bare = PROTOCOL.trim_matches(['{', '}']);
    let host = |host| base().with("BITS-Host-Id", host);
    let timeout = |draft: Draft| draft.with("BITS-Host-Id-Fallback-Timeout", "110");
    use Deviation::*;
    vec![
        row(MissingProtocol, reader, base().without("BITS-Protocol"), base()),
        row(
            UnbracedGuid,
            reader,
            base().set("BITS-Protocol", bare),
            base().line("HTTP/1.1 201 Created"),
        ),
        row(
            UnsupportedAcceptEncoding,
            reader,
            base().with("Accept-encoding", "gzip"),
            base().with("Accept-encoding", "IDENTITY").with("Accept-Encoding", "gzip"),
        ),
        row(HostIdPort, reader, timeout(host("h:80")), timeout(host("::80"))),
        row(HostIdWithoutTimeout, reader, host("h"), timeout(host("h"))),
        row(TimeoutWithoutHostId, reader, timeout(base()), base()),
    ]
}

fn fragment_acks() -> Vec<Row> {
    let reader = Reader::Ack(for_fragment(0, 99, 200));
    let last = Reader::Ack(for_fragment(100, 199, 200));
    let received = "BITS-Received-Content-Range";
    let replied = |url: &str| Draft::fragment_ack().with("BITS-Reply-URL", url);
    let long = |len: usize| replied(&"x".repeat(len)).set(received, "200");
    use Deviation::*;
    vec![
        row(
            MissingReceived,
            reader,
            Draft::fragment_ack().without(received),
            Draft::fragment_ack(),
        ),
        row(
            MisspeltReceived,
            reader,
            Draft::fragment_ack().rename(received, "bits-recieved-content-range"),
            Draft::fragment_ack().rename(received, "bits-received-content-range"),
        ),
        // The field with the correct name is first and is used.
        row(
            DuplicateField,
            reader,
            Draft::fragment_ack().set(received, "100").with("BITS-Recieved-Content-Range", "100"),
            Draft::fragment_ack().set(received, "100"),
        ),
        row(EarlyReplyUrl, reader, replied("r"), replied("")),
        row(LongReplyUrl, last, long(2201), long(2200)),
    ]
}

fn refusals() -> Vec<Row> {
    let base = Draft::refusal;
    let status = |line| base().line(line).without("BITS-Error").without("BITS-Error-Context");
    let out_of_sync =
        || status("HTTP/1.1 416 Out of sync").with("BITS-Received-Content-Range", "0");
    let code = |value: &str| base().with("BITS-Error-Code", value);
    use Deviation::*;
    vec![
        row(MissingPacketType, PING_ACK, base().without("BITS-Packet-Type"), base()),
        row(ErrorFieldsDisagree, PING_ACK, code("0x80070057"), code("x80070070")),
        row(MissingError, PING_ACK, status("HTTP/1.1 400 Bad Request"), out_of_sync()),
        row(MissingError, PING_ACK, status("HTTP/1.1 503 X"), status("HTTP/1.1 399 X")),
        row(MissingErrorContext, PING_ACK, base().without("BITS-Error-Context"), base()),
        // The code 0 means that there is no error.
        row(
            MissingError,
            PING_ACK,
            base().set("BITS-Error", "0x0"),
            out_of_sync().with("BITS-Error", "0x0"),
        ),
        row(
            MissingError,
            PING_ACK,
            base()
                .without("BITS-Error-Context")
                .rename("BITS-Error", "BITS-Error-Code")
                .set("BITS-Error-Code", "0"),
            status("HTTP/1.1 399 X").with("BITS-Error-Code", "0"),
        ),
        row(
            ProtocolOnRefusal,
            PING_ACK,
            base().with("BITS-Protocol", PROTOCOL),
            base().with("BITS-Protocols", PROTOCOL),
        ),
        row(
            ContextWithoutError,
            PING_ACK,
            base().without("BITS-Error"),
            base().rename("BITS-Error", "BITS-Error-Code"),
        ),
        row(
            UnknownErrorContext,
            PING_ACK,
            base().set("BITS-Error-Context", "0x6"),
            base().set("BITS-Error-Context", "7"),
        ),
        row(
            MissingError,
            PING_ACK,
            base().set("BITS-Error", "0"),
            out_of_sync().with("BITS-Error", "0"),
        ),
        row(
            UnreadableErrorCode,
            PING_ACK,
            base().set("BITS-Error", "0x80070057L"),
            base().set("BITS-Error", "x80070057"),
        ),
        row(
            UnreadableErrorContext,
            PING_ACK,
            base().set("BITS-Error-Context", "server"),
            base().set("BITS-Error-Context", "5"),
        ),
        row(
            UnreadableSessionId,
            PING_ACK,
            base().with("BITS-Session-Id", "a b"),
            base().with("BITS-Session-Id", "a"),
        ),
        row(
            UnreadableReceived,
            PING_ACK,
            base().with("BITS-Received-Content-Range", "+7"),
            base().with("BITS-Received-Content-Range", "7"),
        ),
    ]
}

fn notifications() -> Vec<Row> {
    let answer = Draft::notification_response;
    let replied = |url| answer().with("BITS-Static-Response-URL", url);
    let (request, response) = (Reader::Notification, Reader::NotificationResponse);
    let original = |url| Draft::by_value().set("BITS-Original-Request-URL", url);
    let entity = "BITS-Request-DataEntity-Name";
    use Deviation::*;
    vec![
        row(
            UnexpectedBody,
            request,
            Draft::notification().set("Content-Length", "3"),
            Draft::notification().rename("BITS-Request-DataFile-Name", entity),
        ),
        row(
            DuplicateField,
            request,
            Draft::notification().with(entity, r"C:\request"),
            Draft::notification(),
        ),
        row(
            UnexpectedField,
            request,
            Draft::by_value().with("BITS-Session-Id", "1"),
            Draft::by_value().with("Content-Name", "1"),
        ),
        row(MissingContentLength, response, answer().without("Content-Length"), answer()),
        row(ChunkedResponse, response, answer().chunked(), answer()),
        row(Http10, response, answer().line("HTTP/1.0 200 OK"), answer()),
        row(RelativeOriginalUrl, request, original("/e"), original("https://o/e")),
        row(RelativeOriginalUrl, request, original("ftp://o/e"), original("http://o:8080/e?q")),
        row(ApplicationSuccess, response, answer().line("HTTP/1.1 202 Accepted"), answer()),
        row(
            ApplicationSuccess,
            response,
            answer().line("HTTP/1.1 204 No Content").without("Content-Length"),
            answer().line("HTTP/1.1 304 Not Modified").without("Content-Length"),
        ),
        row(RelativeStaticUrl, response, replied("/r"), replied("https://o/r")),
        row(
            UnexpectedBody,
            response,
            replied("http://o/r").set("Content-Length", "3"),
            answer().set("Content-Length", "3"),
        ),
    ]
}

#[test]
fn each_deviation_is_recorded_alone_and_only_for_its_message() {
    for Row { deviation, reader, with, without } in rows() {
        let alone = Deviations::from_iter([deviation]);
        assert_eq!(reader.deviations(&with), alone, "{deviation}: {:?}", with.text());
        let none = reader.deviations(&without);
        assert!(
            none.is_empty(),
            "{deviation}: {none:?} in the similar message {:?}",
            without.text()
        );
    }
}

#[test]
fn each_has_a_row() {
    let covered: BTreeSet<_> = rows().iter().map(|row| row.deviation).collect();
    let missing: Vec<_> = Deviation::ALL.iter().filter(|it| !covered.contains(it)).collect();
    assert!(missing.is_empty(), "no message has {missing:?}");
}

#[test]
fn several_are_recorded_together() {
    let draft = Draft::fragment()
        .line("POST /e HTTP/1.1")
        .set("Content-Range", "bytes \t0-99/200")
        .with("Content-Name", "x".repeat(261))
        .with("BITS-Session-Id", "1")
        .with("BITS-Host-Id", "h");
    let all = [
        Deviation::PlainPost,
        Deviation::DuplicateField,
        Deviation::UnexpectedField,
        Deviation::LongContentName,
        Deviation::RangeWhiteSpace,
    ];
    assert_eq!(LENIENT.deviations(&draft), Deviations::from_iter(all));
    let success = Draft::ack().with("BITS-Error", "1").with("BITS-Protocol", PROTOCOL);
    let both = Deviations::from_iter([Deviation::ErrorOnSuccess, Deviation::UnexpectedField]);
    assert_eq!(PING_ACK.deviations(&success), both);
    let misspelt = Draft::ack().with("BITS-Recieved-Content-Range", "7");
    let unexpected = Deviations::from_iter([Deviation::UnexpectedField]);
    assert_eq!(
        PING_ACK.deviations(&misspelt),
        unexpected,
        "the misspelt field is not defined for this message"
    );
}

#[test]
fn messages_of_windows_have_no_deviations() {
    let of_fragment = Reader::Ack(for_fragment(0, 99, 200));
    for (reader, draft) in [
        (REQUEST, Draft::ping()),
        (REQUEST, Draft::create()),
        (REQUEST, Draft::fragment()),
        (REQUEST, Draft::close()),
        (REQUEST, Draft::cancel()),
        (PING_ACK, Draft::ack()),
        (Reader::Ack(for_create()), Draft::create_ack().with("Accept-encoding", "identity")),
        (of_fragment, Draft::fragment_ack()),
        (Reader::Ack(for_close()), Draft::close_ack()),
        (PING_ACK, Draft::refusal()),
        (Reader::Notification, Draft::notification()),
        (Reader::Notification, Draft::by_value()),
        (Reader::NotificationResponse, Draft::notification_response()),
    ] {
        let deviations = reader.deviations(&draft);
        assert!(deviations.is_empty(), "{deviations:?}: {:?}", draft.text());
    }
}
