//! If-Range.

use super::{EntityTag, FieldName, value_type};
use crate::error::ValueError;
use crate::field::HttpDate;
use crate::util::sink::{Sink, Wire, wire_display};

/// If-Range: the condition for a response with ranges. If it fails, the response is the whole
/// entity.
///
/// ```text
/// If-Range = ETag / HTTP-date
/// ```
///
/// # Errors
///
/// [`ErrorKind::NotEntityTag`](crate::error::ErrorKind::NotEntityTag),
/// [`ErrorKind::NotHttpDate`](crate::error::ErrorKind::NotHttpDate). A server treats an invalid value as a
/// condition that fails.
///
/// # Example
///
/// ```
/// use bits_proto::download::field::{EntityTag, IfRange};
///
/// let tag = EntityTag::try_from("\"a\"")?;
/// assert!(IfRange::try_from("\"a\"")?.matches(Some(&tag), None));
/// assert!(!IfRange::try_from("W/\"a\"")?.matches(Some(&tag), None));
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9110 section 13.1.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IfRange<'b> {
    /// The entity must have this strong tag.
    Tag(EntityTag<'b>),
    /// The entity must have been modified last at exactly this date.
    Date(HttpDate),
}

impl<'b> IfRange<'b> {
    /// Returns true if an entity with this tag and date satisfies the condition.
    #[must_use]
    pub fn matches(&self, tag: Option<&EntityTag<'_>>, modified: Option<HttpDate>) -> bool {
        match self {
            Self::Tag(listed) => tag.is_some_and(|tag| listed.matches_strongly(tag)),
            Self::Date(date) => modified == Some(*date),
        }
    }

    pub(super) fn decode(value: &'b [u8]) -> Result<Self, ValueError> {
        match value {
            [b'"', ..] | [b'W', b'/', ..] => EntityTag::decode(value).map(Self::Tag),
            _ => HttpDate::decode_alone(value).map(Self::Date),
        }
    }
}

value_type!(@conversions IfRange<'b>: FieldName::IfRange);

impl Wire for IfRange<'_> {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        match self {
            Self::Tag(tag) => tag.put_into(sink),
            Self::Date(date) => date.put_into(sink),
        }
    }
}

wire_display!(IfRange<'_>);
