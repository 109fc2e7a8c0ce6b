//! The ranges of one request.

use bits_proto::download::{ByteRange, choose_ranges};
use proptest::prelude::*;

/// The offsets of all bytes in a list of ranges.
fn offsets(ranges: impl IntoIterator<Item = ByteRange>) -> Vec<u64> {
    ranges.into_iter().flat_map(|range| range.first()..=range.last()).collect()
}

proptest! {
    #[test]
    fn chosen_ranges_are_the_next_bytes_of_all_ranges(
        ranges in prop::collection::vec((0..1000_u64, 1..40_u64), 0..8),
        offset in 0..200_u64,
        length in 0..200_u64,
    ) {
        let ranges: Vec<_> =
            ranges.into_iter().filter_map(|(first, length)| ByteRange::at(first, length)).collect();
        let expected: Vec<_> = offsets(ranges.iter().copied())
            .into_iter()
            .skip(offset as usize)
            .take(length as usize)
            .collect();
        let chosen = choose_ranges(&ranges, offset, length, false);
        prop_assert_eq!(chosen.bytes(), expected.len() as u64);
        prop_assert_eq!(offsets(chosen.clone()), expected.clone());
        prop_assert!(chosen.clone().count() <= ranges.len());

        let first: Vec<_> = chosen.take(1).collect();
        let single = choose_ranges(&ranges, offset, length, true);
        prop_assert_eq!(single.bytes(), first.iter().map(ByteRange::len).sum::<u64>());
        prop_assert_eq!(single.collect::<Vec<_>>(), first);
    }
}

#[test]
fn offsets_and_lengths_of_any_size_choose_no_byte_twice() {
    let whole = [ByteRange::whole(u64::MAX).unwrap(), ByteRange::whole(u64::MAX).unwrap()];
    let chosen = choose_ranges(&whole, u64::MAX - 1, u64::MAX, false);
    let expected = [ByteRange::at(u64::MAX - 1, 1), ByteRange::at(0, u64::MAX - 1)];
    assert_eq!(chosen.map(Some).collect::<Vec<_>>(), expected);
    assert_eq!(choose_ranges(&whole, u64::MAX, 0, false).next(), None);
}

#[test]
fn the_examples_of_the_specification_give_their_ranges() {
    let range = |offset, length| ByteRange::at(offset, length).unwrap();
    let ranges = [range(100, 100), range(1000, 100), range(200, 100)];
    let chosen = |offset, length, single| choose_ranges(&ranges, offset, length, single).collect();
    let several: Vec<_> = chosen(25, 200, false);
    assert_eq!(several, [range(125, 75), range(1000, 100), range(200, 25)]);
    let single: Vec<_> = chosen(25, 200, true);
    assert_eq!(single, [range(125, 75)]);
    let last: Vec<_> = chosen(200, 1000, false);
    assert_eq!(last, [range(200, 100)]);
}
