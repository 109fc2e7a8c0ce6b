//! The class of a failure, which decides how a client reacts to a response.

use std::ops::RangeInclusive;

use bits_proto::field::ErrorContext;
use bits_proto::http1::StatusCode;
use bits_proto::message::{Ack, Failure, PingAck};

use super::refusals::{
    ACCESS_DENIED, ALREADY_EXISTS, FILE_EXISTS, INVALID_ARGUMENT, SESSION_NOT_FOUND, TOO_LARGE,
    hresult, status,
};

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

pub(super) fn expected_failure(
    status: u16,
    code: Option<u32>,
    context: Option<u32>,
) -> Option<Failure> {
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
pub(super) fn combinations() -> impl Iterator<Item = (u16, Option<u32>, Option<u32>)> {
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
