//! A connection whose requests are read as other requests.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::double::Fault;

/// The beginnings of requests.
const METHODS: &[&str] = &["BITS_POST ", "bits_post ", "POST ", "PUT ", "FOO ", "GET "];

/// Returns true for a request without a body.
fn is_empty(head: &[u8]) -> bool {
    let field = b"\r\nContent-Length: 0\r\n";
    head.windows(field.len()).any(|it| it == field)
}

/// Writes a file outside the root, if the head has this text.
fn escape(head: &str, text: &str, outside: &Path) {
    let Some(start) = head.find(text) else { return };
    let name = head[start + text.len() - "bits-".len()..].split(' ').next().unwrap_or_default();
    std::fs::write(outside.join(name), "escaped").expect("a file");
}

/// Changes the heads of requests before the HTTP server reads them.
pub struct Rewriting {
    stream: TcpStream,
    fault: Option<Fault>,
    /// The beginning of a head.
    head: Vec<u8>,
    /// The bytes that the server reads next.
    ready: Vec<u8>,
    /// The folder that contains the root.
    outside: Option<PathBuf>,
}

impl Rewriting {
    pub fn new(stream: TcpStream, fault: Option<Fault>, outside: Option<PathBuf>) -> Self {
        Self { stream, fault, head: Vec::new(), ready: Vec::new(), outside }
    }

    /// Takes bytes of the client.
    fn take(&mut self, bytes: &[u8]) {
        let is_start = METHODS.iter().any(|method| bytes.starts_with(method.as_bytes()));
        if self.head.is_empty() && !is_start {
            self.ready.extend_from_slice(bytes);
            return;
        }
        self.head.extend_from_slice(bytes);
        let Some(end) = self.head.windows(4).position(|it| it == b"\r\n\r\n") else { return };
        let mut rest = self.head.split_off(end + 4);
        let head = String::from_utf8_lossy(&self.head).into_owned();
        if let (Some(Fault::Escapes(text)), Some(outside)) = (self.fault, &self.outside) {
            escape(&head, text, outside);
        }
        let head = match self.fault {
            Some(Fault::Reads(from, to)) if head.contains(from) => head.replace(from, to).into(),
            Some(Fault::ReadsHead(read)) => match read(&head) {
                changed if changed != head => changed.into_bytes(),
                _ => std::mem::take(&mut self.head),
            },
            _ => std::mem::take(&mut self.head),
        };
        let is_ping = head.windows(6).any(|it| it == b": Ping");
        if matches!(self.fault, Some(Fault::DropsPipelined)) && is_ping && is_empty(&head) {
            rest.clear();
        }
        self.head.clear();
        self.ready.extend_from_slice(&head);
        self.ready.extend_from_slice(&rest);
    }
}

impl AsyncRead for Rewriting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.ready.is_empty() {
            let mut bytes = [0; 64 * 1024];
            let mut read = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            let filled = read.filled().to_vec();
            self.take(&filled);
        }
        let count = buffer.remaining().min(self.ready.len());
        let bytes = self.ready.drain(..count).collect::<Vec<_>>();
        buffer.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Rewriting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
