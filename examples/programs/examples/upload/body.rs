//! Request bodies with bytes of the file, which a blocking thread reads ahead.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};
use std::thread;
use std::time::Instant;

use bits_proto_programs::client::console::Console;
use bits_proto_programs::client::rate_limit::RateLimit;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::{mpsc, oneshot};

use crate::entity::Entity;

/// Maximum number of bytes per read.
const PIECE: u64 = 128 * 1024;

/// Number of pieces to read ahead.
const READ_AHEAD: usize = 2;

/// A body that streams part of the file. At most [`READ_AHEAD`] pieces are in memory.
pub struct EntityBody {
    pieces: mpsc::Receiver<Bytes>,
    left: u64,
    console: Console,
    /// Notified when the last byte is passed to the connection.
    sent: Option<oneshot::Sender<()>>,
}

/// Progress of a body.
pub struct SendStatus {
    /// Completes when the last byte is passed to the connection.
    pub sent: oneshot::Receiver<()>,
    read_error: Arc<OnceLock<io::Error>>,
}

impl SendStatus {
    /// Returns the error if the file could not be read.
    pub fn read_error(&self) -> Option<&io::Error> {
        self.read_error.get()
    }
}

impl EntityBody {
    /// Returns a body with this range of the entity.
    pub fn new(
        entity: &Arc<Entity>,
        range: Range<u64>,
        rate_limit: Option<&Arc<Mutex<RateLimit>>>,
        console: &Console,
    ) -> (Self, SendStatus) {
        let (sender, pieces) = mpsc::channel(READ_AHEAD);
        let (sent_sender, sent) = oneshot::channel();
        let read_error = Arc::new(OnceLock::new());
        let left = range.end.saturating_sub(range.start);
        let mut body = Self { pieces, left, console: console.clone(), sent: Some(sent_sender) };
        if left == 0 {
            body.notify_sent();
        } else {
            let (entity, rate_limit) = (Arc::clone(entity), rate_limit.cloned());
            let error_slot = Arc::clone(&read_error);
            tokio::task::spawn_blocking(move || {
                if let Err(error) = read_pieces(&entity, range, rate_limit.as_deref(), &sender) {
                    let _ = error_slot.set(error);
                }
            });
        }
        (body, SendStatus { sent, read_error })
    }

    fn notify_sent(&mut self) {
        if let Some(sent) = self.sent.take() {
            // The receiver is gone if the response arrived first.
            let _ = sent.send(());
        }
    }
}

/// Reads the range piece by piece. Returns early if the body is dropped.
fn read_pieces(
    entity: &Entity,
    range: Range<u64>,
    rate_limit: Option<&Mutex<RateLimit>>,
    sender: &mpsc::Sender<Bytes>,
) -> io::Result<()> {
    let mut at = range.start;
    while at < range.end {
        let max_length = rate_limit.map_or(PIECE, |rate_limit| {
            locked(rate_limit, |rate_limit| rate_limit.piece()).min(PIECE)
        });
        let length = max_length.min(range.end - at);
        let piece = entity.read(at, length)?;
        if let Some(rate_limit) = rate_limit {
            thread::sleep(locked(rate_limit, |rate_limit| rate_limit.take(length, Instant::now())));
        }
        if sender.blocking_send(piece).is_err() {
            break;
        }
        at += length;
    }
    Ok(())
}

fn locked<T>(rate_limit: &Mutex<RateLimit>, work: impl FnOnce(&mut RateLimit) -> T) -> T {
    work(&mut rate_limit.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
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
        let Some(piece) = std::task::ready!(self.pieces.poll_recv(context)) else {
            // `SendStatus` has the error.
            return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
        };
        let length = piece.len() as u64;
        self.left = self.left.saturating_sub(length);
        self.console.sending(length);
        if self.left == 0 {
            self.notify_sent();
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
