//! The range of a request and that of its response.

use super::{NONE, OLD, exchange, ranges};

#[test]
fn one_range_should_not_be_answered_with_the_whole_entity() {
    let length = [("Content-Length", "100")];
    assert_eq!(ranges("bytes=0-9", 200, &length), ["range-ignored"]);
    assert_eq!(ranges("bytes=-1", 200, &length), ["range-ignored"]);
    for ignored in ["bytes=0-", "bytes=100-", "bytes=5-4", "lines=0-9"] {
        assert_eq!(ranges(ignored, 200, &length), NONE, "{ignored}");
    }
    let unknown = ranges("bytes=0-9", 200, &[("Transfer-Encoding", "chunked")]);
    assert_eq!(unknown, ["download-without-length"]);
    let fields = [("Last-Modified", OLD), ("Content-Length", "100")];
    assert_eq!(exchange(("HEAD", &[("Range", "bytes=0-9")]), (200, &fields)), NONE);
}

#[test]
fn several_ranges_may_be_refused() {
    let range = "bytes=0-9,20-29";
    assert_eq!(ranges(range, 200, &[("Content-Length", "100")]), ["several-ranges-refused"]);
    let unsatisfied = [("Content-Range", "bytes */100")];
    assert_eq!(ranges(range, 416, &unsatisfied), ["several-ranges-refused"]);
    assert_eq!(ranges(range, 416, &[]), NONE);
    assert_eq!(ranges("bytes=100-,200-", 416, &unsatisfied), NONE);
}

#[test]
fn a_range_that_the_entity_has_must_be_sent() {
    let rules = |range| ranges(range, 416, &[("Content-Range", "bytes */100")]);
    assert_eq!(rules("bytes=99-120"), ["satisfiable-range-refused"]);
    assert_eq!(rules("bytes=-5"), ["satisfiable-range-refused"]);
    assert_eq!(rules("bytes=100-"), NONE);
    assert_eq!(ranges("bytes=99-120", 416, &[]), NONE);
}

#[test]
fn a_response_must_have_the_requested_range() {
    let rules =
        |range, sent| ranges(range, 206, &[("Content-Range", sent), ("Content-Length", "10")]);
    assert_eq!(rules("bytes=10-19", "bytes 10-19/100"), NONE);
    assert_eq!(rules("bytes=90-120", "bytes 90-99/100"), NONE);
    assert_eq!(rules("bytes=-10", "bytes 90-99/100"), NONE);
    assert_eq!(rules("bytes=200-,10-19", "bytes 10-19/100"), NONE);
    let unrequested = ["unrequested-range"];
    assert_eq!(rules("bytes=10-19", "bytes 10-20/100"), unrequested);
    assert_eq!(rules("bytes=10-19", "bytes 11-19/100"), unrequested);
    assert_eq!(rules("bytes=5-4", "bytes 0-9/100"), unrequested);
    // Without a range in the request, every range is another one.
    assert_eq!(rules("bytes=5-4", "bytes 0-9/*"), unrequested);
    assert_eq!(rules("bytes=10-19", "bytes 10-18/100"), ["short-range"]);
    // The length is unknown, so that the range may end at the end of the entity.
    assert_eq!(rules("bytes=10-19", "bytes 10-18/*"), NONE);
    assert_eq!(rules("bytes=10-19,30-39", "bytes 10-19/100"), ["missing-parts"]);
    assert_eq!(rules("bytes=10-19,20-29", "bytes 10-29/100"), ["merged-ranges"]);
}

#[test]
fn eight_ranges_of_a_request_are_compared() {
    let rules = |count: u32| {
        let each: Vec<_> = (0..count).map(|index| format!("{0}-{0}", 2 * index)).collect();
        let range = format!("bytes={}", each.join(","));
        ranges(&range, 206, &[("Content-Range", "bytes 90-99/100"), ("Content-Length", "10")])
    };
    assert_eq!(rules(8), ["unrequested-range"]);
    // The ninth may be the one that was sent.
    assert_eq!(rules(9), ["missing-parts"]);
}
