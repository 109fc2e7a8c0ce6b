//! The length of response bodies, and Transfer-Encoding.

use crate::support::messages::Draft;
use bits_proto::Error;
use bits_proto::error::{CheckStage, ErrorKind, Fault};
use bits_proto::http1::{BodyLength, Framing, Progress, TransferCoding};
use bits_proto::message::{HeaderSlots, RequestHead, ResponseHead};

/// Returns the length of the body of a response, or the kind of the error.
fn body_length(line: &str, fields: &[(&str, &str)]) -> Result<BodyLength, ErrorKind> {
    let text = Draft::new(line, fields).text();
    let mut slots = HeaderSlots::new();
    match ResponseHead::parse(text.as_bytes(), &mut slots) {
        Ok(Progress::Complete(head)) => Ok(head.body_length()),
        Ok(Progress::Partial) => panic!("{text:?} is complete"),
        Err(error) => Err(error.kind()),
    }
}

const OK: &str = "HTTP/1.1 200 OK";

#[test]
fn a_response_body_ends_in_one_of_four_ways() {
    let length = ("Content-Length", "5");
    let chunked = ("Transfer-Encoding", "chunked");
    for (line, fields, expected) in [
        (OK, &[][..], BodyLength::UntilClose),
        ("HTTP/1.0 200 OK", &[], BodyLength::UntilClose),
        (OK, &[length], BodyLength::Known(5)),
        (OK, &[("Content-Length", "0")], BodyLength::Known(0)),
        (OK, &[chunked], BodyLength::Chunked),
        ("HTTP/1.1 500 X", &[chunked], BodyLength::Chunked),
        ("HTTP/1.1 100 Continue", &[length], BodyLength::NoBody),
        ("HTTP/1.1 204 X", &[length], BodyLength::NoBody),
        ("HTTP/1.1 204 X", &[chunked], BodyLength::NoBody),
        ("HTTP/1.1 304 X", &[], BodyLength::NoBody),
    ] {
        assert_eq!(body_length(line, fields), Ok(expected), "{line} {fields:?}");
    }
}

#[test]
fn only_a_length_in_the_head_is_known() {
    for (length, known) in [
        (BodyLength::NoBody, Some(0)),
        (BodyLength::Known(7), Some(7)),
        (BodyLength::Chunked, None),
        (BodyLength::UntilClose, None),
    ] {
        assert_eq!(length.known(), known, "{length:?}");
    }
}

#[test]
fn chunked_is_recognised_in_every_letter_case_and_between_white_space() {
    for value in ["chunked", "Chunked", "CHUNKED", " chunked \t"] {
        let fields = [("transfer-ENCODING", value)];
        assert_eq!(body_length(OK, &fields), Ok(BodyLength::Chunked), "{value:?}");
    }
}

#[test]
fn a_response_of_doubtful_end_is_rejected() {
    let chunked = ("Transfer-Encoding", "chunked");
    let rejected = Err(ErrorKind::TransferEncoding);
    for value in
        ["", "gzip", "identity", "gzip, chunked", "chunked, chunked", "chunked,", "xchunked"]
    {
        assert_eq!(body_length(OK, &[("Transfer-Encoding", value)]), rejected, "{value:?}");
    }
    for fields in [
        &[chunked, ("Content-Length", "5")][..],
        &[("Content-Length", "0"), chunked],
        &[chunked, ("Content-Length", "x")],
        &[chunked, chunked],
        &[chunked, ("transfer-encoding", "gzip")],
        &[("transfer-encoding", "gzip"), chunked],
    ] {
        assert_eq!(body_length(OK, fields), rejected, "{fields:?}");
    }
    assert_eq!(body_length("HTTP/1.0 200 OK", &[chunked]), rejected);
}

#[test]
fn an_error_names_the_transfer_codings() {
    for (first, second) in [("gzip", "chunked"), ("chunked", "chunked")] {
        let fields = [("A", "1"), ("Transfer-Encoding", first), ("Transfer-Encoding", second)];
        let text = Draft::new(OK, &fields).text();
        let mut slots = HeaderSlots::new();
        let error = ResponseHead::parse(text.as_bytes(), &mut slots).expect_err("two codings");
        let (fault, stage) = (error.fault(), error.stage());
        assert_eq!((fault, stage), (Fault::PeerBytes, CheckStage::Http));
        let expected = format!(
            "Transfer-Encoding: received several fields, \"{first}\" and \"{second}\", \
             expected at most one (byte 23, [MC-BUP] 2.2.1.1)"
        );
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_request_with_a_transfer_coding_is_rejected() {
    for fields in [
        &[("Transfer-Encoding", "chunked")][..],
        &[("Transfer-Encoding", "chunked"), ("Content-Length", "5")],
    ] {
        let text = Draft::new("BITS_POST /e HTTP/1.1", fields).text();
        let mut slots = HeaderSlots::new();
        let error = RequestHead::parse(text.as_bytes(), &mut slots).expect_err("a coding");
        assert_eq!((error.kind(), error.offset()), (ErrorKind::TransferEncoding, Some(23)));
    }
}

#[test]
fn the_coding_is_part_of_the_framing() {
    let text = Draft::new(OK, &[("Transfer-Encoding", "chunked")]).text();
    let mut slots = HeaderSlots::new();
    let head = ResponseHead::parse(text.as_bytes(), &mut slots).map(Progress::complete);
    let framing = head.map(|head| head.map(|head| head.framing().transfer_encoding));
    assert_eq!(framing, Ok(Some(Some(TransferCoding::Chunked))));
}

/// Returns the length in the head of a request, in a response, and among fields of another stack.
fn lengths(values: &[&str]) -> [Result<Option<u64>, Error>; 3] {
    let fields: Vec<_> = values.iter().map(|value| ("Content-Length", *value)).collect();
    let request = Draft::new("BITS_POST /e HTTP/1.1", &fields).text();
    let mut slots = HeaderSlots::new();
    let request = RequestHead::parse(request.as_bytes(), &mut slots)
        .map(|head| head.complete().expect("a complete head").framing().content_length);
    let response = Draft::new(OK, &fields).text();
    let mut slots = HeaderSlots::new();
    let response = ResponseHead::parse(response.as_bytes(), &mut slots)
        .map(|head| head.complete().expect("a complete head").framing().content_length);
    [request, response, Framing::from_fields(fields).map(|framing| framing.content_length)]
}

#[test]
fn a_list_of_equal_lengths_is_one_length() {
    for values in [
        &["5,5"][..],
        &["5, 5"],
        &["5 \t,\t 5,5"],
        &["5, 05"],
        &["5, 5", "5"],
        &["5", "5, 5"],
        &["5, 5", "005,5"],
    ] {
        assert_eq!(lengths(values), [const { Ok(Some(5)) }; 3], "{values:?}");
    }
    assert_eq!(lengths(&["0, 0"]), [const { Ok(Some(0)) }; 3]);
    let max = format!("{0},{0}", u64::MAX);
    assert_eq!(lengths(&[&max]), [const { Ok(Some(u64::MAX)) }; 3]);
}

#[test]
fn any_other_list_of_lengths_is_rejected() {
    use ErrorKind::{ContentLengthConflict, NotDecimal, NumberTooLarge};
    for (values, kind) in [
        (&["5, 6"][..], ContentLengthConflict),
        (&["5, 5, 6"], ContentLengthConflict),
        (&["5, 5", "6"], ContentLengthConflict),
        (&["5", "6, 6"], ContentLengthConflict),
        (&[""], NotDecimal),
        (&[","], NotDecimal),
        (&["5,"], NotDecimal),
        (&[",5"], NotDecimal),
        (&["5,,5"], NotDecimal),
        (&["5 5"], NotDecimal),
        (&["5;5"], NotDecimal),
        (&["5, +5"], NotDecimal),
        (&["5, 18446744073709551616"], NumberTooLarge),
    ] {
        for length in lengths(values) {
            assert_eq!(length.map_err(|error| error.kind()), Err(kind), "{values:?}");
        }
    }
}

#[test]
fn an_error_in_a_list_of_lengths_names_the_item() {
    // "Content-Length: " begins at byte 23 of the request.
    let error = |value| lengths(&[value])[0].expect_err("an invalid list");
    for (value, offset) in [("5, x", 42), ("5,\t7x", 43), ("5,", 41), ("5, 6", 42), (",5", 39)] {
        assert_eq!(error(value).offset(), Some(offset), "{value:?}");
    }
    let conflict = "Content-Length: conflicting values \"5\" and \"6\" (byte 45, [MC-BUP] 2.2.1.1)";
    assert_eq!(error("5, 5, 6").to_string(), conflict);
    let item = error("5, x").to_string();
    assert!(
        item.starts_with("Content-Length: expected decimal digits, received \"5, x\""),
        "{item}"
    );
}
