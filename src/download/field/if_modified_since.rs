//! If-Modified-Since.

use super::{FieldName, value_type};
use crate::error::ValueError;
use crate::field::HttpDate;
use crate::util::sink::{Sink, Wire, wire_display};

/// If-Modified-Since: the request is executed only if the entity changed after this date.
///
/// ```text
/// If-Modified-Since = HTTP-date
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
/// use bits_proto::download::field::IfModifiedSince;
///
/// let condition = IfModifiedSince::try_from("Sun, 06 Nov 1994 08:49:37 GMT")?;
/// assert!(!condition.matches(condition.0));
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9110 section 13.1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IfModifiedSince(pub HttpDate);

impl IfModifiedSince {
    /// Returns true if an entity that was modified last at this date satisfies the condition.
    #[must_use]
    pub fn matches(&self, modified: HttpDate) -> bool {
        modified > self.0
    }

    pub(super) fn decode(value: &[u8]) -> Result<Self, ValueError> {
        HttpDate::decode_alone(value).map(Self)
    }
}

value_type!(@owned IfModifiedSince: FieldName::IfModifiedSince);

impl Wire for IfModifiedSince {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        self.0.put_into(sink)
    }
}

wire_display!(IfModifiedSince);
