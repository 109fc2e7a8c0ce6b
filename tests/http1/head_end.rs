//! Detection of the end of a head that arrives in parts.

use crate::support;
use bits_proto::http1::{HeadScanner, Progress, RequestLine, StartLine, StatusLine};
use bits_proto::limits::Limits;
use bits_proto::message::{Head, HeaderSlots};
use support::vectors;

/// Adds one byte at a time. Returns the lengths at which a head should be parsed, and the length at which there
/// was a result.
fn attempts<'b, L: StartLine<'b>>(bytes: &'b [u8], limits: &Limits) -> (Vec<usize>, Option<usize>) {
    let mut end = HeadScanner::with_limits(limits);
    let mut attempts = Vec::new();
    for length in 1..=bytes.len() {
        let received = &bytes[..length];
        let is_worth_it = end.should_parse(received);
        if is_worth_it {
            attempts.push(length);
        }
        let mut slots = HeaderSlots::new();
        match Head::<L>::parse_with_limits(received, &mut slots, limits) {
            Ok(Progress::Partial) => {}
            Ok(Progress::Complete(head)) => {
                assert_eq!(head.len(), length, "parsed as soon as it is complete");
                assert!(is_worth_it, "{}", received.escape_ascii());
                return (attempts, Some(length));
            }
            Err(_) if is_worth_it => return (attempts, Some(length)),
            Err(_) => {}
        }
    }
    (attempts, None)
}

#[test]
fn a_head_is_parsed_with_its_last_byte_and_rarely_before() {
    for message in vectors::all() {
        let bytes = &message.bytes;
        let (attempts, answered) = if message.is_response() {
            attempts::<StatusLine<'_>>(bytes, &Limits::DEFAULT)
        } else {
            attempts::<RequestLine<'_>>(bytes, &Limits::DEFAULT)
        };
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").map(|at| at + 4);
        let last = answered.or(end).unwrap_or(bytes.len());
        let doublings = last.ilog2() as usize + 1;
        assert!(attempts.len() <= doublings + 1, "{}: {attempts:?}", message.name);
    }
}

#[test]
fn an_invalid_head_is_detected_within_twice_its_length() {
    // A TLS client hello, in which no byte ends a line.
    let mut bytes = b"\x16\x03\x01\x02\x00".to_vec();
    bytes.resize(4096, 0xAA);
    let (attempts, answered) = attempts::<RequestLine<'_>>(&bytes, &Limits::DEFAULT);
    assert_eq!((attempts, answered), (vec![1], Some(1)));
    let late = [b"BITS_POST /e HTTP/1.1\r\nA: ", &[b'a'; 90][..], &[0; 300]].concat();
    let (attempts, answered) = self::attempts::<RequestLine<'_>>(&late, &Limits::DEFAULT);
    assert_eq!((attempts, answered), (vec![1, 2, 4, 8, 16, 32, 64, 128], Some(128)));
}

#[test]
fn ends_are_found_wherever_the_pieces_are_cut() {
    for (head, length) in [
        (&b"BITS_POST /e HTTP/1.1\r\nA: b\r\n\r\n"[..], 31),
        (b"BITS_POST /e HTTP/1.1\nA: b\n\n", 28),
        (b"BITS_POST /e HTTP/1.1\nA: b\n\r\n", 29),
        (b"\r\n\r\nBITS_POST /e HTTP/1.1\r\n\r\n", 29),
    ] {
        for first in 0..=length {
            for second in first..=length {
                let mut end = HeadScanner::new();
                let _ = end.should_parse(&head[..first]);
                let _ = end.should_parse(&head[..second]);
                assert!(end.should_parse(head), "{first}, {second}: {}", head.escape_ascii());
            }
        }
    }
}

#[test]
fn a_body_after_the_head_changes_nothing() {
    let bytes = [b"BITS_POST /e HTTP/1.1\r\nContent-Length: 9\r\n\r\n", &[0; 9][..]].concat();
    let mut end = HeadScanner::new();
    assert!(end.should_parse(&bytes));
}

#[test]
fn at_the_limit_there_is_an_answer() {
    for head_bytes in [0, 1, 2, 3, 100, 1000] {
        let limits = Limits::DEFAULT.with_head_bytes(head_bytes);
        let bytes = [b"BITS_POST /e HTTP/1.1\r\nA: ", &[b'a'; 2000][..]].concat();
        let (_, answered) = attempts::<RequestLine<'_>>(&bytes, &limits);
        assert_eq!(answered, Some(head_bytes.max(1)), "a head of more than {head_bytes} bytes");
    }
}

#[test]
fn a_head_is_parsed_at_16384_bytes_by_default() {
    let bytes = [b'a'; 16_384];
    let mut end = HeadScanner::new();
    assert!(end.should_parse(&bytes[..10_000]));
    assert!(!end.should_parse(&bytes[..16_383]));
    assert!(end.should_parse(&bytes));
}

#[test]
fn empty_lines_without_end_are_not_read_without_end() {
    let bytes = b"\r\n".repeat(5000);
    let (attempts, answered) = attempts::<RequestLine<'_>>(&bytes, &Limits::DEFAULT);
    assert_eq!(answered, None);
    assert_eq!(attempts.len(), 14, "{attempts:?}");
}
