//! A range of bytes of an entity.

use core::fmt;

use crate::error::{Error, ErrorKind};

/// A range of bytes of an entity, from `first` to `last`. Both are inclusive, so a range contains at
/// least one byte: `first <= last` always holds, and the offset after the last byte fits a `u64`.
///
/// # Example
///
/// ```
/// use bits_proto::download::ByteRange;
///
/// let range = ByteRange::new(125, 199)?;
/// assert_eq!((range.len(), range.end()), (75, 200));
/// assert_eq!(ByteRange::at(125, 75), Some(range));
/// assert_eq!(range.to_string(), "125-199");
/// assert!(ByteRange::new(200, 199).is_err());
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9110 section 14.1.2.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "StoredByteRange", into = "StoredByteRange")
)]
pub struct ByteRange {
    first: u64,
    last: u64,
}

impl ByteRange {
    /// Creates the range from `first` to `last`, both inclusive.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FirstBeyondLast`]; [`ErrorKind::NumberTooLarge`] if `last` is `u64::MAX`: the
    /// length of such an entity does not fit a `u64`.
    pub const fn new(first: u64, last: u64) -> Result<Self, Error> {
        match Self::checked(first, last) {
            Ok(range) => Ok(range),
            Err(kind) => Err(Error::caller(kind)),
        }
    }

    pub(super) const fn checked(first: u64, last: u64) -> Result<Self, ErrorKind> {
        if last == u64::MAX {
            return Err(ErrorKind::NumberTooLarge);
        }
        if first > last {
            return Err(ErrorKind::FirstBeyondLast);
        }
        Ok(Self { first, last })
    }

    /// Creates the range of `length` bytes from `offset`. `None` if it is empty or exceeds a `u64`.
    #[must_use]
    pub const fn at(offset: u64, length: u64) -> Option<Self> {
        match offset.checked_add(length) {
            Some(end) if length > 0 => Some(Self { first: offset, last: end.saturating_sub(1) }),
            _ => None,
        }
    }

    /// Creates the range of a whole entity. `None` if the entity is empty.
    #[must_use]
    pub const fn whole(length: u64) -> Option<Self> {
        Self::at(0, length)
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

    /// Returns the offset after the last byte.
    #[must_use]
    pub const fn end(&self) -> u64 {
        // Never saturates, because `last` is less than `u64::MAX`.
        self.last.saturating_add(1)
    }

    /// Returns the number of bytes; at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a range is never empty")]
    #[must_use]
    pub const fn len(&self) -> u64 {
        // Never saturates, because `first <= last`.
        self.end().saturating_sub(self.first)
    }

    /// Returns true if the range is the whole of an entity with this length.
    #[must_use]
    pub const fn is_whole(&self, length: u64) -> bool {
        self.first == 0 && self.end() == length
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl fmt::Debug for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ByteRange({self})")
    }
}

/// A range as it is stored.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredByteRange {
    first: u64,
    last: u64,
}

#[cfg(feature = "serde")]
impl From<ByteRange> for StoredByteRange {
    fn from(ByteRange { first, last }: ByteRange) -> Self {
        Self { first, last }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<StoredByteRange> for ByteRange {
    type Error = Error;

    fn try_from(StoredByteRange { first, last }: StoredByteRange) -> Result<Self, Error> {
        Self::new(first, last)
    }
}
