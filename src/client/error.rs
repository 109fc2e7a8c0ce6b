//! The errors of an upload.

use core::fmt;

use super::{Exchange, State};
use crate::field::{ErrorContext, HResult};
use crate::http1::StatusCode;
use crate::message::{Failure, MessageKind, Refusal};
use crate::state_machine::IllegalEvent;

/// [3.1.1.2] The reason why an upload is suspended or failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum StopReason {
    /// The caller paused the upload.
    Paused,
    /// `ERROR_TRANSPORT`: the server is unreachable, or its connections break.
    Transport,
    /// `ERROR_TIMEOUT`: requests cannot be sent in time, or responses do not arrive in time.
    Timeout,
    /// The responses are not valid Acks, or contradict the requests.
    Protocol,
    /// The server rejected a request.
    Refused {
        /// The status code.
        status: StatusCode,
        /// The error code, if the response had one.
        code: Option<HResult>,
        /// The origin of the error: the server or its application.
        context: Option<ErrorContext>,
    },
    /// The server answered a fragment with 404, although it had created the session. Windows servers
    /// do this if request filtering limits the length of requests, or if uploads are not enabled.
    FragmentNotFound,
    /// The server rejects the session since the upload was resumed, but does not say that the session
    /// is unknown. [`Upload::restart`](super::Upload::restart) may help.
    SessionRejected {
        /// The status code.
        status: StatusCode,
        /// The error code, if the response had one.
        code: Option<HResult>,
    },
    /// The server accepts fragments, but its offset does not advance.
    NoProgress,
    /// The server lost the session repeatedly.
    SessionLost,
    /// The reply could not be fetched.
    ReplyUnavailable,
}

impl StopReason {
    pub(super) const fn from_refusal(refusal: &Refusal<'_>) -> Self {
        Self::Refused { status: refusal.status(), code: refusal.code(), context: refusal.context() }
    }

    /// Returns `true` if [`Upload::resume`](super::Upload::resume) is unlikely to help until the
    /// server, the URL, the credentials or the options change. Otherwise the upload can be resumed
    /// later.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::client::StopReason;
    /// use bits_proto::http1::StatusCode;
    ///
    /// let refused = |status| StopReason::Refused { status, code: None, context: None };
    /// assert!(refused(StatusCode::FORBIDDEN).is_permanent());
    /// assert!(!refused(StatusCode::SERVICE_UNAVAILABLE).is_permanent());
    /// assert!(!StopReason::Transport.is_permanent());
    /// ```
    #[must_use]
    pub const fn is_permanent(self) -> bool {
        match self {
            Self::Refused { status, code, context } => {
                matches!(Failure::of(status, code, context), Some(Failure::Fatal))
            }
            Self::FragmentNotFound | Self::SessionRejected { .. } => true,
            Self::Paused
            | Self::Transport
            | Self::Timeout
            | Self::Protocol
            | Self::NoProgress
            | Self::SessionLost
            | Self::ReplyUnavailable => false,
        }
    }

    /// Returns `true` if the BITS server itself rejected the request: proxies send no error code.
    pub(super) const fn is_from_server(self) -> bool {
        matches!(
            self,
            Self::Refused { code: Some(_), .. } | Self::SessionRejected { code: Some(_), .. }
        )
    }

    /// Returns `true` if the server could not be reached, which starts the fallback timer.
    pub(super) const fn is_unreachable(self) -> bool {
        matches!(self, Self::Transport | Self::Timeout)
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paused => f.write_str("upload is paused"),
            Self::Transport => f.write_str("connection to the server failed"),
            Self::Timeout => f.write_str("request timed out"),
            Self::Protocol => f.write_str("server sends invalid responses"),
            Self::Refused { status, code, context } => {
                let peer = match *context {
                    Some(ErrorContext::REMOTE_APPLICATION) => "server application",
                    _ => "server",
                };
                write!(f, "{peer} rejected the request")?;
                write_answer(f, *status, *code)
            }
            Self::FragmentNotFound => {
                f.write_str("server rejected a fragment")?;
                write_answer(f, StatusCode::NOT_FOUND, None)?;
                f.write_str(": the fragment may be too large, or uploads are not enabled")
            }
            Self::SessionRejected { status, code } => {
                f.write_str("server rejected the resumed session")?;
                write_answer(f, *status, *code)?;
                f.write_str(
                    "; the server may have lost it: restarting the upload from offset 0 may help",
                )
            }
            Self::NoProgress => f.write_str("upload is making no progress"),
            Self::SessionLost => f.write_str("server repeatedly lost the session"),
            Self::ReplyUnavailable => f.write_str("reply could not be fetched"),
        }
    }
}

/// Writes the status and the error code of a refusal.
fn write_answer(
    f: &mut fmt::Formatter<'_>,
    status: StatusCode,
    code: Option<HResult>,
) -> fmt::Result {
    write!(f, " with status {}", status.with_reason())?;
    code.map_or(Ok(()), |code| write!(f, " and error code {}", code.with_name()))
}

impl core::error::Error for StopReason {}

/// An input or command that is illegal in the current state. The upload did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum EventError {
    /// The [`State`] does not allow it.
    State(IllegalEvent<State>),
    /// The [`Exchange`] does not allow it.
    Exchange(IllegalEvent<Exchange>),
    /// The command is not allowed while a request is in flight.
    InFlight,
    /// The Ack does not belong to the request in flight.
    UnexpectedAck {
        /// The kind of Ack that belongs to the request.
        expected: MessageKind,
        /// The kind that was received.
        got: MessageKind,
    },
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(illegal) => illegal.fmt(f),
            Self::Exchange(illegal) => illegal.fmt(f),
            Self::InFlight => f.write_str("not allowed while a request is in flight"),
            Self::UnexpectedAck { expected, got } => {
                write!(f, "got {}, expected {} or a refusal", got.name(), expected.name())
            }
        }
    }
}

impl core::error::Error for EventError {}

impl From<IllegalEvent<State>> for EventError {
    fn from(illegal: IllegalEvent<State>) -> Self {
        Self::State(illegal)
    }
}

impl From<IllegalEvent<Exchange>> for EventError {
    fn from(illegal: IllegalEvent<Exchange>) -> Self {
        Self::Exchange(illegal)
    }
}
