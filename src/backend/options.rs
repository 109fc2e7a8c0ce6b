//! The options of a notification: its timeouts, and the statuses that accept the entity.

use core::time::Duration;

use crate::http1::StatusCode;
use crate::state_machine::named;
use crate::util::setters::setters;

named! {
    /// [3.3.5.2.6] The statuses with which a server application accepts the entity. Any other
    /// status rejects it.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.6; Microsoft's page on server application errors.
    pub enum AcceptedStatuses {
        /// Any successful status (2xx). Receivers of web hooks often answer 201, 202 or 204.
        AnySuccess "any-success",
        /// Only 200, as Microsoft documents. An application that answers another 2xx is notified
        /// with every retry of the client.
        OnlyOk "only-ok",
    }
}

impl AcceptedStatuses {
    /// Returns `true` if the status accepts the entity.
    #[must_use]
    pub const fn accepts(self, status: StatusCode) -> bool {
        match self {
            Self::AnySuccess => status.is_success(),
            Self::OnlyOk => matches!(status, StatusCode::OK),
        }
    }
}

/// [3.3.2] Timers: the timeouts of a notification. A timeout of zero expires at once.
///
/// # Example
///
/// ```
/// use bits_proto::backend::Timeouts;
/// use core::time::Duration;
///
/// let timeouts = Timeouts::DEFAULT.with_send(Duration::from_secs(60));
/// assert_eq!(timeouts.receive, Duration::from_secs(5 * 60));
/// ```
///
/// Source: \[MC-BUP\] 3.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[non_exhaustive]
pub struct Timeouts {
    /// [3.3.2.1] Notification Send Timeout: the maximum time for sending the whole request.
    /// Default: 5 minutes.
    pub send: Duration,
    /// [3.3.2.2] Notification Receive Timeout: the maximum time from the end of the request to the
    /// end of the response. Default: 5 minutes.
    pub receive: Duration,
    /// [3.3.2.3] Notification Receive Response Timeout: the maximum time from the end of the
    /// request to the end of the response's head. Default: 5 minutes.
    pub receive_response: Duration,
}

impl Timeouts {
    /// The specification's defaults: 5 minutes each.
    pub const DEFAULT: Self = Self {
        send: Duration::from_secs(5 * 60),
        receive: Duration::from_secs(5 * 60),
        receive_response: Duration::from_secs(5 * 60),
    };
}

setters!(Timeouts {
    with_send: send: Duration,
    with_receive: receive: Duration,
    with_receive_response: receive_response: Duration,
});

impl Default for Timeouts {
    fn default() -> Self {
        Self::DEFAULT
    }
}
