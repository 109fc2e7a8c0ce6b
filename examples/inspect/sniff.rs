//! Heuristics that recognize the start of a message.

use bits_proto::limits::Limits;

use crate::source::Direction;

pub fn is_response(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    let mark = b"HTTP/";
    start.starts_with(mark) || mark.starts_with(start)
}

pub fn starts_message(bytes: &[u8]) -> bool {
    let starts = [&b"HTTP/1."[..], b"BITS_POST ", b"POST ", b"GET ", b"HEAD "];
    starts.iter().any(|start| bytes.starts_with(start))
}

/// Methods of requests on a connection of the protocol. Only known names are recognized, as a
/// message may follow a body that ends with letters.
const METHODS: [&[u8]; 9] = [
    b"BITS_POST ",
    b"CCM_POST ",
    b"POST ",
    b"GET ",
    b"HEAD ",
    b"PUT ",
    b"DELETE ",
    b"OPTIONS ",
    b"PROPFIND ",
];

/// Returns the index of the next request or response in bytes that may begin with other data.
pub fn find_start(bytes: &[u8], direction: Direction) -> Option<usize> {
    let is_start = match direction {
        Direction::Request => is_request_line,
        Direction::Response => is_status_line,
    };
    (0..bytes.len()).find(|at| bytes[*at].is_ascii_uppercase() && is_start(&bytes[*at..]))
}

/// Returns whether the bytes begin with `METHOD target HTTP/1.`, or are a prefix of it.
fn is_request_line(bytes: &[u8]) -> bool {
    let Some(rest) = METHODS.iter().find_map(|method| bytes.strip_prefix(*method)) else {
        return false;
    };
    let length = rest.iter().position(|byte| !byte.is_ascii_graphic()).unwrap_or(rest.len());
    let (target, rest) = rest.split_at(length);
    !target.is_empty() && is_prefix_or_starts_with(rest, b" HTTP/1.")
}

/// Returns whether the bytes begin with `HTTP/1.x` and three digits, or are a prefix of it.
fn is_status_line(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(b"HTTP/1.") else { return false };
    let pattern = b"0 000";
    let fits = |(byte, like): (&u8, &u8)| match like {
        b' ' => byte == like,
        _ => byte.is_ascii_digit(),
    };
    rest.iter().zip(pattern).all(fits)
}

fn is_prefix_or_starts_with(bytes: &[u8], start: &[u8]) -> bool {
    bytes.iter().zip(start).all(|(byte, expected)| byte == expected)
}

/// Returns the length of the head at the beginning of the bytes. Without an empty line, this is the
/// length of the bytes, or the maximum length of a head.
pub fn head_end(bytes: &[u8]) -> usize {
    let bytes = &bytes[..bytes.len().min(Limits::DEFAULT.head_bytes + 1)];
    let content = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(0);
    let breaks = (content..bytes.len()).filter(|at| bytes[*at] == b'\n');
    breaks
        .map(|at| (at, &bytes[at + 1..]))
        .find_map(|(at, rest)| match rest {
            [b'\n', ..] => Some(at + 2),
            [b'\r', b'\n', ..] => Some(at + 3),
            _ => None,
        })
        .unwrap_or(bytes.len())
}
