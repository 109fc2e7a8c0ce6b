//! The file to upload. The program stops if the file changes, since the server would otherwise
//! receive a mixture of two versions.

use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use bytes::Bytes;

use crate::failure::{Failure, Result};

pub struct Entity {
    path: PathBuf,
    /// Locked while a thread seeks and reads.
    file: Mutex<File>,
    version: Version,
}

/// Properties that change when the file is modified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    pub length: u64,
    pub modified: SystemTime,
}

impl Version {
    fn of(metadata: &Metadata) -> io::Result<Self> {
        Ok(Self { length: metadata.len(), modified: metadata.modified()? })
    }
}

impl Entity {
    pub fn open(path: &Path) -> Result<Self> {
        let explain = |error: io::Error| Failure::failed(format!("{}: {error}", path.display()));
        if path == Path::new("-") {
            return Err(Failure::usage(
                "standard input cannot be uploaded, as its length must be known and parts of it \
                 may have to be sent again; write it to a file first",
            ));
        }
        // Checked before the file is opened: opening a pipe would wait for its writer.
        let metadata = std::fs::metadata(path).map_err(explain)?;
        if !metadata.is_file() {
            let what = if metadata.is_dir() { "is a folder" } else { "is not a regular file" };
            return Err(Failure::failed(format!("{}: {what}", path.display())));
        }
        let file = File::open(path).map_err(explain)?;
        let version = file.metadata().and_then(|it| Version::of(&it)).map_err(explain)?;
        let path = path.canonicalize().map_err(explain)?;
        Ok(Self { path, file: Mutex::new(file), version })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn length(&self) -> u64 {
        self.version.length
    }

    pub fn version(&self) -> Version {
        self.version
    }

    /// Fails if the file was modified since it was opened.
    pub fn check(&self) -> Result<()> {
        let now = self.locked(|file| Version::of(&file.metadata()?));
        match now {
            Ok(now) if now == self.version => Ok(()),
            Ok(now) => Err(Failure::failed(format!(
                "{} was modified during the upload ({} bytes then, {} now); upload it again",
                self.path.display(),
                self.version.length,
                now.length,
            ))),
            Err(error) => Err(Failure::failed(format!("{}: {error}", self.path.display()))),
        }
    }

    /// Reads `length` bytes at `offset`.
    pub fn read(&self, offset: u64, length: u64) -> io::Result<Bytes> {
        let mut piece = Vec::with_capacity(usize::try_from(length).unwrap_or(usize::MAX));
        self.locked(|file| {
            file.seek(SeekFrom::Start(offset))?;
            file.take(length).read_to_end(&mut piece)
        })?;
        if (piece.len() as u64) < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(piece.into())
    }

    fn locked<T>(&self, work: impl FnOnce(&mut File) -> T) -> T {
        // A panic leaves the file at some position, which is set before each read.
        let mut file = self.file.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        work(&mut file)
    }
}
