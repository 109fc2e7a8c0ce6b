//! The values of the fields of downloads.

mod content_range;
mod content_type;
mod entity_tag;
mod if_match;
mod if_modified_since;
mod if_none_match;
mod if_range;
mod if_unmodified_since;
mod multipart_type;
mod names;
mod range;

use bits_proto::Error;
use bits_proto::download::field::{EntityTag, FieldName};
use bits_proto::error::{ErrorKind, Fault};
use bits_proto::field::HttpDate;

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

/// Values that are no list of entity tags.
const INVALID_TAGS: [(&str, ErrorKind, usize); 6] = [
    ("", ErrorKind::NotEntityTag, 0),
    (",", ErrorKind::NotEntityTag, 1),
    ("a", ErrorKind::NotEntityTag, 0),
    ("\"a\" \"b\"", ErrorKind::NotEntityTag, 4),
    ("\"a\", b", ErrorKind::NotEntityTag, 5),
    ("*, \"a\"", ErrorKind::NotEntityTag, 0),
];

/// Values that are no date.
const INVALID_DATES: [(&str, ErrorKind, usize); 3] = [
    ("", ErrorKind::NotHttpDate, 0),
    ("1994-11-06T08:49:37Z", ErrorKind::NotHttpDate, 0),
    ("Sun, 06 Nov 1994 08:49:37 CET", ErrorKind::NotHttpDate, 0),
];

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// Returns [`DATE`] and a number of seconds.
fn date_and(seconds: i64) -> HttpDate {
    HttpDate::from_unix_seconds(784_111_777 + seconds).expect("a date")
}

fn tag(text: &str) -> EntityTag<'_> {
    EntityTag::try_from(text).expect("an entity tag")
}
