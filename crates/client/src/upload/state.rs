//! The stored state of an upload.

use bits_proto::client::{Mode, Upload as Machine};
use serde::{Deserialize, Serialize};

use super::source::{Source, Version};
use crate::error::{Error, Result};
use crate::http::TransferUrl;
use crate::state::{StateDir, StateFile, Stored};

/// Identifies an upload. A process continues only an upload with an equal job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Job {
    url: String,
    /// The path of a file, or the name of another source.
    source: String,
    version: Version,
    mode: Mode,
}

/// The state file of an upload.
#[derive(Debug)]
pub(super) struct State {
    file: StateFile,
    job: Job,
}

/// The state of an earlier process.
#[derive(Debug)]
pub(super) struct Earlier {
    pub machine: Machine,
    pub cookies: String,
}

impl State {
    /// Opens the state of the upload, and returns that of an earlier process if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] for a reader without identity. [`Error::State`] if another process runs the
    /// same upload, and [`Error::Io`] if the state cannot be read.
    pub fn open(
        folder: &StateDir,
        url: &TransferUrl,
        source: &Source,
        identity: Option<&str>,
        mode: Mode,
    ) -> Result<(Self, Option<Earlier>)> {
        let name = match (identity, source) {
            (Some(identity), _) => identity.to_owned(),
            (None, Source::File { path, .. }) => path.to_string_lossy().into_owned(),
            (None, Source::Bytes(_)) => String::new(),
            (None, Source::Reader { .. }) => {
                return Err(Error::Option("resume: a reader needs an identity".into()));
            }
        };
        let file = folder.open("upload", &[url.as_str().as_bytes(), name.as_bytes()])?;
        let version = source.version();
        let job = Job { url: url.as_str().into(), source: name, version, mode };
        let stored = file.load::<Job, Machine>()?;
        let earlier = match stored {
            Some(Stored { job: stored, machine, cookies, .. }) if stored == job => {
                Some(Earlier { machine, cookies })
            }
            Some(_) => {
                tracing::info!(url = url.as_str(), "source changed since the stored upload");
                None
            }
            None => None,
        };
        Ok((Self { file, job }, earlier))
    }

    pub fn save(&self, machine: &Machine, cookies: String) -> Result<()> {
        self.file.save(&Stored::new(self.job.clone(), *machine, cookies))
    }

    pub fn remove(self) -> Result<()> {
        self.file.remove()
    }
}
