//! Values of downloads as other crates read them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bits_proto::download::ByteRange;
use bits_proto::download::field::Range;
use bits_proto::field::HttpDate;
use http_range_header::parse_range_header;

/// Compares ranges and dates with `http-range-header` and `httpdate`.
///
/// If the other crate accepts a value, this crate accepts it with the same meaning. Differences that
/// remain:
///
/// * `http-range-header` accepts line ends as white space. It rejects overlapping ranges, empty items, leading zeros and other letter case, and
///   accepts a list whose first byte exceeds the last byte until it is resolved.
/// * `httpdate` ignores the day of the week, and accepts years before 1601.
pub fn download_crates(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for length in [1, 10, 1000] {
        compare_ranges(text, length);
    }
    compare_dates(text);
}

fn compare_ranges(text: &str, length: u64) {
    if text.contains(|letter: char| letter.is_whitespace() && letter != ' ' && letter != '\t') {
        return;
    }
    let Ok(parsed) = parse_range_header(text) else { return };
    let Ok(ranges) = parsed.validate(length) else { return };
    let expected: Vec<_> = ranges
        .iter()
        .map(|range| ByteRange::new(*range.start(), *range.end()).expect("a valid range"))
        .collect();
    let range = Range::try_from(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let resolved: Vec<_> = range.iter().filter_map(|item| item.resolve(length)).collect();
    assert_eq!(resolved, expected, "{text} of {length}");
}

fn compare_dates(text: &str) {
    let seconds = |time: SystemTime| match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).expect("a year with four digits"),
        Err(before) => -i64::try_from(before.duration().as_secs()).expect("a year"),
    };
    let (Ok(ours), Ok(theirs)) = (HttpDate::try_from(text), httpdate::parse_http_date(text)) else {
        return;
    };
    let is_two_digit_year = text.contains('-');
    // The century of a year with two digits depends on the current date here.
    if !is_two_digit_year {
        assert_eq!(ours.unix_seconds(), seconds(theirs), "{text}");
    }
    if let Ok(after) = u64::try_from(ours.unix_seconds()) {
        let time = UNIX_EPOCH + Duration::from_secs(after);
        assert_eq!(httpdate::fmt_http_date(time), ours.to_string(), "{text}");
    }
}
