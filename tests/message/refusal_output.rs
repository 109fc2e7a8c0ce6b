//! Refusals: their encoded form.

use super::failures::CODES;
use super::refusals::{hresult, status};
use crate::support::messages;

use bits_proto::field::{ErrorContext, HttpDate, ReceivedContentRange, RetryAfter};
use bits_proto::http1::{StatusLine, Version};
use bits_proto::message::{Ack, AckContext, ErrorFields, NO_EXTRAS, Refusal};
use messages::session;

/// Returns the fields of a refusal that are not in every Ack.
fn written(refusal: Refusal<'_>, error_fields: Option<ErrorFields>) -> String {
    let ack = Ack::from(refusal);
    let encoder = ack.encode(&NO_EXTRAS);
    let encoder = encoder.unwrap_or_else(|error| panic!("{refusal:?}: {error}"));
    let encoder = match error_fields {
        Some(error_fields) => encoder.with_error_fields(error_fields),
        None => encoder,
    };
    let head = messages::written(&encoder);
    #[cfg(feature = "alloc")]
    assert_eq!(encoder.to_vec(), head, "{refusal:?}");
    let mut buffer = vec![0xA5; head.len() + 1];
    assert_eq!(encoder.write(&mut buffer), Ok(head.len()), "{refusal:?}");
    assert_eq!((&buffer[..head.len()], buffer[head.len()]), (&head[..], 0xA5), "{refusal:?}");
    let text = String::from_utf8_lossy(&head).into_owned();
    let (line, fields) = text.split_once("\r\n").unwrap_or_default();
    let status = refusal.status();
    assert_eq!(line, format!("HTTP/1.1 {status} {}", status.reason()));
    let fields = fields.strip_prefix("BITS-Packet-Type: Ack\r\n");
    fields.unwrap_or_else(|| panic!("{text:?}: expected the packet type first")).into()
}

#[test]
fn the_code_is_written_in_the_fields_that_were_asked_for() {
    let refusal = Refusal::session_not_found().with_session_id(session("1"));
    let start = "BITS-Session-Id: 1\r\nContent-Length: 0\r\n";
    let error = "BITS-Error: 0x8020001F\r\n";
    let code = "BITS-Error-Code: 0x8020001F\r\n";
    let end = "BITS-Error-Context: 0x5\r\n\r\n";
    for (asked_for, fields) in [
        (None, format!("{error}{code}")),
        (Some(ErrorFields::Both), format!("{error}{code}")),
        (Some(ErrorFields::Error), error.into()),
        (Some(ErrorFields::ErrorCode), code.into()),
    ] {
        let expected = format!("{start}{fields}{end}");
        assert_eq!(written(refusal, asked_for), expected, "{asked_for:?}");
    }
    assert_eq!(ErrorFields::default(), ErrorFields::Both);
}

#[test]
fn without_a_code_no_error_field_is_written() {
    let out_of_sync = Refusal::out_of_sync(ReceivedContentRange(128));
    let bare = Refusal::new(status(503)).expect("503");
    for asked_for in [ErrorFields::Both, ErrorFields::Error, ErrorFields::ErrorCode] {
        assert_eq!(
            written(out_of_sync, Some(asked_for)),
            "Content-Length: 0\r\nBITS-Received-Content-Range: 128\r\n\r\n",
            "{asked_for:?}"
        );
        assert_eq!(written(bare, Some(asked_for)), "Content-Length: 0\r\n\r\n", "{asked_for:?}");
    }
    let unusual = Refusal::new(status(599)).expect("599").with_error(hresult(1), ErrorContext(0));
    assert_eq!(
        written(unusual, Some(ErrorFields::Error)),
        "Content-Length: 0\r\nBITS-Error: 0x00000001\r\nBITS-Error-Context: 0x0\r\n\r\n",
    );
}

#[test]
fn every_choice_of_error_fields_is_parsed_back() {
    let all = [ErrorFields::Both, ErrorFields::Error, ErrorFields::ErrorCode];
    for (asked_for, code) in all.into_iter().flat_map(|it| CODES.map(|code| (it, code))) {
        let Some(code) = code.map(hresult) else { continue };
        let refusal =
            Refusal::new(status(500)).expect("500").with_error(code, ErrorContext::SERVER);
        let fields = written(refusal, Some(asked_for));
        let pairs = fields.lines().filter_map(|line| line.split_once(": "));
        let pairs = pairs.map(|(name, value)| (name, value.as_bytes()));
        let pairs = pairs.chain([("BITS-Packet-Type", &b"Ack"[..])]);
        let line = StatusLine { version: Version::Http11, status: status(500), reason: "" };
        let decoded = Ack::from_fields(line, pairs, &AckContext::Ping);
        let decoded = decoded.unwrap_or_else(|error| panic!("{asked_for:?} {code}: {error}"));
        assert_eq!(decoded.message, Ack::Refused(refusal), "{asked_for:?} {code}");
        assert!(decoded.deviations.is_empty(), "{asked_for:?} {code}: {decoded:?}");
    }
}

#[test]
fn the_time_of_the_next_try_is_written() {
    let busy = Refusal::unavailable().with_retry_after(RetryAfter::Seconds(30));
    assert_eq!(written(busy, None), "Content-Length: 0\r\nRetry-After: 30\r\n\r\n");
    assert_eq!(busy.to_string(), "503, retry after 30 s");
    let date = HttpDate::from_unix_seconds(0).expect("1970");
    let later = Refusal::unavailable().with_retry_after(date.into());
    assert_eq!(later.to_string(), "503, retry after Thu, 01 Jan 1970 00:00:00 GMT");
}
