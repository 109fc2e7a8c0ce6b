//! [3.2] The server's side of an upload: a session, and a table of sessions.
//!
//! A [`Session`] is small plain data that says what to do. It has no sockets and no files:
//!
//! ```text
//!               request, access                     answer
//!   client  ───────────────────►  Session  ─────────────────────►  client
//!                                 │     ▲
//!             store, notify,      │     │  handle_stored, handle_notified,
//!             commit, discard     ▼     │  handle_committed, handle_discarded, handle_failed
//!                                  host
//! ```
//!
//! [`Session::handle_request`] gives a [`Step`]: an answer, or work whose report gives the next
//! step. Bytes count as soon as they are reported as stored, so an interrupted fragment keeps what
//! arrived. Work that nobody reports on counts as given up after a while, so no session is locked
//! for ever.
//!
//! What the host has to see to:
//!
//! * Access: it judges every packet, and says so with [`Access`].
//! * Texts: it keeps the reply URL. `Sessions` does.
//! * Whose session it is: `Sessions` does; a host without it looks the session up by
//!   [`SessionId::guid`](crate::field::SessionId::guid), and compares URL and principal.
//! * Stored bytes: those of a session belong to its id, never to a name that the client sent.
//! * One request at a time for each session: from `handle_request` to the write-back of the
//!   session nobody else may change it. `Store::update` says how.
//!
//! # States
//!
//! The table is [`TABLE`]; the session asks it before it changes anything.
//!
#![doc = include_str!("state.md")]

mod answer;
#[cfg(all(feature = "alloc", feature = "serde"))]
mod configured;
mod events;
#[cfg(feature = "serde")]
mod persist;
mod policy;
#[cfg(feature = "alloc")]
mod policy_buf;
mod request;
mod session;
#[cfg(feature = "alloc")]
mod sessions;
mod state;
mod step;
#[cfg(feature = "alloc")]
mod store;

pub use self::answer::{Answer, UnreadBody};
pub use self::policy::{CommitAt, EarlyClose, OverlapRule, Policy, SessionHost};
#[cfg(feature = "alloc")]
pub use self::policy_buf::{PolicyBuf, SessionHostBuf};
pub use self::session::{EndReason, Session};
#[cfg(feature = "alloc")]
pub use self::sessions::{
    RequestContext, SessionLimits, Sessions, SessionsError, SessionsResponse,
};
pub use self::state::{Event, State, TABLE};
pub use self::step::{
    Access, Discard, EventError, HostError, Notified, Reply, Step, StoreBytes, WorkToken,
};
#[cfg(feature = "alloc")]
pub use self::store::{Record, Store};
pub use crate::limits::MIN_FRAGMENT;
