//! If-Modified-Since.

use bits_proto::download::field::{FieldName, IfModifiedSince};

use super::{DATE, INVALID_DATES, check_refused, date_and};

#[test]
fn the_date_of_the_entity_is_compared() {
    let condition = IfModifiedSince::try_from(DATE).unwrap();
    assert_eq!((condition.0, condition.to_string()), (date_and(0), DATE.to_string()));
    let matches = [-1, 0, 1].map(|seconds| condition.matches(date_and(seconds)));
    assert_eq!(matches, [false, false, true]);
}

#[test]
fn an_invalid_date_is_rejected() {
    check_refused::<IfModifiedSince>(FieldName::IfModifiedSince, &INVALID_DATES);
}
