//! The stored state of an upload.

use bits_proto::client::{Mode, Upload as Machine};
use serde::{Deserialize, Serialize};

use super::Upload;
use super::source::{Source, Version, change};
use crate::error::{Error, Result};
use crate::http::TransferUrl;
use crate::restart::RestartReason;
use crate::state::{Loaded, StateDir, StateFile, Stored};

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

impl Job {
    /// Returns the reason why an upload with an earlier job cannot be continued; `None` if it can.
    fn restart_reason(&self, earlier: &Self) -> Option<RestartReason> {
        if let Some(change) = change(&earlier.version, &self.version) {
            return Some(RestartReason::SourceChanged(change));
        }
        let earlier = match earlier.mode {
            mode if mode == self.mode => return None,
            Mode::Upload => "no reply",
            _ => "a reply",
        };
        Some(RestartReason::OptionsChanged { earlier })
    }
}

/// The state file of an upload.
#[derive(Debug)]
pub(super) struct State {
    file: StateFile,
    job: Job,
}

/// The state of an earlier process.
#[derive(Clone, Debug)]
pub(super) struct Earlier {
    pub machine: Machine,
    pub cookies: String,
}

/// The result of opening a state.
#[derive(Debug)]
pub(super) struct Opened {
    pub state: State,
    pub earlier: Option<Earlier>,
    /// The reason why the upload starts over, although there was a state.
    pub restart_reason: Option<RestartReason>,
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
        options: &Upload,
        mode: Mode,
    ) -> Result<Opened> {
        let name = match (&options.identity, source) {
            (Some(identity), _) => identity.clone(),
            (None, Source::File { path, .. }) => path.to_string_lossy().into_owned(),
            (None, Source::Bytes(_)) => String::new(),
            (None, Source::Reader { .. }) => {
                return Err(Error::Option("resume: a reader needs an identity".into()));
            }
        };
        let mut key = vec![url.as_str().as_bytes(), name.as_bytes()];
        // The session belongs to this user.
        key.extend(options.shared.config.credentials.user().map(str::as_bytes));
        let file = folder.open("upload", &key)?;
        let version = source.version();
        let job = Job { url: url.as_str().into(), source: name, version, mode };
        let (earlier, restart_reason) = match file.load::<Job, Machine>()? {
            Loaded::Missing => (None, None),
            Loaded::Unreadable(reason) => (None, Some(reason)),
            Loaded::Found(Stored { job: stored, machine, cookies, .. }) => {
                match job.restart_reason(&stored) {
                    // A process ended between the last step and the removal of the state.
                    Some(_) if machine.state().is_terminal() => (None, None),
                    reason => (Some(Earlier { machine, cookies }), reason),
                }
            }
        };
        Ok(Opened { state: Self { file, job }, earlier, restart_reason })
    }

    pub fn save(&self, machine: &Machine, cookies: String) -> Result<()> {
        self.file.save(&Stored::new(self.job.clone(), *machine, cookies))
    }

    pub fn remove(self) -> Result<()> {
        self.file.remove()
    }
}
