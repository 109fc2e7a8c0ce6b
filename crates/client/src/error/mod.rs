//! The errors of transfers.

mod advice;
mod refusal;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

pub(crate) use self::refusal::status_with_reason;
use bits_proto::error::error_chain;
use bits_proto::field::HResult;
use bits_proto::http1::StatusCode;
use bits_proto::{client, download};

/// An error of any type, as the cause of an [`Error`].
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// A result with an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why a transfer failed.
///
/// [`source`](StdError::source) returns the cause, [`report`](Self::report) the whole chain of causes,
/// and [`advice`](Self::advice) the next step for a person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL is invalid.
    #[error("invalid URL {url:?}: {reason}")]
    Url {
        /// The URL, as it was passed.
        url: String,
        /// The reason.
        reason: String,
    },
    /// An option is invalid, or contradicts another.
    #[error("invalid option: {0}")]
    Option(String),
    /// The server or a proxy requires other credentials.
    #[error("{}", refusal::Unauthorized { status, schemes, sent })]
    Unauthorized {
        /// 401 for the server, 407 for a proxy.
        status: StatusCode,
        /// The authentication schemes that the peer accepts, such as `Negotiate`.
        schemes: Vec<String>,
        /// The scheme of the credentials that were sent; `None` if none were sent.
        sent: Option<&'static str>,
    },
    /// The server denies access to the URL.
    #[error("server denies access{}", refusal::Answer { status, code })]
    AccessDenied {
        /// The status code.
        status: StatusCode,
        /// The error code, if the response had one.
        code: Option<HResult>,
    },
    /// The destination exists: the file of a download, or the URL of an upload.
    #[error("{destination} already exists")]
    AlreadyExists {
        /// The path or the URL.
        destination: String,
    },
    /// The URL does not exist on the server.
    #[error("URL does not exist on the server{}", refusal::Answer { status, code: &None })]
    NotFound {
        /// The status code.
        status: StatusCode,
    },
    /// The disk of the server is full.
    #[error("disk of the server is full{}{}", refusal::Attempts(*failures), refusal::Answer { status, code })]
    Full {
        /// The status code.
        status: StatusCode,
        /// The error code, if the response had one.
        code: Option<HResult>,
        /// The number of consecutive failures; 0 if the request was not retried.
        failures: u32,
    },
    /// The entity exceeds a limit of the server.
    #[error("entity or fragment exceeds a limit of the server{}", refusal::Answer { status, code })]
    TooLarge {
        /// The status code.
        status: StatusCode,
        /// The error code, if the response had one.
        code: Option<HResult>,
    },
    /// The peer is not a BITS server, or the URL does not accept uploads.
    #[error("server does not accept BITS uploads at this URL{}", refusal::Answer { status, code: &None })]
    NotBits {
        /// The status code.
        status: StatusCode,
    },
    /// The application behind the server rejected the entity.
    #[error("application behind the server rejected the entity{}{}", refusal::Attempts(*failures), refusal::Answer { status, code })]
    Application {
        /// The status code.
        status: StatusCode,
        /// The error code, if the response had one.
        code: Option<HResult>,
        /// The number of consecutive failures; 0 if the request was not retried.
        failures: u32,
    },
    /// The server rejected a request for another reason.
    #[error("server rejected the request{}", refusal::Answer { status, code })]
    Refused {
        /// The status code.
        status: StatusCode,
        /// The error code, if the response had one.
        code: Option<HResult>,
    },
    /// The server redirects a request to a URL that is not followed.
    #[error("server redirects to {location:?}, which is not followed: {reason}")]
    Redirected {
        /// The value of Location.
        location: String,
        /// The reason.
        reason: &'static str,
    },
    /// The transfer was paused through its cancellation token.
    #[error("paused at {}", refusal::Amount { transferred, total })]
    Paused {
        /// The number of bytes transferred.
        transferred: u64,
        /// The number of bytes to transfer; `None` if it is unknown.
        total: Option<u64>,
        /// True if the state is stored: the same transfer continues it.
        is_resumable: bool,
    },
    /// The transfer gave up after retries.
    #[error("gave up at {}{}: {reason}", refusal::Amount { transferred, total }, refusal::Attempts(*failures))]
    Suspended {
        /// The reason.
        reason: StopReason,
        /// The number of consecutive failures.
        failures: u32,
        /// The number of bytes transferred.
        transferred: u64,
        /// The number of bytes to transfer; `None` if it is unknown.
        total: Option<u64>,
        /// True if the state is stored: the same transfer continues it.
        is_resumable: bool,
        /// The last failure.
        source: Option<BoxError>,
    },
    /// The transfer was aborted through its abort token, or by an earlier process.
    #[error("{}", if *is_confirmed { "aborted" } else { "aborted, but the server did not confirm it" })]
    Aborted {
        /// True if the server deleted the session, or had none.
        is_confirmed: bool,
    },
    /// The file changed during the upload.
    #[error("{}: file changed during the upload: {change}", path.display())]
    Changed {
        /// The path of the file.
        path: PathBuf,
        /// The change.
        change: Change,
    },
    /// The entity is uploaded, but its reply cannot be fetched.
    #[error("entity is uploaded, but its reply cannot be fetched")]
    Reply {
        /// The reason.
        #[source]
        source: BoxError,
    },
    /// The TLS connection to the server or a proxy cannot be established.
    #[error("{}", refusal::Tls(source))]
    Tls {
        /// The reason.
        #[source]
        source: rustls::Error,
    },
    /// The stored state of the transfer cannot be used.
    #[error("state of the transfer: {}: {reason}", path.display())]
    State {
        /// The path of the state file, or of its folder.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// An operation on a local file failed.
    #[error("{}", path.display())]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// A state machine rejected an input, which is a defect of this library.
    #[error("internal error, please report it: {0}")]
    Internal(String),
}

/// A change of a file during its upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The length changed.
    Length {
        /// The length at the start, in bytes.
        before: u64,
        /// The length now, in bytes.
        now: u64,
    },
    /// The time of the last modification changed.
    Modified,
    /// Another file has the path.
    Replaced,
    /// The path does not exist.
    Removed,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { before, now } => write!(f, "it had {before} bytes, and has {now} now"),
            Self::Modified => f.write_str("it was modified"),
            Self::Replaced => f.write_str("it was replaced"),
            Self::Removed => f.write_str("it was removed"),
        }
    }
}

/// The reason why a state machine gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// The reason of an upload.
    Upload(client::StopReason),
    /// The reason of a download.
    Download(download::StopReason),
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upload(reason) => reason.fmt(f),
            Self::Download(reason) => reason.fmt(f),
        }
    }
}

impl Error {
    /// Returns the next step for a person, as a sentence; `None` if there is none.
    ///
    /// # Example
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use bits_client::Client;
    ///
    /// let error = Client::new().upload("server.example/x").bytes("text").send().await.unwrap_err();
    /// assert_eq!(error.advice().unwrap(), "Did you mean http://server.example/x ?");
    /// # }
    /// ```
    #[must_use]
    pub fn advice(&self) -> Option<Cow<'static, str>> {
        advice::advice(self)
    }

    /// Returns the message with those of all causes, separated by colons.
    #[must_use]
    pub fn report(&self) -> String {
        error_chain(self)
    }

    /// Returns true if the state of the transfer is stored, so that the same transfer continues it.
    #[must_use]
    pub const fn is_resumable(&self) -> bool {
        matches!(
            self,
            Self::Paused { is_resumable: true, .. } | Self::Suspended { is_resumable: true, .. }
        )
    }

    /// Creates an error about a local file.
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    /// Creates an error for an input that a state machine rejects.
    pub(crate) fn internal(error: impl fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }
}
