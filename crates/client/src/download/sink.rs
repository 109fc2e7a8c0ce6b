//! Destinations of received bytes.

use std::io;
use std::path::Path;

use bytes::{Bytes, BytesMut};

use super::part_file::PartFile;
use crate::error::{Error, Result};

/// The destination of received bytes.
#[derive(Debug)]
pub(crate) enum Sink {
    File(PartFile),
    Memory { bytes: BytesMut, max_length: usize },
}

impl Sink {
    pub fn memory(max_length: usize) -> Self {
        Self::Memory { bytes: BytesMut::new(), max_length }
    }

    /// Opens a file with its first `received` bytes, or fewer if bytes were lost.
    pub fn file(path: &Path, received: Option<u64>, overwrite: bool) -> Result<Self> {
        PartFile::open(path, received, overwrite).map(Self::File)
    }

    /// Returns the number of bytes from the start that are stored.
    pub fn stored(&self) -> u64 {
        match self {
            Self::File(file) => file.written(),
            Self::Memory { bytes, .. } => bytes.len() as u64,
        }
    }

    /// Returns the number of bytes that are stored, or wait to be stored.
    pub fn end(&self) -> u64 {
        match self {
            Self::File(file) => file.end(),
            Self::Memory { bytes, .. } => bytes.len() as u64,
        }
    }

    /// Stores bytes at this position.
    pub async fn write(&mut self, position: u64, new: &[u8]) -> io::Result<()> {
        match self {
            Self::File(file) => file.write(position, new).await,
            Self::Memory { bytes, max_length } => {
                let position = usize::try_from(position).unwrap_or(usize::MAX);
                if position.saturating_add(new.len()) > *max_length {
                    let text = format!("reply exceeds the limit of {max_length} bytes");
                    return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
                }
                bytes.truncate(position);
                bytes.extend_from_slice(new);
                Ok(())
            }
        }
    }

    /// Discards all bytes but the first `length`.
    pub fn truncate(&mut self, length: u64) -> io::Result<()> {
        match self {
            Self::File(file) => file.truncate(length),
            Self::Memory { bytes, .. } => {
                bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
                Ok(())
            }
        }
    }

    /// Makes the bytes durable.
    pub async fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush().await,
            Self::Memory { .. } => Ok(()),
        }
    }

    /// Completes the destination with its first `length` bytes.
    pub async fn commit(&mut self, length: u64) -> io::Result<()> {
        match self {
            Self::File(file) => file.commit(length).await,
            Self::Memory { .. } => Ok(self.truncate(length)?),
        }
    }

    /// Describes a failure of the destination.
    pub fn error(&self, error: io::Error) -> Error {
        match self {
            Self::File(_) if error.kind() == io::ErrorKind::AlreadyExists => {
                Error::AlreadyExists { destination: self.name() }
            }
            Self::File(file) => Error::io(file.part(), error),
            Self::Memory { .. } => Error::io(Path::new("reply"), error),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::File(file) => file.path().display().to_string(),
            Self::Memory { .. } => "memory".into(),
        }
    }

    /// Deletes an incomplete file.
    pub fn remove(&self) -> Result<()> {
        match self {
            Self::File(file) => file.remove(),
            Self::Memory { .. } => Ok(()),
        }
    }

    /// Returns the bytes in memory; `None` for a file.
    pub fn take_bytes(&mut self) -> Option<Bytes> {
        match self {
            Self::File(_) => None,
            Self::Memory { bytes, .. } => Some(bytes.split().freeze()),
        }
    }
}
