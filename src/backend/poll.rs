//! The next action of a notification.

use core::fmt;
use core::time::Duration;

use super::{NotificationError, Outcome, State};
use crate::state_machine::IllegalEvent;

/// [3.3.5.2] Action for States: the next action of a notification.
///
/// If an action has a deadline and is not done by then, the caller calls
/// [`handle_timeout`](super::Notification::handle_timeout).
///
/// Source: \[MC-BUP\] 3.3.5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum Poll {
    /// [3.3.5.2.2] Send the head of the request that
    /// [`request_by_value`](super::Notification::request_by_value) or
    /// [`request_by_reference`](super::Notification::request_by_reference) returns. Then call
    /// [`handle_headers_sent`](super::Notification::handle_headers_sent).
    SendHeaders {
        /// Time at which the send timer expires.
        deadline: Duration,
    },
    /// [3.3.5.2.3] Send these bytes of the entity. Call
    /// [`handle_data_sent`](super::Notification::handle_data_sent) after each part of any length.
    /// If the response arrives meanwhile, call
    /// [`handle_response`](super::Notification::handle_response).
    SendData {
        /// The offset of the first byte in the entity.
        offset: u64,
        /// The number of bytes up to the end of the entity; at least 1.
        length: u64,
        /// Time at which the send timer expires. It started with the notification.
        deadline: Duration,
    },
    /// [3.3.5.2.4] Read the head of the response. Then call
    /// [`handle_response`](super::Notification::handle_response), or
    /// [`handle_unreadable`](super::Notification::handle_unreadable) if it is invalid.
    ReceiveHeaders {
        /// Time at which the first of the two receive timers expires.
        deadline: Duration,
    },
    /// [3.3.5.2.5] Read the body of the response. Call
    /// [`handle_reply_data`](super::Notification::handle_reply_data) after each part of any length.
    /// Call [`handle_reply_end`](super::Notification::handle_reply_end) when the body ends while
    /// this is still the action.
    ReceiveData {
        /// The number of bytes that are missing; at least 1. `None` if the length is unknown.
        remaining: Option<u64>,
        /// `true` if the bytes are the reply and have to be stored. Otherwise the reply is at a
        /// static URL, and the bytes are discarded.
        keep: bool,
        /// Time at which the receive timer expires. It started at the end of the request.
        deadline: Duration,
    },
    /// [3.3.5.2.6] Check for a file at the path sent in BITS-Response-DataFile-Name. Then call
    /// [`handle_reply_file`](super::Notification::handle_reply_file).
    FindReply,
    /// [3.3.5.2.6] The application accepted the entity.
    Complete(Outcome),
    /// [3.3.5.2.7] The notification failed. Close the connection.
    Failed(NotificationError),
}

/// [3.3.5.2] An input that is illegal in the current state. The notification did not change.
///
/// Source: \[MC-BUP\] 3.3.5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum EventError {
    /// The [`State`] does not allow it.
    State(IllegalEvent<State>),
    /// More bytes were reported than there were to send or receive.
    TooManyBytes {
        /// The number of bytes to send or receive.
        remaining: u64,
    },
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(illegal) => illegal.fmt(f),
            Self::TooManyBytes { remaining } => {
                write!(f, "reported byte count exceeds the remaining {remaining}")
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
