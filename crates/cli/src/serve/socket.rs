//! A socket that delivers its last bytes and limits how long it waits for the peer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// Time for which a connection stays open after its last response.
const LINGER: Duration = Duration::from_secs(10);

/// A connection to a client.
///
/// A server that closes a connection while bytes arrive may lose its own response: the system
/// resets the connection, and the peer discards what it has not read. So the socket shuts down its
/// sending side first, then reads and discards until the peer closes or [`LINGER`] is over.
pub struct Socket {
    stream: TcpStream,
    /// Maximum time for which a write may make no progress.
    write_timeout: Duration,
    /// Runs while a write makes no progress.
    write_timer: Option<Pin<Box<Sleep>>>,
    /// Runs from the shutdown of the sending side.
    linger_timer: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    pub fn new(stream: TcpStream, write_timeout: Duration) -> io::Result<Self> {
        // Each message is written as a whole, so there is nothing to coalesce.
        stream.set_nodelay(true)?;
        Ok(Self { stream, write_timeout, write_timer: None, linger_timer: None })
    }

    /// Returns the result of a write, or an error if the write makes no progress for too long.
    fn with_timeout<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_timer = None;
            return written;
        }
        let limit = self.write_timeout;
        let timer = self.write_timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.with_timeout(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.with_timeout(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger_timer.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            self.linger_timer = Some(Box::pin(sleep(LINGER)));
        }
        let this = &mut *self;
        let Some(timer) = &mut this.linger_timer else { return Poll::Ready(Ok(())) };
        let mut rest = [0; 16 * 1024];
        loop {
            // Checked before each read, so that a peer that never stops sending is cut off too.
            if timer.as_ref().deadline() <= Instant::now() || timer.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut rest = ReadBuf::new(&mut rest);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut rest))?;
            if rest.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
