//! A file that appears at its path when it is complete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::client::failure::{Failure, Result};
use crate::client::state_file::with_suffix;

/// Receives bytes in a file with the suffix `.part`, which is renamed when it is complete.
#[derive(Debug)]
pub struct PartFile {
    path: PathBuf,
    part: PathBuf,
    file: File,
    /// The position of the next write without a seek.
    position: u64,
    /// True if bytes were written since the last flush to the disk.
    is_dirty: bool,
}

/// Fails if the path cannot be that of a file.
pub fn check_path(path: &Path) -> Result<()> {
    if path.is_dir() || path.file_name().is_none() {
        return Err(Failure::failed(format!("{}: is a folder", path.display())));
    }
    Ok(())
}

impl PartFile {
    /// Opens the file with its first `received` bytes, or fewer if bytes were lost.
    pub fn open(path: &Path, received: u64) -> Result<Self> {
        check_path(path)?;
        let part = with_suffix(path, ".part");
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(&part);
        let kept = opened.and_then(|file| {
            let position = file.metadata()?.len().min(received);
            Ok((file, position))
        });
        let explain = |error| Failure::failed(format!("{}: {error}", part.display()));
        let (file, position) = kept.map_err(explain)?;
        let mut file =
            Self { path: path.into(), part: part.clone(), file, position, is_dirty: false };
        file.truncate(position).map_err(explain)?;
        Ok(file)
    }

    /// Returns the path of the file while it is incomplete.
    pub fn part(&self) -> &Path {
        &self.part
    }

    /// Returns the number of bytes from the start of the file that are known to be written.
    pub const fn position(&self) -> u64 {
        self.position
    }

    pub fn write(&mut self, position: u64, bytes: &[u8]) -> io::Result<()> {
        if position != self.position {
            self.file.seek(SeekFrom::Start(position))?;
            self.position = position;
        }
        self.file.write_all(bytes)?;
        self.position = position.saturating_add(bytes.len() as u64);
        self.is_dirty = true;
        Ok(())
    }

    /// Discards all bytes but the first `length`.
    pub fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.position = self.file.seek(SeekFrom::Start(length))?;
        Ok(())
    }

    /// Flushes the bytes to the disk.
    pub fn flush(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.is_dirty) {
            self.file.sync_data()?;
        }
        Ok(())
    }

    /// Gives the complete file its name, so that it survives a power failure.
    pub fn commit(&self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.part, &self.path)?;
        #[cfg(unix)]
        {
            let folder = self.path.parent().filter(|it| !it.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(())
    }

    /// Deletes the incomplete file.
    pub fn remove(self) -> Result<()> {
        fs::remove_file(&self.part)
            .map_err(|error| Failure::failed(format!("{}: {error}", self.part.display())))
    }
}
