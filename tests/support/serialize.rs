//! Checks for texts and records: a text is one line and not empty, and the serialized record matches
//! it.

use std::fmt::{Debug, Display};

use bits_proto::Error;
use bits_proto::deviation::Deviations;
use bits_proto::error::ErrorKind;
use bits_proto::http1::StatusCode;
use bits_proto::message::{Failure, MessageKind, Refusal};
use bits_proto::observer::Violation;
use bits_proto::server::{self, Answer, UnreadBody};

#[track_caller]
fn check_line(text: &str) {
    assert!(!text.is_empty() && !text.contains(char::is_control), "{text:?}");
}

/// Checks a value that displays as its name.
#[track_caller]
fn check_name(value: &(impl Display + Debug), name: &str) {
    check_line(name);
    assert_eq!(value.to_string(), name);
    check_line(&format!("{value:?}"));
}

pub fn check_deviations(deviations: Deviations) {
    let all: Vec<_> = deviations.iter().collect();
    assert_eq!((all.len(), all.is_empty()), (deviations.len(), deviations.is_empty()));
    assert_eq!(deviations.intersection(deviations), deviations);
    for deviation in &all {
        check_name(deviation, deviation.name());
        check_line(deviation.section());
        check_line(deviation.description());
    }
    check_line(&format!("{deviations:?}"));
    let names: Vec<_> = all.iter().map(|it| it.name()).collect();
    assert_eq!(deviations.to_string(), names.join(", "));
    #[cfg(feature = "serde")]
    assert_eq!(serde_json::to_value(deviations).expect("a list"), serde_json::json!(names));
}

pub fn check_error(error: &Error) {
    let text = error.to_string();
    check_line(&text);
    assert!(text.contains(error.section()), "{text}");
    let description = match (error.limit(), error.conflicting(), error.kind()) {
        (Some(limit), ..) => limit.to_string(),
        (_, Some(later), _) => format!("\"{}\"", later.escape_ascii()),
        (.., ErrorKind::LengthMismatch) => "the length of Content-Range".to_owned(),
        (.., ErrorKind::ExtraValue) => "value of the extra field".to_owned(),
        (.., kind) => kind.to_string(),
    };
    assert!(text.contains(&description), "{text}");
    let received = error.received().unwrap_or_default();
    assert!(received.len() <= 40, "{text}");
    let is_shown = !matches!(error.kind(), ErrorKind::ValueTooLong | ErrorKind::TooLong);
    assert!(!is_shown || text.contains(&received.escape_ascii().to_string()), "{text}");
    check_line(error.kind().name());
    let policy = server::Policy::default();
    for (length, rest) in
        [(None, UnreadBody::Close), (Some(0), UnreadBody::None), (Some(7), UnreadBody::Drain(7))]
    {
        let answer = Answer::for_error(error, length, &policy);
        assert_eq!((answer.status().get() >= 400, answer.unread_body), (true, rest), "{error}");
    }
    #[cfg(feature = "serde")]
    {
        let record = serde_json::to_value(error).expect("a record");
        assert_eq!(record["message"], text);
        assert_eq!(record["kind"], error.kind().name());
        assert_eq!(record["offset"], serde_json::json!(error.offset()));
    }
}

pub fn check_violation(violation: &Violation) {
    let text = violation.to_string();
    check_line(&text);
    check_line(violation.rule());
    check_line(violation.section());
    check_name(&violation.severity(), violation.severity().name());
    #[cfg(feature = "serde")]
    {
        let record = serde_json::to_value(violation).expect("a record");
        assert_eq!(record["message"], text);
        assert_eq!(record["rule"], violation.rule());
        assert_eq!(record["section"], violation.section());
        assert_eq!(record["severity"], violation.severity().name());
    }
}

pub fn check_kind(kind: MessageKind) {
    check_name(&kind, kind.name());
    check_line(kind.section());
    assert!(!(kind.is_request() && kind.is_response()), "{kind}");
    #[cfg(feature = "serde")]
    assert_eq!(serde_json::to_value(kind).expect("a name"), kind.name());
}

pub fn check_refusal(refusal: &Refusal<'_>) {
    let failure = refusal.failure();
    check_name(&failure, failure.name());
    let of_parts = Failure::of(refusal.status(), refusal.code(), refusal.context());
    assert_eq!(of_parts, Some(failure));
    check_status(refusal.status());
    let Some(code) = refusal.code() else { return };
    let text = code.to_string();
    assert_eq!(u32::from_str_radix(&text[2..], 16), Ok(code.get()), "{text}");
    // Codes with a name have a description.
    assert_eq!(code.name().is_some(), code.description().is_some(), "{text}");
    assert!(!code.is_disk_full() || code.name().is_some(), "{text}");
    check_line(&format!("{code:?}"));
}

pub fn check_status(status: StatusCode) {
    check_name(&status, &status.get().to_string());
}
