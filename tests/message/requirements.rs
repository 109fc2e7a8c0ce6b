//! Requirements on messages that other tests do not cover: unknown fields, bodies, Acks, and session ids.
//! Requirements on clients and servers are in `tests/requirements.rs`.

use crate::support;
use crate::support::messages;
use crate::support::notifications;
use bits_proto::backend::NotificationType;
use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::error::{CheckStage, ErrorKind};
use bits_proto::field::{
    ContentName, OriginalRequestUrl, ReceivedContentRange, RequestDataFileName,
    ResponseDataFileName,
};
use bits_proto::http1::{RequestTarget, StatusCode};
use bits_proto::message::{
    Ack, AckContext, MessageKind, NO_EXTRAS, NotificationResponse, ParseOptions, Refusal, Request,
};
use messages::{Draft, Reader, for_close, for_create, for_fragment, written};
use notifications::{FAILURES, LENGTH, new};
use support::complete::{Outcome, complete, decode, every_kind};
use support::read::Message;
use support::refusals::named_refusals;

const REQUEST: Reader = Reader::Request(ParseOptions::DEFAULT);

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("these heads are text")
}

#[test]
fn unknown_fields_change_nothing() {
    for sample in every_kind() {
        let whole = sample.granted();
        let bytes = text(sample.to_bytes());
        let (line, fields) = bytes.split_once("\r\n").expect("a start line");
        for unknown in [
            "BITS-Future: 1\r\n",
            "BITS-Future: 1\r\nBITS-Future: 2\r\n",
            "BITS-Packet-Types: Ack\r\n",
            "BITS-Package-Type: Fragment\r\n",
            "X-Session-Id: {0}\r\n",
            "Range: bytes=0-1\r\n",
            "Unheard-Of:\r\n",
        ] {
            for head in [
                format!("{line}\r\n{unknown}{fields}"),
                format!("{}{unknown}\r\n", &bytes[..bytes.len() - 2]),
            ] {
                assert_eq!(Outcome::of(sample.kind, head.as_bytes()), whole, "{head:?}");
            }
        }
    }
}

#[test]
fn a_body_on_a_packet_that_has_none_is_refused() {
    let packets = [Draft::ping(), Draft::create(), Draft::close(), Draft::cancel()];
    for (packet, length) in packets.iter().flat_map(|it| ["1", "4096"].map(|len| (it, len))) {
        let with_body = packet.clone().set("Content-Length", length);
        let error = REQUEST.error(&with_body);
        let found = (error.kind(), error.stage());
        assert_eq!(found, (ErrorKind::UnexpectedBody, CheckStage::Length), "{packet:?}");
        assert_eq!(Refusal::for_error(&error, &ParseOptions::DEFAULT), Refusal::invalid_argument());
        // With a lenient policy it is skipped, up to a limit.
        let lenient = Reader::Request(ParseOptions::LENIENT);
        let remark = Deviations::from_iter([Deviation::UnexpectedBody]);
        assert_eq!(lenient.deviations(&with_body), remark, "{packet:?}");
        let long = packet.clone().set("Content-Length", "4097");
        let error_beyond = lenient.error(&long);
        assert_eq!(error_beyond.kind(), ErrorKind::UnexpectedBody, "{packet:?}");
        assert_eq!((error.limit(), error_beyond.limit()), (Some(0), Some(4096)), "{packet:?}");
        let text = "Content-Length: expected at most 4096 because this packet has no body";
        assert!(error_beyond.to_string().starts_with(text), "{error_beyond}");
    }
}

/// Returns the kind and the encoded head of every message.
fn heads() -> impl Iterator<Item = (MessageKind, String)> {
    every_kind().map(|sample| {
        let bytes = sample.to_bytes();
        let message = decode(sample.kind, &bytes).expect("a complete message").message;
        (sample.kind, text(message.encode("/e", &[]).expect("no extras")))
    })
}

#[test]
fn every_request_has_a_packet_type_and_a_content_length() {
    for (kind, packet_type, length) in [
        (MessageKind::Ping, "Ping", 0),
        (MessageKind::CreateSession, "Create-Session", 0),
        (MessageKind::Fragment, "Fragment", 10),
        (MessageKind::CloseSession, "Close-Session", 0),
        (MessageKind::CancelSession, "Cancel-Session", 0),
    ] {
        let (_, head) = heads().find(|(of, _)| *of == kind).expect("a head of every kind");
        let start = format!("BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: {packet_type}\r\n");
        assert!(head.starts_with(&start), "{head:?}");
        assert_eq!(head.matches("BITS-Packet-Type: ").count(), 1, "{head:?}");
        assert!(head.contains(&format!("\r\nContent-Length: {length}\r\n")), "{head:?}");
        assert_eq!(head.matches("Content-Length: ").count(), 1, "{head:?}");
    }
}

#[test]
fn every_ack_has_its_packet_type_and_no_body() {
    let mut acks = 0;
    for (kind, head) in
        heads().filter(|(kind, _)| kind.is_response() && *kind != MessageKind::NotificationResponse)
    {
        assert!(head.starts_with("HTTP/1.1 "), "{kind}: {head:?}");
        assert!(head.contains("\r\nBITS-Packet-Type: Ack\r\n"), "{kind}: {head:?}");
        assert!(head.contains("\r\nContent-Length: 0\r\n"), "{kind}: {head:?}");
        assert_eq!(head.matches("\r\n\r\n").count(), 1, "{kind}: {head:?}");
        assert!(head.ends_with("\r\n\r\n"), "{kind}: {head:?}");
        acks += 1;
    }
    assert_eq!(acks, 6, "five Acks, and a refusal");
    let remark = Deviations::from_iter([Deviation::UnexpectedBody]);
    let cancel = AckContext::CancelSession { session_id: None };
    for (ack, ack_context) in [
        (Draft::ack(), AckContext::Ping),
        (Draft::create_ack(), for_create()),
        (Draft::fragment_ack(), for_fragment(0, 99, 200)),
        (Draft::close_ack(), for_close()),
        (Draft::close_ack(), cancel),
        (Draft::refusal(), AckContext::Ping),
    ] {
        let reader = Reader::Ack(ack_context);
        let with_body = ack.clone().set("Content-Length", "7");
        assert_eq!(reader.deviations(&with_body), remark, "{with_body:?}");
        let other = ack.set("BITS-Packet-Type", "Ping");
        assert_eq!(reader.error(&other).kind(), ErrorKind::WrongPacketType, "{other:?}");
    }
}

#[test]
fn created_is_a_success_where_it_is_documented_and_ok_is_written() {
    let created = "HTTP/1.1 201 Created";
    let cancel = AckContext::CancelSession { session_id: None };
    for (draft, ack_context, is_documented) in [
        (Draft::create_ack(), for_create(), true),
        (Draft::close_ack(), for_close(), true),
        (Draft::ack(), AckContext::Ping, false),
        (Draft::fragment_ack(), for_fragment(0, 99, 200), false),
        (Draft::close_ack(), cancel, false),
    ] {
        let draft = draft.line(created);
        let decoded = Ack::from_fields(draft.status_line(), draft.pairs(), &ack_context);
        let decoded = decoded.unwrap_or_else(|error| panic!("{draft:?}: {error}"));
        assert_eq!(decoded.message.kind(), ack_context.kind(), "{draft:?}");
        let remark = decoded.deviations.contains(Deviation::UnexpectedCreated);
        assert_eq!(remark, !is_documented, "{draft:?}");
        let written = text(written(&decoded.message.encode(&NO_EXTRAS).expect("no extras")));
        assert!(written.starts_with("HTTP/1.1 200 OK\r\n"), "{written:?}");
    }
}

#[test]
fn a_refusal_that_names_another_session_is_recorded() {
    let refusal = |id| Draft::refusal().with("BITS-Session-Id", id);
    let reader = Reader::Ack(for_close());
    assert_eq!(reader.deviations(&refusal("1")), Deviations::EMPTY);
    let remark = Deviations::from_iter([Deviation::OtherSessionId]);
    assert_eq!(reader.deviations(&refusal("2")), remark);
    assert_eq!(
        reader.deviations(&Draft::refusal()),
        Deviations::EMPTY,
        "the session id is optional"
    );
}

/// Any status and any error code.
#[test]
fn every_refusal_is_an_http_response_without_a_body() {
    let mut refusals = named_refusals().to_vec();
    refusals.push(Refusal::out_of_sync(ReceivedContentRange(7)));
    refusals.extend(FAILURES.map(|refused| refused.refusal()));
    let statuses = (300..=999).filter(|code| *code != 416);
    let statuses = statuses.map(|code| StatusCode::try_from(code).expect("three digits"));
    refusals.extend(statuses.map(|status| Refusal::new(status).expect("no success")));
    for refusal in refusals {
        let status = refusal.status();
        let head = text(written(&Ack::from(refusal).encode(&NO_EXTRAS).expect("no extras")));
        let line = format!("HTTP/1.1 {} {}\r\n", status.get(), status.reason());
        assert!(head.starts_with(&line), "{head:?}");
        assert!(
            head.contains("\r\nContent-Length: 0\r\n") && head.ends_with("\r\n\r\n"),
            "{head:?}"
        );
        // The response of a server application with this status.
        let response = NotificationResponse { status, ..NotificationResponse::default() };
        let head = text(written(&response.encode(&NO_EXTRAS).expect("no extras")));
        assert_eq!(head, format!("{line}Content-Length: 0\r\n\r\n"));
    }
}

// Notifications.

#[test]
fn a_notification_of_another_version_is_refused() {
    for draft in [Draft::notification(), Draft::by_value()] {
        let old = draft.clone().line("POST /app HTTP/1.0");
        let error = Reader::Notification.error(&old);
        assert_eq!((error.kind(), error.stage()), (ErrorKind::HttpVersion, CheckStage::Http));
        assert_eq!(Reader::Notification.deviations(&draft), Deviations::EMPTY);
    }
}

#[test]
fn a_notification_that_contradicts_itself_is_refused() {
    let url = ("BITS-Original-Request-URL", "http://o/other");
    let path = ("BITS-Request-DataEntity-Name", r"C:\other");
    for (draft, (name, value)) in
        [(Draft::notification(), url), (Draft::notification(), path), (Draft::by_value(), url)]
    {
        let error = Reader::Notification.error(&draft.with(name, value));
        assert_eq!(error.kind(), ErrorKind::ConflictingField, "{name}");
    }
    let answer = Draft::notification_response().with("BITS-Copy-File-To-Destination", "1");
    let answer = answer.with("BITS-Copy-File-To-Destination", "0");
    let error = Reader::NotificationResponse.error(&answer);
    assert_eq!(error.kind(), ErrorKind::ConflictingField);
}

#[test]
fn a_notification_has_the_fields_and_the_length_of_its_kind() {
    let url = OriginalRequestUrl::try_from("http://origin.example/dir/entity").expect("a URL");
    let request = RequestDataFileName::try_from(r"C:\entities\1").expect("a path");
    let response = ResponseDataFileName::try_from(r"\\host\replies\1").expect("a path");
    let by_value = new(NotificationType::ByValue).request_by_value(url);
    let by_reference = new(NotificationType::ByReference);
    let by_reference = by_reference.request_by_reference(url, request, response);
    let start = "POST /app HTTP/1.1\r\n\
        BITS-Original-Request-URL: http://origin.example/dir/entity\r\n";
    let paths = "BITS-Request-DataFile-Name: C:\\entities\\1\r\n\
        BITS-Response-DataFile-Name: \\\\host\\replies\\1\r\n";
    for (message, fields, length) in [(by_value, "", LENGTH), (by_reference, paths, 0)] {
        let target = RequestTarget::try_from("/app").expect("a target");
        let message = message.expect("a message of its kind");
        let head = text(written(&message.encode(target, &NO_EXTRAS).expect("no extras")));
        assert_eq!(head, format!("{start}{fields}Content-Length: {length}\r\n\r\n"));
    }
}

// Names.

#[test]
fn a_name_is_written_only_if_it_was_given() {
    let name = ContentName::try_from("report.bin").expect("a name");
    let target = RequestTarget::try_from("/e").expect("a target");
    for sample in every_kind().filter(|sample| sample.kind.is_request()) {
        let bytes = complete(sample.kind).to_bytes();
        let message = decode(sample.kind, &bytes).expect("a complete message").message;
        let Message::Request(mut request) = message else { panic!("{message:?}") };
        for given in [None, Some(name)] {
            match &mut request {
                Request::Ping(it) => it.content_name = given,
                Request::CreateSession(it) => it.content_name = given,
                Request::Fragment(it) => it.content_name = given,
                Request::CloseSession(it) => it.content_name = given,
                Request::CancelSession(it) => it.content_name = given,
                _ => panic!("a variant that this code does not know"),
            }
            let head = text(written(&request.encode(target, &NO_EXTRAS).expect("no extras")));
            let is_written = head.contains("\r\nContent-Name: report.bin\r\n");
            assert_eq!(is_written, given.is_some(), "{head:?}");
            assert_eq!(head.contains("Content-Name"), given.is_some(), "{head:?}");
        }
    }
}

#[test]
fn the_guide_names_the_stacks_that_reject_the_method() {
    let guide = include_str!("../../src/guide/stacks.md");
    let rejects = |line: &str| line.contains("llhttp") && line.contains("| no: 400 |");
    assert!(guide.lines().any(rejects), "src/guide/stacks.md does not list llhttp");
}
