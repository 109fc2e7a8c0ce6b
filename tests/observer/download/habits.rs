//! The habits of widely used servers and caches. Only those that the specification forbids are a MUST.

use bits_proto::observer::Severity;

use super::{Fields, MULTIPART, NEW, OLD, Watch};

const RANGES: (&str, &str) = ("Range", "bytes=125-199,1000-1099,200-224");
const DATE: (&str, &str) = ("Last-Modified", OLD);
const LENGTH: (&str, &str) = ("Content-Length", "5000");
const NONE: [(&str, Severity); 0] = [];

/// Returns the violations of a response, whose body has these parts, with their severities.
fn judge(
    request: Fields<'_>,
    (status, response): (u16, Fields<'_>),
    parts: &[&str],
) -> Vec<(&'static str, Severity)> {
    let mut watch = Watch::default();
    watch.request(1, "GET", request);
    let report = |violation| watch.seen.push(violation);
    let line = super::response_line(status);
    watch.observer.handle_response_fields(1, line, super::pairs(response), report);
    let mut seen = std::mem::take(&mut watch.seen);
    watch.pass_parts(1, parts);
    seen.append(&mut watch.seen);
    seen.into_iter().map(|it| (it.rule(), it.severity())).collect()
}

#[test]
fn several_ranges_in_order_violate_no_rule() {
    let parts = ["bytes 125-199/5000", "bytes 1000-1099/5000", "bytes 200-224/5000"];
    assert_eq!(judge(&[RANGES], (206, &[DATE, LENGTH, MULTIPART]), &parts), NONE);
    // One of two ranges is satisfiable. It may be sent as the only part.
    let one = [("Range", "bytes=9000-,0-9")];
    assert_eq!(judge(&one, (206, &[DATE, LENGTH, MULTIPART]), &["bytes 0-9/5000"]), NONE);
}

#[test]
fn refusals_of_several_ranges_are_suspicious() {
    let refused = [("several-ranges-refused", Severity::Suspicious)];
    let unsatisfied = [("Content-Range", "bytes */5000"), ("Content-Length", "0")];
    assert_eq!(judge(&[RANGES], (416, &unsatisfied), &[]), refused);
    assert_eq!(judge(&[RANGES], (200, &[DATE, LENGTH]), &[]), refused);
}

#[test]
fn merged_and_sorted_ranges_are_forbidden() {
    let merged = ["bytes 125-224/5000", "bytes 1000-1099/5000"];
    let found = judge(&[RANGES], (206, &[DATE, LENGTH, MULTIPART]), &merged);
    assert_eq!(found[0], ("merged-ranges", Severity::Must));
    let sorted = ["bytes 125-199/5000", "bytes 200-224/5000", "bytes 1000-1099/5000"];
    let found = judge(&[RANGES], (206, &[DATE, LENGTH, MULTIPART]), &sorted);
    assert_eq!(found, [("reordered-ranges", Severity::Must)]);
}

#[test]
fn unsatisfiable_ranges_have_several_responses() {
    let range = [("Range", "bytes=9000-9099")];
    let unsatisfied = ("Content-Range", "bytes */5000");
    for response in [
        (416, &[unsatisfied, ("Content-Length", "0")][..]),
        (416, &[("Content-Length", "0")]),
        (200, &[DATE, LENGTH]),
    ] {
        assert_eq!(judge(&range, response, &[]), NONE, "{response:?}");
    }
}

/// A cache answers with the whole entity, or with the beginning of the range that it has.
#[test]
fn ignored_and_short_ranges_are_not_a_must() {
    let range = [("Range", "bytes=0-99")];
    let ignored = [("range-ignored", Severity::Should)];
    assert_eq!(judge(&range, (200, &[DATE, LENGTH]), &[]), ignored);
    let short = [DATE, ("Content-Range", "bytes 0-9/5000"), ("Content-Length", "10")];
    assert_eq!(judge(&range, (206, &short), &[]), [("short-range", Severity::Suspicious)]);
}

/// The specification requires length and date, and the status 412.
#[test]
fn responses_of_caches_without_length_or_despite_a_condition_are_forbidden() {
    let chunked = [DATE, ("Transfer-Encoding", "chunked")];
    let found = judge(&[("Range", "bytes=0-99")], (200, &chunked), &[]);
    assert_eq!(found, [("download-without-length", Severity::Must)]);
    let request = [("Range", "bytes=0-9"), ("If-Unmodified-Since", OLD)];
    let range = [("Content-Range", "bytes 0-9/5000"), ("Content-Length", "10")];
    let changed = [("Last-Modified", NEW), range[0], range[1]];
    let found = judge(&request, (206, &changed), &[]);
    assert_eq!(found, [("changed-despite-condition", Severity::Must)]);
}

#[test]
fn content_of_other_requests_may_be_encoded() {
    let gzip = [DATE, LENGTH, ("Content-Encoding", "gzip")];
    assert_eq!(judge(&[("Accept-Encoding", "gzip")], (200, &gzip), &[]), NONE);
    let found = judge(&[("Accept-Encoding", "identity")], (200, &gzip), &[]);
    assert_eq!(found, [("unrequested-coding", Severity::Must)]);
}
