//! The end of a response body.

/// The length of a response body, or the way to find its end.
///
/// # Example
///
/// ```
/// use bits_proto::http1::{BodyLength, Progress};
/// use bits_proto::message::{HeaderSlots, ResponseHead};
///
/// let bytes = b"HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n\r\n";
/// let mut slots = HeaderSlots::new();
/// let Progress::Complete(head) = ResponseHead::parse(bytes, &mut slots)? else { panic!() };
/// assert_eq!(head.body_length(), BodyLength::Chunked);
/// assert_eq!(head.body_length().known(), None);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9112 section 6.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyLength {
    /// There is no body: 1xx, 204 and 304 even with a Content-Length, and 205 without one.
    NoBody,
    /// Content-Length gives the number of bytes.
    Known(u64),
    /// The body is sent in chunks and ends after the last one.
    Chunked,
    /// The body ends when the server closes the connection. Assumed for codings other than `chunked`.
    UntilClose,
}

impl BodyLength {
    /// Returns the number of bytes, if the head gives it; 0 without a body.
    #[must_use]
    pub const fn known(self) -> Option<u64> {
        match self {
            Self::NoBody => Some(0),
            Self::Known(length) => Some(length),
            Self::Chunked | Self::UntilClose => None,
        }
    }
}
