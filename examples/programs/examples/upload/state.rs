//! The state file of `--resume`, from which another process continues.
//!
//! Each update replaces the file atomically, so a crash never leaves an incomplete file. Updates
//! are not flushed to the disk, which would slow down the upload: after a power failure the upload
//! may have to restart. A lock file beside it excludes other processes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bits_proto::client::{Mode, Upload};
use fs4::{FileExt, TryLockError};
use serde::{Deserialize, Serialize};

use crate::destination::Destination;
use crate::entity::Entity;
use crate::failure::{Failure, Result};

/// Version of the file format.
const FORMAT: u32 = 1;

/// Identifies an upload. A process continues only an upload with an equal `Job`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    #[serde(rename = "form")]
    format: u32,
    url: String,
    file: PathBuf,
    length: u64,
    /// Time of the last modification since the Unix epoch.
    modified: Duration,
    mode: Mode,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored<J> {
    job: J,
    upload: Upload,
}

impl Job {
    pub fn new(destination: &Destination, entity: &Entity, mode: Mode) -> Result<Self> {
        let version = entity.version();
        let modified = version.modified.duration_since(SystemTime::UNIX_EPOCH);
        Ok(Self {
            format: FORMAT,
            url: destination.as_str().into(),
            file: entity.path().into(),
            length: version.length,
            // A time before 1970 counts as 1970.
            modified: modified.unwrap_or_default(),
            mode,
        })
    }

    /// Describes the first difference between the jobs for the user.
    fn difference(&self, other: &Self) -> Option<String> {
        if self.format != other.format {
            return Some(format!("has format {}, expected {}", other.format, self.format));
        }
        if self.url != other.url {
            return Some(format!("belongs to an upload to {}", other.url));
        }
        if self.file != other.file {
            return Some(format!("belongs to an upload of {}", other.file.display()));
        }
        if self.length != other.length || self.modified != other.modified {
            let (then, now) = (other.length, self.length);
            let file = self.file.display();
            return Some(format!(
                "belongs to a version of {file} from before its modification ({then} bytes then, \
                 {now} now)"
            ));
        }
        (self.mode != other.mode).then(|| match other.mode {
            Mode::Upload => "belongs to an upload without --reply".into(),
            _ => "belongs to an upload with --reply".into(),
        })
    }
}

/// The state file, locked until it is dropped.
pub struct StateFile {
    path: PathBuf,
    job: Job,
    _lock: File,
}

impl StateFile {
    /// Opens the state file. Returns the upload in it, if it exists.
    pub fn open(path: &Path, job: Job) -> Result<(Self, Option<Upload>)> {
        let explain = |why: String| Failure::failed(format!("{}: {why}", path.display()));
        let lock = lock(&lock_path(path)).map_err(explain)?;
        let text = match fs::read(path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(explain(error.to_string())),
        };
        let upload = text.map(|text| parse(&text, &job).map_err(explain)).transpose()?;
        Ok((Self { path: path.into(), job, _lock: lock }, upload))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn save(&self, upload: &Upload) -> Result<()> {
        self.replace(upload)
            .map_err(|error| Failure::failed(format!("{}: {error}", self.path.display())))
    }

    fn replace(&self, upload: &Upload) -> io::Result<()> {
        let text = serde_json::to_vec(&Stored { job: &self.job, upload: *upload })?;
        // Always the same name, so that the next process overwrites what a killed one left.
        let new = with_suffix(&self.path, ".new");
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.write(true).create(true).truncate(true).open(&new)?.write_all(&text)?;
        fs::rename(new, &self.path)
    }

    /// Removes the file of an upload that has ended.
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

fn parse(text: &[u8], job: &Job) -> std::result::Result<Upload, String> {
    let advice = "delete the file to start a new upload";
    let stored = serde_json::from_slice::<Stored<Job>>(text)
        .map_err(|error| format!("is not a valid state file: {error}; {advice}"))?;
    match job.difference(&stored.job) {
        Some(difference) => Err(format!("{difference}; {advice}")),
        None => Ok(stored.upload),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn lock_path(path: &Path) -> PathBuf {
    with_suffix(path, ".lock")
}

/// Locks the file at this path. Repeats that if another process removed the file meanwhile.
fn lock(path: &Path) -> std::result::Result<File, String> {
    loop {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(|error| error.to_string())?;
        match FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err("another process is running this upload".into());
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
