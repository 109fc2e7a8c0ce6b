//! Request bodies that tests control.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::mpsc;

/// A body whose bytes the test sends. It fails when the sender is dropped, as if the client had disconnected.
pub struct Sent(mpsc::UnboundedReceiver<Bytes>);

pub fn sent() -> (mpsc::UnboundedSender<Bytes>, Sent) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (sender, Sent(receiver))
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let bytes = ready!(self.0.poll_recv(cx));
        Poll::Ready(Some(bytes.map(Frame::data).ok_or(io::ErrorKind::ConnectionReset.into())))
    }
}

/// A body that records if it was read, as a server does that sends 100 Continue then.
#[derive(Clone, Default)]
pub struct Untouched(Arc<AtomicBool>);

impl Untouched {
    pub fn was_read(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Body for Untouched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.store(true, Ordering::SeqCst);
        Poll::Pending
    }
}
