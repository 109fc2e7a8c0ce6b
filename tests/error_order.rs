//! Errors: the order of checks.

use crate::support::messages;

use bits_proto::error::CheckStage;
use bits_proto::message::ParseOptions;
use messages::{Draft, Reader};

const REQUEST: Reader = Reader::Request(ParseOptions::DEFAULT);

/// Returns a request with an error for each bit that is set, in the order of the stages.
///
/// The second `variant` has different errors of the same stages.
fn with_errors(errors: u32, variant: usize) -> Draft {
    let has = |stage: usize| errors >> stage & 1 == 1;
    let mut draft = [Draft::fragment(), Draft::fragment().with("Host", "h")][variant].clone();
    let version = if has(0) { "HTTP/1.0" } else { "HTTP/1.1" };
    let method = if has(1) { ["PUT", "POST"][variant] } else { "BITS_POST" };
    draft = draft.line(&format!("{method} /e {version}"));
    if has(2) {
        draft = match variant {
            0 => draft.set("BITS-Packet-Type", "Pong"),
            _ => draft.without("BITS-Packet-Type"),
        };
    }
    if has(3) {
        draft = match variant {
            0 => draft.with("Cookie", "x".repeat(4097)),
            _ => draft.with("Content-Range", "bytes 0-98/200"),
        };
    }
    if has(4) {
        draft = draft.without("Content-Length");
    }
    if has(5) {
        draft = match variant {
            0 => draft.set("BITS-Session-Id", "a b"),
            _ => draft.without("BITS-Session-Id"),
        };
    }
    if has(6) {
        draft = match variant {
            0 => draft.set("Content-Range", "bytes 0-0/0"),
            _ => draft.with("Content-Encoding", "gzip"),
        };
    }
    draft
}

#[test]
fn the_error_of_the_earliest_stage_is_reported() {
    use CheckStage::*;
    let stages = [Http, Method, PacketType, Limits, Length, Session, Packet];
    for (errors, variant) in (1..1 << stages.len()).flat_map(|errors| [(errors, 0), (errors, 1)]) {
        let error = REQUEST.error(&with_errors(errors, variant));
        let earliest = stages[errors.trailing_zeros() as usize];
        assert_eq!(error.stage(), earliest, "errors {errors:07b} of variant {variant}: {error}");
    }
    for variant in [0, 1] {
        assert!(
            REQUEST.deviations(&with_errors(0, variant)).is_empty(),
            "no errors, variant {variant}"
        );
    }
}

#[test]
fn framing_is_checked_first_and_a_body_before_the_session() {
    let close = || Draft::close().set("Content-Length", "5");
    for (draft, kind) in [
        (Draft::fragment().line("PUT /e HTTP/1.1").set("Content-Length", "+5"), "NotDecimal"),
        (Draft::ping().line("PUT /e HTTP/1.1").with("Transfer-Encoding", "x"), "TransferEncoding"),
        (
            Draft::ping().line("PUT /e HTTP/1.1").with("Content-Length", "1"),
            "ContentLengthConflict",
        ),
        (close().without("BITS-Session-Id"), "UnexpectedBody"),
        (close().set("BITS-Session-Id", ""), "UnexpectedBody"),
        (close().with("BITS-Session-Id", "2"), "ConflictingField"),
        (
            Draft::create().set("Content-Length", "5").set("BITS-Supported-Protocols", "x"),
            "UnexpectedBody",
        ),
        (Draft::fragment().set("Content-Length", "5").set("BITS-Session-Id", "a b"), "InvalidByte"),
    ] {
        let error = REQUEST.error(&draft);
        assert_eq!(format!("{:?}", error.kind()), kind, "{:?}", draft.text());
    }
}

#[test]
fn stages_are_in_the_order_of_checking() {
    use CheckStage::*;
    let stages = [Http, Method, PacketType, Limits, Length, Access, Session, Packet];
    assert!(stages.is_sorted(), "{stages:?}");
    // Errors that must not be reported to a client without access.
    for (draft, after_access) in [
        (Draft::close().without("BITS-Session-Id"), true),
        (Draft::fragment().set("Content-Range", "x"), true),
        (Draft::create().without("BITS-Supported-Protocols"), true),
        (Draft::fragment().set("Content-Length", "7"), true),
        (Draft::fragment().without("Content-Length"), false),
        (Draft::close().set("Content-Length", "7"), false),
    ] {
        let error = REQUEST.error(&draft);
        assert_eq!(error.stage() > Access, after_access, "{error}");
    }
}
