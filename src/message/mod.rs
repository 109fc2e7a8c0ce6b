//! The messages of section 2.2: one request and its Ack a file, the table of which message carries
//! which field, and the writer.
//!
//! A message is a plain struct with public fields of validated value types, so what can be built
//! can be sent, and what is sent can be read.
//!
//! ```text
//! bytes ──► head ──► Request / Ack ──► encode ──► bytes
//! ```
//!
//! Reading accepts what is unambiguous and says what was unusual about it; see
//! [`Decoded::deviations`]. An Ack is read in the light of its request; see [`AckContext`].

mod ack;
mod ack_context;
mod anomalies;
mod cancel_session;
mod close_session;
mod create_session;
mod encoder;
mod extras;
mod failure;
mod fragment;
#[cfg(feature = "http")]
mod http_crate;
mod kind;
mod message_error;
mod notification_request;
mod notification_response;
mod parse_options;
mod ping;
pub mod presence;
mod refusal;
mod request;
mod scan;
mod survey;
mod validate;
mod value;

pub use self::ack::Ack;
pub use self::ack_context::AckContext;
pub use self::cancel_session::{CancelSession, CancelSessionAck};
pub use self::close_session::{CloseSession, CloseSessionAck};
pub use self::create_session::{CreateSession, CreateSessionAck};
pub use self::encoder::{Encoder, ErrorFields, NO_EXTRAS};
pub use self::failure::Failure;
pub use self::fragment::{Fragment, FragmentAck};
pub use self::kind::MessageKind;
pub use self::notification_request::{NotificationRequest, NotifiedEntity};
pub use self::notification_response::NotificationResponse;
pub use self::parse_options::{MissingContentLength, ParseOptions};
pub use self::ping::{Ping, PingAck};
pub use self::refusal::Refusal;
pub use self::request::{METHOD, Request};
pub(crate) use self::validate::{
    Incoming, Pairs, RequestSummary, validate_ack, validate_notification,
    validate_notification_response, validate_request,
};

use crate::deviation::Deviations;

/// A message that was read, and what was unusual about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded<T> {
    /// The message.
    pub message: T,
    /// How it departs from the specification.
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
