//! The fast path accepts only heads that httparse accepts, with the same result.

use crate::support;
use bits_proto::limits::Limits;
use support::head_parsers::assert_equal;
use support::vectors;

/// Limits that many vectors exceed, each in a different way.
fn limits() -> impl Iterator<Item = Limits> {
    let pairs = [(16_384, 64), (121, 64), (300, 0), (300, 4)];
    pairs
        .into_iter()
        .map(|(head_bytes, fields)| Limits::DEFAULT.with_head_bytes(head_bytes).with_fields(fields))
}

#[test]
fn every_prefix_of_every_vector_has_the_result_of_httparse() {
    for message in &vectors::all() {
        for limits in limits() {
            for end in 0..=message.bytes.len().min(limits.head_bytes.saturating_add(1)) {
                assert_equal(&message.bytes[..end], &limits);
            }
        }
    }
}

/// Replaces `old` everywhere in the heads of the vectors.
fn assert_equal_after(old: &str, new: &str) {
    for message in &vectors::all() {
        let text: String = message.bytes.iter().map(|byte| char::from(*byte)).collect();
        let replaced = text.replace(old, new);
        // Latin-1, so that every character is one byte again.
        let bytes: Vec<u8> = replaced.chars().map(|letter| letter as u32 as u8).collect();
        assert_equal(&bytes, &Limits::DEFAULT);
    }
}

#[test]
fn heads_in_other_forms_have_the_result_of_httparse() {
    for new in [":", ":  ", ":\t", ": \t ", " : ", ":\r\n ", "::", ": \u{e9}", ":\0", ""] {
        assert_equal_after(": ", new);
    }
    for new in
        ["\n", " \r\n", "\t\r\n", " \t \r\n", "\r", "\r\n ", "\r\r\n", "\u{ff}\r\n", "\u{7f}\r\n"]
    {
        assert_equal_after("\r\n", new);
    }
    for new in ["HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1 "] {
        assert_equal_after("HTTP/1.1", new);
    }
    for new in ["GET", "HEAD", "POST", "PUT", "bits_post", "BITS_POST ", " BITS_POST", "BITS_POSTS"]
    {
        assert_equal_after("BITS_POST", new);
    }
    for new in
        ["200  OK", "200", "200 ", "200\tOK", "20", "2000 OK", "099 OK", "200 \u{e9}", "1x0 OK"]
    {
        assert_equal_after("200 OK", new);
    }
    for new in ["CONTENT-LENGTH", "Content_Length", "Content Length", "(Content-Length)", ""] {
        assert_equal_after("Content-Length", new);
    }
}

#[test]
fn every_byte_has_the_result_of_httparse_at_every_place() {
    const HEADS: [&[u8]; 3] = [
        b"BITS_POST /e HTTP/1.1\r\nHost: h\r\nX-Other-Name: a value of some words\r\nRange:b\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 7\r\nDate:\r\n\r\nbody",
        b"HTTP/1.1 206 Partial Content\r\nETag: \"1234567890123456789012345678901\"\r\nA: b\r\n\r\n",
    ];
    for head in HEADS {
        for at in 0..head.len() {
            for byte in 0..=u8::MAX {
                let mut changed = head.to_vec();
                changed[at] = byte;
                assert_equal(&changed, &Limits::DEFAULT);
                changed.insert(at, head[at]);
                assert_equal(&changed, &Limits::DEFAULT);
            }
        }
    }
}

/// Calls `each` with all sequences of up to `length` of these pieces.
fn sequences(pieces: &[&[u8]], length: usize, each: &mut impl FnMut(&[u8])) {
    fn extend(pieces: &[&[u8]], left: usize, text: &mut Vec<u8>, each: &mut impl FnMut(&[u8])) {
        each(text);
        for piece in pieces.iter().filter(|_| left > 0) {
            text.extend_from_slice(piece);
            extend(pieces, left - 1, text, each);
            text.truncate(text.len() - piece.len());
        }
    }
    extend(pieces, length, &mut Vec::new(), each);
}

#[test]
fn all_short_fields_have_the_result_of_httparse() {
    const PIECES: [&[u8]; 7] = [b"a", b":", b" ", b"\t", b"\r", b"\n", b"\x80"];
    for line in ["GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n"] {
        sequences(&PIECES, 6, &mut |fields| {
            for end in ["", "\r\n\r\n"] {
                let bytes = [line.as_bytes(), fields, end.as_bytes()].concat();
                assert_equal(&bytes, &Limits::DEFAULT.with_fields(2));
            }
        });
    }
}

#[test]
fn all_short_start_lines_have_the_result_of_httparse() {
    const PIECES: [&[u8]; 12] = [
        b"GET",
        b"BITS_POST",
        b"P",
        b" ",
        b"/",
        b"HTTP/1.1",
        b"HTTP/1.0",
        b"200",
        b"\r",
        b"\n",
        b"\t",
        b"\xC3\xA9",
    ];
    sequences(&PIECES, 4, &mut |line| {
        for start in ["", "GET ", "HTTP/1.1 "] {
            for end in ["", "\r\n\r\n", " HTTP/1.1\r\nA: b\r\n\r\n"] {
                let bytes = [start.as_bytes(), line, end.as_bytes()].concat();
                assert_equal(&bytes, &Limits::DEFAULT);
            }
        }
    });
}
