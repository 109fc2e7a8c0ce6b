//! Responses that a reverse proxy sends in chunks.

use crate::support::messages::{Draft, Reader, for_close, for_fragment};
use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::error::ErrorKind;
use bits_proto::field::{ErrorContext, HResult, ReceivedContentRange};
use bits_proto::http1::StatusCode;
use bits_proto::message::{Ack, AckContext, Decoded, Failure, NotificationResponse, Refusal};

const CHUNKED: Deviations = deviations(Deviation::ChunkedResponse);

const fn deviations(deviation: Deviation) -> Deviations {
    let mut deviations = Deviations::EMPTY;
    deviations.insert(deviation);
    deviations
}

fn ack<'a>(draft: &'a Draft, ack_context: &AckContext<'_>) -> Decoded<Ack<'a>> {
    let decoded = Ack::from_fields(draft.status_line(), draft.pairs(), ack_context);
    decoded.unwrap_or_else(|error| panic!("{draft:?}: {error}"))
}

fn refusal<'a>(draft: &'a Draft, ack_context: &AckContext<'_>) -> Refusal<'a> {
    match ack(draft, ack_context).message {
        Ack::Refused(refusal) => refusal,
        other => panic!("{draft:?}: {other:?}"),
    }
}

#[test]
fn a_chunked_ack_is_read_like_any_other() {
    let fragment = for_fragment(0, 99, 200);
    for (draft, ack_context) in [
        (Draft::ack(), AckContext::Ping),
        (Draft::create_ack(), AckContext::CreateSession { offered: None }),
        (Draft::fragment_ack(), fragment),
        (Draft::close_ack(), for_close()),
        (Draft::refusal(), for_close()),
    ] {
        let chunked = draft.clone().chunked();
        let reader = Reader::Ack(ack_context);
        let (message, plain) = (ack(&chunked, &ack_context), ack(&draft, &ack_context));
        assert_eq!(message.message, plain.message);
        assert_eq!(reader.deviations(&draft), Deviations::EMPTY, "{draft:?}");
        assert_eq!(reader.deviations(&chunked), CHUNKED, "{draft:?}");
    }
}

#[test]
fn code_context_and_offset_of_a_chunked_refusal_count() {
    let lost = Draft::refusal()
        .line("HTTP/1.1 500 Internal Server Error")
        .set("BITS-Error", "0x8020001F")
        .chunked();
    let lost = refusal(&lost, &for_close()).failure();
    assert_eq!(lost, Failure::StartOver);
    let of_application = Draft::refusal().set("BITS-Error-Context", "0x7").chunked();
    let of_application = refusal(&of_application, &for_close());
    assert_eq!(of_application.context(), Some(ErrorContext::REMOTE_APPLICATION));
    assert_eq!(of_application.code(), Some(HResult::DISK_FULL));
    let out_of_sync = Draft::ack()
        .line("HTTP/1.1 416 Requested Range Not Satisfiable")
        .with("BITS-Received-Content-Range", "50")
        .chunked();
    let out_of_sync = refusal(&out_of_sync, &for_fragment(0, 99, 200));
    assert_eq!(out_of_sync.received(), Some(ReceivedContentRange(50)));
}

#[test]
fn a_chunked_response_of_another_server_breaks_no_rule_of_bits() {
    let page = Draft::new("HTTP/1.1 502 Bad Gateway", &[("Transfer-Encoding", "chunked")]);
    let reader = Reader::Ack(AckContext::Ping);
    let expected = deviations(Deviation::MissingPacketType);
    assert_eq!(reader.deviations(&page), expected);
    let expected = Refusal::new(StatusCode::BAD_GATEWAY).expect("a failure status");
    assert_eq!(refusal(&page, &AckContext::Ping), expected);
    let page = page.line("HTTP/1.1 200 OK");
    assert_eq!(reader.error(&page).kind(), ErrorKind::NotAnAck);
}

/// The stack has found the end of the body and decoded it.
#[test]
fn no_transfer_coding_is_an_error_after_another_http_stack() {
    for coding in ["gzip", "gzip, chunked", "", "chunked"] {
        for (draft, length) in [(Draft::ack().set("Content-Length", "7"), "7"), (Draft::ack(), "0")]
        {
            let coded = draft.with("Transfer-Encoding", coding);
            let decoded = ack(&coded, &AckContext::Ping);
            assert_eq!(decoded.deviations, CHUNKED, "{coding:?} beside length {length}");
        }
        let reply = Draft::notification_response()
            .set("Content-Length", "7")
            .with("Transfer-Encoding", coding);
        let read = NotificationResponse::from_fields(reply.status_line(), reply.pairs());
        let read = read.unwrap_or_else(|error| panic!("{coding:?}: {error}"));
        assert_eq!((read.message.content_length, read.deviations), (None, CHUNKED), "{coding:?}");
    }
    let http10 = Draft::ack().line("HTTP/1.0 200 OK").chunked();
    let expected = CHUNKED | Deviation::Http10;
    assert_eq!(ack(&http10, &AckContext::Ping).deviations, expected);
}

#[test]
fn a_response_of_doubtful_end_is_an_error_when_parsed_from_bytes() {
    let coded = |draft: Draft, coding: &str| draft.with("Transfer-Encoding", coding);
    for draft in [
        coded(Draft::ack(), "chunked"),
        coded(Draft::ack().without("Content-Length"), "gzip"),
        Draft::ack().line("HTTP/1.0 200 OK").chunked(),
    ] {
        let error = Reader::Ack(AckContext::Ping).error(&draft);
        assert_eq!(error.kind(), ErrorKind::TransferEncoding, "{draft:?}");
    }
}

#[test]
fn the_length_of_a_chunked_reply_is_unknown() {
    let response = Draft::notification_response().chunked();
    let read = NotificationResponse::from_fields(response.status_line(), response.pairs());
    assert_eq!(read.map(|decoded| decoded.message.content_length), Ok(None));
    let with_url = response.with("BITS-Static-Response-URL", "http://o/r");
    assert_eq!(Reader::NotificationResponse.deviations(&with_url), CHUNKED, "it may be empty");
}

#[test]
fn a_response_without_a_body_may_have_a_coding() {
    let ack = Draft::close_ack().line("HTTP/1.1 204 No Content").chunked();
    let success = Deviations::from(Deviation::UnexpectedSuccess);
    assert_eq!(Reader::Ack(for_close()).deviations(&ack), success);
}
