//! A file that appears at its path when it is complete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use fs4::{FileExt, TryLockError};
use tempfile::TempPath;
use tokio::task::spawn_blocking;

use crate::error::{Error, Result};
use crate::state::with_suffix;

/// The number of bytes that are written at once.
const CHUNK: usize = 256 * 1024;

/// Receives bytes in a file beside the destination, which is renamed when it is complete.
#[derive(Debug)]
pub(crate) struct PartFile {
    path: PathBuf,
    part: PathBuf,
    /// Locked while the file is open.
    file: Arc<File>,
    /// The number of bytes from the start that are written.
    written: u64,
    /// Bytes that follow those.
    buffer: BytesMut,
    /// True if an existing file is replaced.
    overwrite: bool,
}

/// Fails if the path cannot be that of a new file.
///
/// # Errors
///
/// [`Error::AlreadyExists`] for a file unless it is overwritten, and [`Error::Io`] for a folder or if
/// there is no folder for the file.
pub(crate) fn check_destination(path: &Path, overwrite: bool) -> Result<()> {
    if path.is_dir() || path.file_name().is_none() {
        let folder = io::Error::new(io::ErrorKind::IsADirectory, "is a folder");
        return Err(Error::io(path, folder));
    }
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|it| !it.is_dir()) {
        let missing = io::Error::new(io::ErrorKind::NotFound, "folder does not exist");
        return Err(Error::io(folder, missing));
    }
    if !overwrite && path.symlink_metadata().is_ok() {
        return Err(Error::AlreadyExists { destination: path.display().to_string() });
    }
    Ok(())
}

impl PartFile {
    /// Opens the file with its first `received` bytes, or fewer if bytes were lost. `None` is for a
    /// download that cannot be continued: its file has the suffix `.tmp`, so that it does not replace the
    /// bytes of one that can.
    pub fn open(path: &Path, received: Option<u64>, overwrite: bool) -> Result<Self> {
        check_destination(path, overwrite)?;
        let part = with_suffix(path, if received.is_some() { ".part" } else { ".tmp" });
        let opened = open(&part, received.unwrap_or(0));
        let (file, written) = opened.map_err(|error| Error::io(&part, error))?;
        let file = Arc::new(file);
        Ok(Self { path: path.into(), part, file, written, buffer: BytesMut::new(), overwrite })
    }

    /// Returns the path of the complete file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of the file while it is incomplete.
    pub fn part(&self) -> &Path {
        &self.part
    }

    /// Returns the number of bytes from the start of the file that are written.
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// Returns the number of bytes from the start that are written or wait to be written.
    pub fn end(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Adds bytes at this position, which is not beyond the end.
    pub async fn write(&mut self, position: u64, bytes: &[u8]) -> io::Result<()> {
        if position != self.end() {
            self.write_buffer().await?;
            self.seek(position)?;
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK { self.write_buffer().await } else { Ok(()) }
    }

    fn seek(&mut self, position: u64) -> io::Result<()> {
        (&*self.file).seek(SeekFrom::Start(position))?;
        self.written = position;
        Ok(())
    }

    /// Writes the buffered bytes.
    async fn write_buffer(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let bytes: Bytes = self.buffer.split().freeze();
        let length = bytes.len() as u64;
        let position = self.written;
        self.blocking(move |mut file| {
            // An earlier write may have been dropped in its middle.
            file.seek(SeekFrom::Start(position))?;
            file.write_all(&bytes)
        })
        .await?;
        self.written += length;
        Ok(())
    }

    /// Discards all bytes but the first `length`.
    pub fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.buffer.clear();
        self.file.set_len(length)?;
        self.seek(length)
    }

    /// Flushes the bytes to the disk.
    pub async fn flush(&mut self) -> io::Result<()> {
        self.write_buffer().await?;
        self.blocking(|file| file.sync_data()).await
    }

    /// Gives the file its name with its first `length` bytes, so that it survives a power failure.
    pub async fn commit(&mut self, length: u64) -> io::Result<()> {
        self.write_buffer().await?;
        let (path, part, overwrite) = (self.path.clone(), self.part.clone(), self.overwrite);
        self.blocking(move |file| {
            file.set_len(length)?;
            file.sync_all()?;
            rename(&part, &path, overwrite)?;
            sync_folder(&path)
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&File) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let file = Arc::clone(&self.file);
        spawn_blocking(move || work(&file)).await.map_err(io::Error::other)?
    }

    /// Deletes the incomplete file.
    pub fn remove(&self) -> Result<()> {
        fs::remove_file(&self.part).map_err(|error| Error::io(&self.part, error))
    }
}

/// Opens and locks the file, and keeps at most `received` bytes. Returns the number of kept bytes.
fn open(part: &Path, received: u64) -> io::Result<(File, u64)> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(part)?;
    FileExt::try_lock(&file).map_err(|error| match error {
        TryLockError::WouldBlock => {
            io::Error::new(io::ErrorKind::ResourceBusy, "another process is writing this file")
        }
        TryLockError::Error(error) => error,
    })?;
    let kept = file.metadata()?.len().min(received);
    file.set_len(kept)?;
    file.seek(SeekFrom::Start(kept))?;
    Ok((file, kept))
}

fn rename(part: &Path, path: &Path, overwrite: bool) -> io::Result<()> {
    if overwrite {
        return fs::rename(part, path);
    }
    match TempPath::try_from_path(part)?.persist_noclobber(path) {
        Ok(()) => Ok(()),
        Err(error) => {
            // The part stays, because it is complete.
            error.path.keep()?;
            Err(error.error)
        }
    }
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
