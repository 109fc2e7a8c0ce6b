//! Copies within a slice.

use core::ops::Range;

/// Copies the bytes of a range to another place in the slice. Copies nothing if either is out of bounds.
#[inline]
pub(crate) fn copy_within(bytes: &mut [u8], from: Range<usize>, to: usize) {
    let Some(length) = from.end.checked_sub(from.start) else { return };
    // Tests that the optimizer recognizes, so that no panic is left.
    let room = bytes.len().checked_sub(length);
    if from.end <= bytes.len() && room.is_some_and(|last| to <= last) {
        bytes.copy_within(from, to);
    }
}
