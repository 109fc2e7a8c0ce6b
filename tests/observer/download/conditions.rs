//! The conditions of a request and the status of its response.

use super::{NEW, NONE, OLD, condition};

#[test]
fn an_entity_that_fails_a_condition_must_not_be_sent() {
    for status in [200, 206] {
        let rules = |field, value, validators| {
            let rules = condition((field, value), status, validators);
            let is_of_condition = |rule: &&str| rule.ends_with("-condition");
            rules.into_iter().filter(is_of_condition).collect::<Vec<_>>()
        };
        let (old, new) = ([("Last-Modified", OLD)], [("Last-Modified", NEW)]);
        let changed = ["changed-despite-condition"];
        assert_eq!(rules("If-Unmodified-Since", OLD, &new), changed);
        assert_eq!(rules("If-Unmodified-Since", OLD, &old), NONE);
        assert_eq!(rules("If-Unmodified-Since", NEW, &old), NONE);
        assert_eq!(rules("If-Unmodified-Since", "yesterday", &new), NONE);
        let tagged = [("Last-Modified", OLD), ("ETag", "\"b\"")];
        assert_eq!(rules("If-Match", "\"a\"", &tagged), changed);
        assert_eq!(rules("If-Match", "\"a\", \"b\"", &tagged), NONE);
        // A proxy may have removed the tag.
        assert_eq!(rules("If-Match", "\"a\"", &old), NONE);
        // Conditions of up to 184 bytes are compared, with two bytes for each field.
        let of_length = |length: usize| format!("\"{}\"", "a".repeat(length - 2));
        let (compared, longer) = (of_length(182), of_length(183));
        assert_eq!(rules("If-Match", &compared, &tagged), changed);
        assert_eq!(rules("If-Match", &longer, &tagged), NONE);
    }
    assert_eq!(condition(("If-Unmodified-Since", OLD), 412, &[("Last-Modified", NEW)]), NONE);
}

#[test]
fn an_entity_that_the_client_has_should_not_be_sent() {
    let tagged = [("Last-Modified", OLD), ("ETag", "\"b\"")];
    let rules = |field, value, fields| condition((field, value), 206, fields);
    let ignored = ["condition-ignored"];
    assert_eq!(rules("If-None-Match", "W/\"b\"", &tagged[..]), ignored);
    assert_eq!(rules("If-None-Match", "\"a\"", &tagged), NONE);
    assert_eq!(rules("If-None-Match", "\"b\"", &tagged[..1]), NONE);
    assert_eq!(rules("If-Modified-Since", OLD, &tagged), ignored);
    assert_eq!(rules("If-Modified-Since", OLD, &[("Last-Modified", NEW)]), NONE);
}

#[test]
fn ranges_of_an_entity_that_fails_if_range_must_not_be_sent() {
    let tagged = [("Last-Modified", OLD), ("ETag", "\"b\"")];
    let rules = |value, status, fields| condition(("If-Range", value), status, fields);
    let despite = ["ranges-despite-condition"];
    assert_eq!(rules("\"a\"", 206, &tagged[..]), despite);
    assert_eq!(rules("\"b\"", 206, &tagged), NONE);
    assert_eq!(rules(NEW, 206, &tagged), despite);
    assert_eq!(rules(OLD, 206, &tagged), NONE);
    assert_eq!(rules("\"a\"", 206, &tagged[..1]), NONE);
    assert_eq!(rules("\"a\"", 200, &tagged), NONE);
    // The range of a request whose condition passes may be ignored, as dates are weak.
    assert_eq!(rules(OLD, 200, &[("Last-Modified", OLD), ("Content-Length", "10")]), NONE);
}
