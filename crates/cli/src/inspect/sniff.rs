//! Recognizes the heads of messages, both where one is expected and among other bytes.
//!
//! If a head is expected, its start line suffices, even if the line is incomplete or invalid: a
//! malformed head is reported as such. Other bytes may be anything, such as the body of a message
//! whose end is unknown. In them, a head must have a complete start line, and its first field line
//! or its end must follow.

use bits_proto::limits::Limits;
use memchr::{memchr, memmem, memrchr, memrchr_iter};

use crate::inspect::source::Direction;

/// Methods of HTTP, `WebDAV` and Windows. In other bytes, only these are recognized directly after a
/// body that ends without a line break.
const METHODS: [&[u8]; 23] = [
    b"BITS_POST",
    b"CCM_POST",
    b"CCM_GET",
    b"POST",
    b"GET",
    b"HEAD",
    b"PUT",
    b"DELETE",
    b"OPTIONS",
    b"PROPFIND",
    b"CONNECT",
    b"PATCH",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"SEARCH",
    b"REPORT",
    b"TRACE",
    b"RPC_IN_DATA",
    b"RPC_OUT_DATA",
];

/// Maximum length of a start line among other bytes.
const MAX_LINE: usize = 8 * 1024;

/// Maximum length of a field name, and of a reason phrase, among other bytes.
const MAX_WORD: usize = 128;

/// The beginning of the version, which every start line contains.
const VERSION: &[u8] = b"HTTP/1.";

/// A head among other bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Index of its first byte.
    pub at: usize,
    pub direction: Direction,
}

/// Returns the direction of the head at the beginning of the bytes, if there is one.
pub fn head_direction(bytes: &[u8]) -> Option<Direction> {
    [Direction::Response, Direction::Request].into_iter().find(|it| is_head(bytes, *it))
}

/// Returns whether a head begins here, at a position where one is expected. The head may be
/// malformed or incomplete. Empty lines may precede it.
pub fn is_head(bytes: &[u8], direction: Direction) -> bool {
    let bytes = without_empty_lines(within_head(bytes));
    match direction {
        Direction::Request => is_request_line(bytes),
        Direction::Response => !bytes.is_empty() && has_common_prefix(bytes, b"HTTP/"),
    }
}

/// Returns whether bytes before which nothing is known contain a head.
pub fn contains_head(bytes: &[u8], direction: Direction) -> bool {
    // Fewer bytes do not contain a word of the start line.
    let is_cut = || bytes.len() >= b"HTTP/".len() && is_head(bytes, direction);
    find_head(bytes, Some(direction)).is_some() || is_cut()
}

/// Returns the first head among other bytes, of one direction or of both.
pub fn find_head(bytes: &[u8], direction: Option<Direction>) -> Option<Found> {
    let is_wanted = |it| direction.is_none_or(|direction| direction == it);
    // A request line is examined only for the version at its end, and a status line has a maximum
    // length, so the cost is linear.
    memmem::find_iter(bytes, VERSION).find_map(|at| {
        if is_wanted(Direction::Response) && is_status_line(&bytes[at..]) {
            return Some(Found { at, direction: Direction::Response });
        }
        let at = request_with_version(bytes, at).filter(|_| is_wanted(Direction::Request))?;
        Some(Found { at, direction: Direction::Request })
    })
}

/// Returns whether the bytes begin with a head that would be found among other bytes.
pub fn begins_with_head(bytes: &[u8], direction: Direction) -> bool {
    let line = &bytes[..memchr(b'\n', first(bytes, MAX_LINE)).map_or(0, |end| end + 1)];
    // The field line after the start line is part of the evidence.
    let with_field = first(bytes, line.len() + MAX_WORD + 1);
    find_head(with_field, Some(direction)).is_some_and(|found| found.at == 0)
}

/// Returns the length of the head at the beginning of the bytes. Without an empty line, this is the
/// length of the bytes, or the maximum length of a head.
pub fn head_end(bytes: &[u8]) -> usize {
    let bytes = within_head(bytes);
    let content = bytes.len() - without_empty_lines(bytes).len();
    let breaks = memchr::memchr_iter(b'\n', &bytes[content..]).map(|at| content + at);
    breaks
        .map(|at| (at, &bytes[at + 1..]))
        .find_map(|(at, rest)| match rest {
            [b'\n', ..] => Some(at + 2),
            [b'\r', b'\n', ..] => Some(at + 3),
            _ => None,
        })
        .unwrap_or(bytes.len())
}

/// Returns the length of a malformed head at the beginning of the bytes. It ends before another
/// head, since it may lack the empty line.
pub fn malformed_head_end(bytes: &[u8], direction: Option<Direction>) -> usize {
    let end = head_end(bytes);
    let content = end - without_empty_lines(&bytes[..end]).len();
    let line = memchr(b'\n', &bytes[content..end]).map_or(end, |at| content + at + 1);
    find_head(&bytes[line..end], direction).map_or(end, |found| line + found.at)
}

/// Returns the first bytes, up to one more than the maximum length of a head.
fn within_head(bytes: &[u8]) -> &[u8] {
    first(bytes, Limits::DEFAULT.head_bytes + 1)
}

fn first(bytes: &[u8], length: usize) -> &[u8] {
    &bytes[..bytes.len().min(length)]
}

fn without_empty_lines(bytes: &[u8]) -> &[u8] {
    let count = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    &bytes[count..]
}

/// Returns whether the shorter of both is a prefix of the other one.
fn has_common_prefix(bytes: &[u8], other: &[u8]) -> bool {
    bytes.iter().zip(other).all(|(byte, other)| byte == other)
}

/// Returns whether the bytes begin with a request line, or are a prefix of one with a known method.
fn is_request_line(bytes: &[u8]) -> bool {
    match memchr(b'\n', bytes) {
        Some(end) => is_whole_request_line(&bytes[..end]),
        None => is_cut_request_line(bytes) || is_whole_request_line(bytes),
    }
}

fn is_cut_request_line(bytes: &[u8]) -> bool {
    match memchr(b' ', bytes) {
        Some(end) => METHODS.contains(&&bytes[..end]),
        None => !bytes.is_empty() && METHODS.iter().any(|method| method.starts_with(bytes)),
    }
}

fn is_whole_request_line(line: &[u8]) -> bool {
    let mut words = line.trim_ascii_end().split(|byte| *byte == b' ');
    let (Some(method), Some(version)) = (words.next(), words.next_back()) else { return false };
    match memchr(b'/', version).map(|end| &version[..end]) {
        Some(b"HTTP") => {
            // Other bytes may be between the expected position and the method.
            let known = method_at_end(method);
            is_token(method) && known.is_none_or(|length| length == method.len())
        }
        // Other protocols, such as SIP and RTSP, have the same syntax and some of the methods.
        Some(other) if !other.is_empty() && other.iter().all(u8::is_ascii_uppercase) => false,
        _ => METHODS.contains(&method),
    }
}

/// Returns whether the bytes begin with a status line, and a field line or the end of the head.
fn is_status_line(bytes: &[u8]) -> bool {
    let Some([minor, b' ', code @ .., separator]) = bytes.get(VERSION.len()..VERSION.len() + 6)
    else {
        return false;
    };
    if !minor.is_ascii_digit() || !code.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let reason = &bytes[VERSION.len() + 5..];
    if *separator != b' ' {
        return is_end_of_start_line(reason);
    }
    let end = memchr(b'\n', first(reason, MAX_WORD)).unwrap_or(reason.len());
    let end = if reason[..end].ends_with(b"\r") { end - 1 } else { end };
    let is_text = |byte: &u8| !byte.is_ascii_control();
    end < MAX_WORD && reason[..end].iter().all(is_text) && is_end_of_start_line(&reason[end..])
}

/// Returns the index of the request line that ends with the version at `at`.
fn request_with_version(bytes: &[u8], at: usize) -> Option<usize> {
    let (minor, rest) = bytes[at + VERSION.len()..].split_first()?;
    if !minor.is_ascii_digit() || !is_end_of_start_line(rest) {
        return None;
    }
    let end = at.checked_sub(1).filter(|end| bytes[*end] == b' ')?;
    let from = end.saturating_sub(MAX_LINE);
    let line_break = memrchr(b'\n', &bytes[from..end]).map(|it| from + it + 1);
    let start = line_break.unwrap_or(from);
    let line = &bytes[start..end];
    let known =
        memrchr_iter(b' ', line).find_map(|space| Some(space - method_at_end(&line[..space])?));
    let other = || {
        let is_line = line_break.is_some() || from == 0;
        let method = &line[..memchr(b' ', line)?];
        (is_line && is_token(method)).then_some(0)
    };
    known.or_else(other).map(|index| start + index)
}

/// Returns the length of the longest known method at the end of the bytes.
fn method_at_end(bytes: &[u8]) -> Option<usize> {
    bytes.last().filter(|byte| byte.is_ascii_uppercase())?;
    METHODS.iter().filter(|it| bytes.ends_with(it)).map(|it| it.len()).max()
}

/// Returns whether a start line ends here, and a field line or the end of the head follows. The
/// bytes may end earlier.
fn is_end_of_start_line(bytes: &[u8]) -> bool {
    let rest = match bytes {
        [b'\r', b'\n', rest @ ..] | [b'\n', rest @ ..] => rest,
        [] | [b'\r'] => return true,
        _ => return false,
    };
    if matches!(rest, [] | [b'\n', ..] | [b'\r'] | [b'\r', b'\n', ..]) {
        return true;
    }
    let name = first(rest, MAX_WORD).iter().take_while(|byte| is_token_byte(**byte)).count();
    match rest.get(name) {
        Some(byte) => name > 0 && *byte == b':',
        None => true,
    }
}

fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_token_byte(*byte))
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
