//! Determines where the body of a message ends.

use bits_proto::Error;
use bits_proto::http1::{BodyLength, ChunkedDecoder, ChunkedPart};
use bits_proto::message::{RequestHead, ResponseHead};

use crate::pending::PendingRequest;
use crate::source::Body;

/// The status code of a response after which the connection continues with another protocol.
pub const SWITCHING_PROTOCOLS: u16 = 101;

/// A malformed body.
#[derive(Clone, Copy, Debug)]
pub struct MalformedBody {
    pub error: Error,
    /// Number of bytes before the malformed chunk.
    pub valid: usize,
}

/// Returns the body of a request.
pub fn request_body(head: &RequestHead<'_, '_>, is_rejected: bool) -> Body {
    match head.framing().content_length {
        // A request that is rejected because of its missing length may still have a body.
        None if is_rejected => Body::Unknown,
        _ => Body::Length(head.body_length()),
    }
}

/// Returns the body of a response to a request, if that is known. `bytes` follow the head.
///
/// # Errors
///
/// Fails if the body is sent in chunks and malformed.
pub fn response_body(
    head: &ResponseHead<'_, '_>,
    request: Option<&PendingRequest<'_>>,
    bytes: &[u8],
) -> Result<Body, MalformedBody> {
    let status = head.line().status;
    match (request, head.body_length()) {
        (Some(PendingRequest::Download(true)), _) => Ok(Body::Length(0)),
        (Some(PendingRequest::Connect), _) if status.is_success() => Ok(Body::OtherProtocol),
        _ if status.get() == SWITCHING_PROTOCOLS => Ok(Body::OtherProtocol),
        (_, BodyLength::Chunked) => chunked_body(bytes),
        (_, BodyLength::UntilClose) => Ok(Body::UntilClose),
        (_, length) => Ok(length.known().map_or(Body::Unknown, Body::Length)),
    }
}

fn chunked_body(bytes: &[u8]) -> Result<Body, MalformedBody> {
    let mut decoder = ChunkedDecoder::new();
    // The beginning and the end of the last chunk.
    let (mut start, mut end) = (0, 0);
    loop {
        match decoder.decode(&bytes[end..]) {
            Ok(ChunkedPart::Data { consumed, .. }) => (start, end) = (end, end + consumed),
            Ok(ChunkedPart::End { consumed }) => return Ok(Body::Length((end + consumed) as u64)),
            Ok(_) => return Ok(Body::Cut),
            Err(error) => return Err(MalformedBody { error, valid: start }),
        }
    }
}
