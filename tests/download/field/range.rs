//! Range.

use bits_proto::download::ByteRange;
use bits_proto::download::field::{FieldName, Range, RangeItem};
use bits_proto::error::ErrorKind;

use super::check_refused;

const MAX: u64 = u64::MAX;

fn items(text: &str) -> Vec<RangeItem> {
    Range::try_from(text).unwrap_or_else(|error| panic!("{text}: {error}")).iter().collect()
}

fn closed(first: u64, last: u64) -> RangeItem {
    RangeItem::Closed { first, last }
}

#[test]
fn the_ranges_of_a_request_are_read_in_their_order() {
    let from = |first| RangeItem::From { first };
    let suffix = |length| RangeItem::Suffix { length };
    for (text, expected) in [
        ("bytes=0-0", vec![closed(0, 0)]),
        (
            "BYTES=125-199,1000-1099,200-224",
            vec![closed(125, 199), closed(1000, 1099), closed(200, 224)],
        ),
        ("bytes=5-", vec![from(5)]),
        ("bytes=-5", vec![suffix(5)]),
        ("bytes=-0", vec![suffix(0)]),
        ("bytes=0-4 ,\t5-9", vec![closed(0, 4), closed(5, 9)]),
        ("bytes= 0-4", vec![closed(0, 4)]),
        ("bytes=,0-4,,5-,", vec![closed(0, 4), from(5)]),
        ("bytes=0-4,2-6", vec![closed(0, 4), closed(2, 6)]),
        ("bytes=007-0009", vec![closed(7, 9)]),
        ("bytes=0-18446744073709551615", vec![closed(0, MAX)]),
        ("bytes=0-99999999999999999999999", vec![closed(0, MAX)]),
        ("bytes=99999999999999999999999-", vec![from(MAX)]),
        ("bytes=-99999999999999999999999", vec![suffix(MAX)]),
    ] {
        assert_eq!(items(text), expected, "{text}");
        assert_eq!(Range::try_from(text).unwrap().as_bytes(), text.as_bytes());
    }
    let many = format!("bytes={}", vec!["1-2"; 10_000].join(","));
    assert_eq!(items(&many).len(), 10_000);
}

#[test]
fn an_invalid_list_of_ranges_is_rejected_as_a_whole() {
    use ErrorKind::{FirstBeyondLast, NotRangeList};
    check_refused::<Range<'_>>(
        FieldName::Range,
        &[
            ("", NotRangeList, 0),
            ("0-4", NotRangeList, 0),
            ("octets=0-4", NotRangeList, 0),
            ("bytes", NotRangeList, 0),
            ("bytes 0-4", NotRangeList, 0),
            ("bytes=", NotRangeList, 6),
            ("bytes=,", NotRangeList, 7),
            ("bytes=-", NotRangeList, 7),
            ("bytes=5", NotRangeList, 7),
            ("bytes=+5-9", NotRangeList, 6),
            ("bytes=5-+9", NotRangeList, 8),
            ("bytes=5- 9", NotRangeList, 9),
            ("bytes=5 -9", NotRangeList, 7),
            ("bytes=0-499/10", NotRangeList, 11),
            ("bytes=0-4;5-9", NotRangeList, 9),
            ("bytes=0-4 5-9", NotRangeList, 10),
            ("bytes=0-4,x", NotRangeList, 10),
            ("bytes=--5", NotRangeList, 7),
            ("bytes=5-4", FirstBeyondLast, 6),
            ("bytes=0-4,5-4", FirstBeyondLast, 10),
        ],
    );
}

#[test]
fn a_range_is_resolved_against_the_length_of_the_entity() {
    let resolve = |text: &str, length| items(text)[0].resolve(length);
    let range = |first, last| Some(ByteRange::new(first, last).unwrap());
    for (text, length, expected) in [
        ("bytes=0-4", 10, range(0, 4)),
        ("bytes=0-9", 10, range(0, 9)),
        ("bytes=0-10", 10, range(0, 9)),
        ("bytes=9-9", 10, range(9, 9)),
        ("bytes=10-10", 10, None),
        ("bytes=0-", 10, range(0, 9)),
        ("bytes=9-", 10, range(9, 9)),
        ("bytes=10-", 10, None),
        ("bytes=-1", 10, range(9, 9)),
        ("bytes=-10", 10, range(0, 9)),
        ("bytes=-11", 10, range(0, 9)),
        ("bytes=-0", 10, None),
        ("bytes=0-", 0, None),
        ("bytes=-5", 0, None),
        ("bytes=0-99999999999999999999", MAX, range(0, MAX - 1)),
        ("bytes=99999999999999999999-", MAX, None),
        ("bytes=-99999999999999999999", MAX, range(0, MAX - 1)),
    ] {
        assert_eq!(resolve(text, length), expected, "{text} of {length}");
    }
}

#[test]
fn numbers_of_every_length_end_at_the_first_other_byte() {
    for length in 1..=21 {
        let digits = "1234567890".repeat(3)[..length].to_string();
        let number = digits.parse().unwrap_or(MAX);
        let text = format!("bytes={digits}-,0-{digits}, -{digits}");
        let expected = [
            RangeItem::From { first: number },
            closed(0, number),
            RangeItem::Suffix { length: number },
        ];
        assert_eq!(items(&text), expected);
        for byte in (0..=u8::MAX).filter(|byte| !byte.is_ascii_digit() && *byte != b'-') {
            for after in [&b"12345678-"[..], b"1-,1-2,3-4"] {
                let text = [b"bytes=", digits.as_bytes(), &[byte], after].concat();
                let error = Range::try_from(&*text).expect_err("not a range");
                assert_eq!(error.offset(), Some(6 + length), "{}", text.escape_ascii());
            }
        }
    }
}
