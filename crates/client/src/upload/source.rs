//! The sources of uploads.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeek, AsyncSeekExt as _};
use tokio::sync::Mutex;

use super::buffers::Buffers;
use crate::error::{Change, Error, Result};

/// A source that can be read from any offset.
pub(super) trait ReadSeek: AsyncRead + AsyncSeek + Send + Unpin {}

impl<T: AsyncRead + AsyncSeek + Send + Unpin> ReadSeek for T {}

/// The source of an upload before it is opened.
pub(super) enum SourceOption {
    File(PathBuf),
    Bytes(Bytes),
    Reader { reader: Box<dyn ReadSeek>, length: u64 },
}

/// The source of an upload.
#[derive(Clone)]
pub(super) enum Source {
    File { path: PathBuf, file: Arc<File>, version: Version },
    Bytes(Bytes),
    Reader { reader: Arc<Mutex<Box<dyn ReadSeek>>>, length: u64 },
}

/// Properties that change when the entity changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Version {
    pub length: u64,
    /// Time of the last modification of a file since the Unix epoch.
    modified: Option<Duration>,
    /// The device and the number of a file.
    file: Option<(u64, u64)>,
    /// The SHA-256 of bytes in memory, in hexadecimal digits.
    digest: Option<String>,
}

impl Version {
    fn of_file(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok();
        let modified = modified.and_then(|it| it.duration_since(SystemTime::UNIX_EPOCH).ok());
        Self { length: metadata.len(), modified, file: file_id(metadata), digest: None }
    }
}

#[cfg(unix)]
fn file_id(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn file_id(_: &Metadata) -> Option<(u64, u64)> {
    None
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => f.debug_tuple("File").field(path).finish(),
            Self::Bytes(bytes) => f.debug_tuple("Bytes").field(&bytes.len()).finish(),
            Self::Reader { length, .. } => f.debug_tuple("Reader").field(length).finish(),
        }
    }
}

impl SourceOption {
    /// Opens the source.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be opened, or is not a regular file.
    pub fn open(self) -> Result<Source> {
        match self {
            Self::File(path) => open_file(&path).map_err(|error| Error::io(&path, error)),
            Self::Bytes(bytes) => Ok(Source::Bytes(bytes)),
            Self::Reader { reader, length } => {
                Ok(Source::Reader { reader: Arc::new(Mutex::new(reader)), length })
            }
        }
    }
}

fn open_file(path: &Path) -> io::Result<Source> {
    // Checked before the file is opened: opening a pipe would wait for its writer.
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder"));
    }
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a regular file"));
    }
    let file = File::open(path)?;
    let version = Version::of_file(&file.metadata()?);
    Ok(Source::File { path: path.canonicalize()?, file: Arc::new(file), version })
}

impl Source {
    pub fn length(&self) -> u64 {
        match self {
            Self::File { version, .. } => version.length,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Reader { length, .. } => *length,
        }
    }

    /// Returns the name of the file; `None` for another source.
    pub fn file_name(&self) -> Option<&str> {
        match self {
            Self::File { path, .. } => path.file_name().and_then(|name| name.to_str()),
            Self::Bytes(_) | Self::Reader { .. } => None,
        }
    }

    /// Returns the path of a file; `None` for another source.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. } => Some(path),
            Self::Bytes(_) | Self::Reader { .. } => None,
        }
    }

    /// Returns the version of the entity.
    pub fn version(&self) -> Version {
        let unknown = |length| Version { length, modified: None, file: None, digest: None };
        match self {
            Self::File { version, .. } => version.clone(),
            Self::Bytes(bytes) => {
                let digest = Sha256::digest(bytes);
                let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                Version { digest: Some(digest), ..unknown(bytes.len() as u64) }
            }
            Self::Reader { length, .. } => unknown(*length),
        }
    }

    /// Fails if the file changed since it was opened.
    ///
    /// # Errors
    ///
    /// [`Error::Changed`], or [`Error::Io`] if that cannot be determined.
    pub fn check(&self) -> Result<()> {
        let Self::File { path, version, .. } = self else { return Ok(()) };
        let change = match std::fs::metadata(path) {
            Ok(metadata) => change(version, &Version::of_file(&metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Change::Removed),
            Err(error) => return Err(Error::io(path, error)),
        };
        change.map_or(Ok(()), |change| Err(Error::Changed { path: path.clone(), change }))
    }

    /// Reads `length` bytes at `offset`.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::UnexpectedEof`] if the source is shorter, and the errors of the source.
    pub async fn read(
        &self,
        offset: u64,
        length: u64,
        buffers: &Arc<Buffers>,
    ) -> io::Result<Bytes> {
        let short = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let length = usize::try_from(length).map_err(|_| short())?;
        match self {
            Self::Bytes(bytes) => {
                let start = usize::try_from(offset).map_err(|_| short())?;
                let end = start.checked_add(length).filter(|end| *end <= bytes.len());
                Ok(bytes.slice(start..end.ok_or_else(short)?))
            }
            Self::File { file, .. } => {
                let (file, mut buffer) = (Arc::clone(file), buffers.take(length));
                let read = tokio::task::spawn_blocking(move || {
                    read_exact_at(&file, buffer.as_mut(), offset)?;
                    Ok(buffer.freeze())
                });
                read.await.map_err(io::Error::other)?
            }
            Self::Reader { reader, .. } => {
                let mut reader = reader.lock().await;
                let mut buffer = buffers.take(length);
                reader.seek(SeekFrom::Start(offset)).await?;
                reader.read_exact(buffer.as_mut()).await?;
                Ok(buffer.freeze())
            }
        }
    }
}

/// Returns the first difference between two versions of a source.
pub(super) fn change(before: &Version, now: &Version) -> Option<Change> {
    if before.length != now.length {
        return Some(Change::Length { before: before.length, now: now.length });
    }
    if before.file != now.file {
        return Some(Change::Replaced);
    }
    (before != now).then_some(Change::Modified)
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
