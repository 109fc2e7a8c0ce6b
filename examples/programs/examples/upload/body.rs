//! The body of a request: bytes of the file, read ahead by a thread of their own.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::{mpsc, oneshot};

use crate::entity::Entity;
use bits_proto_programs::upload::console::Console;
use bits_proto_programs::upload::rate_limit::RateLimit;

/// How many bytes are read at once.
const PIECE: u64 = 128 * 1024;

/// How many pieces are read ahead.
const AHEAD: usize = 2;

/// What a thread reads is sent as it comes; a fragment is never held as a whole.
pub struct EntityBody {
    pieces: mpsc::Receiver<Bytes>,
    left: u64,
    console: Console,
    /// Told when the last byte was taken to be sent.
    sent: Option<oneshot::Sender<()>>,
}

/// What the sender of a body is told.
pub struct Watch {
    /// When the last byte was taken to be sent.
    pub sent: oneshot::Receiver<()>,
    trouble: Arc<OnceLock<io::Error>>,
}

impl Watch {
    /// Why the file could not be read.
    pub fn trouble(&self) -> Option<&io::Error> {
        self.trouble.get()
    }
}

impl EntityBody {
    /// These bytes of the entity.
    pub fn new(
        entity: &Arc<Entity>,
        range: Range<u64>,
        rate_limit: Option<&Arc<Mutex<RateLimit>>>,
        console: &Console,
    ) -> (Self, Watch) {
        let (put, pieces) = mpsc::channel(AHEAD);
        let (tell, sent) = oneshot::channel();
        let trouble = Arc::new(OnceLock::new());
        let left = range.end.saturating_sub(range.start);
        let mut body = Self { pieces, left, console: console.clone(), sent: Some(tell) };
        if left == 0 {
            body.tell_sent();
        } else {
            let (entity, rate_limit) = (Arc::clone(entity), rate_limit.cloned());
            let failed = Arc::clone(&trouble);
            tokio::task::spawn_blocking(move || {
                if let Err(error) = read_pieces(&entity, range, rate_limit.as_deref(), &put) {
                    let _ = failed.set(error);
                }
            });
        }
        (body, Watch { sent, trouble })
    }

    fn tell_sent(&mut self) {
        if let Some(sent) = self.sent.take() {
            // Nobody listens any more where the answer came first.
            let _ = sent.send(());
        }
    }
}

/// Ends early when nobody wants the pieces any more.
fn read_pieces(
    entity: &Entity,
    range: Range<u64>,
    rate_limit: Option<&Mutex<RateLimit>>,
    put: &mpsc::Sender<Bytes>,
) -> io::Result<()> {
    let mut at = range.start;
    while at < range.end {
        let longest = rate_limit.map_or(PIECE, |rate_limit| {
            locked(rate_limit, |rate_limit| rate_limit.piece()).min(PIECE)
        });
        let length = longest.min(range.end - at);
        let piece = entity.read(at, length)?;
        if let Some(rate_limit) = rate_limit {
            thread::sleep(locked(rate_limit, |rate_limit| rate_limit.take(length, Instant::now())));
        }
        if put.blocking_send(piece).is_err() {
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
            // The watch has the reason.
            return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
        };
        let length = piece.len() as u64;
        self.left = self.left.saturating_sub(length);
        self.console.sending(length);
        if self.left == 0 {
            self.tell_sent();
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
