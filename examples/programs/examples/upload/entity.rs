//! The file that is uploaded. It must stay as it is: half of one version and half of another would
//! be an entity that never was.

use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use bytes::Bytes;

use crate::failure::{Failure, Result};

pub struct Entity {
    path: PathBuf,
    /// Whoever seeks and reads holds it meanwhile.
    file: Mutex<File>,
    version: Version,
}

/// What changes when somebody writes to the file.
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
                "standard input cannot be uploaded: its length has to be known, and parts of it \
                 may have to be sent again; write it to a file first",
            ));
        }
        // A pipe that is opened waits for its writer.
        let metadata = std::fs::metadata(path).map_err(explain)?;
        if !metadata.is_file() {
            let what = if metadata.is_dir() { "a folder" } else { "not a regular file" };
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

    /// Fails if somebody has written to the file since it was opened.
    pub fn check(&self) -> Result<()> {
        let now = self.locked(|file| Version::of(&file.metadata()?));
        match now {
            Ok(now) if now == self.version => Ok(()),
            Ok(now) => Err(Failure::failed(format!(
                "{} was changed while it was being uploaded ({} bytes then, {} now)",
                self.path.display(),
                self.version.length,
                now.length,
            ))),
            Err(error) => Err(Failure::failed(format!("{}: {error}", self.path.display()))),
        }
    }

    /// `length` bytes at `offset`.
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
        // A reader that panicked has left no more behind than a position, which is set each time.
        let mut file = self.file.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        work(&mut file)
    }
}
