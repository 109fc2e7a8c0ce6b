//! Parses heads in the usual form in one pass. httparse decides about all other input.
//!
//! ```text
//! usual-head   = usual-line CRLF *( field-line CRLF ) CRLF
//! usual-line   = method SP 1*VCHAR SP "HTTP/1.1"         ; a method that the visitor names
//!              / "HTTP/1.1" SP 3DIGIT SP *( SP / VCHAR )
//! field-line   = token ":" SP VCHAR *( *SP VCHAR )
//! ```
//!
//! For input in this form the result is that of httparse.

use super::start_line::sealed::{NotUsual, Usual};
use super::{HeadVisitor, RequestLine, StatusCode, StatusLine, Version};
use crate::util::ascii::is_token;
use crate::util::ascii_case::eq_ignore_case;
use crate::util::digits;

/// Parses a request line with one of these methods. Returns it without its target, the target, and the
/// bytes after the line.
#[inline(always)]
pub(super) fn request_line<'b>(
    bytes: &'b [u8],
    methods: &'static [&'static str],
) -> Result<Usual<'b, RequestLine<'b>>, NotUsual> {
    for &method in methods {
        let Some(rest) = bytes.strip_prefix(method.as_bytes()) else { continue };
        let Some(rest) = rest.strip_prefix(b" ") else { continue };
        let (target, rest) = split_at_other::<b'!'>(rest, bytes).ok_or(NotUsual::Other)?;
        if target.is_empty() {
            break;
        }
        let Some(rest) = rest.strip_prefix(b" HTTP/1.1\r\n") else {
            return Err(if rest.is_empty() { NotUsual::Partial } else { NotUsual::Other });
        };
        let line = RequestLine { method, target: "", version: Version::Http11 };
        return Ok((line, target, rest));
    }
    Err(NotUsual::Other)
}

/// Parses a status line. Returns it without its reason phrase, the phrase, and the bytes after the line.
#[inline(always)]
pub(super) fn status_line(bytes: &[u8]) -> Option<(StatusLine<'_>, &[u8], &[u8])> {
    let version = Version::Http11;
    if let Some(rest) = bytes.strip_prefix(b"HTTP/1.1 200 OK\r\n") {
        return Some((StatusLine { version, status: StatusCode::OK, reason: "" }, b"OK", rest));
    }
    let (code, rest) = bytes.strip_prefix(b"HTTP/1.1 ")?.split_at_checked(3)?;
    let code = u16::try_from(digits::decimal(code).ok()?).ok()?;
    let status = StatusCode::try_from(code).ok()?;
    let (reason, rest) = split_at_other::<b' '>(rest.strip_prefix(b" ")?, bytes)?;
    let line = StatusLine { version, status, reason: "" };
    Some((line, reason, rest.strip_prefix(b"\r\n")?))
}

/// The lines of a head that do not have the usual form, from the first such line to the end of the input,
/// and the number of fields that they may contain.
pub(super) struct Unusual<'b> {
    pub(super) lines: &'b [u8],
    pub(super) max_fields: usize,
}

/// Visits the fields in `lines`, the end of `bytes`, and returns the bytes after the head. Stops at a line
/// that is incomplete, of another form, or in excess of `max_fields`.
#[inline(always)]
pub(super) fn visit_fields<'b, V: HeadVisitor<'b>>(
    mut lines: &'b [u8],
    bytes: &'b [u8],
    mut max_fields: usize,
    visitor: &mut V,
) -> Result<&'b [u8], Unusual<'b>> {
    loop {
        if let Some(rest) = lines.strip_prefix(b"\r\n") {
            return Ok(rest);
        }
        let Some((name, value, rest)) = split_line(lines, bytes) else { break };
        if max_fields == 0 || !(visitor.visit(name, value) || is_common(name) || is_token(name)) {
            break;
        }
        lines = rest;
        max_fields = max_fields.wrapping_sub(1);
    }
    Err(Unusual { lines, max_fields })
}

/// Splits the first of `lines`, the end of `bytes`, into name and value.
#[inline(always)]
fn split_line<'b>(lines: &'b [u8], bytes: &[u8]) -> Option<(&'b [u8], &'b [u8], &'b [u8])> {
    let (word, colon) = find(lines, bytes, is_colon)?;
    // The search starts at this word and not at the value, so that it need not wait for the colon.
    let (more, end) = find(lines.get(word..)?, bytes, other_than::<b' '>)?;
    let (line, rest) = lines.split_at_checked(word.wrapping_add(more).wrapping_add(end))?;
    let rest = rest.strip_prefix(b"\r\n")?;
    let (name, value) = line.split_at_checked(word.wrapping_add(colon))?;
    let [b':', b' ', first, ..] = value else { return None };
    let is_trimmed = *first != b' ' && line.last() != Some(&b' ');
    is_trimmed.then_some((name, value.get(2..)?, rest))
}

/// Splits `text`, the end of `bytes`, at the first byte that is not ASCII from `FIRST` to `~`.
#[inline(always)]
fn split_at_other<'b, const FIRST: u8>(
    text: &'b [u8],
    bytes: &[u8],
) -> Option<(&'b [u8], &'b [u8])> {
    let (word, index) = find(text, bytes, other_than::<FIRST>)?;
    text.split_at_checked(word.wrapping_add(index))
}

/// Flags the first byte that is not ASCII from `FIRST` to `~`.
#[inline(always)]
fn other_than<const FIRST: u8>(word: u64) -> u64 {
    // The difference has the high bit for lower bytes, and the sum for DEL. Either has it beyond ASCII.
    word.wrapping_sub(repeat(FIRST)) | word.wrapping_add(repeat(1))
}

/// Flags the first colon. Near a byte beyond ASCII, which no token contains, flags may be wrong.
#[inline(always)]
fn is_colon(word: u64) -> u64 {
    (word ^ repeat(b':' ^ 0x7F)).wrapping_add(repeat(1))
}

/// Returns the offset of the word in `text` where `flags` sets the high bit of a byte, and the index of the
/// first such byte. Without such a byte, their sum is at least the length of `text`. The bits of later bytes may
/// be wrong. `text` is the end of `bytes`.
#[inline(always)]
fn find(text: &[u8], bytes: &[u8], flags: impl Fn(u64) -> u64) -> Option<(usize, usize)> {
    let (mut rest, mut at) = (text, 0_usize);
    // Most names and values end here. Five words at once need no comparison of lengths between them.
    if let Some((words, after)) = text.split_first_chunk::<40>() {
        for (index, word) in words.chunks_exact(8).enumerate() {
            let word = word.try_into().map_or(0, u64::from_le_bytes);
            if let Some(byte) = first_flag(flags(word)) {
                return Some((index.wrapping_mul(8), byte));
            }
        }
        (rest, at) = (after, words.len());
    }
    while let Some((word, after)) = rest.split_first_chunk() {
        if let Some(byte) = first_flag(flags(u64::from_le_bytes(*word))) {
            return Some((at, byte));
        }
        (rest, at) = (after, at.wrapping_add(8));
    }
    // The last bytes of the input, followed by zeros.
    let word = u64::from_le_bytes(*bytes.last_chunk()?);
    let read = 8_u32.wrapping_sub(rest.len() as u32).wrapping_mul(8);
    let byte = first_flag(flags(word.checked_shr(read).unwrap_or_default()));
    Some((at, byte.unwrap_or(8)))
}

/// Returns the index of the first byte whose high bit is set.
#[inline(always)]
fn first_flag(flags: u64) -> Option<usize> {
    let flags = flags & repeat(0x80);
    (flags != 0).then(|| (flags.trailing_zeros() / 8) as usize)
}

const fn repeat(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Returns true for names that most heads have, which saves a check of every byte.
#[inline(always)]
fn is_common(name: &[u8]) -> bool {
    match name.len() {
        4 => eq_ignore_case!(name, b"Host") || eq_ignore_case!(name, b"Date"),
        6 => {
            eq_ignore_case!(name, b"Accept")
                || eq_ignore_case!(name, b"Server")
                || eq_ignore_case!(name, b"Pragma")
        }
        10 => eq_ignore_case!(name, b"User-Agent") || eq_ignore_case!(name, b"Connection"),
        _ => false,
    }
}
