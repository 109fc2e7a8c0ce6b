//! [3.3] The back-end client: notifies a server application of a complete upload, and receives its
//! reply.
//!
//! [`Notification`] is a state machine for one request to the application and its response. It has
//! no sockets, no files and no clock, and is driven like the other machines of this crate: see
//! [the driving convention](crate::client#driving-convention). [`poll`](Notification::poll) returns
//! the next action, and names the `handle_*` methods that report its result:
//!
//! ```text
//! by value:      SendHeaders  SendData  ReceiveHeaders  ReceiveData  Complete
//! by reference:  SendHeaders            ReceiveHeaders  FindReply    Complete
//! none:                                                              Complete
//! ```
//!
//! A notification ends with an [`Outcome`] or a [`NotificationError`]. The outcome means that the
//! application accepted the entity, so it must not be notified again. A failure after that is part
//! of the outcome: see [`Reply::Lost`]. [`Notification::is_accepted`] reports the acceptance as soon as
//! it is known, so that the caller can record it before anything else can fail.
//!
//! A caller with a [`server::Session`](crate::server::Session) records the acceptance with
//! `handle_accepted`, and reports the reply with `handle_reply`. It passes a failure on with
//! `handle_failed` and `HostError::Application`. A server without such sessions sends the
//! [refusal](NotificationError::refusal).
//!
//! The caller stores the reply URL: see [`reply_url`].
//!
//! # States
//!
#![doc = include_str!("state.md")]
//!
//! Source: \[MC-BUP\] 3.3, and 3.4 for the application side; Microsoft's pages on the
//! notification protocol and on server application errors.

mod inputs;
mod notification;
mod options;
mod outcome;
#[cfg(feature = "serde")]
mod persist;
mod poll;
mod state;

pub use self::notification::{Notification, NotificationType};
pub use self::options::{AcceptedStatuses, Timeouts};
pub use self::outcome::{NotificationError, Outcome, Reply, Timer, reply_url};
pub use self::poll::{EventError, Poll};
pub use self::state::State;
#[doc(hidden)]
pub use self::state::{Event, TABLE};
