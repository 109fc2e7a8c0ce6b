//! [3.1] The client's side of an upload.
//!
//! An [`Upload`] says what to do and is told what became of it. It has no sockets, no files and no
//! clock:
//!
//! ```text
//!   poll ──► Send ──► handle_sending ──► handle_sent ──► handle_ack ──► poll ...
//!                          │                 │
//!                          └────────┬────────┘
//!                     handle_transport_failure, handle_timeout
//! ```
//!
//! What goes wrong is dealt with inside: transient failures are tried again after a while, a lost
//! session is started over, an offset that the server does not share is taken from the server, a
//! host that cannot be reached is left for the origin server. All of that has limits; beyond them
//! the upload is suspended, nothing is lost, and [`Upload::resume`] goes on.
//!
//! # What is sent next
//!
//! The table is [`TABLE`].
//!
#![doc = include_str!("upload.md")]
//!
//! # Whether it can be sent
//!
//! The table is [`EXCHANGE_TABLE`]. `STATE_ERROR` of the specification is *back-off*,
//! *unauthorized* and *suspended* here, and *failed* above.
//!
#![doc = include_str!("exchange.md")]

mod commands;
mod mishaps;
mod options;
#[cfg(feature = "serde")]
mod persist;
mod random;
mod responses;
mod state;
mod stop;
mod upload;

pub use self::options::{FragmentSizing, Mode, Options};
pub use self::state::{EXCHANGE_TABLE, Event, Exchange, ExchangeEvent, State, TABLE};
pub use self::stop::{EventError, StopReason};
pub use self::upload::{Poll, Transmit, Upload};
