//! The fast path of the head parser has the results of httparse.

use bits_proto::limits::Limits;

use crate::support::head_parsers::{assert_equal_for_downloads, assert_equal_for_uploads};

/// The length of the input selects the types and the limits, so that each execution is fast.
pub fn heads(data: &[u8]) {
    let limits = match data.len() / 2 % 3 {
        0 => {
            let fields = data.iter().filter(|byte| **byte == b'e').count() % 16;
            Limits::DEFAULT.with_fields(fields).with_head_bytes(data.len().midpoint(40))
        }
        _ => Limits::DEFAULT,
    };
    match data.len() % 2 {
        0 => assert_equal_for_uploads(data, &limits),
        _ => assert_equal_for_downloads(data, &limits),
    }
}
