//! A head has the same result however it arrives: whole, byte by byte, split anywhere, or with more bytes after it.

use crate::support;
use bits_proto::Error;
use bits_proto::error::ErrorKind;
use bits_proto::http1::{RequestLine, StatusLine};
use bits_proto::limits::Limits;
use bits_proto::message::AckContext;
use support::read::{Answer, Line, Whole, ack_context, answer, answer_within};
use support::vectors::{self, Message};

const UNKNOWN: AckContext<'static> =
    AckContext::Fragment { session_id: None, content_range: None, sent_up_to: None };

/// Calls a generic check with the start line that the message has.
macro_rules! with_line {
    ($message:expr, $check:ident) => {
        if $message.is_response() {
            $check::<StatusLine<'_>>($message)
        } else {
            $check::<RequestLine<'_>>($message)
        }
    };
}

/// Checks that a shorter input is incomplete or has the final result. Errors are therefore final, and complete
/// heads do not change.
fn assert_prefix<'b, L: Line<'b>>(
    name: &str,
    at: usize,
    prefix: Answer<'b, L>,
    whole: &Answer<'b, L>,
) {
    let same = prefix == Answer::Partial || prefix == *whole;
    assert!(same, "{name} cut at {at}: {prefix:?}\nbut whole: {whole:?}");
}

fn check_every_prefix<'b, L: Line<'b>>(message: &'b Message) {
    let ack_context = ack_context(&message.ack_context);
    let whole = answer::<L>(&message.bytes, &ack_context);
    for at in 0..message.bytes.len() {
        let prefix = answer::<L>(&message.bytes[..at], &ack_context);
        if let Answer::Whole(Whole { len, .. }) = prefix {
            assert!(len <= at, "{}: {len} bytes of head in {at}", message.name);
        }
        assert_prefix(&message.name, at, prefix, &whole);
    }
    check_head_end::<L>(message, &whole);
}

/// Checks that a head is incomplete one byte before its end, and complete at its end.
fn check_head_end<'b, L: Line<'b>>(message: &'b Message, whole: &Answer<'b, L>) {
    let Answer::Whole(Whole { len, .. }) = *whole else { return };
    let ack_context = ack_context(&message.ack_context);
    let (name, bytes) = (&message.name, &message.bytes);
    assert_eq!(
        answer::<L>(&bytes[..len - 1], &ack_context),
        Answer::Partial,
        "{name} without its end"
    );
    assert_eq!(answer::<L>(&bytes[..len], &ack_context), *whole, "{name} without its body");
    assert!(bytes[..len].ends_with(b"\r\n\r\n"), "{name}: the head ends in an empty line");
}

#[test]
fn every_prefix_of_every_vector_is_partial_or_has_the_answer_of_the_whole() {
    for message in &vectors::all() {
        with_line!(message, check_every_prefix);
    }
}

/// Returns the result as text, which contains everything and borrows nothing.
fn answer_text(message: &Message, bytes: &[u8]) -> String {
    let ack_context = ack_context(&message.ack_context);
    if message.is_response() {
        format!("{:?}", answer::<StatusLine<'_>>(bytes, &ack_context))
    } else {
        format!("{:?}", answer::<RequestLine<'_>>(bytes, &ack_context))
    }
}

/// Limits that many vectors exceed, each in a different way.
#[test]
fn every_prefix_has_the_answer_of_the_whole_under_narrow_limits_too() {
    fn check<'b, L: Line<'b>>(message: &'b Message) {
        for (head_bytes, fields) in [(20, 64), (121, 64), (300, 64), (300, 0), (300, 1), (300, 4)] {
            let limits = Limits::DEFAULT.with_head_bytes(head_bytes).with_fields(fields);
            let read = |at| answer_within::<L, 64>(&message.bytes[..at], &UNKNOWN, &limits);
            let whole = read(message.bytes.len());
            let name = format!("{} within {limits:?}", message.name);
            for at in 0..message.bytes.len() {
                assert_prefix(&name, at, read(at), &whole);
            }
            let waits = message.bytes.len() >= head_bytes && whole == Answer::Partial;
            assert!(!waits, "{name}: `Partial` beyond the limit");
        }
    }
    for message in &vectors::all() {
        with_line!(message, check);
    }
}

/// Adds bytes to a buffer that is reallocated as it grows, until there is a result.
fn answer_of_growing_buffer(message: &Message) -> String {
    let partial = "Partial".to_string();
    let arrivals = (0..=message.bytes.len()).map(|at| message.bytes[..at].to_vec());
    let mut answers = arrivals.map(|arrived| answer_text(message, &arrived));
    answers.find(|answer| *answer != partial).unwrap_or(partial)
}

/// The result does not depend on the addresses of the bytes.
#[test]
fn a_growing_buffer_has_the_same_result() {
    for message in &vectors::all() {
        let whole = answer_text(message, &message.bytes);
        assert_eq!(answer_of_growing_buffer(message), whole, "{}", message.name);
    }
}

/// Bytes that could be mistaken for a continuation of the head.
const TRAILERS: [&[u8]; 7] = [
    b"\0",
    b"\r\n",
    b"\n",
    b" folded: no\r\n\r\n",
    b"Content-Length: 9\r\n\r\n",
    b"\xFF\xFE\x0D\x0A\x0D\x0A",
    b"BITS_POST /next HTTP/1.1\r\nBITS-Packet-Type: Ping\r\nContent-Length: 0\r\n\r\n",
];

fn check_trailing(message: &Message) {
    let whole = answer_text(message, &message.bytes);
    if whole == "Partial" {
        return;
    }
    let long = vec![b'x'; Limits::DEFAULT.head_bytes];
    for trailer in TRAILERS.into_iter().chain([long.as_slice(), &message.bytes]) {
        let found = answer_text(message, &[&message.bytes, trailer].concat());
        assert_eq!(found, whole, "{} before {}", message.name, trailer.escape_ascii());
    }
}

#[test]
fn bytes_after_a_head_change_nothing() {
    vectors::all().iter().for_each(check_trailing);
}

fn in_pairs(error: Error) -> String {
    let place = (error.kind(), error.field(), error.section());
    format!("{place:?} {:?} {:?}", error.fault(), error.stage())
}

fn check_fields<'b, L: Line<'b>>(message: &'b Message) {
    let ack_context = ack_context(&message.ack_context);
    let Answer::Whole(whole) = answer::<L>(&message.bytes, &ack_context) else { return };
    let from_fields = whole.line.decode_fields(&whole.fields, &ack_context);
    assert_eq!(from_fields.len(), whole.decoded.len());
    for (from_fields, from_head) in from_fields.into_iter().zip(whole.decoded) {
        if let Err(error) = from_fields {
            assert_eq!(error.offset(), None, "{}: {error}", message.name);
        }
        let (from_fields, from_head) = (from_fields.map_err(in_pairs), from_head.map_err(in_pairs));
        assert_eq!(from_fields, from_head, "{}", message.name);
    }
}

#[test]
fn fields_from_another_stack_are_read_as_those_of_a_head() {
    for message in &vectors::all() {
        with_line!(message, check_fields);
    }
}

/// HTTP stacks should remove white space around values, but some do not.
#[test]
fn white_space_around_the_values_of_another_stack_does_not_count() {
    fn check<'b, L: Line<'b>>(message: &'b Message) {
        let ack_context = ack_context(&message.ack_context);
        let Answer::Whole(whole) = answer::<L>(&message.bytes, &ack_context) else { return };
        let pad = |value: &[u8]| -> &'static [u8] { Vec::leak([b" \t", value, b"\t "].concat()) };
        let padded: Vec<_> = whole.fields.iter().map(|(name, value)| (*name, pad(value))).collect();
        let padded = whole.line.decode_fields(&padded, &ack_context);
        let plain = whole.line.decode_fields(&whole.fields, &ack_context);
        assert_eq!(padded, plain, "{}", message.name);
    }
    for message in &vectors::all() {
        with_line!(message, check);
    }
}

fn check_offsets<'b, L: Line<'b>>(message: &'b Message) {
    let len = message.bytes.len();
    let errors = match answer::<L>(&message.bytes, &ack_context(&message.ack_context)) {
        Answer::Partial => vec![],
        Answer::Refused(error) => vec![error],
        Answer::Whole(whole) => whole.decoded.into_iter().filter_map(Result::err).collect(),
    };
    for error in errors {
        let offset = error.offset();
        assert!(offset.is_some_and(|at| at < len), "{}: {error} of {len} bytes", message.name);
    }
}

#[test]
fn the_offsets_of_errors_lie_in_the_input() {
    for message in &vectors::all() {
        with_line!(message, check_offsets);
    }
}

/// Returns a head of exactly `len` bytes.
fn head_of(len: usize) -> Vec<u8> {
    let (start, end) = (b"BITS_POST /e HTTP/1.1\r\nUser-Agent: ", b"\r\n\r\n");
    let filling = vec![b'x'; len - start.len() - end.len()];
    [start.as_slice(), &filling, end].concat()
}

fn read<'b>(input: &'b [u8], limits: &Limits) -> Answer<'b, RequestLine<'b>> {
    answer_within::<RequestLine<'b>, 64>(input, &UNKNOWN, limits)
}

fn refusal_of(answer: Answer<'_, RequestLine<'_>>) -> Option<(ErrorKind, Option<usize>)> {
    match answer {
        Answer::Refused(error) => Some((error.kind(), error.offset())),
        _ => None,
    }
}

#[test]
fn a_head_may_be_as_long_as_the_limit() {
    assert_eq!((Limits::DEFAULT.head_bytes, Limits::DEFAULT.fields), (16_384, 64));
    for limit in [100, 101, 4096, 16384] {
        let limits = Limits::DEFAULT.with_head_bytes(limit);
        for input in [head_of(limit), [head_of(limit), vec![b'x'; 9]].concat()] {
            match read(&input, &limits) {
                Answer::Whole(whole) => assert_eq!(whole.len, limit),
                other => panic!("{limit}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_head_beyond_the_limit_is_never_partial() {
    for limit in [100, 101, 4096, 16384] {
        let limits = Limits::DEFAULT.with_head_bytes(limit);
        let input = head_of(limit + 1);
        for at in [0, 1, limit / 2, limit - 1] {
            assert_eq!(read(&input[..at], &limits), Answer::Partial, "{limit}: {at} bytes");
        }
        for at in [limit, limit + 1] {
            let found = refusal_of(read(&input[..at], &limits));
            let expected = Some((ErrorKind::HeadTooLarge, Some(limit)));
            assert_eq!(found, expected, "{limit}: {at} bytes");
        }
    }
}

/// Tests the exact boundary with every limit and every length of a short head.
#[test]
fn only_the_limit_decides_whether_to_wait() {
    let input = head_of(64);
    for head_bytes in 0..=input.len() {
        let limits = Limits::DEFAULT.with_head_bytes(head_bytes);
        for at in 0..=input.len() {
            let (waits, fits) = (at < head_bytes, head_bytes == input.len());
            match read(&input[..at], &limits) {
                Answer::Partial => assert!(waits, "{at} bytes of {head_bytes}"),
                Answer::Whole(_) => assert!(!waits && fits, "{at} bytes of {head_bytes}"),
                Answer::Refused(error) => {
                    let is_large = error.kind() == ErrorKind::HeadTooLarge;
                    assert!(!waits && !fits && is_large, "{at} bytes of {head_bytes}: {error}");
                }
            }
        }
    }
}

#[test]
fn empty_lines_before_the_start_line_belong_to_the_head() {
    let input = [b"\r\n\r\n", head_of(64).as_slice()].concat();
    let whole = read(&input, &Limits::DEFAULT);
    assert!(matches!(&whole, Answer::Whole(whole) if whole.len == 68), "{whole:?}");
    for at in 0..input.len() {
        assert_prefix("empty lines", at, read(&input[..at], &Limits::DEFAULT), &whole);
    }
}

#[test]
fn empty_lines_before_the_start_line_end_in_cr_lf_too() {
    for (input, offset) in [(&b"\nBITS_POST"[..], 0), (b"\r\n\nBITS_POST", 2), (b"\r\n\n", 2)] {
        let found = refusal_of(read(input, &Limits::DEFAULT));
        assert_eq!(
            found,
            Some((ErrorKind::BareLineFeed, Some(offset))),
            "{}",
            input.escape_ascii()
        );
    }
}

#[test]
fn empty_lines_before_the_start_line_count_towards_the_limit() {
    let limits = Limits::DEFAULT.with_head_bytes(64);
    let lines = b"\r\n".repeat(40);
    for at in 0..lines.len() {
        let expected = (at >= 64).then_some((ErrorKind::HeadTooLarge, Some(64)));
        assert_eq!(refusal_of(read(&lines[..at], &limits)), expected, "{at} bytes");
    }
}

/// The first error in the input is reported, even at the limit.
#[test]
fn a_fault_before_the_limit_is_not_taken_for_the_limit() {
    let limits = Limits::DEFAULT.with_head_bytes(64);
    let input = [b"BITS_POST /e HTTP/1.1\r\nBad Name: ", [b'x'; 64].as_slice()].concat();
    let (kind, offset) = refusal_of(read(&input, &limits)).expect("an error");
    assert_eq!((kind, offset), (ErrorKind::Syntax, Some(26)));
}

/// httparse counts fields before the status code is checked.
#[test]
fn an_invalid_status_is_reported_before_too_many_fields() {
    let input = [b"HTTP/1.1 091 OK\r\n", &b"X: y\r\n".repeat(200)[..], b"\r\n"].concat();
    let error = |input| match answer::<StatusLine<'_>>(input, &UNKNOWN) {
        Answer::Refused(error) => Some((error.kind(), error.offset())),
        _ => None,
    };
    let expected = Some((ErrorKind::Syntax, Some(11)));
    assert_eq!(error(&input), expected);
    for cut in 0..input.len() {
        assert_eq!(error(&input[..cut]), expected.filter(|_| cut > 11), "cut at {cut}");
    }
}

fn head_with(fields: usize) -> Vec<u8> {
    let fields: String = (0..fields).map(|at| format!("X-{at}: {at}\r\n")).collect();
    format!("BITS_POST /e HTTP/1.1\r\n{fields}\r\n").into_bytes()
}

fn fields_within<const N: usize>(input: &[u8], fields: usize) -> Result<usize, ErrorKind> {
    let limits = Limits::DEFAULT.with_fields(fields);
    match answer_within::<RequestLine<'_>, N>(input, &UNKNOWN, &limits) {
        Answer::Whole(whole) => Ok(whole.fields.len()),
        Answer::Refused(error) => Err(error.kind()),
        Answer::Partial => panic!("{} is whole", input.escape_ascii()),
    }
}

#[test]
fn a_head_may_have_as_many_fields_as_the_limit_and_the_slots_allow() {
    const TOO_MANY: Result<usize, ErrorKind> = Err(ErrorKind::TooManyFields);
    assert_eq!(fields_within::<64>(&head_with(64), 64), Ok(64));
    assert_eq!(fields_within::<64>(&head_with(65), 64), TOO_MANY);
    assert_eq!(fields_within::<64>(&head_with(65), 1000), TOO_MANY);
    assert_eq!(fields_within::<65>(&head_with(65), 64), TOO_MANY);
    assert_eq!(fields_within::<65>(&head_with(65), 65), Ok(65));
    assert_eq!(fields_within::<2>(&head_with(2), 64), Ok(2));
    assert_eq!(fields_within::<2>(&head_with(3), 64), TOO_MANY);
    assert_eq!(fields_within::<64>(&head_with(2), 2), Ok(2));
    assert_eq!(fields_within::<64>(&head_with(3), 2), TOO_MANY);
    assert_eq!(fields_within::<64>(&head_with(0), 0), Ok(0));
    assert_eq!(fields_within::<0>(&head_with(1), 64), TOO_MANY);
}

/// The first field beyond the limit is rejected as soon as it begins, and always at the same offset.
#[test]
fn too_many_fields_are_refused_for_good_at_the_first_that_is_too_many() {
    let input = head_with(65);
    let start = head_with(64).len() - 2;
    let whole = read(&input, &Limits::DEFAULT);
    let found = refusal_of(whole.clone());
    assert_eq!(
        found,
        Some((ErrorKind::TooManyFields, Some(start))),
        "the first line beyond the limit"
    );
    for at in 0..input.len() {
        assert_prefix("65 fields", at, read(&input[..at], &Limits::DEFAULT), &whole);
    }
}
