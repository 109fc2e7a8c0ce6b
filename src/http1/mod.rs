//! HTTP/1.1 syntax: bytes to start line, fields and framing.
//!
//! A head is parsed with httparse into [`HeaderSlots`] on the caller's stack. Nothing is copied and
//! nothing is allocated. This module adds checks to httparse's grammar and rejects a head when two
//! readers could disagree about where it, or its body, ends:
//!
//! * lines that end in a bare LF, folded lines, white space before a colon;
//! * Transfer-Encoding;
//! * a Content-Length that is not `1*DIGIT`, does not fit a `u64`, or differs from another one.
//!
//! Incomplete input is [`Progress::Partial`]. Parsing again with more bytes gives the same result as
//! parsing the whole head at once: every shorter input is partial or the same error.
//! [`HeadScanner`] says when another attempt is worthwhile.
//!
//! This module knows nothing of BITS. [`message`](crate::message) supplies the types to parse BITS
//! messages with: [`HeaderSlots`](crate::message::HeaderSlots),
//! [`RequestHead`](crate::message::RequestHead) and [`ResponseHead`](crate::message::ResponseHead).
//!
//! Callers whose HTTP stack has parsed the head do not need this module. They start at
//! [`Request::from_fields`](crate::message::Request::from_fields) with a [`RequestLine`], or at
//! [`Ack::from_fields`](crate::message::Ack::from_fields) with a [`StatusLine`]. With the feature
//! `http` they start at `Request::from_http` and `Ack::from_http`.

pub(crate) mod framing;
mod head;
#[cfg(feature = "http")]
mod http_crate;
mod request_target;
mod scanner;
mod start_line;
mod status_code;
mod visitor;
mod window;

use core::fmt;
use core::mem::MaybeUninit;

pub use self::framing::Framing;
pub(crate) use self::framing::FramingFields;
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
    /// Returns the complete value, if there is one.
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
/// `N` is the maximum number of fields. A value above 64 needs a higher
/// [`Limits::fields`](crate::limits::Limits::fields) too. The memory is not initialised, so a new
/// value for each attempt costs almost nothing.
///
/// `V` visits the fields; use [`message::HeaderSlots`](crate::message::HeaderSlots) for BITS messages.
pub struct HeaderSlots<'b, V, const N: usize = 64> {
    fields: [RawSlot<'b>; N],
    visitor: MaybeUninit<V>,
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
        Self { fields: [const { MaybeUninit::uninit() }; N], visitor: MaybeUninit::uninit() }
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1. HTTP/2 and HTTP/3 front ends use it too, as fields mean the same there.
    Http11,
}

impl Version {
    fn from_minor(minor: Option<u8>) -> Self {
        if minor == Some(0) { Self::Http10 } else { Self::Http11 }
    }
}

/// Iterator over the fields of a head as (name, value) pairs, in order.
///
/// Names are as sent. Values are without surrounding white space.
#[derive(Clone)]
pub struct FieldLines<'h, 'b>(core::slice::Iter<'h, httparse::Header<'b>>);

impl<'b> Iterator for FieldLines<'_, 'b> {
    type Item = (&'b str, &'b [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|header| (header.name, header.value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for FieldLines<'_, '_> {}

impl fmt::Debug for FieldLines<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.clone() {
            map.entry(&name, &format_args!("\"{}\"", value.escape_ascii()));
        }
        map.finish()
    }
}
