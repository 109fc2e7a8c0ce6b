//! Request bodies, read in pieces with a timeout, and response bodies of known length.

use std::convert::Infallible;
use std::io::{self, Read as _};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use cap_std::fs::File;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};

/// Maximum number of bytes of a body in memory.
pub const PIECE: u64 = 256 * 1024;

/// Maximum time for which received bytes are held back before they are stored.
pub const FLUSH_INTERVAL: Duration = Duration::from_secs(2);

/// A request body with a read timeout.
pub struct Reader {
    body: Incoming,
    /// Received bytes that are not yet consumed.
    buffer: Bytes,
    /// Maximum time without a byte from the client.
    read_timeout: Duration,
    /// Becomes `true` at shutdown.
    shutdown: watch::Receiver<bool>,
}

/// Consecutive bytes of a body.
#[derive(Default)]
pub struct Piece {
    pub parts: Vec<Bytes>,
    pub length: u64,
    /// No more bytes follow: the client disconnected or timed out, or the server is shutting down.
    pub is_last: bool,
}

/// Result of waiting for bytes.
enum Received {
    Bytes(Bytes),
    Timeout,
    End,
}

impl Reader {
    pub fn new(body: Incoming, read_timeout: Duration, shutdown: watch::Receiver<bool>) -> Self {
        Self { body, buffer: Bytes::new(), read_timeout, shutdown }
    }

    /// Returns `true` if the whole body was consumed.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.body.is_end_stream()
    }

    /// Returns the length of the rest of the body, if it is known.
    pub fn length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// Reads up to `most` bytes: as many as arrive within [`FLUSH_INTERVAL`], but at least one.
    pub async fn piece(&mut self, most: u64) -> Piece {
        let mut piece = Piece::default();
        let start = Instant::now();
        while piece.length < most {
            let deadline = if piece.parts.is_empty() {
                Instant::now() + self.read_timeout
            } else {
                start + FLUSH_INTERVAL.min(self.read_timeout)
            };
            match self.next(most - piece.length, deadline).await {
                Received::Bytes(bytes) => {
                    piece.length += bytes.len() as u64;
                    piece.parts.push(bytes);
                }
                Received::Timeout if !piece.parts.is_empty() => break,
                Received::Timeout | Received::End => {
                    piece.is_last = true;
                    break;
                }
            }
        }
        piece
    }

    /// Reads and discards `length` bytes. Returns `false` if there are fewer.
    pub async fn skip(&mut self, mut length: u64) -> bool {
        while length > 0 {
            match self.next(length, Instant::now() + self.read_timeout).await {
                Received::Bytes(bytes) => length -= bytes.len() as u64,
                Received::Timeout | Received::End => return false,
            }
        }
        true
    }

    async fn next(&mut self, most: u64, deadline: Instant) -> Received {
        while self.buffer.is_empty() {
            let frame = tokio::select! {
                frame = timeout_at(deadline, self.body.frame()) => frame,
                // Also completes if the sender was dropped.
                _ = self.shutdown.wait_for(|shutdown| *shutdown) => return Received::End,
            };
            match frame {
                Ok(Some(Ok(frame))) => self.buffer = frame.into_data().unwrap_or_default(),
                Ok(Some(Err(_)) | None) => return Received::End,
                Err(_) => return Received::Timeout,
            }
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(self.buffer.len());
        Received::Bytes(self.buffer.split_to(most))
    }
}

/// An outgoing body of known length, whose bytes arrive through a channel.
pub struct Outgoing {
    pieces: Option<mpsc::Receiver<Bytes>>,
    left: u64,
}

impl Outgoing {
    pub const EMPTY: Self = Self { pieces: None, left: 0 };

    /// Returns a body of this length and the sender for its pieces.
    pub fn channel(length: u64) -> (mpsc::Sender<Bytes>, Self) {
        let (sender, pieces) = mpsc::channel(1);
        (sender, Self { pieces: Some(pieces), left: length })
    }
}

/// Reads up to `most` bytes of a file; none at its end.
pub fn read_piece(file: &mut File, most: u64) -> io::Result<Bytes> {
    let most = most.min(PIECE);
    let mut piece = Vec::with_capacity(usize::try_from(most).unwrap_or_default());
    file.take(most).read_to_end(&mut piece)?;
    Ok(piece.into())
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(pieces) = &mut self.pieces else { return Poll::Ready(None) };
        let piece = std::task::ready!(pieces.poll_recv(cx));
        Poll::Ready(piece.map(|piece| {
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
