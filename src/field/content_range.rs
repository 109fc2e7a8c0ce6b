//! Content-Range.

use super::{Decode, FieldName, ReceivedContentRange, try_from_wire};
use crate::deviation::{Deviation, Deviations};
use crate::error::{Error, ErrorKind, ValueError};
use crate::util::ascii_case::eq_ignore_case;
use crate::util::digits::split_decimal;
use crate::util::sink::{Sink, Wire, wire_display};

/// [2.2.6.1] Content-Range: which bytes of the entity a Fragment holds.
///
/// Offsets are in bytes, from zero, and `last` is inclusive, so a range holds at least one byte;
/// no range can be written for an empty entity. `first <= last < total` always holds.
///
/// The unit is read in any letter case and written `bytes`. More white space than the one space
/// after it is the deviation [`RangeWhiteSpace`](Deviation::RangeWhiteSpace); white space
/// anywhere else is an error, as are `*` for the range or the total, signs, and lists of ranges.
///
/// ```text
/// content-range = "bytes" SP first "-" last "/" total
/// first         = 1*DIGIT
/// last          = 1*DIGIT
/// total         = 1*DIGIT
/// ```
///
/// # Errors
///
/// [`ErrorKind::NotByteRange`], [`ErrorKind::NotDecimal`], [`ErrorKind::NumberTooLarge`],
/// [`ErrorKind::FirstBeyondLast`], [`ErrorKind::LastBeyondTotal`].
///
/// # Example
///
/// ```
/// use bits_proto::field::ContentRange;
///
/// let range = ContentRange::try_from("bytes 128-212/213")?;
/// assert_eq!((range.first(), range.last(), range.total()), (128, 212, 213));
/// assert_eq!(range.len(), 85);
/// assert!(range.is_last());
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.6.1; RFC 2616 section 14.16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentRange {
    first: u64,
    last: u64,
    total: u64,
}

/// How a fragment lies to the offset the server expects next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overlap {
    /// It begins beyond the expected offset: bytes between are missing.
    Gap,
    /// It holds `take` new bytes, after `skip` bytes that are held already.
    New {
        /// How many bytes at its start are held already; 0 where it fits exactly.
        skip: u64,
        /// How many bytes follow them; at least 1.
        take: u64,
    },
    /// All its bytes are held already.
    Held,
}

impl ContentRange {
    /// The bytes from `first` to `last`, both inclusive, of an entity of `total` bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FirstBeyondLast`], [`ErrorKind::LastBeyondTotal`].
    pub const fn new(first: u64, last: u64, total: u64) -> Result<Self, Error> {
        match Self::checked(first, last, total) {
            Ok(range) => Ok(range),
            Err(kind) => Err(FieldName::ContentRange.caller_error(ValueError::new(kind, 0))),
        }
    }

    const fn checked(first: u64, last: u64, total: u64) -> Result<Self, ErrorKind> {
        if first > last {
            return Err(ErrorKind::FirstBeyondLast);
        }
        if last >= total {
            return Err(ErrorKind::LastBeyondTotal);
        }
        Ok(Self { first, last, total })
    }

    /// The offset of the first byte.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// The offset of the last byte, inclusive.
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// The length of the whole entity.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// How many bytes the range holds; at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a range is never empty")]
    #[must_use]
    pub const fn len(&self) -> u64 {
        // `first <= last < total`, so neither step can leave the range of a u64.
        self.end().saturating_sub(self.first)
    }

    /// The offset behind the last byte: what the server expects next when it holds this range.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.last.saturating_add(1)
    }

    /// Whether the range reaches the end of the entity.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.end() == self.total
    }

    /// How the range lies to `next`, the offset the server expects.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::field::{ContentRange, Overlap};
    ///
    /// let range = ContentRange::new(50, 150, 1000)?;
    /// assert_eq!(range.overlap(101), Overlap::New { skip: 51, take: 50 });
    /// assert_eq!(range.overlap(151), Overlap::Held);
    /// assert_eq!(range.overlap(49), Overlap::Gap);
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    #[must_use]
    pub const fn overlap(&self, next: u64) -> Overlap {
        if self.first > next {
            Overlap::Gap
        } else if self.last < next {
            Overlap::Held
        } else {
            let skip = next.saturating_sub(self.first);
            Overlap::New { skip, take: self.len().saturating_sub(skip) }
        }
    }

    /// The offset the server answers when it holds everything up to the end of this range.
    #[must_use]
    pub const fn received(&self) -> ReceivedContentRange {
        ReceivedContentRange(self.end())
    }
}

impl Decode<'_> for ContentRange {
    const NAME: FieldName = FieldName::ContentRange;

    #[inline]
    fn decode(value: &[u8], deviations: &mut Deviations) -> Result<Self, ValueError> {
        let offset = |rest: &[u8]| value.len().saturating_sub(rest.len());
        let not_a_range = |rest: &[u8]| ValueError::new(ErrorKind::NotByteRange, offset(rest));
        let (unit, rest) = value.split_at_checked(5).ok_or(not_a_range(value))?;
        if !eq_ignore_case!(unit, b"bytes") {
            return Err(not_a_range(value));
        }
        let mut numbers = rest;
        while let [b' ' | b'\t', tail @ ..] = numbers {
            numbers = tail;
        }
        match rest.len().saturating_sub(numbers.len()) {
            0 => return Err(not_a_range(rest)),
            1 if rest.first() == Some(&b' ') => {}
            _ => deviations.insert(Deviation::RangeWhiteSpace),
        }
        let number = |text| {
            split_decimal(text).map_err(|flaw: ValueError| ValueError::new(flaw.kind, offset(text)))
        };
        let (first, rest) = number(numbers)?;
        let rest = rest.strip_prefix(b"-").ok_or(not_a_range(rest))?;
        let (last, rest) = number(rest)?;
        let rest = rest.strip_prefix(b"/").ok_or(not_a_range(rest))?;
        let (total, rest) = number(rest)?;
        if !rest.is_empty() {
            return Err(not_a_range(rest));
        }
        Self::checked(first, last, total).map_err(|kind| ValueError::new(kind, offset(numbers)))
    }
}

try_from_wire!(ContentRange);

impl Wire for ContentRange {
    #[inline]
    fn put_into<S: Sink>(&self, sink: S) -> S {
        let sink = sink.put(b"bytes ").put_decimal(self.first);
        sink.put(b"-").put_decimal(self.last).put(b"/").put_decimal(self.total)
    }
}

wire_display!(ContentRange);
