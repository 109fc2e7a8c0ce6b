//! Ranges of bytes.

use bits_proto::download::ByteRange;
use bits_proto::error::ErrorKind;

const MAX: u64 = u64::MAX;

#[test]
fn a_byte_range_has_at_least_one_byte_and_an_end() {
    let range = ByteRange::new(0, MAX - 1).unwrap();
    assert_eq!((range.len(), range.end()), (MAX, MAX));
    assert!(range.is_whole(MAX) && !range.is_whole(MAX - 1));
    assert_eq!(ByteRange::new(0, MAX).unwrap_err().kind(), ErrorKind::NumberTooLarge);
    assert_eq!(ByteRange::new(1, 0).unwrap_err().kind(), ErrorKind::FirstBeyondLast);
    assert_eq!(ByteRange::at(5, 0), None);
    assert_eq!(ByteRange::at(MAX, 1), None);
    assert_eq!(ByteRange::at(MAX - 1, 1), Some(ByteRange::new(MAX - 1, MAX - 1).unwrap()));
    assert_eq!((ByteRange::whole(0), ByteRange::whole(5)), (None, ByteRange::at(0, 5)));
}
