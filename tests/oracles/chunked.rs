//! A body in chunks has the same result for every split, and that of the reference decoder.

use bits_proto::limits::Limits;

use crate::support::chunked::{End, check_against_reference, decode, decode_pieces};

/// The input is a body in chunks, with any bytes after it.
pub fn chunked(data: &[u8]) {
    let narrow = Limits::DEFAULT
        .with_chunk_line_bytes(16)
        .with_trailer_bytes(32)
        .with_chunked_body_bytes(64);
    for limits in [Limits::DEFAULT, narrow] {
        let whole = decode(data, &limits);
        check_against_reference(data, &limits, &whole);
        for size in [1, 2, 3, 7, 64] {
            let pieces = decode_pieces(data.chunks(size), &limits);
            assert_eq!(pieces, whole, "in pieces of {size}: {}", data.escape_ascii());
        }
        if let End::Complete(length) = whole.end {
            assert_eq!(decode(&data[..length], &limits), whole, "bytes after the end matter");
            assert_eq!(decode(&data[..length - 1], &limits).end, End::Partial, "the end is early");
        }
    }
}
