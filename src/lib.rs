//! A sans-IO implementation of the BITS Upload Protocol, [\[MC-BUP\]]: the protocol that Windows
//! uses for `Start-BitsTransfer -TransferType Upload`.
//!
//! Clients upload with HTTP/1.1 requests whose method is `BITS_POST`, in fragments that can be
//! resumed. This crate parses and writes every message and contains the state machines of client
//! and server. The caller owns sockets, files, clocks and threads.
//!
//! # Data flow
//!
//! ```text
//! bytes -> http1 -> field -> message -> server | client | backend -> message -> bytes
//! ```
//!
//! | module | purpose |
//! |---|---|
//! | [`http1`] | HTTP/1.1 heads: start line, fields, framing |
//! | [`field`] | one validated type for the value of each header field |
//! | [`message`] | requests, Acks and notifications: parsing, writing, and which message carries which field |
//! | [`server`] | a session: which bytes to store, when to publish, what to answer; a table of sessions |
//! | [`client`] | an upload: what to send next, when to retry |
//! | [`download`] | GET and HEAD with ranges: the response of a server, and the state machine of a client |
//! | [`backend`] | the notification of a server application about a complete upload |
//! | [`observer`] | reports protocol violations in a conversation of other parties |
//! | [`error`], [`deviation`], [`limits`] | errors, accepted departures from the specification, input limits |
//! | [`guide`] | embedding in servers and clients, HTTP stacks, clusters |
//!
//! Start with `server::Sessions` for a server and with [`client::Upload`] for a client. The guide
//! `guide::embedding` shows both loops, and mistakes that a first test does not reveal.
//!
//! Bytes from a socket enter through [`message::RequestHead`] and [`message::ResponseHead`]. Names and
//! values from an HTTP stack enter through `from_fields` and leave through `for_each_field`. With the
//! feature `http`, messages convert from and to `http::Request` and `http::Response`.
//!
//! # Example
//!
//! ```
//! use bits_proto::http1::Progress;
//! use bits_proto::message::{HeaderSlots, ParseOptions, Request, RequestHead};
//!
//! let bytes = b"BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Ping\r\nContent-Length: 0\r\n\r\n";
//! let mut slots = HeaderSlots::new();
//! let Progress::Complete(head) = RequestHead::parse(bytes, &mut slots)? else {
//!     panic!("the head is incomplete: read more bytes");
//! };
//! let decoded = Request::from_head(&head, &ParseOptions::DEFAULT)?;
//! assert!(matches!(decoded.message, Request::Ping(_)));
//! assert!(decoded.deviations.is_empty());
//! # Ok::<(), bits_proto::Error>(())
//! ```
//!
//! # Promises
//!
//! * Messages borrow from the input. The crate does not allocate without the feature `alloc`,
//!   contains no `unsafe`, and does not panic on any input.
//! * Every value that can be built can be sent, and everything sent can be parsed again.
//! * Incomplete input is [`Partial`](http1::Progress::Partial) and not an error. Input beyond a limit
//!   is an error and not `Partial`.
//! * Unambiguous departures from the specification are accepted and recorded as
//!   [`Deviations`](deviation::Deviations). Input that two readers could interpret differently is an
//!   error.
//! * An [`Error`] names rule, field, byte offset, section of \[MC-BUP\] and the party at fault.
//!   [`Refusal::for_error`](message::Refusal::for_error) maps each error to the Ack to send.
//!
//! # Features
//!
//! | feature | default | enables |
//! |---|---|---|
//! | `std` | yes | `Encoder::write_to` for `io::Write`; implies `alloc` |
//! | `alloc` | with `std` | `Encoder::to_vec`, `ReplyUrl::resolve`, `server::Sessions` |
//! | `bytes` | no | `Encoder::put` for `bytes::BufMut` |
//! | `http` | no | conversion from and to the types of the `http` crate; implies `std` |
//! | `serde` | no | persistence of sessions, uploads and notifications; configuration; errors in logs |
//!
//! Without features the crate needs only `core`.
//!
//! [\[MC-BUP\]]: https://learn.microsoft.com/openspecs/windows_protocols/mc-bup

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![warn(unreachable_pub)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod backend;
pub mod client;
pub mod deviation;
pub mod download;
pub mod error;
pub mod field;
mod field_name;
pub mod guide;
pub mod http1;
pub mod limits;
pub mod message;
pub mod observer;
#[cfg(feature = "serde")]
mod persist;
pub mod server;
pub mod state_machine;
mod util;

pub use self::error::Error;

/// Compiles and runs the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
