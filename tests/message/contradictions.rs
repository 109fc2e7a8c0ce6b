//! Conflicting methods, framing and lists: where they are rejected, and as what.

use crate::support::messages::{Draft, PROTOCOL, Reader};
use bits_proto::Error;
use bits_proto::error::{CheckStage, ErrorKind};
use bits_proto::http1::StatusCode;
use bits_proto::message::{
    Ack, AckContext, NotificationRequest, NotificationResponse, ParseOptions, Refusal, Request,
};

const REQUEST: Reader = Reader::Request(ParseOptions::DEFAULT);

/// Another reader could use the other value and find a different request.
#[test]
fn conflicting_methods_are_rejected_if_override_is_enabled() {
    let verbs = |first: &str, second: &str| {
        Draft::ping()
            .line("POST /e HTTP/1.1")
            .with("X-HTTP-Method-Override", first)
            .with("X-HTTP-Method-Override", second)
    };
    let overridden = ParseOptions::DEFAULT.with_method_override(true);
    for policy in [overridden, ParseOptions::LENIENT] {
        for draft in [verbs("BITS_POST", "DELETE"), verbs("DELETE", "BITS_POST")] {
            let error = Reader::Request(policy).error(&draft);
            let expected = (ErrorKind::ConflictingField, CheckStage::Method);
            assert_eq!((error.kind(), error.stage()), expected, "{draft:?}");
            assert_eq!(error.field(), Some("X-HTTP-Method-Override"));
            assert_eq!(Refusal::for_error(&error, &policy).status(), StatusCode::BAD_REQUEST);
            let plain = Draft::line(draft, "BITS_POST /e HTTP/1.1");
            assert!(Reader::Request(policy).read(&plain).is_ok(), "method override is not enabled");
        }
        assert!(Reader::Request(policy).read(&verbs("BITS_POST", "BITS_POST")).is_ok());
    }
    let error = REQUEST.error(&verbs("BITS_POST", "DELETE"));
    assert_eq!(error.kind(), ErrorKind::NotBits, "method override is not enabled");
    let plain_post = ParseOptions::DEFAULT.with_plain_post(true);
    assert!(Reader::Request(plain_post).read(&verbs("BITS_POST", "DELETE")).is_ok());
}

/// Adds a transfer coding and an invalid length, which other HTTP stacks may both accept.
fn doubtful(draft: Draft) -> Draft {
    draft.with("Transfer-Encoding", "chunked").set("Content-Length", "x")
}

#[test]
fn a_transfer_coding_is_reported_before_a_length() {
    for (reader, draft) in [(REQUEST, Draft::ping()), (Reader::Notification, Draft::notification())]
    {
        let draft = doubtful(draft);
        let of_head = reader.error(&draft);
        assert_eq!(of_head.kind(), ErrorKind::TransferEncoding, "{draft:?}");
        let of_pairs = match reader {
            Reader::Request(policy) => {
                Request::from_fields(draft.request_line(), draft.pairs(), &policy).map(drop)
            }
            _ => NotificationRequest::from_fields(draft.request_line(), draft.pairs()).map(drop),
        };
        let error = of_pairs.expect_err("ambiguous framing");
        let said = |error: Error| (error.kind(), error.field(), error.section(), error.stage());
        assert_eq!(said(error), said(of_head), "{draft:?}");
    }
}

/// Framing that another stack has handled is not an error, and does not hide one.
#[test]
fn an_allowed_transfer_coding_does_not_hide_an_invalid_length() {
    let bare = doubtful(Draft::new("HTTP/1.1 502 X", &[("Content-Length", "0")]));
    let of_bare = Ack::from_fields(bare.status_line(), bare.pairs(), &AckContext::Ping).map(drop);
    let ack = doubtful(Draft::ack());
    let of_ack = Ack::from_fields(ack.status_line(), ack.pairs(), &AckContext::Ping).map(drop);
    let answer = doubtful(Draft::notification_response());
    let of_answer =
        NotificationResponse::from_fields(answer.status_line(), answer.pairs()).map(drop);
    for error in [of_bare, of_ack, of_answer].map(|read| read.expect_err("the length is invalid")) {
        assert_eq!((error.kind(), error.field()), (ErrorKind::NotDecimal, Some("Content-Length")));
    }
}

/// A conflict that does not matter does not change the kind of the error.
#[test]
fn too_many_lists_are_reported_despite_other_conflicts() {
    let ids = Draft::create().with("BITS-Session-Id", "a").with("BITS-Session-Id", "b");
    let draft = (0..4).fold(ids, |draft, _| draft.with("BITS-Supported-Protocols", PROTOCOL));
    let error = REQUEST.error(&draft);
    assert_eq!(error.kind(), ErrorKind::ProtocolCount);
    assert_eq!(error.field(), Some("BITS-Supported-Protocols"));
    let text = draft.text();
    assert_eq!(error.offset(), text.rfind(PROTOCOL), "the fifth list");
    let named = draft.with("Content-Name", "a").with("Content-Name", "b");
    let error = REQUEST.error(&named);
    assert_eq!(error.kind(), ErrorKind::ConflictingField);
    assert_eq!(error.field(), Some("Content-Name"));
}
