//! Standard output while a page is written to a file.

use std::io::{self, ErrorKind, Write};

/// A writer that discards output after its reader has closed the pipe, so that the page is written in any case.
pub struct UntilClosed<W> {
    inner: Option<W>,
}

impl<W> UntilClosed<W> {
    pub fn new(inner: W) -> Self {
        Self { inner: Some(inner) }
    }
}

impl<W: Write> Write for UntilClosed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.as_mut().map_or(Ok(bytes.len()), |inner| inner.write(bytes));
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.inner = None;
                Ok(bytes.len())
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.inner.as_mut().map_or(Ok(()), Write::flush) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.inner = None;
                Ok(())
            }
            flushed => flushed,
        }
    }
}
