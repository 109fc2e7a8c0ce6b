//! Last-Modified, and the conditions that compare with it.

use super::{EntityTag, FieldName, value_type};
use crate::error::{ErrorKind, ValueError};
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
/// [`ErrorKind::Empty`], [`ErrorKind::InvalidByte`].
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

/// If-Range: the condition for a response with ranges. If it fails, the response is the whole
/// entity.
///
/// ```text
/// If-Range = ETag / HTTP-date
/// ```
///
/// # Errors
///
/// [`ErrorKind::NotEntityTag`], [`ErrorKind::NotHttpDate`]. A server treats an invalid value as a
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
            _ => date(value).map(Self::Date),
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

fn date(value: &[u8]) -> Result<HttpDate, ValueError> {
    HttpDate::try_from(value).map_err(|_| ValueError::new(ErrorKind::NotHttpDate, 0))
}

/// If-Modified-Since: the request is executed only if the entity changed after this date.
///
/// ```text
/// If-Modified-Since = HTTP-date
/// ```
///
/// # Errors
///
/// [`ErrorKind::NotHttpDate`]. A server ignores an invalid value.
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
        date(value).map(Self)
    }
}

value_type!(@owned IfModifiedSince: FieldName::IfModifiedSince);

impl Wire for IfModifiedSince {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        self.0.put_into(sink)
    }
}

wire_display!(IfModifiedSince);

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
/// [`ErrorKind::NotHttpDate`]. A server ignores an invalid value.
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
        date(value).map(Self)
    }
}

value_type!(@owned IfUnmodifiedSince: FieldName::IfUnmodifiedSince);

impl Wire for IfUnmodifiedSince {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        self.0.put_into(sink)
    }
}

wire_display!(IfUnmodifiedSince);
