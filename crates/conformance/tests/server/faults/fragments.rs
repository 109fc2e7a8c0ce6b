//! Faults of the order of fragments, of ranges and of lengths.

use super::{acknowledged, answers, reads, spoils};
use crate::double::{Fault, Reply};

const FAR: u64 = 1 << 32;
const RANGE: &str = "Content-Range: bytes 0-9/20\r\n";

/// Reads an invalid range as a valid one.
macro_rules! range {
    ($id:literal, $value:literal) => {
        reads!($id, concat!("Content-Range: ", $value, "\r\n"), RANGE)
    };
}

/// Reads an invalid length as a valid one.
macro_rules! length {
    ($id:literal, $value:literal) => {
        reads!($id, concat!("Content-Length: ", $value, "\r\n"), "Content-Length: 10\r\n")
    };
}

/// Accepts a fragment with this Content-Length and the range 0-9/20.
macro_rules! body {
    ($id:literal, $length:expr) => {
        answers!(
            $id,
            |seen| seen.is_fragment(0, 20) && seen.field("Content-Length") == $length,
            acknowledged(seen)
        )
    };
}

/// Accepts a fragment.
macro_rules! accepts {
    ($id:literal, $first:expr, $total:expr) => {
        answers!($id, |seen| seen.is_fragment($first, $total), acknowledged(seen))
    };
}

pub const FAULTS: &[(&str, Fault)] = &[
    accepts!("fragment.gap.first", 1, 36),
    accepts!("fragment.gap.middle", 20, 36),
    accepts!("fragment.gap.one_byte", 16, 36),
    accepts!("fragment.gap.last", 35, 36),
    accepts!("fragment.gap.beyond_4_gib", FAR, FAR + 20),
    accepts!("fragment.gap.alias", FAR + 10, FAR + 20),
    accepts!("fragment.gap.alias_36_bits", (1 << 36) + 11, (1 << 36) + 21),
    answers!("fragment.total.beyond_4_gib", |seen| seen.is_fragment(0, FAR + 30), Reply::invalid()),
    spoils!("fragment.gap.stores_nothing", 37),
    spoils!("fragment.repeat", 28),
    spoils!("fragment.repeat.last", 29),
    spoils!("fragment.repeat.earlier", 39),
    spoils!("fragment.repeat.other_bytes", 16),
    spoils!("fragment.overlap", 34),
    spoils!("fragment.overlap.one_byte", 38),
    spoils!("fragment.overlap.whole", 42),
    spoils!("fragment.overlap.last", 33),
    spoils!("fragment.overlap.other_bytes", 24),
    accepts!("fragment.after_complete", 43, 43),
    reads!("fragment.total.changes", "bytes 13-25/40", "bytes 13-25/45"),
    reads!("fragment.total.shrinks", "bytes 13-25/26", "bytes 13-25/45"),
    reads!("fragment.total.below_received", "bytes 0-8/9\r\n", "bytes 0-8/45\r\n"),
    answers!("fragment.resume", |seen| seen.is_fragment(10, 47), {
        let mut response = seen.ack_of(10);
        *response.status_mut() = http::StatusCode::RANGE_NOT_SATISFIABLE;
        Some(Reply::Response(response))
    }),
    (
        "range.missing",
        Fault::ReadsHead(|head| {
            if head.contains(": Fragment\r\n") && !head.contains("Content-Range") {
                return head.replace("\r\n\r\n", &format!("\r\n{RANGE}\r\n"));
            }
            head.into()
        }),
    ),
    range!("range.empty", ""),
    range!("range.unit.other", "octets 0-9/20"),
    range!("range.unit.missing", "0-9/20"),
    range!("range.unit.equals", "bytes=0-9/20"),
    range!("range.reversed", "bytes 9-0/20"),
    range!("range.beyond_total", "bytes 0-9/9"),
    range!("range.total.zero", "bytes 0-9/0"),
    range!("range.total.unknown", "bytes 0-9/*"),
    range!("range.total.missing", "bytes 0-9"),
    range!("range.total.empty", "bytes 0-9/"),
    range!("range.unsatisfied", "bytes */20"),
    range!("range.sign.first", "bytes +0-9/20"),
    range!("range.sign.last", "bytes 0-+9/20"),
    range!("range.sign.total", "bytes 0-9/+20"),
    range!("range.negative", "bytes -1-8/20"),
    range!("range.hexadecimal", "bytes 0x0-0x9/0x14"),
    range!("range.fraction", "bytes 0.0-9.0/20.0"),
    range!("range.separators", "bytes 0-9/2_0"),
    range!("range.first.missing", "bytes -9/20"),
    range!("range.last.missing", "bytes 0-/20"),
    range!("range.inner_space", "bytes 0 - 9/20"),
    range!("range.trailing", "bytes 0-9/20;a=b"),
    range!("range.list", "bytes 0-4,5-9/20"),
    range!("range.overflow.total", "bytes 0-9/18446744073709551636"),
    range!("range.overflow.first", "bytes 18446744073709551616-18446744073709551625/20"),
    range!("range.overflow.last", "bytes 0-18446744073709551625/20"),
    range!(
        "range.overflow.digits",
        "bytes 0-9/99999999999999999999999999999999999999999999999999999999999999999999999999"
    ),
    range!("range.maximum", "bytes 0-18446744073709551614/18446744073709551615"),
    answers!(
        "range.leading_zeros",
        |seen| seen.field("Content-Range") == Some("bytes 000-0009/00020"),
        Reply::invalid()
    ),
    answers!(
        "range.unit.upper_case",
        |seen| seen.field("Content-Range") == Some("BYTES 0-9/20"),
        Reply::invalid()
    ),
    body!("length.missing", None),
    body!("length.short", Some("9")),
    body!("length.long", Some("11")),
    body!("length.zero", Some("0")),
    length!("length.sign", "+10"),
    length!("length.negative", "-10"),
    length!("length.hexadecimal", "0xA"),
    length!("length.overflow", "18446744073709551626"),
    length!("length.inner_space", "1 0"),
    length!("length.different_values", "10, 11"),
];
