//! HTTP/1.1 heads: bytes to start line and fields. Of BITS this floor knows the names of the fields,
//! which it looks up in its one pass over them, and nothing else.
//!
//! A head is read with httparse into [`HeaderSlots`] that the caller keeps on its stack; nothing is
//! copied and nothing is allocated. On top of httparse's grammar a head is refused when two
//! readers could disagree about where it, or its body, ends:
//!
//! * lines that end in a bare LF, folded lines, white space before a colon;
//! * Transfer-Encoding;
//! * a Content-Length that is not `1*DIGIT`, does not fit a `u64`, or contradicts another one.
//!
//! Reading a head again with more bytes gives the same answer as reading it whole: every shorter
//! input is [`Progress::Partial`] or the same error. [`HeadScanner`] says when it is worth it.
//!
//! Callers whose HTTP stack has read the head already need none of this; they start at
//! [`Request::from_fields`](crate::message::Request::from_fields) with a [`RequestLine`], or at
//! [`Ack::from_fields`](crate::message::Ack::from_fields) with a [`StatusLine`]; with the feature
//! `http`, at `Request::from_http` and `Ack::from_http`.

mod framing;
#[cfg(feature = "http")]
mod http_crate;
mod index;
mod read;
mod request_target;
mod scanner;
mod start_line;
mod status_code;
mod window;

use core::fmt;
use core::mem::MaybeUninit;

pub use self::framing::Framing;
#[cfg(feature = "http")]
pub use self::http_crate::{HttpFields, HttpFieldsIter, HttpRequest, HttpResponse};
pub(crate) use self::index::{Filling, Index};
pub use self::read::{Head, RequestHead, ResponseHead};
pub use self::request_target::RequestTarget;
pub use self::scanner::HeadScanner;
pub use self::start_line::{RequestLine, StartLine, StatusLine};
pub use self::status_code::StatusCode;

/// What reading a growing input has come to. Incomplete is a value, never an error.
///
/// # Example
///
/// ```
/// use bits_proto::http1::{Progress, RequestHead, HeaderSlots};
///
/// let mut slots = HeaderSlots::new();
/// let progress = RequestHead::parse(b"BITS_POST /entity HTTP/1.1\r\nHos", &mut slots)?;
/// assert!(matches!(progress, Progress::Partial));
/// # Ok::<(), bits_proto::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Progress<T> {
    /// The whole of it is there.
    Complete(T),
    /// More bytes are needed.
    Partial,
}

impl<T> Progress<T> {
    /// The complete value, if it is there.
    #[must_use]
    pub fn complete(self) -> Option<T> {
        match self {
            Self::Complete(value) => Some(value),
            Self::Partial => None,
        }
    }
}

/// Room for the fields of one head, on the caller's stack and hardly initialised.
///
/// `N` is the most fields a head may have; see also
/// [`Limits::fields`](crate::limits::Limits::fields), which for more than 64 has to be raised too.
/// Making one costs next to nothing, so a reader makes a new one for each attempt.
pub struct HeaderSlots<'b, const N: usize = 64> {
    fields: [Slot<'b>; N],
    index: MaybeUninit<Index<'b>>,
}

type Slot<'b> = MaybeUninit<httparse::Header<'b>>;

impl HeaderSlots<'_> {
    /// Room for 64 fields.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_capacity()
    }
}

impl<const N: usize> HeaderSlots<'_, N> {
    /// Room for `N` fields.
    #[must_use]
    pub const fn with_capacity() -> Self {
        Self { fields: [const { MaybeUninit::uninit() }; N], index: MaybeUninit::uninit() }
    }
}

impl Default for HeaderSlots<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> fmt::Debug for HeaderSlots<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderSlots").field("room", &N).finish()
    }
}

/// `OWS = *( SP / HTAB )`: what may stand around a value, and is no part of it.
pub(crate) fn trim_white_space(value: &[u8]) -> &[u8] {
    let mut value = value;
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// The version of HTTP a message speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1, and what stands for it in later versions' front ends.
    Http11,
}

impl Version {
    fn from_minor(minor: Option<u8>) -> Self {
        if minor == Some(0) { Self::Http10 } else { Self::Http11 }
    }
}

/// The fields of a head in their order: an iterator of (name, value) pairs.
///
/// Names are as they were sent; values are without the white space around them.
#[derive(Clone)]
pub struct Fields<'h, 'b>(core::slice::Iter<'h, httparse::Header<'b>>);

impl<'b> Iterator for Fields<'_, 'b> {
    type Item = (&'b str, &'b [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|header| (header.name, header.value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Fields<'_, '_> {}

impl fmt::Debug for Fields<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.clone() {
            map.entry(&name, &format_args!("\"{}\"", value.escape_ascii()));
        }
        map.finish()
    }
}
