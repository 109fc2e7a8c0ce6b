//! Request bodies with bytes of the source, which a task reads ahead.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio_util::task::AbortOnDropHandle;

use super::buffers::Buffers;
use super::source::Source;
use crate::rate_limit::RateLimit;

/// Maximum number of bytes per read.
const PIECE: u64 = 512 * 1024;

/// A body that streams a part of the source. At most four pieces are in memory: one that is sent, one
/// that waits, one that is read, and one whose sending is not confirmed.
#[derive(Debug)]
pub(super) struct EntityBody {
    pieces: mpsc::Receiver<Bytes>,
    left: u64,
    /// The number of bytes passed to the connection.
    sent: watch::Sender<u64>,
    /// Stops reading when the body is dropped.
    _reader: Option<AbortOnDropHandle<()>>,
}

/// Progress of a body.
#[derive(Debug)]
pub(super) struct BodyStatus {
    /// The number of bytes passed to the connection.
    pub sent: watch::Receiver<u64>,
    pub length: u64,
    read_error: Arc<OnceLock<io::Error>>,
    reader: Option<AbortHandle>,
}

impl BodyStatus {
    /// Ends the body with an error, so that its connection is closed.
    pub fn stop(&self) {
        if let Some(reader) = &self.reader {
            reader.abort();
        }
    }

    /// Returns the error if the source could not be read.
    pub fn read_error(&self) -> Option<&io::Error> {
        self.read_error.get()
    }
}

impl EntityBody {
    /// Returns a body with this range of the source, which may be empty.
    pub fn new(
        source: &Source,
        range: Range<u64>,
        rate_limit: Option<&Arc<RateLimit>>,
        buffers: &Arc<Buffers>,
    ) -> (Self, BodyStatus) {
        let (sender, pieces) = mpsc::channel(1);
        let (sent_sender, sent) = watch::channel(0);
        let read_error = Arc::new(OnceLock::new());
        let left = range.end.saturating_sub(range.start);
        let (source, rate_limit) = (source.clone(), rate_limit.cloned());
        let (buffers, error_slot) = (Arc::clone(buffers), Arc::clone(&read_error));
        let reader = (left > 0).then(|| {
            tokio::spawn(async move {
                let read = read_pieces(&source, range, rate_limit.as_deref(), &buffers, &sender);
                if let Err(error) = read.await {
                    let _ = error_slot.set(error);
                }
            })
        });
        let handle = reader.as_ref().map(JoinHandle::abort_handle);
        let reader = reader.map(AbortOnDropHandle::new);
        let body = Self { pieces, left, sent: sent_sender, _reader: reader };
        (body, BodyStatus { sent, length: left, read_error, reader: handle })
    }
}

/// Reads the range piece by piece. Returns early if the body is dropped.
async fn read_pieces(
    source: &Source,
    range: Range<u64>,
    rate_limit: Option<&RateLimit>,
    buffers: &Arc<Buffers>,
    sender: &mpsc::Sender<Bytes>,
) -> io::Result<()> {
    let max_length = rate_limit.map_or(PIECE, |it| it.piece().min(PIECE));
    let mut at = range.start;
    while at < range.end {
        let length = max_length.min(range.end - at);
        let piece = source.read(at, length, buffers).await?;
        if let Some(rate_limit) = rate_limit {
            rate_limit.take(length).await;
        }
        if sender.send(piece).await.is_err() {
            break;
        }
        at += length;
    }
    Ok(())
}

impl Body for EntityBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let Some(piece) = ready!(self.pieces.poll_recv(context)) else {
            // `BodyStatus` has the error.
            return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
        };
        let length = piece.len() as u64;
        self.left = self.left.saturating_sub(length);
        self.sent.send_modify(|sent| *sent += length);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
