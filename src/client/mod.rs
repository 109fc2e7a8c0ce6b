//! [3.1] The client side of an upload.
//!
//! [`Upload`] is a state machine without sockets, files or a clock. The caller asks it what to do
//! next, does that, and reports the result:
//!
//! ```text
//!   poll ──► Send ──► handle_sending ──► handle_sent ──► handle_ack ──► poll ...
//!                          │                 │
//!                          └────────┬────────┘
//!                     handle_transport_failure, handle_timeout
//! ```
//!
//! # Driving convention
//!
//! [`Upload`] and [`backend::Notification`](crate::backend::Notification) are driven alike:
//!
//! * [`poll`](Upload::poll) returns the next action. The returned value is owned: it does not
//!   borrow the machine, and it stays the same until the next input or command.
//! * `handle_*` methods are inputs: they report what happened. An input that takes the time takes
//!   it as its last argument, `now`. It is a duration since any fixed moment, such as
//!   `Instant::elapsed` of an instant taken at startup. After [`resume`](Upload::resume) of a stored
//!   upload the clock may start anew.
//! * An illegal input or command returns [`EventError`] and changes nothing.
//! * [`poll_timeout`](Upload::poll_timeout) returns the time of the next timer.
//!   [`handle_timeout`](Upload::handle_timeout) does what is due at `now`. Calling it early or
//!   repeatedly does nothing.
//! * Commands of the caller are plain verbs: [`pause`](Upload::pause), [`resume`](Upload::resume),
//!   [`restart`](Upload::restart), [`cancel`](Upload::cancel).
//!
//! [`server::Session`](crate::server::Session) differs in one point: its inputs return the next
//! step, because several requests can reach one session and each needs its own response.
//!
//! # Failures
//!
//! An upload recovers by itself: it retries transient failures after a back-off and not before the
//! time in Retry-After, starts over when the server lost the session, continues at the server's
//! offset when the two sides disagree, and falls back to the origin server when another host is
//! unreachable. Each of these is limited. Beyond a limit the upload is suspended. Nothing is lost
//! then: [`Upload::resume`] continues it. If the server no longer has the session but does not say
//! so, [`Upload::restart`] starts over.
//!
//! # States
//!
//! [`State`] is the packet to send next:
//!
#![doc = include_str!("upload.md")]
//!
//! [`Exchange`] is the progress of the current request and its response. `STATE_ERROR` of the
//! specification is *back-off*, *unauthorized* or *suspended* here, and *failed* above.
//!
#![doc = include_str!("exchange.md")]

mod commands;
mod error;
mod options;
#[cfg(feature = "serde")]
mod persist;
mod poll;
mod responses;
mod retry;
mod state;
mod timers;
mod upload;

pub use self::error::{EventError, StopReason};
pub use self::options::{FragmentSizing, Mode, Options};
pub use self::poll::{Poll, Transmit};
#[doc(hidden)]
pub use self::state::{EXCHANGE_TABLE, Event, ExchangeEvent, TABLE};
pub use self::state::{Exchange, State};
pub use self::upload::Upload;
