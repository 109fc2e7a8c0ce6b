//! Content-Range of responses.

use super::{FieldName, value_type};
use crate::download::ByteRange;
use crate::error::{Error, ErrorKind, ValueError};
use crate::util::ascii_case::eq_ignore_case;
use crate::util::digits::split_decimal;
use crate::util::sink::{Sink, Wire, wire_display};

/// Content-Range in a response: the range in the body, and the length of the entity.
///
/// A 206 response has a range, whose total length may be unknown (`*`). A 416 response has no range
/// and a total length. `last < total` always holds. The unit is compared case-insensitively and
/// written as `bytes`.
///
/// ```text
/// Content-Range = "bytes" SP ( range "/" ( total / "*" ) / "*/" total )
/// range         = first "-" last
/// first         = 1*DIGIT
/// last          = 1*DIGIT
/// total         = 1*DIGIT
/// ```
///
/// # Errors
///
/// [`ErrorKind::NotContentRange`], [`ErrorKind::NumberTooLarge`], [`ErrorKind::FirstBeyondLast`],
/// [`ErrorKind::LastBeyondTotal`].
///
/// # Example
///
/// ```
/// use bits_proto::download::ByteRange;
/// use bits_proto::download::field::ContentRange;
///
/// let part = ContentRange::try_from("bytes 125-199/1100")?;
/// assert_eq!(part.range(), Some(ByteRange::new(125, 199)?));
/// assert_eq!(part.total(), Some(1100));
/// assert_eq!(ContentRange::unsatisfied(1100).to_string(), "bytes */1100");
/// assert!(ContentRange::try_from("bytes 0-1100/1100").is_err());
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9110 section 14.4.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentRange {
    range: Option<ByteRange>,
    total: Option<u64>,
}

impl ContentRange {
    /// Creates the value for a range of an entity; `None` as the total length if it is unknown.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LastBeyondTotal`].
    pub const fn new(range: ByteRange, total: Option<u64>) -> Result<Self, Error> {
        match Self::checked(range, total) {
            Ok(content_range) => Ok(content_range),
            Err(kind) => {
                Err(Error::caller(kind).in_download_field(FieldName::ContentRange).at(Some(0)))
            }
        }
    }

    const fn checked(range: ByteRange, total: Option<u64>) -> Result<Self, ErrorKind> {
        match total {
            Some(total) if range.last() >= total => Err(ErrorKind::LastBeyondTotal),
            total => Ok(Self { range: Some(range), total }),
        }
    }

    /// Creates the value of a 416 response for an entity with this length.
    #[must_use]
    pub const fn unsatisfied(total: u64) -> Self {
        Self { range: None, total: Some(total) }
    }

    /// Returns the range in the body; `None` in a 416 response.
    #[must_use]
    pub const fn range(&self) -> Option<ByteRange> {
        self.range
    }

    /// Returns the length of the entity; `None` if the server does not know it.
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        self.total
    }

    pub(super) fn decode(value: &[u8]) -> Result<Self, ValueError> {
        let error =
            |kind, rest: &[u8]| ValueError::new(kind, value.len().saturating_sub(rest.len()));
        let invalid = |rest: &[u8]| error(ErrorKind::NotContentRange, rest);
        let number = |text| {
            split_decimal(text).map_err(|it| match it.kind {
                ErrorKind::NumberTooLarge => error(it.kind, text),
                _ => invalid(text),
            })
        };
        let end = |rest: &[u8]| if rest.is_empty() { Ok(()) } else { Err(invalid(rest)) };
        let (unit, numbers) = value.split_at_checked(UNIT.len()).ok_or(invalid(value))?;
        if !eq_ignore_case!(unit, b"bytes ") {
            return Err(invalid(value));
        }
        if let Some(total) = numbers.strip_prefix(b"*/") {
            let (total, rest) = number(total)?;
            return end(rest).map(|()| Self::unsatisfied(total));
        }
        let (first, rest) = number(numbers)?;
        let (last, rest) = number(rest.strip_prefix(b"-").ok_or(invalid(rest))?)?;
        let total = rest.strip_prefix(b"/").ok_or(invalid(rest))?;
        let (total, rest) = match total.strip_prefix(b"*") {
            Some(rest) => (None, rest),
            None => number(total).map(|(total, rest)| (Some(total), rest))?,
        };
        end(rest)?;
        ByteRange::checked(first, last)
            .and_then(|range| Self::checked(range, total))
            .map_err(|kind| error(kind, numbers))
    }
}

const UNIT: &[u8; 6] = b"bytes ";

value_type!(@owned ContentRange: FieldName::ContentRange);

impl Wire for ContentRange {
    #[inline(always)]
    fn put_into<S: Sink>(&self, sink: S) -> S {
        let sink = sink.put(UNIT);
        let sink = match self.range {
            Some(range) => sink.put_decimal(range.first()).put(b"-").put_decimal(range.last()),
            None => sink.put(b"*"),
        };
        let sink = sink.put(b"/");
        match self.total {
            Some(total) => sink.put_decimal(total),
            None => sink.put(b"*"),
        }
    }
}

wire_display!(ContentRange);

impl core::fmt::Debug for ContentRange {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "ContentRange({self})")
    }
}
