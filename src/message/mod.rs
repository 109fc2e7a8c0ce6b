//! [2.2] Message Syntax: requests, Acks and notifications, as typed values.
//!
//! A message is a plain struct with public fields of validated value types. So everything that can be
//! built can be sent, and everything that is sent can be parsed.
//!
//! ```text
//! bytes ──► head ──► Request / Ack ──► encode ──► bytes
//! ```
//!
//! * Parsing: [`Request::from_head`], [`Ack::from_head`] and their `from_fields` and `from_http`.
//!   Unambiguous input is accepted, and departures from the specification are recorded in
//!   [`Decoded::deviations`]. An Ack is parsed in the context of its request; see [`AckContext`].
//! * Validation: [`Request::validate`] and its siblings return every error instead of the first.
//! * Writing: [`Request::encode`] and its siblings return an [`Encoder`].
//! * Errors: [`Refusal::for_error`] turns a parse error into the Ack to send.
//!
//! [`MessageKind`] shows which message carries which field.

mod ack;
mod ack_context;
mod cancel_session;
mod close_session;
mod create_session;
mod display;
mod encoder;
mod extras;
mod failure;
mod fields;
mod fragment;
#[cfg(feature = "http")]
pub(crate) mod http_crate;
mod kind;
mod message_error;
mod notification_request;
mod notification_response;
mod parse_options;
mod ping;
#[doc(hidden)]
pub mod presence;
mod reader;
mod refusal;
mod report;
mod request;
mod source;
mod validate;
mod value;

pub use self::ack::Ack;
pub use self::ack_context::AckContext;
pub use self::cancel_session::{CancelSession, CancelSessionAck};
pub use self::close_session::{CloseSession, CloseSessionAck};
pub use self::create_session::{CreateSession, CreateSessionAck};
pub use self::encoder::{Encoder, ErrorFields};
pub(crate) use self::encoder::{put_request_line, put_status_line};
pub(crate) use self::extras::ExtraLines;
pub use self::extras::{Extras, ExtrasStorage, NO_EXTRAS};
pub use self::failure::Failure;
pub use self::fields::Fields;
pub use self::fragment::{Fragment, FragmentAck};
pub use self::kind::MessageKind;
pub use self::notification_request::{NotificationRequest, NotifiedEntity};
pub use self::notification_response::NotificationResponse;
pub(crate) use self::parse_options::MAX_VALUE;
pub use self::parse_options::{MissingContentLength, ParseOptions};
pub use self::ping::{Ping, PingAck};
pub use self::refusal::Refusal;
pub use self::request::{METHOD, Request};
pub use self::source::Validated;
pub(crate) use self::source::{HeadSource, ParsedFields, Source};
pub(crate) use self::validate::{
    RequestSummary, ValidatedAck, validate_ack, validate_ack_without_request,
    validate_notification, validate_notification_response, validate_request,
};

use crate::deviation::Deviations;
use crate::http1::{self, RequestLine, StatusLine};

/// Memory for the fields of one message head, on the caller's stack; see
/// [`http1::HeaderSlots`].
pub type HeaderSlots<'b, const N: usize = 64> = http1::HeaderSlots<'b, Fields<'b>, N>;

/// The head of a message with the start line `L`, parsed from bytes; see
/// [`http1::Head`].
pub type Head<'h, 'b, L> = http1::Head<'h, 'b, L, Fields<'b>>;

/// The head of a request, parsed from bytes.
pub type RequestHead<'h, 'b> = Head<'h, 'b, RequestLine<'b>>;

/// The head of a response, parsed from bytes.
pub type ResponseHead<'h, 'b> = Head<'h, 'b, StatusLine<'b>>;

/// A parsed message and its deviations from the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded<T> {
    /// The message.
    pub message: T,
    /// The deviations of the message.
    pub deviations: Deviations,
}

macro_rules! from_message {
    ($($whole:ident :: $variant:ident ($message:ty)),+ $(,)?) => { $(
        impl<'b> From<$message> for $whole<'b> {
            fn from(message: $message) -> Self {
                Self::$variant(message)
            }
        }
    )+ };
}

from_message! {
    Request::Ping(Ping<'b>),
    Request::CreateSession(CreateSession<'b>),
    Request::Fragment(Fragment<'b>),
    Request::CloseSession(CloseSession<'b>),
    Request::CancelSession(CancelSession<'b>),
    Ack::Ping(PingAck),
    Ack::CreateSession(CreateSessionAck<'b>),
    Ack::Fragment(FragmentAck<'b>),
    Ack::CloseSession(CloseSessionAck<'b>),
    Ack::CancelSession(CancelSessionAck<'b>),
    Ack::Refused(Refusal<'b>),
}
