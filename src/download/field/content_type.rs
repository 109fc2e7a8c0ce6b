//! Content-Type.

use super::{FieldName, value_type};
use crate::error::ValueError;
use crate::field::check_present;
use crate::util::sink::{Sink, Wire, wire_display};

/// Content-Type: the media type of an entity. Its parts are not interpreted.
///
/// ```text
/// Content-Type = 1*( HTAB / SP / VCHAR / obs-text )
/// ```
///
/// # Errors
///
/// [`ErrorKind::Empty`](crate::error::ErrorKind::Empty),
/// [`ErrorKind::InvalidByte`](crate::error::ErrorKind::InvalidByte).
///
/// # Example
///
/// ```
/// use bits_proto::download::field::ContentType;
///
/// assert_eq!(ContentType::try_from("text/plain")?.as_bytes(), b"text/plain");
/// assert!(ContentType::try_from("text/plain\r\nX: 1").is_err());
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9110 section 8.3.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentType<'b>(&'b [u8]);

impl<'b> ContentType<'b> {
    /// Returns the value as it was received.
    #[must_use]
    pub const fn as_bytes(&self) -> &'b [u8] {
        self.0
    }

    pub(super) fn decode(value: &'b [u8]) -> Result<Self, ValueError> {
        check_present(value).map(|()| Self(value))
    }
}

value_type!(ContentType<'b>: FieldName::ContentType);

impl Wire for ContentType<'_> {
    #[inline(always)]
    fn put_into<S: Sink>(&self, sink: S) -> S {
        sink.put(self.0)
    }
}

wire_display!(ContentType<'_>);
