//! One case for every deviation: a message that has it and no other, and its neighbour that has
//! none, read from bytes and from pairs.

mod common;

use bits_proto::Error;
use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::head::Slots;
use bits_proto::message::{
    AbsentLength, Ack, NotificationRequest, NotificationResponse, Policy, Request,
};
use common::{asked, head, ok, post, request_head, response_head};

/// How a message is read.
#[derive(Clone, Copy, Debug)]
enum As {
    Request(Policy),
    Ack(&'static str),
    Notification,
    Notified,
}

const STRICT: As = As::Request(Policy::DEFAULT);
const LENIENT: As = As::Request(Policy::LENIENT);

/// What deviates, read from bytes and from pairs; both must agree.
fn deviations(bytes: &[u8], how: As) -> Result<Deviations, Error> {
    let mut slots = Slots::new();
    let (from_bytes, from_pairs) = match how {
        As::Request(policy) => {
            let head = request_head(bytes, &mut slots)?;
            (
                Request::from_head(&head, &policy).map(|it| it.deviations),
                Request::from_fields(head.line(), head.fields(), &policy).map(|it| it.deviations),
            )
        }
        As::Ack(request) => {
            let (head, ack_for) = (response_head(bytes, &mut slots)?, asked(request));
            (
                Ack::from_head(&head, &ack_for).map(|it| it.deviations),
                Ack::from_fields(head.line(), head.fields(), &ack_for).map(|it| it.deviations),
            )
        }
        As::Notification => {
            let head = request_head(bytes, &mut slots)?;
            (
                NotificationRequest::from_head(&head).map(|it| it.deviations),
                NotificationRequest::from_fields(head.line(), head.fields())
                    .map(|it| it.deviations),
            )
        }
        As::Notified => {
            let head = response_head(bytes, &mut slots)?;
            (
                NotificationResponse::from_head(&head).map(|it| it.deviations),
                NotificationResponse::from_fields(head.line(), head.fields())
                    .map(|it| it.deviations),
            )
        }
    };
    assert_eq!(from_bytes.is_ok(), from_pairs.is_ok(), "{}", bytes.escape_ascii());
    if from_bytes.is_ok() {
        assert_eq!(from_bytes, from_pairs, "{}", bytes.escape_ascii());
    }
    from_bytes
}

/// Messages without a deviation, which the cases change in one place.
const PING: [&str; 2] = ["BITS-Packet-Type: Ping", "Content-Length: 0"];
const CREATE: [&str; 3] = [
    "BITS-Packet-Type: Create-Session",
    "BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}",
    "Content-Length: 0",
];
const FRAGMENT: [&str; 4] = [
    "BITS-Packet-Type: Fragment",
    "BITS-Session-Id: 1",
    "Content-Range: bytes 0-1/2",
    "Content-Length: 2",
];
const ACK: [&str; 2] = ["BITS-Packet-Type: Ack", "Content-Length: 0"];
const CREATE_ACK: [&str; 4] = [
    "BITS-Packet-Type: Ack",
    "BITS-Protocol: {7df0354d-249b-430f-820d-3d2a9bef4931}",
    "BITS-Session-Id: 1",
    "Content-Length: 0",
];
const FRAGMENT_ACK: [&str; 4] = [
    "BITS-Packet-Type: Ack",
    "BITS-Session-Id: {a0ff5911-4144-45b3-bf27-27afc8ec8a67}",
    "Content-Length: 0",
    "BITS-Received-Content-Range: 100",
];
const REFUSAL: [&str; 4] = [
    "BITS-Packet-Type: Ack",
    "Content-Length: 0",
    "BITS-Error: 0x8020001F",
    "BITS-Error-Context: 0x5",
];
const NOTIFICATION: [&str; 4] = [
    "BITS-Original-Request-URL: http://h/e",
    "BITS-Request-DataFile-Name: 1",
    "BITS-Response-DataFile-Name: 2",
    "Content-Length: 0",
];

fn start(line: &str, fields: &[&str]) -> Vec<u8> {
    head(&[&[line], fields].concat())
}

/// The fields with those that begin with `old` replaced by `new`, which may be several or none.
fn with(fields: &[&str], old: &str, new: &[&str]) -> Vec<String> {
    let mut changed = Vec::new();
    for field in fields {
        if field.starts_with(old) {
            changed.extend(new.iter().map(ToString::to_string));
        } else {
            changed.push(field.to_string());
        }
    }
    assert_ne!(changed, fields, "{old} is not there");
    changed
}

/// The fields and more.
fn and(fields: &[&str], more: &[&str]) -> Vec<u8> {
    ok(&[fields, more].concat())
}

fn changed_post(fields: &[&str], old: &str, new: &[&str]) -> Vec<u8> {
    let fields = with(fields, old, new);
    post(&fields.iter().map(String::as_str).collect::<Vec<_>>())
}

fn changed(line: &str, fields: &[&str], old: &str, new: &[&str]) -> Vec<u8> {
    let fields = with(fields, old, new);
    start(line, &fields.iter().map(String::as_str).collect::<Vec<_>>())
}

const OK: &str = "HTTP/1.1 200 OK";
const FAILED: &str = "HTTP/1.1 500 Internal Server Error";

fn requests() -> Vec<(Deviation, Vec<u8>, As)> {
    let accept_on_empty =
        As::Request(Policy { absent_length: AbsentLength::AcceptOnEmpty, ..Policy::DEFAULT });
    let guid = "{7df0354d-249b-430f-820d-3d2a9bef4931}";
    let list = "BITS-Supported-Protocols: ";
    let unbraced = format!("{list}{}", guid.trim_matches(['{', '}']));
    let excess = format!("{list}{}", vec![guid; 101].join(" "));
    let long_name = format!("Content-Name: {}", "n".repeat(261));
    let lists = [CREATE[1], "bits-supported-protocols: {11111111-1111-1111-1111-111111111111}"];
    let overridden = [&PING[..], &["x-http-method-override: BITS_POST"]].concat();
    vec![
        (Deviation::MethodOverride, start("POST /e HTTP/1.1", &overridden), LENIENT),
        (Deviation::PlainPost, start("POST /e HTTP/1.1", &PING), LENIENT),
        (Deviation::DuplicateField, post(&[PING[0], PING[0], PING[1]]), STRICT),
        (Deviation::DuplicateField, post(&[PING[0], PING[1], "content-length: 00"]), STRICT),
        (Deviation::UnexpectedField, post(&[PING[0], PING[1], "BITS-Error: 0x1"]), STRICT),
        (
            Deviation::UnexpectedField,
            post(&[&CREATE[..], &["BITS-Session-Id: 1"]].concat()),
            STRICT,
        ),
        (Deviation::MissingContentLength, post(&[PING[0]]), accept_on_empty),
        (Deviation::UnexpectedBody, post(&[PING[0], "Content-Length: 4096"]), LENIENT),
        (Deviation::LongContentName, post(&[PING[0], PING[1], &long_name]), STRICT),
        (Deviation::UnbracedGuid, changed_post(&CREATE, list, &[&unbraced]), STRICT),
        (Deviation::JoinedProtocols, changed_post(&CREATE, list, &lists), STRICT),
        (Deviation::ExcessProtocols, changed_post(&CREATE, list, &[&excess]), STRICT),
        (
            Deviation::RangeWhiteSpace,
            changed_post(&FRAGMENT, "Content-Range", &["Content-Range: bytes \t0-1/2"]),
            STRICT,
        ),
        (
            Deviation::RangeWhiteSpace,
            changed_post(&FRAGMENT, "Content-Range", &["Content-Range: bytes\t0-1/2"]),
            STRICT,
        ),
    ]
}

fn acks() -> Vec<(Deviation, Vec<u8>, As)> {
    let fragment = As::Ack("fragment");
    let received = "BITS-Received-Content-Range";
    let long_value = format!("Server: {}", "s".repeat(4097));
    let long_url = format!("BITS-Reply-URL: {}", "u".repeat(2201));
    let without = |old: &str| changed(OK, &FRAGMENT_ACK, old, &[]);
    let last = changed(OK, &FRAGMENT_ACK, received, &["BITS-Received-Content-Range: 200"]);
    let last = [&last[..last.len() - 2], long_url.as_bytes(), b"\r\n\r\n"].concat();
    vec![
        (Deviation::Http10, start("HTTP/1.0 200 OK", &ACK), As::Ack("ping")),
        (Deviation::MissingPacketType, start("HTTP/1.1 503 Busy", &[]), fragment),
        (Deviation::UnexpectedField, and(&ACK, &["BITS-Reply-URL: /r"]), As::Ack("ping")),
        (Deviation::LongValue, and(&ACK, &[&long_value]), As::Ack("ping")),
        (Deviation::MissingContentLength, ok(&[ACK[0]]), As::Ack("ping")),
        (Deviation::UnexpectedBody, ok(&[ACK[0], "Content-Length: 1"]), As::Ack("ping")),
        (Deviation::MissingSessionId, without("BITS-Session-Id"), fragment),
        (Deviation::MissingSessionId, ok(&ACK), As::Ack("close")),
        (Deviation::MissingSessionId, ok(&ACK), As::Ack("cancel")),
        (
            Deviation::OtherSessionId,
            changed(OK, &FRAGMENT_ACK, "BITS-Session-Id", &["BITS-Session-Id: 2"]),
            fragment,
        ),
        (Deviation::UnexpectedCreated, start("HTTP/1.1 201 Created", &FRAGMENT_ACK), fragment),
        (Deviation::UnexpectedCreated, start("HTTP/1.1 201 Created", &ACK), As::Ack("ping")),
        (
            Deviation::MissingProtocol,
            changed(OK, &CREATE_ACK, "BITS-Protocol", &[]),
            As::Ack("create"),
        ),
        (
            Deviation::UnsupportedAcceptEncoding,
            and(&CREATE_ACK, &["Accept-Encoding: gzip"]),
            As::Ack("create"),
        ),
        (
            Deviation::HostIdPort,
            and(&CREATE_ACK, &["BITS-Host-Id: h:8080", "BITS-Host-Id-Fallback-Timeout: 1"]),
            As::Ack("create"),
        ),
        (
            Deviation::HostIdWithoutTimeout,
            and(&CREATE_ACK, &["BITS-Host-Id: h"]),
            As::Ack("create"),
        ),
        (
            Deviation::TimeoutWithoutHostId,
            and(&CREATE_ACK, &["BITS-Host-Id-Fallback-Timeout: 1"]),
            As::Ack("create"),
        ),
        (Deviation::MissingReceived, without(received), fragment),
        (
            Deviation::MisspeltReceived,
            changed(OK, &FRAGMENT_ACK, received, &["bits-recieved-content-range: 100"]),
            fragment,
        ),
        (Deviation::EarlyReplyUrl, and(&FRAGMENT_ACK, &["BITS-Reply-URL: /r"]), fragment),
        (Deviation::LongReplyUrl, last, As::Ack("last")),
        (Deviation::ErrorOnSuccess, and(&FRAGMENT_ACK, &["BITS-Error-Code: 0x0"]), fragment),
    ]
}

fn refusals() -> Vec<(Deviation, Vec<u8>, As)> {
    let fragment = As::Ack("fragment");
    let context = "BITS-Error-Context";
    let disagreeing = [&REFUSAL[..], &["BITS-Error-Code: 0x80070057"]].concat();
    vec![
        (Deviation::ErrorFieldsDisagree, start(FAILED, &disagreeing), fragment),
        (Deviation::MissingError, start(FAILED, &ACK), fragment),
        (Deviation::MissingErrorContext, changed(FAILED, &REFUSAL, context, &[]), fragment),
        (
            Deviation::ContextWithoutError,
            changed(FAILED, &REFUSAL, "BITS-Error:", &["BITS-Error:"]),
            fragment,
        ),
        (
            Deviation::UnknownErrorContext,
            changed(FAILED, &REFUSAL, context, &["BITS-Error-Context: 0x6"]),
            fragment,
        ),
    ]
}

fn notifications() -> Vec<(Deviation, Vec<u8>, As)> {
    let post = "POST /app HTTP/1.1";
    vec![
        (
            Deviation::MissingContentLength,
            changed(post, &NOTIFICATION, "Content-Length", &[]),
            As::Notification,
        ),
        (
            Deviation::UnexpectedBody,
            changed(post, &NOTIFICATION, "Content-Length", &["Content-Length: 1"]),
            As::Notification,
        ),
        (Deviation::MissingContentLength, ok(&[]), As::Notified),
        (
            Deviation::RelativeStaticUrl,
            ok(&["BITS-Static-Response-URL: /r", "Content-Length: 0"]),
            As::Notified,
        ),
        (
            Deviation::UnexpectedBody,
            ok(&["BITS-Static-Response-URL: http://h/r", "Content-Length: 1"]),
            As::Notified,
        ),
        (Deviation::Http10, start("HTTP/1.0 200 OK", &["Content-Length: 0"]), As::Notified),
    ]
}

fn all_cases() -> Vec<(Deviation, Vec<u8>, As)> {
    [requests(), acks(), refusals(), notifications()].concat()
}

#[test]
fn every_case_has_its_deviation_and_no_other() {
    for (deviation, bytes, how) in all_cases() {
        let found = deviations(&bytes, how);
        let expected = Ok(Deviations::from_iter([deviation]));
        assert_eq!(found, expected, "{} {how:?}", bytes.escape_ascii());
    }
}

#[test]
fn the_messages_that_the_cases_change_have_none() {
    let sound = [
        (post(&PING), STRICT),
        (post(&CREATE), STRICT),
        (post(&FRAGMENT), STRICT),
        (ok(&ACK), As::Ack("ping")),
        (ok(&CREATE_ACK), As::Ack("create")),
        (start("HTTP/1.1 201 Created", &CREATE_ACK), As::Ack("create")),
        (start("HTTP/1.1 201 Created", &[ACK[0], "BITS-Session-Id: 1", ACK[1]]), As::Ack("close")),
        (ok(&FRAGMENT_ACK), As::Ack("fragment")),
        (start(FAILED, &REFUSAL), As::Ack("fragment")),
        (start("POST /app HTTP/1.1", &NOTIFICATION), As::Notification),
        (ok(&["Content-Length: 9"]), As::Notified),
    ];
    for (bytes, how) in sound {
        // The Ack of a Close names another session here.
        let found = deviations(&bytes, how).map(|found| {
            found.iter().filter(|it| *it != Deviation::OtherSessionId).collect::<Vec<_>>()
        });
        assert_eq!(found, Ok(Vec::new()), "{} {how:?}", bytes.escape_ascii());
    }
}

#[test]
fn every_deviation_has_a_case() {
    let cases = all_cases();
    for deviation in Deviation::ALL {
        assert!(cases.iter().any(|(it, ..)| it == deviation), "no case for {deviation}");
    }
}

#[test]
fn values_at_the_limit_are_no_deviation() {
    let name = format!("Content-Name: {}", "n".repeat(260));
    assert_eq!(deviations(&post(&[PING[0], PING[1], &name]), STRICT), Ok(Deviations::EMPTY));
    let value = format!("Server: {}", "s".repeat(4096));
    assert_eq!(deviations(&and(&ACK, &[&value]), As::Ack("ping")), Ok(Deviations::EMPTY));
    let body = post(&[PING[0], "Content-Length: 4097"]);
    assert!(deviations(&body, LENIENT).is_err(), "more than 4 KiB is not skipped");
}

#[test]
fn strict_policies_refuse_what_lenient_ones_remark_on() {
    for (deviation, bytes, how) in requests() {
        if let As::Request(policy) = how {
            let is_policy = policy != Policy::DEFAULT;
            assert_eq!(deviations(&bytes, STRICT).is_err(), is_policy, "{deviation}");
        }
    }
}

#[test]
fn names_sections_and_sentences_are_for_people_and_machines() {
    let mut names: Vec<_> = Deviation::ALL.iter().map(|deviation| deviation.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Deviation::ALL.len(), "names are unique");
    for deviation in Deviation::ALL {
        let kebab = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        let words = deviation.name().split('-');
        assert!(words.clone().all(|word| !word.is_empty() && word.chars().all(kebab)));
        let numbers = deviation.section().split('.');
        assert!(numbers.clone().all(|number| number.parse::<u8>().is_ok()), "{deviation}");
        assert!(deviation.sentence().ends_with('.'), "{deviation}");
        assert_eq!(deviation.to_string(), deviation.name());
    }
}

#[test]
fn a_set_holds_what_was_put_into_it() {
    let mut set = Deviations::EMPTY;
    assert!(set.is_empty() && set.len() == 0 && set.to_string().is_empty());
    set.insert(Deviation::RelativeStaticUrl);
    set.insert(Deviation::Http10);
    set.insert(Deviation::Http10);
    assert_eq!(set.len(), 2);
    assert!(set.contains(Deviation::Http10) && !set.contains(Deviation::PlainPost));
    assert_eq!(set.to_string(), "http-1-0, relative-static-url");
    assert_eq!(format!("{set:?}"), "{Http10, RelativeStaticUrl}");
    let all: Deviations = Deviation::ALL.iter().copied().collect();
    assert_eq!(all.iter().collect::<Vec<_>>(), Deviation::ALL);
    assert_eq!(all.intersection(set), set);
    assert_eq!(set.intersection(Deviations::EMPTY), Deviations::EMPTY);
}
