//! State files, from which another process continues a transfer.
//!
//! Each update replaces the file atomically, so a crash never leaves an incomplete file. Updates
//! are not flushed to the disk, which would slow down the transfer: after a power failure it may have
//! to restart. A lock file beside it excludes other processes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use fs4::{FileExt, TryLockError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::failure::{Failure, Result};

/// Identifies a transfer. A process continues only a transfer with an equal job.
pub trait Job: Serialize + DeserializeOwned {
    /// The word for the transfer: "upload" or "download".
    const NAME: &'static str;

    /// Describes the first difference between the jobs for the user.
    fn difference(&self, other: &Self) -> Option<String>;
}

/// The content of a state file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored<J, M> {
    job: J,
    /// Earlier versions of the example `upload` stored it as `upload`.
    #[serde(alias = "upload")]
    machine: M,
}

/// The state file, locked until it is dropped.
pub struct StateFile<J> {
    path: PathBuf,
    job: J,
    _lock: File,
}

impl<J: Job> StateFile<J> {
    /// Opens the state file. Returns the state machine in it, if it exists.
    pub fn open<M: DeserializeOwned>(path: &Path, job: J) -> Result<(Self, Option<M>)> {
        let explain = |why: String| Failure::failed(format!("{}: {why}", path.display()));
        let lock = lock(&lock_path(path), J::NAME).map_err(explain)?;
        let text = match fs::read(path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(explain(error.to_string())),
        };
        let machine = text.map(|text| parse(&text, &job).map_err(explain)).transpose()?;
        Ok((Self { path: path.into(), job, _lock: lock }, machine))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn save(&self, machine: &impl Serialize) -> Result<()> {
        self.replace(machine)
            .map_err(|error| Failure::failed(format!("{}: {error}", self.path.display())))
    }

    fn replace(&self, machine: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_vec(&Stored { job: &self.job, machine })?;
        // Always the same name, so that the next process overwrites what a killed one left.
        let new = with_suffix(&self.path, ".new");
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.write(true).create(true).truncate(true).open(&new)?.write_all(&text)?;
        fs::rename(new, &self.path)
    }

    /// Removes the file of a transfer that has ended.
    pub fn remove(self) -> Result<()> {
        let removed = fs::remove_file(&self.path).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        });
        // A process that locks the removed lock file later detects that it was removed.
        removed
            .and_then(|()| fs::remove_file(lock_path(&self.path)))
            .map_err(|error| Failure::failed(format!("{}: {error}", self.path.display())))
    }
}

fn parse<J: Job, M: DeserializeOwned>(text: &[u8], job: &J) -> std::result::Result<M, String> {
    let advice = format!("delete the file to start a new {}", J::NAME);
    let stored = serde_json::from_slice::<Stored<J, M>>(text)
        .map_err(|error| format!("is not a valid state file: {error}; {advice}"))?;
    match job.difference(&stored.job) {
        Some(difference) => Err(format!("{difference}; {advice}")),
        None => Ok(stored.machine),
    }
}

/// Returns the path with a suffix after its name.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn lock_path(path: &Path) -> PathBuf {
    with_suffix(path, ".lock")
}

/// Locks the file at this path. Repeats that if another process removed the file meanwhile.
fn lock(path: &Path, name: &str) -> std::result::Result<File, String> {
    loop {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(|error| error.to_string())?;
        match FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(format!("another process is running this {name}"));
            }
            Err(TryLockError::Error(error)) => return Err(error.to_string()),
        }
        let locked = file.try_clone().and_then(same_file::Handle::from_file);
        match (locked, same_file::Handle::from_path(path)) {
            (Ok(locked), Ok(current)) if locked == current => return Ok(file),
            (Err(error), _) => return Err(error.to_string()),
            _ => {}
        }
    }
}
