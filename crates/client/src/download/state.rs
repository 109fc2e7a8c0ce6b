//! The stored state of a download.

use std::path::Path;

use bits_proto::download::{ByteRange, Download as Machine, Poll};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::http::TransferUrl;
use crate::restart::RestartReason;
use crate::state::{Loaded, StateDir, StateFile, Stored};

/// Identifies a download. A process continues only a download with an equal job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Job {
    url: String,
    path: String,
    ranges: Vec<ByteRange>,
    /// The user of the credentials: the server may have another entity for each.
    user: Option<String>,
}

impl Job {
    /// Returns the reason why a download with an earlier job cannot be continued; `None` if it can.
    fn restart_reason(&self, earlier: &Self) -> Option<RestartReason> {
        let earlier = if self.url != earlier.url {
            "another URL"
        } else if self.ranges != earlier.ranges {
            "other ranges"
        } else if self.user != earlier.user {
            "another user"
        } else {
            return None;
        };
        Some(RestartReason::OptionsChanged { earlier })
    }
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

/// The result of opening a state.
#[derive(Debug)]
pub(crate) struct Opened {
    pub state: State,
    pub earlier: Option<Earlier>,
    /// The reason why the download starts over, although there was a state.
    pub restart_reason: Option<RestartReason>,
}

impl State {
    /// Opens the state of the download, and returns that of an earlier process if it can be continued.
    pub fn open(
        folder: &StateDir,
        url: &TransferUrl,
        path: &Path,
        ranges: &[ByteRange],
        user: Option<&str>,
    ) -> Result<Opened> {
        // Without the URL: downloads to one path share the incomplete file, so the latest one replaces the
        // states of the others.
        let file = folder.open("download", &[path.as_os_str().as_encoded_bytes()])?;
        let path = path.to_string_lossy().into_owned();
        let (url, user) = (url.as_str().into(), user.map(Into::into));
        let job = Job { url, path, ranges: ranges.into(), user };
        // A process ended between the last step and the removal of the state.
        let is_ended = |it: &Machine<_>| matches!(it.poll(), Poll::Finished | Poll::Cancelled);
        let (earlier, restart_reason) = match file.load::<Job, Machine<Vec<ByteRange>>>()? {
            Loaded::Missing => (None, None),
            Loaded::Unreadable(reason) => (None, Some(reason)),
            Loaded::Found(stored) if is_ended(&stored.machine) => (None, None),
            Loaded::Found(stored) => match job.restart_reason(&stored.job) {
                None => (Some(Earlier { machine: stored.machine, cookies: stored.cookies }), None),
                reason => (None, reason),
            },
        };
        Ok(Opened { state: Self { file, job }, earlier, restart_reason })
    }

    pub fn save(&self, machine: &Machine<Vec<ByteRange>>, cookies: String) -> Result<()> {
        self.file.save(&Stored::new(&self.job, machine, cookies))
    }

    pub fn remove(self) -> Result<()> {
        self.file.remove()
    }
}
