//! Bodies: what comes in, by pieces and with patience, and what goes out, from a file.

use std::convert::Infallible;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use cap_std::fs::File;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::{mpsc, watch};
use tokio::task::block_in_place;
use tokio::time::{Instant, timeout_at};

/// How much of a body is in memory at a time.
pub const PIECE: u64 = 256 * 1024;

/// How long bytes wait for others before they are stored.
pub const HURRY: Duration = Duration::from_secs(2);

/// The body of a request, whose bytes are waited for so long and no longer.
pub struct Reader {
    body: Incoming,
    /// What was received and not yet taken.
    held: Bytes,
    /// How long the client may send nothing.
    patience: Duration,
    /// The server is about to end.
    stops: watch::Receiver<bool>,
}

/// Bytes of a body.
#[derive(Default)]
pub struct Piece {
    pub parts: Vec<Bytes>,
    pub length: u64,
    /// Nothing comes any more: the client is gone or too slow, or the server ends.
    pub is_last: bool,
}

/// What came where bytes were waited for.
enum Came {
    Bytes(Bytes),
    Nothing,
    End,
}

impl Reader {
    pub fn new(body: Incoming, patience: Duration, stops: watch::Receiver<bool>) -> Self {
        Self { body, held: Bytes::new(), patience, stops }
    }

    /// Whether all was read.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty() && self.body.is_end_stream()
    }

    /// How many bytes it has; `None` where that is not known.
    pub fn length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// Takes up to `most` bytes, as many as come within a while.
    pub async fn piece(&mut self, most: u64) -> Piece {
        let mut piece = Piece::default();
        let start = Instant::now();
        while piece.length < most {
            let deadline = if piece.parts.is_empty() {
                Instant::now() + self.patience
            } else {
                start + HURRY.min(self.patience)
            };
            match self.next(most - piece.length, deadline).await {
                Came::Bytes(bytes) => {
                    piece.length += bytes.len() as u64;
                    piece.parts.push(bytes);
                }
                Came::Nothing if !piece.parts.is_empty() => break,
                Came::Nothing | Came::End => {
                    piece.is_last = true;
                    break;
                }
            }
        }
        piece
    }

    /// Reads `length` bytes and throws them away; whether there were so many.
    pub async fn skip(&mut self, mut length: u64) -> bool {
        while length > 0 {
            match self.next(length, Instant::now() + self.patience).await {
                Came::Bytes(bytes) => length -= bytes.len() as u64,
                Came::Nothing | Came::End => return false,
            }
        }
        true
    }

    async fn next(&mut self, most: u64, deadline: Instant) -> Came {
        while self.held.is_empty() {
            let frame = tokio::select! {
                frame = timeout_at(deadline, self.body.frame()) => frame,
                // A server that is gone without a word stops too.
                _ = self.stops.wait_for(|stops| *stops) => return Came::End,
            };
            match frame {
                Ok(Some(Ok(frame))) => self.held = frame.into_data().unwrap_or_default(),
                Ok(Some(Err(_)) | None) => return Came::End,
                Err(_) => return Came::Nothing,
            }
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(self.held.len());
        Came::Bytes(self.held.split_to(most))
    }
}

/// A body that goes out: a number of bytes that somebody else sends through a channel.
pub struct Outgoing {
    pieces: Option<mpsc::Receiver<Bytes>>,
    left: u64,
}

impl Outgoing {
    pub const EMPTY: Self = Self { pieces: None, left: 0 };

    /// A body of this length, and where its pieces go in.
    pub fn channel(length: u64) -> (mpsc::Sender<Bytes>, Self) {
        let (sender, pieces) = mpsc::channel(1);
        (sender, Self { pieces: Some(pieces), left: length })
    }

    /// Bytes of a file.
    pub fn of_file(mut file: File, offset: u64, length: u64) -> Self {
        let (sender, body) = Self::channel(length);
        tokio::spawn(async move {
            let mut left = length;
            if block_in_place(|| file.seek(SeekFrom::Start(offset))).is_err() {
                return;
            }
            // A file that became shorter ends the body, and with it the connection.
            while let Ok(piece) = block_in_place(|| read_piece(&mut file, left)) {
                left -= piece.len() as u64;
                if piece.is_empty() || sender.send(piece).await.is_err() {
                    return;
                }
            }
        });
        body
    }
}

/// The next bytes of a file, at most `most`; none at its end.
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
