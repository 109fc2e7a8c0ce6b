//! Last-Modified.

use super::{FieldName, value_type};
use crate::error::ValueError;
use crate::field::{HttpDate, check_present};
use crate::util::sink::{Sink, Wire, wire_display};

/// Last-Modified: the date of the last change of the entity.
///
/// A client compares and repeats the value byte for byte, because servers compare it so. The value
/// need not be a valid date for that.
///
/// ```text
/// Last-Modified = 1*( HTAB / SP / VCHAR / obs-text )
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
/// use bits_proto::download::field::LastModified;
///
/// let modified = LastModified::try_from("Sun, 06 Nov 1994 08:49:37 GMT")?;
/// assert_eq!(modified.date().map(|date| date.unix_seconds()), Some(784_111_777));
/// assert_eq!(LastModified::try_from("yesterday")?.date(), None);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9110 section 8.8.2; \[MC-BUP\] 3.6.1.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LastModified<'b>(&'b [u8]);

impl<'b> LastModified<'b> {
    /// Returns the value as it was received.
    #[must_use]
    pub const fn as_bytes(&self) -> &'b [u8] {
        self.0
    }

    /// Returns the date; `None` if the value is not a valid date.
    #[must_use]
    pub fn date(&self) -> Option<HttpDate> {
        HttpDate::try_from(self.0).ok()
    }

    fn decode(value: &'b [u8]) -> Result<Self, ValueError> {
        check_present(value).map(|()| Self(value))
    }
}

value_type!(LastModified<'b>: FieldName::LastModified);

impl Wire for LastModified<'_> {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        sink.put(self.0)
    }
}

wire_display!(LastModified<'_>);
