//! The errors of a download.

use core::fmt;

use super::{Exchange, State};
use crate::field::HResult;
use crate::http1::StatusCode;
use crate::message::Failure;
use crate::state_machine::IllegalEvent;

/// The reason why a download is suspended or failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum StopReason {
    /// The caller paused the download.
    Paused,
    /// `ERROR_TRANSPORT`: the server is unreachable, or its connections break.
    Transport,
    /// `ERROR_TIMEOUT`: requests cannot be sent in time, or responses do not arrive in time.
    Timeout,
    /// The responses contradict the requests.
    Protocol,
    /// The server rejected a request.
    Refused {
        /// The status code.
        status: StatusCode,
    },
    /// The entity changed too often.
    EntityChanged,
    /// Dynamic content broke off too often. Its rest cannot be requested, because its length is
    /// unknown.
    Interrupted,
    /// The server sends neither Last-Modified nor a strong entity tag, and no response has all bytes:
    /// the connection broke too often, or the ranges need several requests. Bytes of two versions
    /// could mix. [`Options::allow_missing_validator`](super::Options::allow_missing_validator)
    /// accepts this risk.
    MissingValidator,
    /// A requested range lies outside the entity.
    RangeOutsideEntity,
    /// The server does not state the length of the entity.
    MissingLength,
    /// The server or a proxy does not support ranges.
    RangesNotSupported,
    /// The body has a content coding that was not accepted.
    UnsupportedEncoding,
    /// The caller could not store bytes.
    Storage,
}

impl StopReason {
    /// Returns the error code of Windows for this reason, if there is one.
    #[must_use]
    pub const fn code(self) -> Option<HResult> {
        match self {
            Self::MissingLength => Some(HResult::BG_E_MISSING_FILE_SIZE),
            Self::RangesNotSupported => Some(HResult::BG_E_INSUFFICIENT_RANGE_SUPPORT),
            Self::RangeOutsideEntity => Some(HResult::BG_E_INVALID_RANGE),
            Self::Refused { status } => HResult::from_status(status.get()),
            _ => None,
        }
    }

    /// Returns `true` if [`Download::resume`](super::Download::resume) is unlikely to help until the
    /// server, the URL, the ranges or the options change. Otherwise the download can be resumed later.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::download::StopReason;
    /// use bits_proto::http1::StatusCode;
    ///
    /// assert!(StopReason::MissingLength.is_permanent());
    /// assert!(StopReason::Refused { status: StatusCode::NOT_FOUND }.is_permanent());
    /// assert!(!StopReason::Refused { status: StatusCode::SERVICE_UNAVAILABLE }.is_permanent());
    /// assert!(!StopReason::Transport.is_permanent());
    /// ```
    #[must_use]
    pub const fn is_permanent(self) -> bool {
        match self {
            Self::Refused { status } => !is_transient(status),
            Self::MissingValidator
            | Self::RangeOutsideEntity
            | Self::MissingLength
            | Self::RangesNotSupported
            | Self::UnsupportedEncoding => true,
            Self::Paused
            | Self::Transport
            | Self::Timeout
            | Self::Protocol
            | Self::EntityChanged
            | Self::Interrupted
            | Self::Storage => false,
        }
    }
}

/// Returns true for the status of a failure after which the request is retried. Redirects are not:
/// the caller follows them.
pub(super) const fn is_transient(status: StatusCode) -> bool {
    matches!(Failure::of(status, None, None), Some(Failure::Transient))
        && !matches!(status.get(), 300..=399)
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused { status } => {
                let status = status.with_reason();
                return write!(f, "server rejected the request with status {status}");
            }
            Self::Paused => "download is paused",
            Self::Transport => "connection to the server failed",
            Self::Timeout => "request timed out",
            Self::Protocol => "server sends responses that contradict the requests",
            Self::EntityChanged => "entity changed repeatedly during the download",
            Self::Interrupted => "connection broke repeatedly, and the length of the entity is unknown",
            Self::MissingValidator => {
                "server sends neither Last-Modified nor a strong ETag, so that the download cannot be \
                 continued with another request"
            }
            Self::RangeOutsideEntity => "requested range lies outside the entity",
            Self::MissingLength => "server does not state the length of the entity",
            Self::RangesNotSupported => "server or proxy does not support ranges",
            Self::UnsupportedEncoding => "body has a content coding other than identity",
            Self::Storage => "received bytes could not be stored",
        })
    }
}

impl core::error::Error for StopReason {}

/// An input or command that is illegal in the current state. The download did not change.
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
    /// The state is not [`State::Discard`].
    NothingToDiscard,
    /// The next ranges are fetched from a peer.
    FetchedFromPeer,
    /// The next ranges are not fetched from a peer.
    NoPeer,
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(illegal) => illegal.fmt(f),
            Self::Exchange(illegal) => illegal.fmt(f),
            Self::InFlight => f.write_str("not allowed while a request is in flight"),
            Self::NothingToDiscard => f.write_str("no bytes are to be discarded"),
            Self::FetchedFromPeer => f.write_str("next ranges are fetched from a peer"),
            Self::NoPeer => f.write_str("next ranges are not fetched from a peer"),
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
