//! What a notification asks of its host, and what it does not take.

use core::fmt;
use core::time::Duration;

use super::{Outcome, Refused, State};
use crate::state_machine::IllegalEvent;

/// [3.3.5.2] Action for States: what to do next.
///
/// Where a step has a deadline, the host calls
/// [`handle_timeout`](super::Notification::handle_timeout) when it is there. Deadlines are on the
/// clock that `now` was given on.
///
/// Source: \[MC-BUP\] 3.3.5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Poll {
    /// [3.3.5.2.2] Send the head of the request that
    /// [`request_by_value`](super::Notification::request_by_value) or
    /// [`request_by_reference`](super::Notification::request_by_reference) makes. Report with
    /// [`handle_headers_sent`](super::Notification::handle_headers_sent).
    SendHeaders {
        /// When the send timer expires.
        deadline: Duration,
    },
    /// [3.3.5.2.3] Send these bytes of the entity. Report with
    /// [`handle_data_sent`](super::Notification::handle_data_sent), as often as is convenient.
    SendData {
        /// Where in the entity they begin, in bytes.
        offset: u64,
        /// How many they are; at least 1. They reach to the end of the entity.
        length: u64,
        /// When the send timer expires. It runs since the head was begun.
        deadline: Duration,
    },
    /// [3.3.5.2.4] Read the head of the response. Report with
    /// [`handle_response`](super::Notification::handle_response), or with
    /// [`handle_invalid_response`](super::Notification::handle_invalid_response).
    ReceiveHeaders {
        /// When the first of the two receive timers expires.
        deadline: Duration,
    },
    /// [3.3.5.2.5] Read the body of the response. Report with
    /// [`handle_reply_data`](super::Notification::handle_reply_data), as often as is convenient,
    /// and with [`handle_reply_end`](super::Notification::handle_reply_end) when the body ends
    /// while this step is still asked for.
    ReceiveData {
        /// How many bytes are still to come; at least 1. `None`: until the body ends.
        left: Option<u64>,
        /// Whether they are the reply, to be stored. If not, the reply is at a static URL, and
        /// they are thrown away.
        keep: bool,
        /// When the receive timer expires. It runs since the request was sent.
        deadline: Duration,
    },
    /// [3.3.5.2.6] See whether there is a file at the path that BITS-Response-DataFile-Name named.
    /// Report with [`handle_reply_file`](super::Notification::handle_reply_file).
    FindReply,
    /// [3.3.5.2.6] Nothing: the application took the entity.
    Complete(Outcome),
    /// [3.3.5.2.7] Close the connection; the notification failed.
    Failed(Refused),
}

/// [3.3.5.2] A report that a notification does not take. Nothing was changed.
///
/// Source: \[MC-BUP\] 3.3.5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum EventError {
    /// The notification was not at work on what was reported.
    Illegal(IllegalEvent<State>),
    /// More bytes were reported than there were to send or to receive.
    TooManyBytes {
        /// How many there were.
        left: u64,
    },
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Illegal(illegal) => illegal.fmt(f),
            Self::TooManyBytes { left } => {
                write!(f, "more bytes were reported than the {left} that were asked for")
            }
        }
    }
}

impl core::error::Error for EventError {}

impl From<IllegalEvent<State>> for EventError {
    fn from(illegal: IllegalEvent<State>) -> Self {
        Self::Illegal(illegal)
    }
}
