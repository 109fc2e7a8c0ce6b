//! The values of the fields of downloads.

use bits_proto::Error;
use bits_proto::download::ByteRange;
use bits_proto::download::field::{
    Boundary, ContentRange, ContentType, EntityTag, FieldName, IfMatch, IfNoneMatch, MultipartType,
    Range, RangeItem,
};
use bits_proto::error::{ErrorKind, Fault};

const MAX: u64 = u64::MAX;

fn items(text: &str) -> Vec<RangeItem> {
    Range::try_from(text).unwrap_or_else(|error| panic!("{text}: {error}")).iter().collect()
}

fn closed(first: u64, last: u64) -> RangeItem {
    RangeItem::Closed { first, last }
}

/// Checks kind, offset and field of the error for each text.
fn check_refused<'t, T: TryFrom<&'t str, Error = Error> + std::fmt::Debug>(
    field: FieldName,
    cases: &[(&'t str, ErrorKind, usize)],
) {
    for (text, kind, offset) in cases {
        let error = T::try_from(text).expect_err(text);
        assert_eq!((error.kind(), error.offset()), (*kind, Some(*offset)), "{text:?}");
        assert_eq!(error.field(), Some(field.as_str()), "{text:?}");
        assert_eq!((error.fault(), error.section()), (Fault::Caller, "2.3"), "{text:?}");
    }
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

#[test]
fn entity_tags_are_compared_strongly_and_weakly() {
    let tag = |text: &'static str| EntityTag::try_from(text).unwrap();
    // The table of RFC 9110, section 8.8.3.2.
    for (first, second, strongly, weakly) in [
        ("W/\"1\"", "W/\"1\"", false, true),
        ("W/\"1\"", "W/\"2\"", false, false),
        ("W/\"1\"", "\"1\"", false, true),
        ("\"1\"", "\"1\"", true, true),
        ("\"1\"", "\"2\"", false, false),
    ] {
        let (first, second) = (tag(first), tag(second));
        assert_eq!(first.matches_strongly(&second), strongly, "{first} {second}");
        assert_eq!(second.matches_strongly(&first), strongly, "{first} {second}");
        assert_eq!(first.matches_weakly(&second), weakly, "{first} {second}");
    }
    assert_eq!(tag("\"\"").as_bytes(), b"\"\"");
    assert_eq!(EntityTag::try_from(b"\"\xFF!,\"").unwrap().as_bytes(), b"\"\xFF!,\"");
}

#[test]
fn an_invalid_entity_tag_is_rejected() {
    check_refused::<EntityTag<'_>>(
        FieldName::ETag,
        &[
            ("", ErrorKind::NotEntityTag, 0),
            ("abc", ErrorKind::NotEntityTag, 0),
            ("w/\"a\"", ErrorKind::NotEntityTag, 0),
            ("W/", ErrorKind::NotEntityTag, 2),
            ("W/ \"a\"", ErrorKind::NotEntityTag, 2),
            ("\"a", ErrorKind::NotEntityTag, 2),
            ("\"a b\"", ErrorKind::NotEntityTag, 2),
            ("\"a\"b", ErrorKind::NotEntityTag, 3),
            ("\"a\",\"b\"", ErrorKind::NotEntityTag, 3),
        ],
    );
}

#[test]
fn conditions_compare_every_tag_of_their_list() {
    let (strong, weak) =
        (EntityTag::try_from("\"b\"").unwrap(), EntityTag::try_from("W/\"b\"").unwrap());
    for (list, matches, matches_weakly) in [
        ("*", true, true),
        ("\"b\"", true, true),
        ("\"a\", \"b\"", true, true),
        (",\"a\" ,,\t\"b\",", true, true),
        ("\"a\",W/\"b\"", false, true),
        ("\"a\"", false, false),
    ] {
        let (if_match, if_none_match) =
            (IfMatch::try_from(list).unwrap(), IfNoneMatch::try_from(list).unwrap());
        assert_eq!(if_match.matches(Some(&strong)), matches, "{list}");
        assert_eq!(if_none_match.matches(Some(&strong)), matches_weakly, "{list}");
        assert_eq!(if_match.matches(Some(&weak)), list == "*", "{list}");
        assert_eq!(if_none_match.matches(Some(&weak)), matches_weakly, "{list}");
        assert_eq!(if_match.matches(None), list == "*", "{list}");
    }
    let cases = [
        ("", ErrorKind::NotEntityTag, 0),
        (",", ErrorKind::NotEntityTag, 1),
        ("a", ErrorKind::NotEntityTag, 0),
        ("\"a\" \"b\"", ErrorKind::NotEntityTag, 4),
        ("\"a\", b", ErrorKind::NotEntityTag, 5),
        ("*, \"a\"", ErrorKind::NotEntityTag, 0),
    ];
    check_refused::<IfMatch<'_>>(FieldName::IfMatch, &cases);
    check_refused::<IfNoneMatch<'_>>(FieldName::IfNoneMatch, &cases);
}

#[test]
fn the_boundary_of_a_multipart_type_is_read() {
    for (text, boundary) in [
        ("multipart/byteranges; boundary=THIS_STRING_SEPARATES", "THIS_STRING_SEPARATES"),
        ("multipart/byteranges;boundary=\"a b\"", "a b"),
        ("MULTIPART/BYTERANGES ; BOUNDARY=a", "a"),
        // Squid quotes; other servers send these characters without quotes.
        ("multipart/byteranges; boundary=\"squid/5.7:0A1B\"", "squid/5.7:0A1B"),
        ("multipart/byteranges; boundary=squid/5.7:0A1B", "squid/5.7:0A1B"),
        ("multipart/byteranges; charset=x; boundary=b; other=\"q;\"", "b"),
        ("multipart/byteranges; boundary=b;", "b"),
    ] {
        let value = MultipartType::try_from(text).unwrap_or_else(|it| panic!("{text}: {it}"));
        assert_eq!(value.boundary(), boundary.as_bytes(), "{text}");
    }
    let longest = format!("multipart/byteranges; boundary={}", "b".repeat(70));
    assert_eq!(MultipartType::try_from(&*longest).unwrap().boundary().len(), 70);
    let longer = format!("{longest}b");
    let end = longer.len();
    check_refused::<MultipartType<'_>>(
        FieldName::ContentType,
        &[
            (&longer, ErrorKind::NotMultipart, end),
            ("text/plain", ErrorKind::NotMultipart, 0),
            ("multipart/form-data; boundary=b", ErrorKind::NotMultipart, 0),
            ("multipart/byterangesx; boundary=b", ErrorKind::NotMultipart, 20),
            ("multipart/byteranges", ErrorKind::NotMultipart, 20),
            ("multipart/byteranges; boundary", ErrorKind::NotMultipart, 30),
            ("multipart/byteranges; boundary=", ErrorKind::NotMultipart, 31),
            ("multipart/byteranges; boundary=\"\"", ErrorKind::NotMultipart, 33),
            ("multipart/byteranges; boundary=\"b", ErrorKind::NotMultipart, 33),
            ("multipart/byteranges; boundary=\"b \"", ErrorKind::NotMultipart, 35),
            ("multipart/byteranges; boundary=\"b\\c\"", ErrorKind::NotMultipart, 33),
            ("multipart/byteranges; boundary=b; boundary=b", ErrorKind::NotMultipart, 32),
            ("multipart/byteranges boundary=b", ErrorKind::NotMultipart, 21),
            ("multipart/byteranges; =b", ErrorKind::NotMultipart, 22),
        ],
    );
}

#[test]
fn a_boundary_from_random_bits_is_a_valid_boundary() {
    for bits in [0, 1, u128::MAX, 0x0123_4567_89AB_CDEF_FEDC_BA98_7654_3210] {
        let boundary = Boundary::from_random(bits).to_string();
        assert_eq!(u128::from_str_radix(&boundary, 16), Ok(bits));
        let content_type = format!("multipart/byteranges; boundary={boundary}");
        let read = MultipartType::try_from(&*content_type).unwrap();
        assert_eq!(read.boundary(), boundary.as_bytes());
    }
}

#[test]
fn a_content_type_cannot_hold_another_line() {
    check_refused::<ContentType<'_>>(
        FieldName::ContentType,
        &[
            ("", ErrorKind::Empty, 0),
            ("text/plain\r\nX: 1", ErrorKind::InvalidByte, 10),
            (" text/plain", ErrorKind::InvalidByte, 0),
        ],
    );
}

#[test]
fn every_field_of_downloads_is_found_by_its_name_in_any_case() {
    for field in FieldName::ALL {
        assert_eq!(FieldName::from_name(field.as_str()), Some(*field));
        assert_eq!(FieldName::from_name(&field.as_str().to_uppercase()), Some(*field));
        assert_eq!(FieldName::from_name(&field.as_str().to_lowercase()), Some(*field));
        assert_eq!(FieldName::from_name(&format!("{field}x")), None);
    }
}
