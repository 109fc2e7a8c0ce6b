//! Content-Range.

use bits_proto::download::ByteRange;
use bits_proto::download::field::{ContentRange, FieldName};
use bits_proto::error::ErrorKind;

use super::check_refused;

#[test]
fn a_content_range_of_a_response_is_read_and_written() {
    for (text, range, total, written) in [
        ("bytes 0-0/1", Some((0, 0)), Some(1), "bytes 0-0/1"),
        ("Bytes 125-199/1100", Some((125, 199)), Some(1100), "bytes 125-199/1100"),
        ("bytes 0-4/*", Some((0, 4)), None, "bytes 0-4/*"),
        ("bytes */1100", None, Some(1100), "bytes */1100"),
        ("bytes */0", None, Some(0), "bytes */0"),
        ("bytes 007-0009/0010", Some((7, 9)), Some(10), "bytes 7-9/10"),
    ] {
        let value: ContentRange = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let range = range.map(|(first, last)| ByteRange::new(first, last).unwrap());
        assert_eq!((value.range(), value.total()), (range, total), "{text}");
        assert_eq!(value.to_string(), written);
        assert_eq!(ContentRange::try_from(written), Ok(value));
    }
}

#[test]
fn an_invalid_content_range_of_a_response_is_rejected() {
    use ErrorKind::{FirstBeyondLast, LastBeyondTotal, NotContentRange, NumberTooLarge};
    check_refused::<ContentRange>(
        FieldName::ContentRange,
        &[
            ("", NotContentRange, 0),
            ("bytes=0-4/5", NotContentRange, 0),
            ("octet 0-4/5", NotContentRange, 0),
            ("bytes  0-4/5", NotContentRange, 6),
            ("bytes */*", NotContentRange, 8),
            ("bytes *", NotContentRange, 6),
            ("bytes 0-4", NotContentRange, 9),
            ("bytes 0/5", NotContentRange, 7),
            ("bytes 0-4/", NotContentRange, 10),
            ("bytes 0-4/5 ", NotContentRange, 11),
            ("bytes 0-4/*5", NotContentRange, 11),
            ("bytes +0-4/5", NotContentRange, 6),
            ("bytes 0-+4/5", NotContentRange, 8),
            ("bytes 5-4/9", FirstBeyondLast, 6),
            ("bytes 0-5/5", LastBeyondTotal, 6),
            ("bytes 0-18446744073709551615/*", NumberTooLarge, 6),
            ("bytes 0-18446744073709551616/*", NumberTooLarge, 8),
            ("bytes */18446744073709551616", NumberTooLarge, 8),
        ],
    );
    let whole = ByteRange::new(0, 4).unwrap();
    assert_eq!(ContentRange::new(whole, Some(4)).unwrap_err().kind(), ErrorKind::LastBeyondTotal);
}
