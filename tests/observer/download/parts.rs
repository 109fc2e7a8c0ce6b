//! The parts of a response with several ranges.

use super::{MULTIPART, NONE, OLD, Watch, parts, ranges};

#[test]
fn only_several_ranges_are_sent_as_parts() {
    let fields = [("Content-Length", "100"), MULTIPART];
    assert_eq!(ranges("bytes=0-9", 206, &fields), ["unexpected-multipart"]);
    assert_eq!(ranges("bytes=5-4", 206, &fields), ["unexpected-multipart"]);
    assert_eq!(ranges("bytes=0-9,20-29", 206, &fields), NONE);
}

#[test]
fn parts_must_be_the_requested_ranges_in_their_order() {
    let range = "bytes=10-19,50-59,20-29,50-59,500-";
    let (a, b, c) = ("bytes 10-19/100", "bytes 50-59/100", "bytes 20-29/100");
    assert_eq!(parts(range, &[a, b, c, b]), NONE);
    assert_eq!(parts(range, &[a, c, b, b]), ["reordered-ranges"]);
    assert_eq!(parts(range, &[b, a, b, c]), ["reordered-ranges"]);
    assert_eq!(parts(range, &[b, b, c, a]), ["reordered-ranges"], "reported once");
    assert_eq!(parts(range, &[a, b, b]), ["missing-parts"]);
    assert_eq!(parts(range, &["bytes 10-29/100", b, b]), ["merged-ranges", "reordered-ranges"]);
    assert_eq!(parts(range, &["bytes 10-59/100"]), ["merged-ranges"]);
    assert_eq!(parts(range, &[a, b, c, "bytes 50-58/100"]), ["short-range"]);
    assert_eq!(parts(range, &[a, b, c, b, b]), ["unrequested-range"]);
    assert_eq!(parts(range, &[a, "bytes 50-61/100", c, b]), ["unrequested-range"]);
    assert_eq!(parts(range, &[a, "bytes 50-59/101", c, b]), ["mixed-lengths"]);
    assert_eq!(parts(range, &[a, "bytes 50-59/*"]), NONE);
    assert_eq!(parts(range, &[]), NONE);
}

#[test]
fn missing_bytes_are_counted() {
    let mut watch = Watch::default();
    let fields = [("Last-Modified", OLD), ("Content-Length", "500"), MULTIPART];
    watch.exchange(("GET", &[("Range", "bytes=0-9,20-39")]), (206, &fields));
    watch.observer.handle_part(1, "bytes 0-9/100".parse().expect("a range"), |_| {});
    let mut seen = Vec::new();
    watch.observer.handle_body_end(1, |it| seen.push(it.to_string()));
    assert!(seen[0].ends_with("(20 of 30 bytes are missing)"), "{seen:?}");
}

#[test]
fn ranges_beyond_the_first_ones_are_only_counted() {
    let starts = || (0..10).map(|index| index * 10);
    let list: Vec<_> = starts().map(|first| format!("{first}-{}", first + 4)).collect();
    let range = format!("bytes={}", list.join(","));
    let sent: Vec<_> = starts().map(|first| format!("bytes {first}-{}/100", first + 4)).collect();
    let mut sent: Vec<_> = sent.iter().map(String::as_str).collect();
    assert_eq!(parts(&range, &sent), NONE);
    sent[9] = "bytes 95-99/100";
    assert_eq!(parts(&range, &sent), NONE);
    assert_eq!(parts(&range, &sent[..8]), NONE);
    assert_eq!(parts(&range, &sent[1..]), ["missing-parts"]);
}
