//! Decoding of chunked bodies in pieces, and a reference decoder of whole bodies.
#![allow(dead_code, reason = "each test file uses a part of it")]

use bits_proto::Error;
use bits_proto::http1::{ChunkedDecoder, ChunkedPart};
use bits_proto::limits::Limits;

/// The result of decoding an input.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub data: Vec<u8>,
    pub end: End,
}

/// The end of an input.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// More bytes are needed.
    Partial,
    /// The body is complete after this number of bytes.
    Complete(usize),
    Failed(Error),
}

/// Decodes an input that arrives in these pieces.
pub fn decode_pieces<'b>(pieces: impl IntoIterator<Item = &'b [u8]>, limits: &Limits) -> Outcome {
    let mut decoder = ChunkedDecoder::with_limits(limits);
    let (mut data, mut total, mut end) = (Vec::new(), 0, End::Partial);
    for piece in pieces {
        let mut rest = piece;
        end = loop {
            match decoder.decode(rest) {
                Ok(ChunkedPart::Data { data: part, consumed }) => {
                    let expected = &rest[consumed - part.len()..consumed];
                    assert!(!part.is_empty() && std::ptr::eq(part, expected), "part of the input");
                    data.extend_from_slice(part);
                    total += consumed;
                    rest = &rest[consumed..];
                }
                Ok(ChunkedPart::Partial) => {
                    total += rest.len();
                    break End::Partial;
                }
                Ok(ChunkedPart::End { consumed }) => {
                    total += consumed;
                    rest = &rest[consumed..];
                    let again = decoder.decode(rest);
                    assert_eq!(again, Ok(ChunkedPart::End { consumed: 0 }), "the end is final");
                    break End::Complete(total);
                }
                Err(error) => {
                    assert_eq!(decoder.decode(b"0\r\n\r\n"), Err(error), "an error is final");
                    break End::Failed(error);
                }
            }
        };
    }
    Outcome { data, end }
}

/// Decodes a whole input.
pub fn decode(input: &[u8], limits: &Limits) -> Outcome {
    decode_pieces([input], limits)
}

/// The result of the reference decoder: the data, and the number of bytes in the body, `None` if more are
/// needed, or the offset of the error.
pub type Reference = (Vec<u8>, Result<Option<usize>, usize>);

/// Decodes a whole input with slices only.
pub fn reference(input: &[u8], limits: &Limits) -> Reference {
    let (mut data, mut at) = (Vec::new(), 0);
    loop {
        let (size, length) = match limited(&input[at..], limits.chunk_line_bytes, size_line) {
            Ok(Some(line)) => line,
            Ok(None) => return (data, Ok(None)),
            Err(offset) => return (data, Err(at + offset)),
        };
        at += length;
        let total = u128::from(size) + data.len() as u128;
        if total > u128::from(limits.chunked_body_bytes) {
            return (data, Err(at - 1));
        }
        if size == 0 {
            let end = limited(&input[at..], limits.trailer_bytes, trailers);
            let end = end.map(|length| length.map(|length| at + length));
            return (data, end.map_err(|offset| at + offset));
        }
        let Some(end) = usize::try_from(size).ok().and_then(|size| at.checked_add(size)) else {
            data.extend_from_slice(&input[at..]);
            return (data, Ok(None));
        };
        data.extend_from_slice(&input[at..end.min(input.len())]);
        at = end;
        for expected in b"\r\n" {
            match input.get(at) {
                None => return (data, Ok(None)),
                Some(byte) if byte == expected => at += 1,
                Some(_) => return (data, Err(at)),
            }
        }
    }
}

/// Parses at most this number of bytes. More are an error if they are needed.
fn limited<T>(
    bytes: &[u8],
    limit: usize,
    parse: fn(&[u8]) -> Result<Option<T>, usize>,
) -> Result<Option<T>, usize> {
    match parse(&bytes[..bytes.len().min(limit)]) {
        Ok(None) if bytes.len() > limit => Err(limit),
        result => result,
    }
}

/// Parses a line with a chunk size. Returns the size and the length of the line.
fn size_line(bytes: &[u8]) -> Result<Option<(u64, usize)>, usize> {
    let digits = count(bytes, |byte| byte.is_ascii_hexdigit());
    if digits > 16 {
        return Err(16);
    }
    if digits == 0 && !bytes.is_empty() {
        return Err(0);
    }
    let spaces = count(&bytes[digits..], |byte| byte == b' ' || byte == b'\t');
    let mut at = digits + spaces;
    match bytes.get(at) {
        Some(b';') => at += 1 + count(&bytes[at + 1..], is_text),
        Some(_) if spaces > 0 => return Err(at),
        _ => {}
    }
    let digits = std::str::from_utf8(&bytes[..digits]).expect("ASCII");
    let end = line_end(bytes, at)?;
    Ok(end.map(|end| (u64::from_str_radix(digits, 16).expect("16 digits fit"), end)))
}

/// Parses trailers up to the empty line. Returns their length.
fn trailers(bytes: &[u8]) -> Result<Option<usize>, usize> {
    let mut at = 0;
    loop {
        let length = count(&bytes[at..], is_text);
        match line_end(bytes, at + length)? {
            None => return Ok(None),
            Some(end) if length == 0 => return Ok(Some(end)),
            Some(end) => at = end,
        }
    }
}

/// Expects CR LF at this offset. Returns the offset after it.
fn line_end(bytes: &[u8], at: usize) -> Result<Option<usize>, usize> {
    match bytes[at..] {
        [] | [b'\r'] => Ok(None),
        [b'\r', b'\n', ..] => Ok(Some(at + 2)),
        [b'\r', ..] => Err(at + 1),
        [..] => Err(at),
    }
}

fn count(bytes: &[u8], is_counted: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| is_counted(**byte)).count()
}

fn is_text(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}

/// Checks that an outcome is that of the reference decoder.
pub fn check_against_reference(input: &[u8], limits: &Limits, outcome: &Outcome) {
    let end = match &outcome.end {
        End::Partial => Ok(None),
        End::Complete(length) => Ok(Some(*length)),
        End::Failed(error) => Err(error.offset().expect("an offset")),
    };
    let found = (outcome.data.clone(), end);
    assert_eq!(found, reference(input, limits), "{limits:?}: {}", input.escape_ascii());
}
