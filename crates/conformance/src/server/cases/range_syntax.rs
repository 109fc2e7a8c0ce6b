//! The syntax of Content-Range.

use crate::Level::{Must, Robustness};
use crate::server::entry::Entry;
use crate::server::variant::{Base, Edit, Expect, Variant};

const FIELD: &str = "Content-Range";
const REQUIREMENTS: &[&str] = &["R2.2.6.1-3", "R3.2.5.2.3-3"];

/// A fragment of bytes 0 to 9 of 20 with another spelling of the range, which is invalid.
macro_rules! invalid {
    ($id:literal, $value:literal, $advice:literal) => {
        Entry::variant(
            $id,
            Must,
            REQUIREMENTS,
            $advice,
            Variant {
                base: Base::Fragment,
                edits: &[Edit::Set(FIELD, $value)],
                expect: Expect::Refused,
            },
        )
    };
}

pub(super) const CASES: &[Entry] = &[
    Entry::variant(
        "range.missing",
        Must,
        &["R2.2.6.1-3", "R3.2.5.2.3-3"],
        "Refuse a fragment without Content-Range; its offset is unknown.",
        Variant { base: Base::Fragment, edits: &[Edit::Remove(FIELD)], expect: Expect::Refused },
    ),
    invalid!("range.empty", "", "Refuse a fragment with an empty Content-Range."),
    invalid!("range.unit.other", "octets 0-9/20", "Refuse a range unit other than bytes."),
    invalid!("range.unit.missing", "0-9/20", "Refuse a Content-Range without a unit."),
    invalid!(
        "range.unit.equals",
        "bytes=0-9/20",
        "Refuse `bytes=`, which is the syntax of Range and not of Content-Range."
    ),
    invalid!(
        "range.reversed",
        "bytes 9-0/20",
        "Refuse a range whose first byte is behind its last."
    ),
    invalid!(
        "range.beyond_total",
        "bytes 0-9/9",
        "Refuse a range whose last byte is not below the total length."
    ),
    invalid!("range.total.zero", "bytes 0-9/0", "Refuse a range of an empty entity."),
    invalid!(
        "range.total.unknown",
        "bytes 0-9/*",
        "Refuse an unknown total length, without which no fragment is the last."
    ),
    invalid!("range.total.missing", "bytes 0-9", "Refuse a Content-Range without a total length."),
    invalid!(
        "range.total.empty",
        "bytes 0-9/",
        "Refuse a Content-Range with an empty total length."
    ),
    invalid!("range.unsatisfied", "bytes */20", "Refuse `bytes */20`, which has no range."),
    invalid!(
        "range.sign.first",
        "bytes +0-9/20",
        "Refuse a sign before the first byte; number parsers of many languages accept it."
    ),
    invalid!("range.sign.last", "bytes 0-+9/20", "Refuse a sign before the last byte."),
    invalid!("range.sign.total", "bytes 0-9/+20", "Refuse a sign before the total length."),
    invalid!("range.negative", "bytes -1-8/20", "Refuse a negative first byte."),
    invalid!("range.hexadecimal", "bytes 0x0-0x9/0x14", "Refuse hexadecimal numbers."),
    invalid!("range.fraction", "bytes 0.0-9.0/20.0", "Refuse numbers with a fraction."),
    invalid!("range.separators", "bytes 0-9/2_0", "Refuse separators between digits."),
    invalid!("range.first.missing", "bytes -9/20", "Refuse a range without a first byte."),
    invalid!("range.last.missing", "bytes 0-/20", "Refuse a range without a last byte."),
    invalid!("range.inner_space", "bytes 0 - 9/20", "Refuse white space inside the range."),
    invalid!(
        "range.trailing",
        "bytes 0-9/20;a=b",
        "Refuse bytes after the total length instead of ignoring them."
    ),
    invalid!("range.list", "bytes 0-4,5-9/20", "Refuse several ranges in one fragment."),
    invalid!(
        "range.overflow.total",
        "bytes 0-9/18446744073709551636",
        "Refuse a total length beyond 64 bits; here it would wrap to 20."
    ),
    invalid!(
        "range.overflow.first",
        "bytes 18446744073709551616-18446744073709551625/20",
        "Refuse offsets beyond 64 bits; here they would wrap to 0 and 9."
    ),
    invalid!(
        "range.overflow.last",
        "bytes 0-18446744073709551625/20",
        "Refuse a last byte beyond 64 bits; here it would wrap to 9."
    ),
    invalid!(
        "range.overflow.digits",
        "bytes 0-9/99999999999999999999999999999999999999999999999999999999999999999999999999",
        "Refuse a total length of 74 digits."
    ),
    Entry::variant(
        "range.maximum",
        Robustness,
        REQUIREMENTS,
        "Answer a fragment up to the last byte of 64 bits; last - first + 1 overflows.",
        Variant {
            base: Base::Fragment,
            edits: &[Edit::Set(FIELD, "bytes 0-18446744073709551614/18446744073709551615")],
            expect: Expect::Refused,
        },
    ),
    Entry::variant(
        "range.leading_zeros",
        Robustness,
        REQUIREMENTS,
        "Accept leading zeros, which are digits.",
        Variant {
            base: Base::Fragment,
            edits: &[Edit::Set(FIELD, "bytes 000-0009/00020")],
            expect: Expect::Accepted,
        },
    ),
    Entry::variant(
        "range.unit.upper_case",
        Robustness,
        &["RFC9110-14.1"],
        "Accept the range unit in upper case: range units are case-insensitive.",
        Variant {
            base: Base::Fragment,
            edits: &[Edit::Set(FIELD, "BYTES 0-9/20")],
            expect: Expect::Accepted,
        },
    ),
];
