//! If-Range.

use bits_proto::download::field::{FieldName, IfRange};
use bits_proto::error::ErrorKind;

use super::{DATE, INVALID_DATES, check_refused, date_and, tag};

#[test]
fn a_tag_is_compared_strongly() {
    for (value, other, expected) in [
        ("\"a\"", "\"a\"", true),
        ("\"a\"", "\"b\"", false),
        ("\"a\"", "W/\"a\"", false),
        ("W/\"a\"", "W/\"a\"", false),
    ] {
        let condition = IfRange::try_from(value).unwrap();
        assert_eq!(condition.matches(Some(&tag(other)), None), expected, "{value} {other}");
        assert!(!condition.matches(None, Some(date_and(0))));
    }
    assert_eq!(IfRange::try_from("W/\"a\"").unwrap().to_string(), "W/\"a\"");
}

#[test]
fn a_date_must_be_exactly_that_of_the_entity() {
    let condition = IfRange::try_from(DATE).unwrap();
    assert_eq!((condition, condition.to_string()), (IfRange::Date(date_and(0)), DATE.into()));
    let matches = [-1, 0, 1].map(|seconds| condition.matches(None, Some(date_and(seconds))));
    assert_eq!(matches, [false, true, false]);
    assert!(!condition.matches(Some(&tag("\"a\"")), None));
}

#[test]
fn an_invalid_value_is_rejected() {
    check_refused::<IfRange<'_>>(FieldName::IfRange, &INVALID_DATES);
    check_refused::<IfRange<'_>>(
        FieldName::IfRange,
        &[("\"a\", \"b\"", ErrorKind::NotEntityTag, 3), ("W/a", ErrorKind::NotEntityTag, 2)],
    );
}
