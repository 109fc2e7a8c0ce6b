//! Limits on the input of a peer.

use crate::util::setters::setters;

/// Limits on the size of a message head that is parsed from bytes, and of a body that is sent in
/// chunks.
///
/// Input that exceeds a limit is an error and never
/// [`Partial`](crate::http1::Progress::Partial), so that a peer cannot make a reader wait, or a
/// buffer grow, without end. The limit on a single value is
/// [`ParseOptions::max_value`](crate::message::ParseOptions::max_value).
///
/// # Example
///
/// ```
/// use bits_proto::limits::Limits;
///
/// let limits = Limits::DEFAULT.with_head_bytes(4096);
/// assert_eq!(limits.fields, 64);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct Limits {
    /// The maximum size of a head in bytes, including the start line and the final empty line.
    /// Default: 16384.
    pub head_bytes: usize,
    /// The maximum number of fields. Default: 64. The capacity of the
    /// [`HeaderSlots`](crate::message::HeaderSlots) is a limit as well.
    pub fields: usize,
    /// The maximum length of a line with a chunk size in bytes, including extensions and CR LF.
    /// Default: 4096.
    pub chunk_line_bytes: usize,
    /// The maximum size of the trailers of a chunked body in bytes, including the final empty line.
    /// Default: 16384.
    pub trailer_bytes: usize,
    /// The maximum length of a chunked body in bytes, without the coding. Default: [`u64::MAX`].
    pub chunked_body_bytes: u64,
}

impl Limits {
    /// 16 KiB and 64 fields; 4 KiB for a line with a chunk size, 16 KiB for trailers, and no limit
    /// on the length of a chunked body.
    pub const DEFAULT: Self = Self {
        head_bytes: 16 * 1024,
        fields: 64,
        chunk_line_bytes: 4096,
        trailer_bytes: 16 * 1024,
        chunked_body_bytes: u64::MAX,
    };
}

setters!(Limits {
    with_head_bytes: head_bytes: usize,
    with_fields: fields: usize,
    with_chunk_line_bytes: chunk_line_bytes: usize,
    with_trailer_bytes: trailer_bytes: usize,
    with_chunked_body_bytes: chunked_body_bytes: u64,
});

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The minimum size of a fragment other than the last, in bytes: 5 KiB.
///
/// Source: \[MC-BUP\] notes 10 and 16 (behaviour of Windows).
pub const MIN_FRAGMENT: u64 = 5 * 1024;
