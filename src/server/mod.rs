//! [3.2] Server side of an upload: [`Session`] for one upload, `Sessions` for all uploads of a server.
//!
//! A [`Session`] is a sans-IO state machine: small plain data without sockets and files.
//!
//! ```text
//!               request, access                     answer
//!   client  ───────────────────►  Session  ─────────────────────►  client
//!                                 │     ▲
//!      store, notify, keep reply, │     │  handle_stored, handle_accepted, handle_reply,
//!             commit, discard     ▼     │  handle_committed, handle_discarded, handle_failed
//!                                embedder
//! ```
//!
//! # Driving a session
//!
//! * **Requests**: [`Session::handle_request`] returns a [`Step`]: the answer, or work to do.
//! * **Reports**: report the result of work with `handle_stored`, `handle_accepted` and so on, which
//!   return the next step. Every report carries the [`WorkToken`] of its step. A report that is
//!   illegal or late returns an [`EventError`] and changes nothing.
//! * **Time**: call [`Session::handle_timeout`] at [`Session::poll_timeout`]. Early and repeated
//!   calls do nothing. `now` is the last argument of every method that needs it.
//!
//! `client::Upload` and `backend::Notification` return their output from a `poll` method. A session
//! differs in this point: several requests can reach it at once, and each needs its own answer. The
//! next step belongs to a request, not to the session, so each `handle_*` method returns it.
//!
//! Stored bytes are acknowledged once they are reported, so an interrupted fragment keeps what was
//! received. Work without a report times out, so no session stays locked.
//!
//! # Duties of the embedder
//!
//! * **Access**: check every request, and pass the result as [`Access`].
//! * **Session lookup**: find the session by [`SessionId::guid`](crate::field::SessionId::guid),
//!   compare URL and principal, and keep the reply URL. `Sessions` does all three.
//! * **Atomic updates**: nothing else may change a session between reading it and writing it back.
//!   `Store::update` defines this.
//! * **File names**: derive names of staged data from the session id, never from text that the client
//!   sent.
//! * **Fencing**: write to one staging file or part for each [`WorkToken`], so that a request that
//!   stalls and resumes cannot change acknowledged or published bytes.
//! * **Cancellation**: finish and report work even if the framework drops the request handler; see
//!   [`Step`].
//! * **Notification**: report [`Session::handle_accepted`] as soon as the application has accepted the
//!   entity, and repeat the report if the store fails. It must not be notified twice.
//! * **Publication**: make [`Step::Commit`] repeatable and durable, and delete staged bytes that remain
//!   after it.
//!
//! # States
//!
#![doc = include_str!("state.md")]

mod acceptance;
mod answer;
#[cfg(all(feature = "alloc", feature = "serde"))]
mod configured;
#[cfg(feature = "alloc")]
mod context;
mod events;
#[cfg(feature = "alloc")]
mod memory_store;
#[cfg(feature = "serde")]
mod persist;
mod policy;
#[cfg(feature = "alloc")]
mod policy_buf;
mod request;
#[cfg(feature = "alloc")]
mod response;
mod session;
#[cfg(feature = "alloc")]
mod sessions;
mod state;
mod step;
#[cfg(feature = "alloc")]
mod store;

pub use self::answer::{Answer, UnreadBody};
#[cfg(feature = "alloc")]
pub use self::context::{RequestContext, SessionLimits};
#[cfg(feature = "alloc")]
pub use self::memory_store::MemoryStore;
pub use self::policy::{CommitAt, EarlyClose, OverlapRule, Policy, SessionHost};
#[cfg(feature = "alloc")]
pub use self::policy_buf::{PolicyBuf, SessionHostBuf};
#[cfg(feature = "alloc")]
pub use self::response::{SessionsError, SessionsResponse};
pub use self::session::{EndReason, Session};
#[cfg(feature = "alloc")]
pub use self::sessions::Sessions;
#[doc(hidden)]
pub use self::state::TABLE;
pub use self::state::{Event, State};
pub use self::step::{
    Access, Discard, EventError, HostError, Notified, Reply, Step, StoreBytes, WorkToken,
};
#[cfg(feature = "alloc")]
pub use self::store::{Record, Store};
pub use crate::limits::MIN_FRAGMENT;
