//! `multipart/byteranges` and its boundary.

use bits_proto::download::field::{Boundary, FieldName, MultipartType};
use bits_proto::error::ErrorKind;

use super::check_refused;

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
