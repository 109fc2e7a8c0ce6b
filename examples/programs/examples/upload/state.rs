//! The file from which another process goes on.
//!
//! It is replaced as a whole, so that it is never half written. It is not forced to the disk each
//! time, which would cost more than the upload: a process may die at any moment, and a machine that
//! loses power may have to begin anew. Beside it lies a lock, held by the process that works on it.

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

/// The only form there is.
const FORM: u32 = 1;

/// What an upload is of, and where to: it must be the same to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    form: u32,
    url: String,
    file: PathBuf,
    length: u64,
    /// Since 1970.
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
            form: FORM,
            url: destination.as_str().into(),
            file: entity.path().into(),
            length: version.length,
            // What is older than 1970 is so old that it is not being written to.
            modified: modified.unwrap_or_default(),
            mode,
        })
    }

    /// What is not the same in `other`, for people.
    fn difference(&self, other: &Self) -> Option<String> {
        if self.form != other.form {
            return Some(format!("was written by another version ({})", other.form));
        }
        if self.url != other.url {
            return Some(format!("is of an upload to {}", other.url));
        }
        if self.file != other.file {
            return Some(format!("is of an upload of {}", other.file.display()));
        }
        if self.length != other.length || self.modified != other.modified {
            let (then, now) = (other.length, self.length);
            let file = self.file.display();
            return Some(format!(
                "is of {file} as it was before it was changed ({then} bytes then, {now} now)"
            ));
        }
        (self.mode != other.mode).then(|| match other.mode {
            Mode::Upload => "is of an upload without --reply".into(),
            Mode::UploadReply => "is of an upload with --reply".into(),
        })
    }
}

/// The file, locked until it is dropped.
pub struct StateFile {
    path: PathBuf,
    job: Job,
    _lock: File,
}

impl StateFile {
    /// The file, and the upload that it holds, if it is there.
    pub fn open(path: &Path, job: Job) -> Result<(Self, Option<Upload>)> {
        let explain = |why: String| Failure::failed(format!("{}: {why}", path.display()));
        let lock = lock(&lock_of(path)).map_err(explain)?;
        let text = match fs::read(path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(explain(error.to_string())),
        };
        let upload = text.map(|text| stored(&text, &job).map_err(explain)).transpose()?;
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
        // One name, so that a process that is killed leaves nothing that the next does not use.
        let new = beside(&self.path, ".new");
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.write(true).create(true).truncate(true).open(&new)?.write_all(&text)?;
        fs::rename(new, &self.path)
    }

    /// There is nothing left to go on with.
    pub fn remove(self) -> Result<()> {
        let removed = fs::remove_file(&self.path).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        });
        // Whoever waits for the lock finds out that it is not the one beside the file any more.
        removed
            .and_then(|()| fs::remove_file(lock_of(&self.path)))
            .map_err(|error| Failure::failed(format!("{}: {error}", self.path.display())))
    }
}

fn stored(text: &[u8], job: &Job) -> std::result::Result<Upload, String> {
    let begin_anew = "delete it to begin anew";
    let stored = serde_json::from_slice::<Stored<Job>>(text)
        .map_err(|error| format!("does not hold an upload: {error}; {begin_anew}"))?;
    match job.difference(&stored.job) {
        Some(difference) => Err(format!("{difference}; {begin_anew}")),
        None => Ok(stored.upload),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn lock_of(path: &Path) -> PathBuf {
    beside(path, ".lock")
}

/// Holds the lock at this path, which another process may have removed when it was done.
fn lock(path: &Path) -> std::result::Result<File, String> {
    loop {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(|error| error.to_string())?;
        match FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err("another process is working on this upload".into());
            }
            Err(TryLockError::Error(error)) => return Err(error.to_string()),
        }
        let held = file.try_clone().and_then(same_file::Handle::from_file);
        match (held, same_file::Handle::from_path(path)) {
            (Ok(held), Ok(there)) if held == there => return Ok(file),
            (Err(error), _) => return Err(error.to_string()),
            _ => {}
        }
    }
}
