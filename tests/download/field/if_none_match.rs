//! If-None-Match.

use bits_proto::download::field::{FieldName, IfNoneMatch};

use super::{INVALID_TAGS, check_refused, tag};

#[test]
fn every_tag_is_compared_weakly() {
    for (list, strong, weak, none) in [
        ("*", true, true, true),
        ("\"b\"", true, true, false),
        ("\"a\", \"b\"", true, true, false),
        (",\"a\" ,,\t\"b\",", true, true, false),
        ("\"a\",W/\"b\"", true, true, false),
        ("\"a\"", false, false, false),
    ] {
        let value = IfNoneMatch::try_from(list).unwrap();
        assert_eq!(value.as_bytes(), list.as_bytes());
        assert_eq!(value.matches(Some(&tag("\"b\""))), strong, "{list}");
        assert_eq!(value.matches(Some(&tag("W/\"b\""))), weak, "{list}");
        assert_eq!(value.matches(None), none, "{list}");
    }
}

#[test]
fn an_invalid_list_is_rejected() {
    check_refused::<IfNoneMatch<'_>>(FieldName::IfNoneMatch, &INVALID_TAGS);
}
