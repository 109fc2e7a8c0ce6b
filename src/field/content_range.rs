//! Content-Range.

use super::{Decode, FieldName, ReceivedContentRange, try_from_wire};
use crate::deviation::{Deviation, Deviations};
use crate::error::{Error, ErrorKind, ValueError};
use crate::util::ascii_case::eq_ignore_case;
use crate::util::digits::{short_decimal, split_decimal};
use crate::util::sink::{Sink, Wire, wire_display};

/// [2.2.6.1] Content-Range: the bytes of the entity in a Fragment.
///
/// Offsets are in bytes and start at zero. `last` is inclusive, so a range contains at least one
/// byte, and there is no range of an empty entity: `first <= last < total` always holds.
///
/// The unit is compared case-insensitively and written as `bytes`. White space after it other than
/// one space is the deviation [`RangeWhiteSpace`](Deviation::RangeWhiteSpace). White space
/// elsewhere is an error, as are `*` for the range or the total, signs, and lists of ranges.
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

/// The position of a fragment relative to the next offset that the server expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overlap {
    /// The fragment starts beyond the expected offset: bytes between them are missing.
    Gap,
    /// The fragment contains `take` new bytes, after `skip` bytes that were received before.
    New {
        /// The number of bytes at the start that were received before, or 0.
        skip: u64,
        /// The number of new bytes after them; at least 1.
        take: u64,
    },
    /// All bytes of the fragment were received before.
    Held,
}

impl ContentRange {
    /// Creates the range from `first` to `last`, both inclusive, of an entity of `total` bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FirstBeyondLast`], [`ErrorKind::LastBeyondTotal`].
    #[inline]
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

    /// Returns the offset of the first byte.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// Returns the offset of the last byte (inclusive).
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// Returns the length of the whole entity in bytes.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Returns the number of bytes in the range; at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a range is never empty")]
    #[must_use]
    pub const fn len(&self) -> u64 {
        // Neither step saturates, because `first <= last < total`.
        self.end().saturating_sub(self.first)
    }

    /// Returns the offset after the last byte: the one that the server expects after this range.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.last.saturating_add(1)
    }

    /// Returns true if the range reaches the end of the entity.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.end() == self.total
    }

    /// Compares the range with `next`, the offset that the server expects.
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

    /// Returns the value of BITS-Received-Content-Range after everything up to the end of this
    /// range was received.
    #[must_use]
    pub const fn received(&self) -> ReceivedContentRange {
        ReceivedContentRange(self.end())
    }
}

impl Decode<'_> for ContentRange {
    const NAME: FieldName = FieldName::ContentRange;

    #[inline]
    fn decode(value: &[u8], deviations: &mut Deviations) -> Result<Self, ValueError> {
        match usual(value) {
            Some(range) => Ok(range),
            None => any(value, deviations),
        }
    }
}

/// Parses a valid range with short numbers and without deviations. `None` for all others.
#[inline(always)]
fn usual(value: &[u8]) -> Option<ContentRange> {
    let (first, rest) = short_decimal(value.strip_prefix(b"bytes ")?)?;
    let (last, rest) = short_decimal(rest.strip_prefix(b"-")?)?;
    let (total, rest) = short_decimal(rest.strip_prefix(b"/")?)?;
    ContentRange::checked(first, last, total).ok().filter(|_| rest.is_empty())
}

/// Parses any range.
#[cold]
fn any(value: &[u8], deviations: &mut Deviations) -> Result<ContentRange, ValueError> {
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
        split_decimal(text).map_err(|error: ValueError| ValueError::new(error.kind, offset(text)))
    };
    let (first, rest) = number(numbers)?;
    let rest = rest.strip_prefix(b"-").ok_or(not_a_range(rest))?;
    let (last, rest) = number(rest)?;
    let rest = rest.strip_prefix(b"/").ok_or(not_a_range(rest))?;
    let (total, rest) = number(rest)?;
    if !rest.is_empty() {
        return Err(not_a_range(rest));
    }
    ContentRange::checked(first, last, total).map_err(|kind| ValueError::new(kind, offset(numbers)))
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
