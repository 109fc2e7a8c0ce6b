//! Responses and their bodies.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use crate::storage::StorageError;

/// The body of a response: empty, or bytes of known length that are read while they are sent.
#[derive(Debug)]
pub struct ResponseBody {
    pieces: Option<mpsc::Receiver<Result<Bytes, StorageError>>>,
    left: u64,
}

impl ResponseBody {
    pub(crate) const EMPTY: Self = Self { pieces: None, left: 0 };

    /// Creates a body of this length, and the sender for its pieces.
    pub(crate) fn channel(length: u64) -> (mpsc::Sender<Result<Bytes, StorageError>>, Self) {
        let (sender, pieces) = mpsc::channel(1);
        (sender, Self { pieces: Some(pieces), left: length })
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = StorageError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StorageError>>> {
        let Some(pieces) = &mut self.pieces else { return Poll::Ready(None) };
        let piece = ready!(pieces.poll_recv(cx));
        Poll::Ready(piece.map(|piece| {
            let piece = piece?;
            self.left = self.left.saturating_sub(piece.len() as u64);
            Ok(Frame::data(piece))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Returns a response without content to a request outside the protocol.
pub(crate) fn empty(status: StatusCode) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::EMPTY);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}
