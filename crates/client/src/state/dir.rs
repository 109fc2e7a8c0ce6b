//! The folder with the states of transfers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use etcetera::BaseStrategy as _;
use sha2::{Digest as _, Sha256};

use super::StateFile;
use crate::error::{Error, Result};

/// Name of the folder inside of that of the platform.
const FOLDER: &str = "bits-client";

/// Servers forget a session long before.
const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The folder in which transfers store their states, so that the same transfer continues after an
/// interruption, a crash or a failure.
///
/// An upload is found again by its URL and its source, and a download by its file. A download of another
/// URL or of other ranges to this file starts over. Each state
/// is one file, which only the user can read, because it has session ids and cookies. It is replaced
/// atomically, and removed when the transfer has ended. A lock keeps two processes from running the
/// same transfer. Updates are not flushed to the disk: after a power failure, the transfer may
/// continue at an earlier offset or start over.
///
/// States that were not used for 30 days are removed.
///
/// # Several accounts
///
/// Users of one computer have separate folders by default. With user and password
/// ([`basic`](crate::ClientBuilder::basic), [`digest`](crate::ClientBuilder::digest)), the uploads of each
/// user are separate, and a download starts over for another user. A token or a header field does not name
/// its owner, and tokens change while a transfer is interrupted: a program with several such accounts
/// gives each one its own folder. Otherwise, an upload of the same file to the same URL continues the
/// session of the other account, unless the server rejects that, as `bits-server` does. Then it starts
/// over.
///
/// # Example
///
/// ```
/// use bits_client::StateDir;
///
/// assert!(StateDir::new("/var/lib/agent/transfers").path().is_ok());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateDir(Option<PathBuf>);

impl StateDir {
    /// Uses this folder. It is created when the first state is stored. The [default](Self::default) is
    /// a folder of the platform, such as `~/.local/state/bits-client` or
    /// `%LOCALAPPDATA%\bits-client`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(Some(path.into()))
    }

    /// Returns the path of the folder.
    ///
    /// # Errors
    ///
    /// [`Error::State`] if the default is used, and the user has no home folder.
    pub fn path(&self) -> Result<PathBuf> {
        if let Some(path) = &self.0 {
            return Ok(path.clone());
        }
        let strategy = etcetera::choose_base_strategy().map_err(|error| Error::State {
            path: FOLDER.into(),
            reason: format!("no folder for states: {error}"),
        })?;
        let folder = strategy.state_dir().unwrap_or_else(|| strategy.cache_dir());
        Ok(folder.join(FOLDER))
    }

    /// Opens and locks the state of the transfer with this key, which starts with its kind.
    pub(crate) fn open(&self, kind: &'static str, key: &[&[u8]]) -> Result<StateFile> {
        let folder = self.path()?;
        create(&folder).map_err(|error| Error::State {
            path: folder.clone(),
            reason: format!("folder cannot be created: {error}"),
        })?;
        remove_old(&folder);
        let mut hash = Sha256::new();
        for part in key {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let hash = hash.finalize();
        let name = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
        StateFile::open(folder.join(format!("{kind}-{name}.json")), kind)
    }
}

fn create(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Removes states that were not used for a long time. Failures are ignored: the folder may be shared.
fn remove_old(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let is_old = entry.metadata().and_then(|it| it.modified()).is_ok_and(|modified| {
            SystemTime::now().duration_since(modified).is_ok_and(|age| age > MAX_AGE)
        });
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_state = name.starts_with("upload-") || name.starts_with("download-");
        if is_old && is_state && name.ends_with(".json") {
            StateFile::remove_unused(&entry.path());
        }
    }
}
