//! Determines where the body of a message ends.

use bits_proto::Error;
use bits_proto::http1::{BodyLength, ChunkedDecoder, ChunkedPart};
use bits_proto::message::{RequestHead, ResponseHead};

use crate::inspect::pending::PendingRequest;
use crate::inspect::source::Body;

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
        (_, BodyLength::Chunked) => decode_chunks(bytes, |_| {}),
        (_, BodyLength::UntilClose) => Ok(Body::UntilClose),
        (_, length) => Ok(length.known().map_or(Body::Unknown, Body::Length)),
    }
}

/// Passes the data of the body of a response to `each`, and returns true if the body is complete.
/// `bytes` follow the head.
pub fn body_data<'b>(
    head: &ResponseHead<'_, '_>,
    bytes: &'b [u8],
    mut each: impl FnMut(&'b [u8]),
) -> bool {
    match head.body_length() {
        BodyLength::Chunked => matches!(decode_chunks(bytes, each), Ok(Body::Length(_))),
        length => {
            let length = length.known().and_then(|length| usize::try_from(length).ok());
            let data = length.and_then(|length| bytes.get(..length));
            each(data.unwrap_or(bytes));
            data.is_some()
        }
    }
}

/// Passes the data of a body in chunks to `each`, and returns the end of the body.
fn decode_chunks<'b>(
    bytes: &'b [u8],
    mut each: impl FnMut(&'b [u8]),
) -> Result<Body, MalformedBody> {
    let mut decoder = ChunkedDecoder::new();
    // The beginning and the end of the last chunk.
    let (mut start, mut end) = (0, 0);
    loop {
        match decoder.decode(&bytes[end..]) {
            Ok(ChunkedPart::Data { data, consumed }) => {
                each(data);
                (start, end) = (end, end + consumed);
            }
            Ok(ChunkedPart::End { consumed }) => return Ok(Body::Length((end + consumed) as u64)),
            Ok(_) => return Ok(Body::Cut),
            Err(error) => return Err(MalformedBody { error, valid: start }),
        }
    }
}
