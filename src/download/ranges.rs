//! The ranges of one request.

use core::iter::FusedIterator;

use super::ByteRange;

/// [3.6.5.2.4.3] Choosing Ranges: returns the ranges of the next request.
///
/// `ranges` are the ranges of the application, in its order. They count as one sequence of bytes:
/// `offset` is the number of bytes that were downloaded, and at most `length` bytes follow. With
/// `single_range`, only the first range is returned.
///
/// # Example
///
/// The examples of the specification:
///
/// ```
/// use bits_proto::download::{ByteRange, choose_ranges};
///
/// let ranges = [ByteRange::new(100, 199)?, ByteRange::new(1000, 1099)?, ByteRange::new(200, 299)?];
///
/// let chosen = choose_ranges(&ranges, 25, 200, false);
/// assert_eq!(chosen.bytes(), 200);
/// assert!(chosen.eq([
///     ByteRange::at(125, 75).unwrap(),
///     ByteRange::at(1000, 100).unwrap(),
///     ByteRange::at(200, 25).unwrap(),
/// ]));
///
/// let single = choose_ranges(&ranges, 25, 200, true);
/// assert_eq!(single.bytes(), 75);
/// assert!(single.eq([ByteRange::at(125, 75).unwrap()]));
///
/// let rest = choose_ranges(&ranges, 200, 1000, false);
/// assert_eq!(rest.bytes(), 100);
/// assert!(rest.eq([ByteRange::at(200, 100).unwrap()]));
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 3.6.5.2.4.3.
#[must_use]
pub fn choose_ranges(
    ranges: &[ByteRange],
    offset: u64,
    length: u64,
    single_range: bool,
) -> ChosenRanges<'_> {
    let mut chosen = ChosenRanges { ranges: ranges.iter(), skip: offset, take: length };
    if single_range {
        chosen.take = chosen.clone().next().map_or(0, |range| range.len());
    }
    chosen
}

/// Iterator over the ranges of one request; see [`choose_ranges`].
#[derive(Clone, Debug)]
pub struct ChosenRanges<'r> {
    ranges: core::slice::Iter<'r, ByteRange>,
    /// The number of bytes to skip.
    skip: u64,
    /// The number of bytes that follow.
    take: u64,
}

impl ChosenRanges<'_> {
    /// Returns the number of bytes in the ranges that are left.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        // Never saturates: the sum is at most `take`.
        self.clone().fold(0, |sum, range| sum.saturating_add(range.len()))
    }
}

impl Iterator for ChosenRanges<'_> {
    type Item = ByteRange;

    fn next(&mut self) -> Option<ByteRange> {
        if self.take == 0 {
            return None;
        }
        loop {
            let range = self.ranges.next()?;
            let Some(available) = range.len().checked_sub(self.skip).filter(|it| *it > 0) else {
                self.skip = self.skip.saturating_sub(range.len());
                continue;
            };
            let first = range.first().saturating_add(self.skip);
            let length = available.min(self.take);
            self.skip = 0;
            self.take = self.take.saturating_sub(length);
            return ByteRange::at(first, length);
        }
    }
}

impl FusedIterator for ChosenRanges<'_> {}
