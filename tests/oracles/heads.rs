//! The fast path of the head parser has the results of httparse.

use bits_proto::limits::Limits;

use crate::support::head_parsers::assert_equal;

pub fn heads(data: &[u8]) {
    assert_equal(data, &Limits::DEFAULT);
    // Limits that the input may exceed, and that depend on nothing else.
    let fields = data.iter().filter(|byte| **byte == b'e').count() % 16;
    let limits = Limits::DEFAULT.with_fields(fields).with_head_bytes(data.len().midpoint(40));
    assert_equal(data, &limits);
}
