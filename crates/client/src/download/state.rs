//! The stored state of a download.

use std::path::Path;

use bits_proto::download::{ByteRange, Download as Machine, Poll};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::http::TransferUrl;
use crate::state::{StateDir, StateFile, Stored};

/// Identifies a download. A process continues only a download with an equal job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Job {
    url: String,
    path: String,
    ranges: Vec<ByteRange>,
}

/// The state file of a download.
#[derive(Debug)]
pub(crate) struct State {
    file: StateFile,
    job: Job,
}

/// The state of an earlier process.
#[derive(Debug)]
pub(crate) struct Earlier {
    pub machine: Machine<Vec<ByteRange>>,
    pub cookies: String,
}

impl State {
    /// Opens the state of the download, and returns that of an earlier process if there is one.
    pub fn open(
        folder: &StateDir,
        url: &TransferUrl,
        path: &Path,
        ranges: &[ByteRange],
    ) -> Result<(Self, Option<Earlier>)> {
        // Without the URL: downloads to one path share the incomplete file, so the latest one replaces the
        // states of the others.
        let file = folder.open("download", &[path.as_os_str().as_encoded_bytes()])?;
        let path = path.to_string_lossy().into_owned();
        let job = Job { url: url.as_str().into(), path, ranges: ranges.into() };
        let stored = file.load::<Job, Machine<Vec<ByteRange>>>()?;
        let earlier = stored.filter(|it| it.job == job);
        let earlier = earlier.map(|it| Earlier { machine: it.machine, cookies: it.cookies });
        // A process ended between the last step and the removal of the state.
        let is_ended = |it: &Earlier| matches!(it.machine.poll(), Poll::Finished | Poll::Cancelled);
        let earlier = earlier.filter(|it| !is_ended(it));
        Ok((Self { file, job }, earlier))
    }

    pub fn save(&self, machine: &Machine<Vec<ByteRange>>, cookies: String) -> Result<()> {
        self.file.save(&Stored::new(&self.job, machine, cookies))
    }

    pub fn remove(self) -> Result<()> {
        self.file.remove()
    }
}
