//! If-Unmodified-Since.

use super::{FieldName, value_type};
use crate::error::ValueError;
use crate::field::HttpDate;
use crate::util::sink::{Sink, Wire, wire_display};

/// If-Unmodified-Since: the request is executed only if the entity did not change after this date.
///
/// Windows sends it with every range, so that it never mixes the ranges of two versions.
///
/// ```text
/// If-Unmodified-Since = HTTP-date
/// ```
///
/// # Errors
///
/// [`ErrorKind::NotHttpDate`](crate::error::ErrorKind::NotHttpDate). A server ignores
/// an invalid value.
///
/// # Example
///
/// ```
/// use bits_proto::download::field::IfUnmodifiedSince;
///
/// let condition = IfUnmodifiedSince::try_from("Sun, 06 Nov 1994 08:49:37 GMT")?;
/// assert!(condition.matches(condition.0));
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9110 section 13.1.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IfUnmodifiedSince(pub HttpDate);

impl IfUnmodifiedSince {
    /// Returns true if an entity that was modified last at this date satisfies the condition.
    #[must_use]
    pub fn matches(&self, modified: HttpDate) -> bool {
        modified <= self.0
    }

    pub(super) fn decode(value: &[u8]) -> Result<Self, ValueError> {
        HttpDate::decode_alone(value).map(Self)
    }
}

value_type!(@owned IfUnmodifiedSince: FieldName::IfUnmodifiedSince);

impl Wire for IfUnmodifiedSince {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        self.0.put_into(sink)
    }
}

wire_display!(IfUnmodifiedSince);
