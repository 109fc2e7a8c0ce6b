//! How a notification ended.

use core::fmt;

use crate::field::{HResult, ReplyUrl};
use crate::http1::StatusCode;
use crate::message::{NotificationResponse, Refusal};
use crate::state_machine::named;

/// [3.3.5.2.6] `STATE_COMPLETE`: what a server application that took the entity wants done.
///
/// Source: \[MC-BUP\] 3.3.1.1, 3.3.5.2.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Outcome {
    /// Whether the entity belongs at its destination (`ShouldcopyToDestination`). If not, the
    /// application has taken what it wanted.
    pub copy_to_destination: bool,
    /// The reply.
    pub reply: Reply,
}

/// [3.3.5.2.6] Where the reply is. Its URL is a text, which the host keeps.
///
/// Source: \[MC-BUP\] 3.3.5.2.4 to 3.3.5.2.6, 3.4.5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case", deny_unknown_fields)
)]
pub enum Reply {
    /// There is none.
    None,
    /// At a URL of the application's (`IsReplyStaticURL`), which [`reply_url`] takes from the
    /// response. The server does not delete it.
    Static,
    /// By value: the body of the response, which the host has stored, and for which it makes a
    /// URL.
    Body {
        /// How many bytes it has; at least 1.
        length: u64,
    },
    /// By reference: the file at the path that BITS-Response-DataFile-Name named, for which the
    /// host makes a URL.
    File {
        /// How many bytes it has. An empty file is a reply too: the application has made it.
        length: u64,
    },
}

/// [3.3.5.2.4] The URL of a reply that exists already, as it goes into the Ack for the last
/// fragment; `None` where the response names none.
///
/// A relative URL is passed on as it is: a client resolves it like any other.
///
/// # Example
///
/// ```
/// use bits_proto::backend::reply_url;
/// use bits_proto::field::{ReplyUrl, StaticResponseUrl};
/// use bits_proto::message::NotificationResponse;
///
/// let url = "https://app.example/replies/1";
/// let response = NotificationResponse {
///     static_response_url: Some(StaticResponseUrl::try_from(url)?),
///     ..NotificationResponse::default()
/// };
/// assert_eq!(reply_url(&response), Some(ReplyUrl::try_from(url)?));
/// assert_eq!(reply_url(&NotificationResponse::default()), None);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 3.3.5.2.4.
#[must_use]
pub fn reply_url<'b>(response: &NotificationResponse<'b>) -> Option<ReplyUrl<'b>> {
    // Both fields have one grammar, so what was read as one is always the other.
    response.static_response_url.and_then(|url| ReplyUrl::try_from(url.as_bytes()).ok())
}

named! {
    /// [3.3.2] Timers: which one expired.
    ///
    /// Source: \[MC-BUP\] 3.3.2.
    pub enum Timer {
        /// [3.3.2.1] Notification Send Timeout.
        Send "send",
        /// [3.3.2.2] Notification Receive Timeout.
        Receive "receive",
        /// [3.3.2.3] Notification Receive Response Timeout.
        ReceiveResponse "receive-response",
    }
}

/// [3.3.5.2.7] `STATE_ERROR`: why a notification failed, and what the client learns of it.
///
/// | failure | status | code |
/// |---|---|---|
/// | [`Application`](Self::Application) | the application's | that of the status, such as 0x801901F7 |
/// | [`InvalidResponse`](Self::InvalidResponse) | 411 | 0x80070057 |
/// | [`Timeout`](Self::Timeout) | 408 | 0x80070112 |
/// | [`Transport`](Self::Transport) | 502 | 0x801901F6 |
/// | [`Local`](Self::Local) | 500 | 0x801901F4 |
///
/// The context is always
/// [`ErrorContext::REMOTE_APPLICATION`](crate::field::ErrorContext::REMOTE_APPLICATION).
///
/// The code of a timeout is that of a full disk,
/// [`HResult::DISK_FULL_MC_BUP`]; so says the specification, and whoever shows it to a user had
/// better look at the status. A client goes by the status too, and takes 408 as
/// [transient](crate::message::Failure::Transient).
///
/// # Example
///
/// ```
/// use bits_proto::backend::Refused;
/// use bits_proto::field::ErrorContext;
/// use bits_proto::http1::StatusCode;
///
/// let refused = Refused::Application(StatusCode::FORBIDDEN);
/// assert_eq!(refused.status(), StatusCode::FORBIDDEN);
/// assert_eq!(refused.code().get(), 0x8019_0193);
/// assert_eq!(refused.refusal().context(), Some(ErrorContext::REMOTE_APPLICATION));
/// ```
///
/// Source: \[MC-BUP\] 3.3.5.2.7, 3.3.5.3.2, 3.3.6; Microsoft's page on server application errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Refused {
    /// The application answered with this status.
    ///
    /// It is passed on, but for 416, which would speak of the client's offset, and for what is no
    /// failure to a client (1xx, 2xx): those are passed on as 500.
    Application(StatusCode),
    /// [3.3.5.3.2] Its response could not be read.
    InvalidResponse,
    /// [3.3.6] A timer expired.
    Timeout(Timer),
    /// It could not be reached, or the connection failed. Whether it took the entity is unknown.
    Transport,
    /// The host could not read the entity, or not read or write the reply.
    Local,
}

impl Refused {
    /// [3.3.5.2.7] The status for the client (`HTTPStatusCode`); never a success, and never 416.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.7.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.refusal().status()
    }

    /// [3.3.5.2.7] The error code for the client (`BitsErrorCode`).
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.7.
    #[must_use]
    pub const fn code(self) -> HResult {
        match self.refusal().code() {
            Some(code) => code,
            // Every status from 300 has a code, and a refusal has no other.
            None => HResult::BG_E_ERROR_INFORMATION_UNAVAILABLE,
        }
    }

    /// [3.3.5.2.7] The refusal to send to the client. The server adds the session id.
    ///
    /// Source: \[MC-BUP\] 2.2.1.2, 3.3.5.2.7.
    #[must_use]
    pub const fn refusal(self) -> Refusal<'static> {
        let (status, code) = match self {
            Self::Application(status) => (status, None),
            Self::InvalidResponse => (StatusCode::LENGTH_REQUIRED, Some(HResult::E_INVALIDARG)),
            Self::Timeout(_) => (StatusCode::REQUEST_TIMEOUT, Some(HResult::DISK_FULL_MC_BUP)),
            Self::Transport => (StatusCode::BAD_GATEWAY, None),
            Self::Local => (StatusCode::INTERNAL_SERVER_ERROR, None),
        };
        Refusal::of_application(status, code)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Application(status) => write!(f, "the server application answered {status}"),
            Self::InvalidResponse => f.write_str("the server application's answer is not valid"),
            Self::Timeout(timer) => write!(f, "the {timer} timer of the notification expired"),
            Self::Transport => f.write_str("the connection to the server application failed"),
            Self::Local => f.write_str("the entity or the reply could not be read or written"),
        }
    }
}

impl core::error::Error for Refused {}
