//! [3.3] The back-end client: tells a server application that an upload is complete, and receives
//! its reply.
//!
//! A [`Notification`] is one message to the application and its answer. It opens no connection and
//! reads no clock: the host does what [`poll`](Notification::poll) says, and reports back with the
//! `handle_` method that the step names. How it ended is an [`Outcome`], or a [`Refused`]. A session
//! of [`server`](crate::server) is told with `handle_notified`, or with `handle_failed` and
//! `HostError::Application`; a server without such sessions answers with the
//! [refusal](Refused::refusal).
//!
//! ```text
//! by value:      SendHeaders  SendData  ReceiveHeaders  ReceiveData  Complete
//! by reference:  SendHeaders            ReceiveHeaders  FindReply    Complete
//! none:                                                              Complete
//! ```
//!
//! Texts, such as the reply URL, stay with the host: see [`reply_url`].
//!
//! # States
//!
//! The table is [`TABLE`].
//!
#![doc = include_str!("state.md")]
//!
//! Source: \[MC-BUP\] 3.3, and 3.4 for the application's side; Microsoft's pages on the
//! notification protocol and on server application errors.

mod events;
mod notification;
mod outcome;
#[cfg(feature = "serde")]
mod persist;
mod poll;
mod state;

pub use self::notification::{Notification, NotificationType, Timeouts};
pub use self::outcome::{Outcome, Refused, Reply, Timer, reply_url};
pub use self::poll::{EventError, Poll};
pub use self::state::{Event, State, TABLE};
