//! The reason why a transfer starts over.

use std::fmt;

use bits_proto::download;

use crate::error::Change;

/// The reason why a transfer starts over, as reported in
/// [`Progress::restart_reason`](crate::Progress::restart_reason).
///
/// # Example
///
/// ```
/// use bits_client::{Progress, RestartReason};
///
/// fn warn(progress: &Progress) {
///     match &progress.restart_reason {
///         Some(RestartReason::SourceChanged(_)) => println!("the new version is uploaded"),
///         Some(reason) => println!("starting over: {reason}"),
///         None => {}
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestartReason {
    /// The server does not know the session of the upload anymore.
    SessionLost {
        /// The status and the error code of the response.
        response: String,
    },
    /// A response to a download shows that its bytes cannot be continued. Usually
    /// [`EntityChanged`](download::StopReason::EntityChanged).
    Download(download::StopReason),
    /// The file changed after the upload was interrupted. The session of the earlier version is
    /// cancelled.
    SourceChanged(Change),
    /// The interrupted transfer had other options.
    OptionsChanged {
        /// The option of the interrupted transfer, such as `another URL`.
        earlier: &'static str,
    },
    /// The stored state of the interrupted transfer cannot be read. The session of an upload stays on the
    /// server until it expires.
    StateUnreadable {
        /// The reason.
        reason: String,
    },
}

impl fmt::Display for RestartReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SessionLost { response } => write!(f, "server lost the session: {response}"),
            Self::Download(download::StopReason::EntityChanged) => {
                f.write_str("entity changed on the server")
            }
            Self::Download(reason) => reason.fmt(f),
            Self::SourceChanged(change) => {
                write!(f, "file changed since the upload was interrupted: {change}")
            }
            Self::OptionsChanged { earlier } => {
                write!(f, "interrupted transfer had {earlier}")
            }
            Self::StateUnreadable { reason } => {
                write!(f, "state of the interrupted transfer is unreadable: {reason}")
            }
        }
    }
}
