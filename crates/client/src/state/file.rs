//! State files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use fs4::{FileExt, TryLockError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::restart::RestartReason;

/// Version of the file format.
const FORMAT: u32 = 1;

/// The reason that another process has the lock, followed by the kind of the transfer.
pub(crate) const IN_USE: &str = "another process is running the same";

/// The content of a state file: the identity of the transfer, its state machine and its cookies.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stored<J, M> {
    format: u32,
    pub job: J,
    pub machine: M,
    pub cookies: String,
}

impl<J, M> Stored<J, M> {
    pub const fn new(job: J, machine: M, cookies: String) -> Self {
        Self { format: FORMAT, job, machine, cookies }
    }
}

/// The result of loading a state.
#[derive(Debug)]
pub(crate) enum Loaded<J, M> {
    /// No state is stored.
    Missing,
    Found(Stored<J, M>),
    /// The state is damaged, or was stored by another version of this library.
    Unreadable(RestartReason),
}

/// A state file, locked until it is dropped.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    is_removed: bool,
    _lock: File,
}

impl StateFile {
    /// Locks the state file, which does not need to exist.
    pub fn open(path: PathBuf, kind: &str) -> Result<Self> {
        match lock(&lock_path(&path)) {
            Ok(Some(lock)) => Ok(Self { path, is_removed: false, _lock: lock }),
            Ok(None) => {
                let reason = format!("{IN_USE} {kind}");
                Err(Error::State { path, reason })
            }
            Err(error) => Err(Error::io(&path, error)),
        }
    }

    /// Loads the stored state.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read.
    pub fn load<J: DeserializeOwned, M: DeserializeOwned>(&self) -> Result<Loaded<J, M>> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Loaded::Missing),
            Err(error) => return Err(Error::io(&self.path, error)),
        };
        let reason = match serde_json::from_slice::<Stored<J, M>>(&text) {
            Ok(stored) if stored.format == FORMAT => return Ok(Loaded::Found(stored)),
            Ok(stored) => format!("format {} instead of {FORMAT}", stored.format),
            Err(error) => error.to_string(),
        };
        Ok(Loaded::Unreadable(RestartReason::StateUnreadable { reason }))
    }

    /// Replaces the state atomically.
    pub fn save<J: Serialize, M: Serialize>(&self, stored: &Stored<J, M>) -> Result<()> {
        self.replace(stored).map_err(|error| Error::io(&self.path, error))
    }

    fn replace<J: Serialize, M: Serialize>(&self, stored: &Stored<J, M>) -> io::Result<()> {
        let text = serde_json::to_vec(stored)?;
        // Always the same name, so that the next process overwrites what a killed one left.
        let new = with_suffix(&self.path, ".new");
        private_file().write(true).truncate(true).open(&new)?.write_all(&text)?;
        fs::rename(new, &self.path)
    }

    /// Removes the state of a transfer that has ended.
    pub fn remove(mut self) -> Result<()> {
        self.remove_files().map_err(|error| Error::io(&self.path, error))
    }

    /// Removes a state unless a process uses it.
    pub fn remove_unused(path: &Path) {
        if let Ok(mut file) = Self::open(path.into(), "transfer") {
            // The next removal tries again.
            let _ = file.remove_files();
        }
    }

    fn remove_files(&mut self) -> io::Result<()> {
        // From now on, the lock file may be that of another process.
        self.is_removed = true;
        for path in [self.path.clone(), with_suffix(&self.path, ".new"), lock_path(&self.path)] {
            // A process that locks the removed lock file later detects that it was removed.
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        if !self.is_removed && !self.path.exists() {
            // Nothing was stored. Otherwise the lock file stays for the next process.
            let _ = fs::remove_file(lock_path(&self.path));
        }
    }
}

/// Returns the path with a suffix after its name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn lock_path(path: &Path) -> PathBuf {
    with_suffix(path, ".lock")
}

/// Returns options that create a file which only the user can read.
fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.create(true);
    options
}

/// Locks the file at this path; `None` if another process has the lock. Repeats that if another
/// process removed the file meanwhile.
fn lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        let file = private_file().append(true).open(path)?;
        match FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let locked = same_file::Handle::from_file(file.try_clone()?)?;
        if same_file::Handle::from_path(path).is_ok_and(|current| locked == current) {
            return Ok(Some(file));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_state_leaves_the_lock_of_the_next_process() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("upload-1.json");
        let mut ended = StateFile::open(path.clone(), "upload").expect("a lock");
        ended.remove_files().expect("removed files");
        let _next = StateFile::open(path.clone(), "upload").expect("a lock");
        drop(ended);
        let third = StateFile::open(path, "upload").expect_err("the state is in use");
        assert!(third.to_string().contains("another process"), "{third}");
    }
}
