//! Refusals of a server: the response to every error.

use crate::support::messages;
use crate::support::sample_errors as errors;

use bits_proto::error::{ErrorKind, Fault};
use bits_proto::field::{ErrorContext, HResult, ReceivedContentRange};
use bits_proto::http1::{RequestLine, StatusCode, Version};
use bits_proto::message::{Failure, MissingContentLength, ParseOptions, Refusal, Request};
use errors::samples;
use messages::{Draft, Reader, session};

pub(super) const INVALID_ARGUMENT: u32 = 0x8007_0057;
pub(super) const ACCESS_DENIED: u32 = 0x8007_0005;
pub(super) const FILE_EXISTS: u32 = 0x8007_0050;
pub(super) const ALREADY_EXISTS: u32 = 0x8007_00B7;
pub(super) const SESSION_NOT_FOUND: u32 = 0x8020_001F;
pub(super) const TOO_LARGE: u32 = 0x8020_0020;

pub(super) fn status(code: u16) -> StatusCode {
    StatusCode::try_from(code).unwrap_or_else(|error| panic!("{code}: {error}"))
}

pub(super) fn hresult(value: u32) -> HResult {
    HResult::new(value).unwrap_or_else(|| panic!("{value:#X} is not an error code"))
}

/// Returns status code, error code and context. A server's refusal names no session and no offset.
fn in_numbers(refusal: &Refusal<'_>) -> (u16, Option<u32>, Option<u32>) {
    assert_eq!((refusal.received(), refusal.session_id()), (None, None), "{refusal:?}");
    let context = refusal.context().map(|context| context.0);
    (refusal.status().get(), refusal.code().map(HResult::get), context)
}

fn policies() -> [ParseOptions; 3] {
    use MissingContentLength::*;
    [LengthRequired, BadRequest, AcceptOnEmpty]
        .map(|missing| ParseOptions::DEFAULT.with_missing_content_length(missing))
}

#[test]
fn every_error_of_the_peers_is_answered_with_an_invalid_argument() {
    for (sample, policy) in samples().iter().flat_map(|it| policies().map(|policy| (it, policy))) {
        let refusal = Refusal::for_error(&sample.error, &policy);
        // Errors of our own must not cause the client to give up.
        let expected = match sample.error.fault() {
            Fault::Caller => (500, None, None),
            _ => (400, Some(INVALID_ARGUMENT), Some(5)),
        };
        assert_eq!(in_numbers(&refusal), expected, "{:?} under {policy:?}", sample.kind);
    }
}

#[test]
fn a_missing_length_is_answered_by_policy() {
    let fragment = Draft::fragment().without("Content-Length");
    for (policy, code) in policies().into_iter().zip([411, 400, 411]) {
        let error = Reader::Request(policy).error(&fragment);
        let refusal = Refusal::for_error(&error, &policy);
        let expected = (code, Some(INVALID_ARGUMENT), Some(5));
        assert_eq!(in_numbers(&refusal), expected, "{policy:?}");
        // Only a missing length is affected; an invalid one is a bad request.
        let wrong = Reader::Request(policy).error(&fragment.clone().with("Content-Length", "x"));
        assert_eq!(Refusal::for_error(&wrong, &policy), Refusal::invalid_argument(), "{policy:?}");
    }
}

#[test]
fn another_missing_field_is_a_bad_request_under_every_policy() {
    for (draft, field) in [
        (Draft::ping(), "BITS-Packet-Type"),
        (Draft::create(), "BITS-Supported-Protocols"),
        (Draft::close(), "BITS-Session-Id"),
        (Draft::fragment(), "Content-Range"),
    ] {
        for policy in policies() {
            let error = Reader::Request(policy).error(&draft.clone().without(field));
            assert_eq!(error.kind(), ErrorKind::MissingField, "{field}");
            let refusal = Refusal::for_error(&error, &policy);
            assert_eq!(refusal, Refusal::invalid_argument(), "{field} under {policy:?}");
        }
    }
}

#[test]
fn the_refusals_of_a_server_are_those_of_the_table() {
    // [MC-BUP] 2.2.1.2.
    for (refusal, status, code) in [
        (Refusal::invalid_argument(), 400, INVALID_ARGUMENT),
        (Refusal::length_required(), 411, INVALID_ARGUMENT),
        (Refusal::access_denied(), 403, ACCESS_DENIED),
        (Refusal::destination_exists(HResult::E_ACCESSDENIED), 403, ACCESS_DENIED),
        (Refusal::uploads_disabled(), 501, ACCESS_DENIED),
        (Refusal::session_not_found(), 500, SESSION_NOT_FOUND),
        (Refusal::too_large(), 500, TOO_LARGE),
        (Refusal::disk_full(HResult::DISK_FULL), 500, 0x8007_0070),
        (Refusal::disk_full(HResult::DISK_FULL_MC_BUP), 500, 0x8007_0112),
    ] {
        assert_eq!(in_numbers(&refusal), (status, Some(code), Some(5)), "{refusal:?}");
    }
}

#[test]
fn refusals_of_a_destination_have_codes_of_win32() {
    for (refusal, code) in [
        (Refusal::destination_exists(HResult::FILE_EXISTS), FILE_EXISTS),
        (Refusal::invalid_name(), 0x8007_007B),
    ] {
        assert_eq!(in_numbers(&refusal), (403, Some(code), Some(5)));
        assert_eq!(refusal.failure(), Failure::Fatal);
    }
}

#[test]
fn an_out_of_sync_refusal_has_an_offset_and_no_error_code() {
    for offset in [0, 128, u64::MAX] {
        let refusal = Refusal::out_of_sync(ReceivedContentRange(offset));
        assert_eq!(refusal.status().get(), 416, "{offset}");
        assert_eq!(refusal.received(), Some(ReceivedContentRange(offset)));
        assert_eq!((refusal.code(), refusal.context()), (None, None), "{offset}");
        assert_eq!(refusal.failure(), Failure::Resynchronise, "{offset}");
    }
}

#[test]
fn the_parts_of_a_refusal_are_added_one_by_one() {
    let bare = Refusal::new(status(503)).expect("503");
    assert_eq!(in_numbers(&bare), (503, None, None));
    let full = bare
        .with_error(hresult(7), ErrorContext(9))
        .with_session_id(session("1"))
        .with_received(ReceivedContentRange(5));
    assert_eq!((full.status().get(), full.code()), (503, HResult::new(7)));
    assert_eq!(full.context(), Some(ErrorContext(9)));
    assert_eq!(full.session_id(), Some(&session("1")));
    assert_eq!(full.received(), Some(ReceivedContentRange(5)));
    let again = full.with_error(hresult(8), ErrorContext::SERVER);
    assert_eq!((again.code(), again.context()), (HResult::new(8), Some(ErrorContext::SERVER)));
    assert_eq!((again.received(), again.session_id()), (full.received(), full.session_id()));
}

#[test]
fn a_success_an_interim_response_and_a_bare_416_are_not_refusals() {
    for code in 100..=999 {
        let refusal = Refusal::new(status(code));
        if matches!(code, 100..=299 | 416) {
            let error = refusal.expect_err(&code.to_string());
            assert_eq!((error.kind(), error.fault()), (ErrorKind::NotRefusal, Fault::Caller));
            continue;
        }
        let refusal = refusal.unwrap_or_else(|error| panic!("{code}: {error}"));
        assert_eq!(in_numbers(&refusal), (code, None, None));
    }
}

#[test]
fn a_refusal_does_not_depend_on_an_unreadable_request() {
    let line = RequestLine { method: "GET", target: "/", version: Version::Http10 };
    let error =
        Request::from_fields(line, [], &ParseOptions::LENIENT).expect_err("not a BITS request");
    assert_eq!(Refusal::for_error(&error, &ParseOptions::LENIENT), Refusal::invalid_argument());
}
