//! The result of a notification.

use core::fmt;

use crate::field::{HResult, ReplyUrl};
use crate::http1::StatusCode;
use crate::message::{NotificationResponse, Refusal};
use crate::state_machine::named;

/// [3.3.5.2.6] `STATE_COMPLETE`: the response of a server application that accepted the entity.
///
/// Source: \[MC-BUP\] 3.3.1.1, 3.3.5.2.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[non_exhaustive]
pub struct Outcome {
    /// `true` if the server copies the entity to its destination (`ShouldcopyToDestination`).
    /// Otherwise the application has processed the entity.
    pub copy_to_destination: bool,
    /// The reply.
    pub reply: Reply,
}

impl Outcome {
    /// Creates an outcome from its parts.
    #[must_use]
    pub const fn new(copy_to_destination: bool, reply: Reply) -> Self {
        Self { copy_to_destination, reply }
    }
}

/// [3.3.5.2.6] The location of the reply. The caller stores its URL.
///
/// Source: \[MC-BUP\] 3.3.5.2.4 to 3.3.5.2.6, 3.4.5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case", deny_unknown_fields)
)]
#[non_exhaustive]
pub enum Reply {
    /// There is no reply.
    None,
    /// The reply is at a URL of the application (`IsReplyStaticURL`): see [`reply_url`]. The server
    /// does not delete it.
    Static,
    /// By value: the reply is the body of the response. The caller has stored it, and chooses its
    /// URL.
    Body {
        /// The length in bytes; at least 1.
        length: u64,
    },
    /// By reference: the reply is the file at the path sent in BITS-Response-DataFile-Name. The
    /// caller chooses its URL.
    File {
        /// The length in bytes. An empty file is a reply too, because the application created it.
        length: u64,
    },
    /// The application accepted the entity, and its reply could not be received or stored.
    ///
    /// Do not notify the application again: it would process the entity twice. By value the reply is
    /// lost, and the upload continues without it. By reference the file can be looked up later.
    Lost(NotificationError),
}

/// [3.3.5.2.4] Returns the URL of a static reply, for the Ack for the last fragment; `None` if the
/// response has none.
///
/// A relative URL is not changed: the client resolves it.
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
    // Both fields have the same grammar, so the conversion succeeds.
    response.static_response_url.and_then(|url| ReplyUrl::try_from(url.as_bytes()).ok())
}

named! {
    /// [3.3.2] A timer of a notification.
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

/// [3.3.5.2.7] `STATE_ERROR`: the reason why a notification failed, and the refusal to send to the
/// client. The application did not accept the entity, or did so without the server's knowledge.
///
/// | failure | status | code |
/// |---|---|---|
/// | [`Application`](Self::Application) | the application's | that of the status, such as 0x801901F7 |
/// | [`InvalidResponse`](Self::InvalidResponse) | 411 | 0x80070057 |
/// | [`Timeout`](Self::Timeout) | 408 | 0x80070112 |
/// | [`Transport`](Self::Transport) | 502 | 0x801901F6 |
/// | [`Storage`](Self::Storage) | 500 | 0x801901F4 |
///
/// The context is always
/// [`ErrorContext::REMOTE_APPLICATION`](crate::field::ErrorContext::REMOTE_APPLICATION).
///
/// The specification gives a timeout the code of a full disk, [`HResult::DISK_FULL_MC_BUP`]. The
/// status 408 is more reliable: clients classify it as
/// [transient](crate::message::Failure::Transient).
///
/// # Example
///
/// ```
/// use bits_proto::backend::NotificationError;
/// use bits_proto::field::ErrorContext;
/// use bits_proto::http1::StatusCode;
///
/// let error = NotificationError::Application(StatusCode::FORBIDDEN);
/// assert_eq!(error.status(), StatusCode::FORBIDDEN);
/// assert_eq!(error.code().get(), 0x8019_0193);
/// assert_eq!(error.refusal().context(), Some(ErrorContext::REMOTE_APPLICATION));
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
pub enum NotificationError {
    /// The application rejected the request with this status.
    ///
    /// It is passed on to the client. Statuses without an error (1xx, 2xx) and 416, which would
    /// change the client's offset, are passed on as 500.
    Application(StatusCode),
    /// [3.3.5.3.2] The response was invalid.
    InvalidResponse,
    /// [3.3.6] A timer expired.
    Timeout(Timer),
    /// The application could not be reached, or the connection failed before the head of a response.
    /// It may have processed the entity.
    Transport,
    /// The caller could not read the entity, or could not read or write the reply.
    Storage,
}

impl NotificationError {
    /// [3.3.5.2.7] Returns the status for the client (`HTTPStatusCode`): never a success or 416.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.7.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.refusal().status()
    }

    /// [3.3.5.2.7] Returns the error code for the client (`BitsErrorCode`).
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.7.
    #[must_use]
    pub const fn code(self) -> HResult {
        match self.refusal().code() {
            Some(code) => code,
            // Unreachable: every error status has a code.
            None => HResult::BG_E_ERROR_INFORMATION_UNAVAILABLE,
        }
    }

    /// [3.3.5.2.7] Returns the refusal to send to the client. The server adds the session id.
    ///
    /// Source: \[MC-BUP\] 2.2.1.2, 3.3.5.2.7.
    #[must_use]
    pub const fn refusal(self) -> Refusal<'static> {
        let (status, code) = match self {
            Self::Application(status) => (status, None),
            Self::InvalidResponse => (StatusCode::LENGTH_REQUIRED, Some(HResult::E_INVALIDARG)),
            Self::Timeout(_) => (StatusCode::REQUEST_TIMEOUT, Some(HResult::DISK_FULL_MC_BUP)),
            Self::Transport => (StatusCode::BAD_GATEWAY, None),
            Self::Storage => (StatusCode::INTERNAL_SERVER_ERROR, None),
        };
        Refusal::from_application(status, code)
    }
}

impl fmt::Display for NotificationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Application(status) => {
                write!(f, "server application rejected the notification with status {status}")
            }
            Self::InvalidResponse => f.write_str("server application sent an invalid response"),
            Self::Timeout(timer) => write!(f, "{timer} timer of the notification expired"),
            Self::Transport => f.write_str("connection to the server application failed"),
            Self::Storage => f.write_str("entity or reply could not be read or written"),
        }
    }
}

impl core::error::Error for NotificationError {}
