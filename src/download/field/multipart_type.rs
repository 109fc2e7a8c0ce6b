//! The media type `multipart/byteranges` and its boundary.

use core::fmt;

use super::{FieldName, value_type};
use crate::error::{ErrorKind, ValueError};
use crate::util::ascii_case::eq_ignore_case;
use crate::util::digits::hex_digit;
use crate::util::sink::{Sink, Wire, wire_display};

/// Content-Type of a response with several ranges: `multipart/byteranges` with a boundary.
///
/// Type and parameter names are compared case-insensitively. The boundary may be quoted. Other
/// parameters are ignored.
///
/// ```text
/// Content-Type = "multipart/byteranges" *( OWS ";" OWS parameter )
/// parameter    = token "=" ( token / quoted-string )
/// boundary     = 1*70bchar                        ; and no space at the end
/// bchar        = ALPHA / DIGIT / SP / "'" / "(" / ")" / "+" / "_" / "," / "-" / "." / "/" / ":"
///              / "=" / "?"
/// ```
///
/// # Errors
///
/// [`ErrorKind::NotMultipart`].
///
/// # Example
///
/// ```
/// use bits_proto::download::field::MultipartType;
///
/// let content_type = MultipartType::try_from("Multipart/ByteRanges; boundary=\"a/b:c\"")?;
/// assert_eq!(content_type.boundary(), b"a/b:c");
/// assert!(MultipartType::try_from("text/plain").is_err());
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9110 section 14.6; RFC 2046 section 5.1.1.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MultipartType<'b> {
    boundary: &'b [u8],
}

/// The maximum length of a boundary.
pub(crate) const MAX_BOUNDARY: usize = 70;

impl<'b> MultipartType<'b> {
    /// Returns the boundary without quotes: 1 to 70 bytes.
    #[must_use]
    pub const fn boundary(&self) -> &'b [u8] {
        self.boundary
    }

    pub(super) fn decode(value: &'b [u8]) -> Result<Self, ValueError> {
        let invalid = |rest: &[u8]| {
            ValueError::new(ErrorKind::NotMultipart, value.len().saturating_sub(rest.len()))
        };
        let (name, mut rest) = value.split_at_checked(MEDIA_TYPE.len()).ok_or(invalid(value))?;
        if !eq_ignore_case!(name, b"multipart/byteranges") {
            return Err(invalid(value));
        }
        let mut boundary = None;
        while let Some(parameter) = next_parameter(rest).map_err(invalid)? {
            let is_boundary = eq_ignore_case!(parameter.name, b"boundary");
            if is_boundary && boundary.replace(parameter.value).is_some() {
                return Err(invalid(rest));
            }
            rest = parameter.rest;
        }
        let boundary = boundary.ok_or(invalid(&[]))?;
        let is_valid = matches!(boundary.len(), 1..=MAX_BOUNDARY)
            && boundary.iter().all(|byte| is_boundary_byte(*byte))
            && boundary.last() != Some(&b' ');
        if is_valid { Ok(Self { boundary }) } else { Err(invalid(&[])) }
    }
}

const MEDIA_TYPE: &[u8; 20] = b"multipart/byteranges";

value_type!(@conversions MultipartType<'b>: FieldName::ContentType);

impl fmt::Debug for MultipartType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MultipartType({})", self.boundary.escape_ascii())
    }
}

const fn is_boundary_byte(byte: u8) -> bool {
    matches!(
        byte,
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b' ' | b'\'' | b'(' | b')' | b'+' | b'_'
            | b',' | b'-' | b'.' | b'/' | b':' | b'=' | b'?'
    )
}

struct Parameter<'b> {
    name: &'b [u8],
    /// The value without quotes.
    value: &'b [u8],
    rest: &'b [u8],
}

/// Parses the next parameter; `None` at the end. An error is the text from the error on.
fn next_parameter(text: &[u8]) -> Result<Option<Parameter<'_>>, &[u8]> {
    let mut rest = skip_white_space(text);
    if rest.is_empty() {
        return Ok(None);
    }
    rest = rest.strip_prefix(b";").ok_or(rest)?;
    rest = skip_white_space(rest);
    if rest.is_empty() {
        return Ok(None);
    }
    let (name, value) = split_while(rest, is_token_byte);
    if name.is_empty() {
        return Err(rest);
    }
    let value = value.strip_prefix(b"=").ok_or(value)?;
    let (value, rest) = match value.strip_prefix(b"\"") {
        // No boundary contains a backslash, so escapes need not be decoded.
        Some(quoted) => {
            let (content, rest) = split_while(quoted, |byte| byte != b'"' && byte != b'\\');
            (content, rest.strip_prefix(b"\"").ok_or(rest)?)
        }
        // Servers also send the characters of a boundary that require quotes without them.
        None => split_while(value, |byte| is_token_byte(byte) || is_bare_boundary_byte(byte)),
    };
    Ok(Some(Parameter { name, value, rest }))
}

const fn is_bare_boundary_byte(byte: u8) -> bool {
    is_boundary_byte(byte) && !matches!(byte, b' ' | b',')
}

const fn is_token_byte(byte: u8) -> bool {
    matches!(
        byte,
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*'
            | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
    )
}

fn split_while(text: &[u8], accepts: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let length = text.iter().take_while(|byte| accepts(**byte)).count();
    text.split_at_checked(length).unwrap_or((text, &[]))
}

fn skip_white_space(text: &[u8]) -> &[u8] {
    split_while(text, |byte| matches!(byte, b' ' | b'\t')).1
}

/// The boundary between the parts of a response: 32 hexadecimal digits.
///
/// It is made from random bits, so that an entity cannot be made to contain it.
///
/// # Example
///
/// ```
/// use bits_proto::download::field::Boundary;
///
/// let boundary = Boundary::from_random(0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF);
/// assert_eq!(boundary.to_string(), "0123456789ABCDEF0123456789ABCDEF");
/// ```
///
/// Source: RFC 2046 section 5.1.1.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Boundary([u8; 32]);

impl Boundary {
    /// Creates a boundary from 128 random bits.
    #[expect(clippy::indexing_slicing, reason = "two digits for each of 16 bytes")]
    #[must_use]
    pub const fn from_random(bits: u128) -> Self {
        let (bytes, mut text, mut at) = (bits.to_be_bytes(), [0; 32], 0_usize);
        while at < text.len() {
            let byte = bytes[at / 2];
            text[at] = hex_digit(if at % 2 == 0 { byte >> 4 } else { byte });
            at = at.wrapping_add(1);
        }
        Self(text)
    }
}

impl Wire for Boundary {
    #[inline(always)]
    fn put_into<S: Sink>(&self, sink: S) -> S {
        sink.put(&self.0)
    }
}

wire_display!(Boundary);

impl fmt::Debug for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Boundary({self})")
    }
}
