//! Range.

use core::iter::FusedIterator;

use super::{FieldName, value_type};
use crate::download::ByteRange;
use crate::error::{ErrorKind, ValueError};
use crate::util::ascii_case::eq_ignore_case;
use crate::util::digits::split_long_decimal;
use crate::util::list::{end_item, skip_separators};

/// Range in a request: the ranges of the entity that the client requests, in its order.
///
/// The value is valid as a whole or rejected: an invalid value does not give some of its ranges. Any
/// number of ranges is accepted, and they may overlap. Empty items of the list are ignored. The unit
/// is compared case-insensitively.
///
/// Offsets that do not fit a `u64` are valid and lie beyond the end of any entity.
///
/// ```text
/// Range  = "bytes=" range *( OWS "," OWS range )
/// range  = first "-" [ last ] / "-" length
/// first  = 1*DIGIT
/// last   = 1*DIGIT
/// length = 1*DIGIT
/// ```
///
/// # Errors
///
/// [`ErrorKind::NotRangeList`], [`ErrorKind::FirstBeyondLast`]. A server ignores an invalid Range and
/// sends the whole entity.
///
/// # Example
///
/// ```
/// use bits_proto::download::ByteRange;
/// use bits_proto::download::field::{Range, RangeItem};
///
/// let range = Range::try_from("bytes=125-199, 1000-, -50")?;
/// let items: Vec<_> = range.iter().collect();
/// assert_eq!(items[0], RangeItem::Closed { first: 125, last: 199 });
/// assert_eq!(items[1], RangeItem::From { first: 1000 });
/// assert_eq!(items[2], RangeItem::Suffix { length: 50 });
/// assert_eq!(items[2].resolve(1050), Some(ByteRange::new(1000, 1049)?));
/// assert!(Range::try_from("bytes=5-4").is_err());
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9110 sections 14.1.2 and 14.2; \[MC-BUP\] 3.5.5.1.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Range<'b>(&'b [u8]);

/// One item of [`Range`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RangeItem {
    /// `first-last`: the bytes from `first` to `last`, both inclusive.
    Closed {
        /// The offset of the first byte.
        first: u64,
        /// The offset of the last byte; it may lie beyond the end of the entity.
        last: u64,
    },
    /// `first-`: the bytes from `first` to the end of the entity.
    From {
        /// The offset of the first byte.
        first: u64,
    },
    /// `-length`: the last `length` bytes of the entity.
    Suffix {
        /// The number of bytes; it may exceed the length of the entity.
        length: u64,
    },
}

impl RangeItem {
    /// Returns the range of an entity with this length; `None` if the entity has none of the bytes.
    #[must_use]
    pub const fn resolve(self, length: u64) -> Option<ByteRange> {
        let (first, last) = match self {
            Self::Closed { first, last } => (first, last),
            Self::From { first } => (first, u64::MAX),
            Self::Suffix { length: 0 } => return None,
            Self::Suffix { length: suffix } => (length.saturating_sub(suffix), u64::MAX),
        };
        // `checked_sub` fails if the range starts beyond the entity.
        let end = if last < length { last.saturating_add(1) } else { length };
        match end.checked_sub(first) {
            Some(count) => ByteRange::at(first, count),
            None => None,
        }
    }
}

impl<'b> Range<'b> {
    /// Returns the value as it was received.
    #[must_use]
    pub const fn as_bytes(&self) -> &'b [u8] {
        self.0
    }

    /// Returns an iterator over the ranges, in the order of the value.
    #[must_use]
    pub fn iter(&self) -> RangeItems<'b> {
        RangeItems(self.0.get(UNIT.len()..).unwrap_or_default())
    }

    pub(super) fn decode(value: &'b [u8]) -> Result<Self, ValueError> {
        Self::decode_each(value, |_| ())
    }

    /// Parses the value and calls `each` with every range, also if an error follows.
    #[inline]
    pub(in crate::download) fn decode_each(
        value: &'b [u8],
        mut each: impl FnMut(RangeItem),
    ) -> Result<Self, ValueError> {
        let (unit, mut rest) =
            value.split_at_checked(UNIT.len()).ok_or(not_a_list(value, value))?;
        if !eq_ignore_case!(unit, b"bytes=") {
            return Err(not_a_list(value, value));
        }
        let mut is_empty = true;
        while let Some(item) = next_item(rest).map_err(|error| error.in_value(value))? {
            each(item.item);
            (is_empty, rest) = (false, item.rest);
        }
        if is_empty { Err(not_a_list(value, &[])) } else { Ok(Self(value)) }
    }
}

const UNIT: &[u8; 6] = b"bytes=";

value_type!(Range<'b>: FieldName::Range);

impl<'b> IntoIterator for &Range<'b> {
    type Item = RangeItem;
    type IntoIter = RangeItems<'b>;

    fn into_iter(self) -> RangeItems<'b> {
        self.iter()
    }
}

/// Iterator over the ranges of [`Range`].
#[derive(Clone, Debug)]
pub struct RangeItems<'b>(&'b [u8]);

impl Iterator for RangeItems<'_> {
    type Item = RangeItem;

    fn next(&mut self) -> Option<RangeItem> {
        // The value was validated.
        let Item { item, rest } = next_item(self.0).ok().flatten()?;
        self.0 = rest;
        Some(item)
    }
}

impl FusedIterator for RangeItems<'_> {}

/// An item of the list, and the text after it.
struct Item<'b> {
    item: RangeItem,
    rest: &'b [u8],
}

/// An error, and the text from the error to the end of the value.
struct ItemError<'b> {
    kind: ErrorKind,
    rest: &'b [u8],
}

impl ItemError<'_> {
    fn in_value(self, value: &[u8]) -> ValueError {
        ValueError::new(self.kind, value.len().saturating_sub(self.rest.len()))
    }
}

fn not_a_list(value: &[u8], rest: &[u8]) -> ValueError {
    ItemError { kind: ErrorKind::NotRangeList, rest }.in_value(value)
}

/// Parses the next item, after commas and white space. `None` at the end of the list.
#[inline]
fn next_item(text: &[u8]) -> Result<Option<Item<'_>>, ItemError<'_>> {
    let text = skip_separators(text);
    if text.is_empty() {
        return Ok(None);
    }
    let (item, rest) = match text.strip_prefix(b"-") {
        Some(length) => {
            let (length, rest) = number(length)?;
            (RangeItem::Suffix { length }, rest)
        }
        None => {
            let (first, rest) = number(text)?;
            let last =
                rest.strip_prefix(b"-").ok_or(ItemError { kind: ErrorKind::NotRangeList, rest })?;
            match last.first() {
                Some(b'0'..=b'9') => {
                    let (last, rest) = number(last)?;
                    if first > last {
                        return Err(ItemError { kind: ErrorKind::FirstBeyondLast, rest: text });
                    }
                    (RangeItem::Closed { first, last }, rest)
                }
                _ => (RangeItem::From { first }, last),
            }
        }
    };
    match end_item(rest) {
        Ok(rest) => Ok(Some(Item { item, rest })),
        Err(rest) => Err(ItemError { kind: ErrorKind::NotRangeList, rest }),
    }
}

/// `1*DIGIT`; a number that does not fit is `u64::MAX`.
#[inline(always)]
fn number(text: &[u8]) -> Result<(u64, &[u8]), ItemError<'_>> {
    split_long_decimal(text).or_else(|error| match error.kind {
        ErrorKind::NumberTooLarge => Ok((u64::MAX, after_digits(text))),
        _ => Err(ItemError { kind: ErrorKind::NotRangeList, rest: text }),
    })
}

#[cold]
fn after_digits(text: &[u8]) -> &[u8] {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.get(digits..).unwrap_or_default()
}
