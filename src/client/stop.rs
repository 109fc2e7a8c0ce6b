//! Why an upload does not go on, and what it does not take.

use core::fmt;

use super::{Exchange, State};
use crate::field::{ErrorContext, HResult};
use crate::http1::StatusCode;
use crate::message::{MessageKind, Refusal};
use crate::state_machine::IllegalEvent;

/// [3.1.1.2] Why an upload is suspended, or has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum StopReason {
    /// The caller paused it.
    Paused,
    /// `ERROR_TRANSPORT`: the server could not be reached, or the connection broke, too often.
    Transport,
    /// `ERROR_TIMEOUT`: a request could not be sent, or was not answered, in time, too often.
    Timeout,
    /// The answers are none, or contradict the requests.
    Protocol,
    /// The server refused.
    Refused {
        /// The status.
        status: StatusCode,
        /// The code, if there was one.
        code: Option<HResult>,
        /// Who met the error: the server, or its application.
        context: Option<ErrorContext>,
    },
    /// The server takes the fragments and does not come any further.
    NoProgress,
    /// The server did not know its own session, too often.
    SessionLost,
    /// The reply could not be fetched.
    Reply,
}

impl StopReason {
    pub(super) const fn refused(refusal: &Refusal<'_>) -> Self {
        Self::Refused { status: refusal.status(), code: refusal.code(), context: refusal.context() }
    }

    /// Whether the server itself said so: something on the way gives no code.
    pub(super) const fn is_by_server(self) -> bool {
        matches!(self, Self::Refused { code: Some(_), .. })
    }

    /// Whether it says that the server could not be reached.
    pub(super) const fn is_out_of_reach(self) -> bool {
        matches!(self, Self::Transport | Self::Timeout)
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paused => f.write_str("the upload is paused"),
            Self::Transport => f.write_str("the server cannot be reached"),
            Self::Timeout => f.write_str("the server does not answer in time"),
            Self::Protocol => f.write_str("the server's answers make no sense"),
            Self::Refused { status, code, context } => {
                let who = match *context {
                    Some(ErrorContext::REMOTE_APPLICATION) => "the server application",
                    _ => "the server",
                };
                write!(f, "{who} refused with status {status}")?;
                if !status.reason().is_empty() {
                    write!(f, " {}", status.reason())?;
                }
                match code {
                    Some(code) => write!(f, " and code {code} {}", code.name().unwrap_or("")),
                    None => Ok(()),
                }
            }
            Self::NoProgress => f.write_str("the server takes fragments and comes no further"),
            Self::SessionLost => f.write_str("the server loses its sessions"),
            Self::Reply => f.write_str("the reply cannot be fetched"),
        }
    }
}

impl core::error::Error for StopReason {}

/// Something an upload was told that cannot have happened. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum EventError {
    /// Not in this state.
    State(IllegalEvent<State>),
    /// Not at this point of the exchange.
    Exchange(IllegalEvent<Exchange>),
    /// The Ack is that for another request.
    WrongAck {
        /// The Ack that is due.
        expected: MessageKind,
        /// The one that came.
        got: MessageKind,
    },
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(illegal) => illegal.fmt(f),
            Self::Exchange(illegal) => illegal.fmt(f),
            Self::WrongAck { expected, got } => {
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
