//! Refusals: the response to every error, and the client's classification of every response.

use crate::support::messages;
use crate::support::sample_errors as errors;
use std::ops::RangeInclusive;

use bits_proto::deviation::Deviation;
use bits_proto::error::{ErrorKind, Fault};
use bits_proto::field::{ErrorContext, HResult, ReceivedContentRange};
use bits_proto::http1::{BodyLength, Framing, RequestLine, StatusCode, StatusLine, Version};
use bits_proto::message::{
    Ack, AckContext, Decoded, Failure, MessageKind, MissingContentLength, ParseOptions, PingAck,
    Refusal, Request,
};
use errors::samples;
use messages::{Draft, Reader, session};

const INVALID_ARGUMENT: u32 = 0x8007_0057;
const ACCESS_DENIED: u32 = 0x8007_0005;
const FILE_EXISTS: u32 = 0x8007_0050;
const ALREADY_EXISTS: u32 = 0x8007_00B7;
const SESSION_NOT_FOUND: u32 = 0x8020_001F;
const TOO_LARGE: u32 = 0x8020_0020;

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

/// The class of each range of statuses without an error code, for the server and for its application.
///
/// The server: [MC-BUP] 3.1.5.2.1. The application: Microsoft's page "Handling Server Application
/// Errors".
const CLASSES: &[(RangeInclusive<u16>, Option<Failure>, Option<Failure>)] = {
    use Failure::*;
    &[
        (200..=299, None, None),
        (300..=305, Some(Fatal), Some(Fatal)),
        (306..=306, Some(Transient), Some(Transient)),
        (307..=307, Some(Fatal), Some(Fatal)),
        (308..=399, Some(Transient), Some(Transient)),
        (400..=400, Some(Fatal), Some(Fatal)),
        (401..=401, Some(Credentials), Some(Fatal)),
        (402..=406, Some(Fatal), Some(Fatal)),
        (407..=407, Some(Credentials), Some(Fatal)),
        (408..=409, Some(Transient), Some(Transient)),
        (410..=412, Some(Fatal), Some(Fatal)),
        (413..=413, Some(SmallerFragments), Some(Fatal)),
        (414..=415, Some(Fatal), Some(Fatal)),
        (416..=416, Some(Resynchronise), Some(Fatal)),
        (417..=428, Some(Fatal), Some(Fatal)),
        (429..=429, Some(Transient), Some(Transient)),
        (430..=499, Some(Fatal), Some(Fatal)),
        (500..=500, Some(Transient), Some(Transient)),
        (501..=501, Some(Fatal), Some(Fatal)),
        (502..=504, Some(Transient), Some(Transient)),
        (505..=505, Some(Fatal), Some(Fatal)),
        (506..=599, Some(Transient), Some(Transient)),
        (600..=999, Some(Fatal), Some(Transient)),
    ]
};

fn expected_failure(status: u16, code: Option<u32>, context: Option<u32>) -> Option<Failure> {
    let row = CLASSES.iter().find(|(statuses, ..)| statuses.contains(&status));
    let (_, of_server, of_application) = row.unwrap_or_else(|| panic!("no row for {status}"));
    if context == Some(7) {
        let is_lost = code == Some(SESSION_NOT_FOUND) && of_application.is_some();
        return if is_lost { Some(Failure::StartOver) } else { *of_application };
    }
    let is_by_status_alone = of_server.is_none() || status == 416;
    let asks_for_other_request = [401, 407, 413].contains(&status);
    match code {
        _ if is_by_status_alone => *of_server,
        Some(SESSION_NOT_FOUND) => Some(Failure::StartOver),
        _ if asks_for_other_request => *of_server,
        Some(TOO_LARGE | INVALID_ARGUMENT | ACCESS_DENIED | FILE_EXISTS | ALREADY_EXISTS) => {
            Some(Failure::Fatal)
        }
        _ => *of_server,
    }
}

/// No code, codes that decide the class, and others.
pub(super) const CODES: [Option<u32>; 13] = [
    None,
    Some(SESSION_NOT_FOUND),
    Some(TOO_LARGE),
    Some(INVALID_ARGUMENT),
    Some(ACCESS_DENIED),
    Some(FILE_EXISTS),
    Some(ALREADY_EXISTS),
    Some(0x8007_0070),
    Some(0x8007_0112),
    Some(0x8020_001E),
    Some(0x0020_001F),
    Some(1),
    Some(u32::MAX),
];

/// No context, the server, the application, and others.
const CONTEXTS: [Option<u32>; 5] = [None, Some(5), Some(7), Some(0), Some(u32::MAX)];

/// Returns every combination of a status, a code and a context.
fn combinations() -> impl Iterator<Item = (u16, Option<u32>, Option<u32>)> {
    let with_codes = (200..=999).flat_map(|status| CODES.map(|code| (status, code)));
    with_codes.flat_map(|(status, code)| CONTEXTS.map(|context| (status, code, context)))
}

#[test]
fn every_status_code_and_context_has_its_class() {
    for (number, code, context) in combinations() {
        let failure = Failure::of(status(number), code.map(hresult), context.map(ErrorContext));
        let expected = expected_failure(number, code, context);
        assert_eq!(failure, expected, "{number} with {code:X?} and {context:X?}");
    }
}

#[test]
fn an_application_never_asks_for_credentials_or_smaller_fragments() {
    let expected = [Some(Failure::Transient), Some(Failure::Fatal)];
    let application = Some(ErrorContext::REMOTE_APPLICATION);
    let refusals = combinations().filter(|(number, ..)| *number >= 300);
    for (number, code, _) in refusals.filter(|(_, code, _)| *code != Some(SESSION_NOT_FOUND)) {
        let failure = Failure::of(status(number), code.map(hresult), application);
        assert!(expected.contains(&failure), "{number} with {code:X?}: {failure:?}");
    }
}

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

#[test]
fn a_success_is_not_a_failure() {
    assert_eq!(Ack::Ping(PingAck).failure(), None);
    assert_eq!(Ack::Ping(PingAck).status(), StatusCode::OK);
}

#[test]
fn classes_have_kebab_case_names() {
    for (failure, name) in [
        (Failure::StartOver, "start-over"),
        (Failure::Credentials, "credentials"),
        (Failure::SmallerFragments, "smaller-fragments"),
        (Failure::Resynchronise, "resynchronise"),
        (Failure::Transient, "transient"),
        (Failure::Fatal, "fatal"),
    ] {
        assert_eq!((failure.name(), failure.to_string().as_str()), (name, name));
    }
}

#[test]
fn a_refusal_does_not_depend_on_an_unreadable_request() {
    let line = RequestLine { method: "GET", target: "/", version: Version::Http10 };
    let error =
        Request::from_fields(line, [], &ParseOptions::LENIENT).expect_err("not a BITS request");
    assert_eq!(Refusal::for_error(&error, &ParseOptions::LENIENT), Refusal::invalid_argument());
}
