//! `ETag`.

use bits_proto::download::field::{EntityTag, FieldName};
use bits_proto::error::ErrorKind;

use super::check_refused;

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
