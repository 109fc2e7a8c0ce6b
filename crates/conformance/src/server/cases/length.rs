//! Content-Length of fragments.

use crate::Level::{Must, Security};
use crate::server::entry::Entry;
use crate::server::variant::{Base, Edit, Expect, Variant};

const FIELD: &str = "Content-Length";

const fn fragment(edits: &'static [Edit], expect: Expect) -> Variant {
    Variant { base: Base::Fragment, edits, expect }
}

pub(super) const CASES: &[Entry] = &[
    Entry::variant(
        "length.missing",
        Must,
        &["R3.2.5.2.3-6", "R3.2.5.2.3-7"],
        "Refuse a fragment without Content-Length with 411.",
        fragment(&[Edit::Remove(FIELD), Edit::Body(b"")], Expect::Refused),
    ),
    Entry::variant(
        "length.short",
        Must,
        &["R2.2.6.3-1", "R3.2.5.2.3-3"],
        "Refuse a fragment whose Content-Length is less than the length of its range.",
        fragment(&[Edit::Set(FIELD, "9"), Edit::Body(b"123456789")], Expect::Refused),
    ),
    Entry::variant(
        "length.long",
        Must,
        &["R2.2.6.3-1", "R3.2.5.2.3-3"],
        "Refuse a fragment whose Content-Length is greater than the length of its range.",
        fragment(&[Edit::Set(FIELD, "11"), Edit::Body(b"12345678901")], Expect::Refused),
    ),
    Entry::variant(
        "length.zero",
        Must,
        &["R2.2.6.3-1", "R2.2.7.2-2"],
        "Do not acknowledge a fragment with Content-Length 0: none of its bytes arrive.",
        fragment(&[Edit::Set(FIELD, "0"), Edit::Body(b"")], Expect::Refused),
    ),
    Entry::variant(
        "length.sign",
        Security,
        &["R2.2.1.1-3", "RFC9110-8.6"],
        "Refuse a sign in Content-Length, which two parties may read differently.",
        fragment(&[Edit::Set(FIELD, "+10")], Expect::RefusedOrClosed),
    ),
    Entry::variant(
        "length.negative",
        Security,
        &["R2.2.1.1-3", "RFC9110-8.6"],
        "Refuse a negative Content-Length.",
        fragment(&[Edit::Set(FIELD, "-10")], Expect::RefusedOrClosed),
    ),
    Entry::variant(
        "length.hexadecimal",
        Security,
        &["R2.2.1.1-3", "RFC9110-8.6"],
        "Refuse a hexadecimal Content-Length.",
        fragment(&[Edit::Set(FIELD, "0xA")], Expect::RefusedOrClosed),
    ),
    Entry::variant(
        "length.overflow",
        Security,
        &["R2.2.1.1-3", "RFC9110-8.6"],
        "Refuse a Content-Length beyond 64 bits; here it would wrap to 10.",
        fragment(&[Edit::Set(FIELD, "18446744073709551626")], Expect::RefusedOrClosed),
    ),
    Entry::variant(
        "length.inner_space",
        Security,
        &["R2.2.1.1-3", "RFC9110-8.6"],
        "Refuse white space inside Content-Length.",
        fragment(&[Edit::Set(FIELD, "1 0")], Expect::RefusedOrClosed),
    ),
    Entry::variant(
        "length.different_values",
        Security,
        &["RFC9112-6.3"],
        "Refuse a Content-Length with two different values.",
        fragment(&[Edit::Set(FIELD, "10, 11")], Expect::RefusedOrClosed),
    ),
];
