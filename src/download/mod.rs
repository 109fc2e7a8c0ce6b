//! [2.3, 3.5, 3.6] Downloads: GET and HEAD requests for an entity or ranges of it.
//!
//! Downloads use no messages of their own: they are HTTP with the rules that make it safe to fetch an
//! entity in pieces. A server answers a [`Request`] with a [`Plan`]. A client reads a [`Response`],
//! and a [`MultipartReader`] reads a body with several ranges.
//!
//! ```text
//! server: bytes -> RequestHead -> Request -> Plan -> head and pieces -> bytes
//! client: bytes -> ResponseHead -> Response, MultipartReader -> bytes of the entity
//! ```
//!
//! Heads from bytes are parsed with [`HeaderSlots`], [`RequestHead`] and [`ResponseHead`] of this
//! module. Requests and responses of HTTP stacks enter through `from_fields`, or through `from_http`
//! with the feature `http`. A head leaves through [`Encoder`], or through `to_http`.
//!
//! # Fields
//!
#![doc = include_str!("presence.md")]
//!
//! # Versions of an entity
//!
//! An entity can change while a client fetches its ranges. A server sends Last-Modified, if the entity
//! has a date, and Content-Length with every 200 and 206 response. It rejects a request whose condition
//! fails. A client compares date, strong tag and total length of every response, because caches ignore
//! conditions. So bytes of two versions never mix.
//!
//! Some servers send neither a date nor a strong tag. Then only the length of versions can be compared,
//! and the client uses the bytes of one response only: an interrupted download starts over. Tools such
//! as curl continue it; [`Options::allow_missing_validator`] does so too.
//!
//! # States of a client
//!
//! [`Download`] is driven like [`client::Upload`](crate::client::Upload): see
//! [the driving convention](crate::client#driving-convention). [`State`] is what to do next:
//!
#![doc = include_str!("client/state.md")]
//!
//! [`Exchange`] is the progress of the current request and its response:
//!
#![doc = include_str!("client/exchange.md")]

mod byte_range;
mod client;
mod encoder;
mod entity;
pub mod field;
mod fields;
#[cfg(feature = "http")]
mod http_crate;
mod multipart;
mod part_head;
mod pieces;
mod plan;
#[doc(hidden)]
pub mod presence;
mod ranges;
mod request;
mod response;
mod value;

pub use self::byte_range::ByteRange;
pub use self::client::{
    Condition, Data, Download, EventError, Exchange, Options, Poll, Source, State, StopReason,
    Store, Transmit, Validator,
};
#[doc(hidden)]
pub use self::client::{EXCHANGE_TABLE, Event, ExchangeEvent, TABLE};
pub use self::encoder::Encoder;
pub use self::entity::Entity;
pub use self::fields::Fields;
pub use self::multipart::{MultipartEvent, MultipartRead, MultipartReader};
pub use self::pieces::{PartHead, Piece, Pieces};
pub use self::plan::{Plan, PlanLimits};
pub use self::ranges::{ChosenRanges, choose_ranges};
pub use self::request::{Method, Precondition, Request};
pub use self::response::Response;

use crate::http1::{Head, RequestLine, StatusLine};

/// Memory for the fields of one head; see [`http1::HeaderSlots`](crate::http1::HeaderSlots).
pub type HeaderSlots<'b, const N: usize = 64> = crate::http1::HeaderSlots<'b, Fields<'b>, N>;

/// The head of a download request; see [`http1::Head`](crate::http1::Head).
pub type RequestHead<'h, 'b> = Head<'h, 'b, RequestLine<'b>, Fields<'b>>;

/// The head of the response to a download request; see [`http1::Head`](crate::http1::Head).
pub type ResponseHead<'h, 'b> = Head<'h, 'b, StatusLine<'b>, Fields<'b>>;
