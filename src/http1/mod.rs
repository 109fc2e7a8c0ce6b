//! HTTP/1.1 syntax: bytes to start line, fields and framing.
//!
//! A head is parsed without copying or allocating; the known fields are collected in [`HeaderSlots`] on
//! the caller's stack. A fast path parses heads in the usual form, and httparse all others, with equal
//! results. This module adds checks to httparse's grammar. It rejects a head if two readers could
//! disagree about where the head or its body ends:
//!
//! * lines that end in a bare LF, folded lines, and white space before a colon;
//! * a Transfer-Encoding, except for `chunked` alone in an HTTP/1.1 response;
//! * a Content-Length that is not `1*DIGIT` or a list of equal numbers, exceeds a `u64`, or conflicts
//!   with another one.
//!
//! Incomplete input is [`Progress::Partial`]. Parsing again with more bytes gives the same result
//! as parsing the whole head at once: every shorter input is partial or the same error.
//! [`HeadScanner`] decides when another attempt is worthwhile.
//!
//! [`BodyLength`] says how a response body ends. [`ChunkedDecoder`] finds the end of a body that is
//! sent in chunks.
//!
//! This module is independent of BITS. [`message`](crate::message) supplies the types for BITS
//! messages: [`HeaderSlots`](crate::message::HeaderSlots),
//! [`RequestHead`](crate::message::RequestHead) and [`ResponseHead`](crate::message::ResponseHead).
//!
//! Callers whose HTTP stack has parsed the head do not need this module. They start at
//! [`Request::from_fields`](crate::message::Request::from_fields) with a [`RequestLine`], or at
//! [`Ack::from_fields`](crate::message::Ack::from_fields) with a [`StatusLine`]. With the feature
//! `http` they start at `Request::from_http` and `Ack::from_http`.

mod body_length;
mod chunked;
mod fast_path;
mod field_section;
pub(crate) mod framing;
mod head;
#[cfg(feature = "http")]
mod http_crate;
mod input;
mod request_target;
mod scanner;
mod start_line;
mod status_code;
mod visitor;

use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

pub use self::body_length::BodyLength;
pub use self::chunked::{ChunkedDecoder, ChunkedPart};
pub(crate) use self::field_section::parse_field_section;
pub(crate) use self::framing::FramingFields;
pub use self::framing::{Framing, TransferCoding};
pub use self::head::Head;
#[cfg(feature = "http")]
pub use self::http_crate::{HttpFields, HttpFieldsIter, HttpRequest, HttpResponse};
pub use self::request_target::RequestTarget;
pub use self::scanner::HeadScanner;
pub use self::start_line::{RequestLine, StartLine, StatusLine};
pub use self::status_code::StatusCode;
pub(crate) use self::visitor::HeadVisitor;

/// Result of parsing possibly incomplete input.
///
/// # Example
///
/// ```
/// use bits_proto::http1::Progress;
/// use bits_proto::message::{HeaderSlots, RequestHead};
///
/// let mut slots = HeaderSlots::new();
/// let progress = RequestHead::parse(b"BITS_POST /entity HTTP/1.1\r\nHos", &mut slots)?;
/// assert!(matches!(progress, Progress::Partial));
/// # Ok::<(), bits_proto::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Progress<T> {
    /// The input is complete.
    Complete(T),
    /// More bytes are needed.
    Partial,
}

impl<T> Progress<T> {
    /// Returns the value if the input is complete.
    #[must_use]
    pub fn complete(self) -> Option<T> {
        match self {
            Self::Complete(value) => Some(value),
            Self::Partial => None,
        }
    }
}

/// Memory for the fields of one head, on the caller's stack.
///
/// `N` is the maximum number of fields, known or not. A value above 64 also needs a higher
/// [`Limits::fields`](crate::limits::Limits::fields). A head that httparse has to parse takes more
/// stack, 32 bytes for each field. The memory is not initialised, so creating a new value for each
/// attempt is cheap.
///
/// `V` receives the fields. Use [`message::HeaderSlots`](crate::message::HeaderSlots) for BITS
/// messages.
pub struct HeaderSlots<'b, V, const N: usize = 64> {
    visitor: MaybeUninit<V>,
    input: PhantomData<&'b [u8]>,
}

type RawSlot<'b> = MaybeUninit<httparse::Header<'b>>;

impl<V> HeaderSlots<'_, V> {
    /// Creates slots for 64 fields.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_capacity()
    }
}

impl<V, const N: usize> HeaderSlots<'_, V, N> {
    /// Creates slots for `N` fields.
    #[must_use]
    pub const fn with_capacity() -> Self {
        Self { visitor: MaybeUninit::uninit(), input: PhantomData }
    }
}

impl<V> Default for HeaderSlots<'_, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V, const N: usize> fmt::Debug for HeaderSlots<'_, V, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderSlots").field("capacity", &N).finish()
    }
}

/// Removes `OWS = *( SP / HTAB )` from both ends of a value.
pub(crate) fn trim_white_space(value: &[u8]) -> &[u8] {
    let mut value = value;
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// The HTTP version of a message.
///
/// # Example
///
/// ```
/// use bits_proto::http1::Version;
///
/// assert_eq!(Version::Http11.to_string(), "HTTP/1.1");
/// ```
///
/// Source: RFC 9112 section 2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1. Also used for HTTP/2 and HTTP/3, where fields have the same meaning.
    Http11,
}

impl Version {
    fn from_minor(minor: Option<u8>) -> Self {
        if minor == Some(0) { Self::Http10 } else { Self::Http11 }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
        })
    }
}

/// Iterator over the fields of a head as (name, value) pairs, in order.
///
/// Names are spelt as received. Values have no surrounding white space.
#[derive(Clone)]
pub struct FieldLines<'b> {
    /// Valid lines, and the empty line.
    lines: &'b [u8],
    /// The number of lines except the empty one.
    len: usize,
}

impl<'b> FieldLines<'b> {
    /// Splits a complete head again.
    pub(crate) fn of_head(head: &'b [u8]) -> Self {
        let is_line_end = |byte: &u8| *byte == b'\n';
        let start = head.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let mut lines = head.get(start..).unwrap_or_default();
        let start_line = lines.iter().position(is_line_end).map_or(0, |end| end.saturating_add(1));
        lines = lines.get(start_line..).unwrap_or_default();
        let count = lines.iter().filter(|byte| is_line_end(byte)).count();
        Self { lines, len: count.saturating_sub(1) }
    }
}

impl<'b> Iterator for FieldLines<'b> {
    type Item = (&'b str, &'b [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.len = self.len.checked_sub(1)?;
        let end = self.lines.iter().position(|byte| *byte == b'\n')?;
        let (line, rest) = self.lines.split_at_checked(end)?;
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        self.lines = rest.strip_prefix(b"\n")?;
        let value = value.strip_prefix(b":")?.strip_suffix(b"\r")?;
        Some((core::str::from_utf8(name).ok()?, trim_white_space(value)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len, Some(self.len))
    }
}

impl ExactSizeIterator for FieldLines<'_> {}

impl fmt::Debug for FieldLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.clone() {
            map.entry(&name, &format_args!("\"{}\"", value.escape_ascii()));
        }
        map.finish()
    }
}
