//! The version of the entity in several responses.

use super::{Fields, MULTIPART, NEW, NONE, OLD, Watch};

#[test]
fn head_and_get_must_agree_about_one_entity() {
    let rules = |head: Fields<'_>, get: Fields<'_>| {
        let mut watch = Watch::default();
        assert_eq!(watch.exchange(("HEAD", &[]), (200, head)), NONE);
        watch.exchange(("GET", &[]), (200, get))
    };
    let (date, length) = (("Last-Modified", OLD), ("Content-Length", "100"));
    let (tag, other_length) = (("ETag", "\"a\""), ("Content-Length", "99"));
    let new = ("Last-Modified", NEW);
    let differs = ["head-differs"];
    assert_eq!(rules(&[date, length], &[date, length]), NONE);
    assert_eq!(rules(&[date, length], &[date, other_length]), differs);
    assert_eq!(rules(&[date, length, tag], &[new, length, tag]), differs);
    assert_eq!(rules(&[date, length], &[date, length, tag]), differs);
    // The entity may have changed.
    assert_eq!(rules(&[date, length], &[new, other_length]), NONE);
    let other_tag = ("ETag", "\"b\"");
    assert_eq!(rules(&[date, length, tag], &[date, other_length, other_tag]), NONE);
    // The length is that of the encoded entity.
    let gzip = ("Content-Encoding", "gzip");
    assert_eq!(rules(&[date, length], &[date, other_length, gzip]), NONE);
}

#[test]
fn the_length_of_parts_is_compared_with_head() {
    let mut watch = Watch::default();
    let fields = [("Last-Modified", OLD), ("Content-Length", "500"), MULTIPART];
    assert_eq!(watch.exchange(("HEAD", &[]), (200, &fields[..2])), NONE);
    let range = [("Range", "bytes=0-9,20-29")];
    assert_eq!(watch.exchange(("GET", &range), (206, &fields)), NONE);
    let parts = watch.parts(1, &["bytes 0-9/501", "bytes 20-29/501"]);
    assert_eq!(parts, ["head-differs"]);
}

#[test]
fn a_changed_entity_must_have_other_validators() {
    let rules = |first: Fields<'_>, second: Fields<'_>| {
        let mut watch = Watch::default();
        let of_range = [("Content-Length", "10"), ("Content-Range", "bytes 0-9/100")];
        let of_range: Vec<_> = of_range.iter().chain(second).copied().collect();
        let whole: Vec<_> = [("Content-Length", "90")].iter().chain(first).copied().collect();
        assert_eq!(watch.exchange(("GET", &[]), (200, &whole)), NONE);
        watch.exchange(("GET", &[("Range", "bytes=0-9")]), (206, &of_range))
    };
    let (old, new) = ([("Last-Modified", OLD)], [("Last-Modified", NEW)]);
    assert_eq!(rules(&old, &old), ["unchanged-validators"]);
    assert_eq!(rules(&old, &new), NONE);
}
