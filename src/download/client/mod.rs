//! The client side of a download: see [`Download`].

mod body;
mod commands;
mod download;
mod error;
mod options;
#[cfg(feature = "serde")]
mod persist;
mod poll;
mod responses;
mod source;
mod state;
mod timers;

pub use self::body::{Data, Store};
pub use self::download::Download;
pub use self::error::{EventError, StopReason};
pub use self::options::{Options, Validator};
pub use self::poll::{Condition, Poll, Transmit};
pub use self::source::Source;
pub use self::state::{EXCHANGE_TABLE, Event, Exchange, ExchangeEvent, State, TABLE};
