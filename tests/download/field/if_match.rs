//! If-Match.

use bits_proto::download::field::{FieldName, IfMatch};

use super::{INVALID_TAGS, check_refused, tag};

#[test]
fn every_tag_is_compared_strongly() {
    for (list, strong, weak, none) in [
        ("*", true, true, true),
        ("\"b\"", true, false, false),
        ("\"a\", \"b\"", true, false, false),
        (",\"a\" ,,\t\"b\",", true, false, false),
        ("\"a\",W/\"b\"", false, false, false),
        ("\"a\"", false, false, false),
    ] {
        let value = IfMatch::try_from(list).unwrap();
        assert_eq!(value.as_bytes(), list.as_bytes());
        assert_eq!(value.matches(Some(&tag("\"b\""))), strong, "{list}");
        assert_eq!(value.matches(Some(&tag("W/\"b\""))), weak, "{list}");
        assert_eq!(value.matches(None), none, "{list}");
    }
}

#[test]
fn an_invalid_list_is_rejected() {
    check_refused::<IfMatch<'_>>(FieldName::IfMatch, &INVALID_TAGS);
}
