//! Transfers as the client sees them.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// The direction of transfers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Transfer {
    /// The client uploads with `BITS_POST`.
    Upload,
    /// The client downloads with GET.
    Download,
}

impl fmt::Display for Transfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Upload => "upload",
            Self::Download => "download",
        })
    }
}

/// A transfer for the client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Job {
    /// The URL of the entity.
    pub url: String,
    /// The file to upload, or the destination of a download, which does not exist.
    pub file: PathBuf,
    /// The destination of the reply to an upload, which does not exist.
    pub reply: PathBuf,
    /// An empty folder for the state of the client.
    pub folder: PathBuf,
    /// The user for servers that require credentials.
    pub user: String,
    /// The password of the user.
    pub password: String,
    /// The URL of the proxy to use, with user and password; `None` to use no proxy.
    pub proxy: Option<String>,
}

/// The result of a transfer, as the client reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    Success,
    /// With the last line that the client wrote, or its status.
    Failure(String),
    /// The client ended without a report, such as by a signal.
    Crash(String),
    /// The client was stopped at the time limit.
    TimedOut,
    /// The script killed the client.
    Killed,
}
