//! A notification: its data, constructor, next action and requests.

use core::time::Duration;

use super::{AcceptedStatuses, NotificationError, Outcome, Poll, Reply, State, Timeouts, Timer};
use crate::field::{OriginalRequestUrl, RequestDataFileName, ResponseDataFileName};
use crate::message::{NotificationRequest, NotifiedEntity};
use crate::state_machine::named;

named! {
    /// [3.3.1.1] `NotificationType`: how a server application receives the entity.
    ///
    /// Source: \[MC-BUP\] 3.2.1.1, 3.3.1.1.
    pub enum NotificationType {
        /// There is no application, and the entity is stored at its destination (`NONE`).
        None "none",
        /// The application receives the path of the entity (`NOTIFICATION_BY_REFERENCE`).
        ByReference "by-reference",
        /// The application receives the entity as the body of the request
        /// (`NOTIFICATION_BY_VALUE`).
        ByValue "by-value",
    }
}

/// [3.3.1.1] Back-End Client's State: one notification of a server application, and its response.
///
/// [`poll`](Self::poll) returns the next action, and the `handle_*` methods report what happened;
/// see [the driving convention](crate::client#driving-convention). An input at a timer's deadline
/// or later is too late: the notification fails, even if
/// [`handle_timeout`](Self::handle_timeout) was not called. So an application that sends its reply
/// slowly cannot block the server.
///
/// It is plain data without allocations, and can be copied and compared. It contains no bytes of
/// the entity or the reply. With the feature `serde` it can be stored. A connection cannot: after a
/// restart, the caller calls [`handle_transport_failure`](Self::handle_transport_failure) for a
/// notification in progress. The server notifies the application again when the client retries.
///
/// # Example
///
/// ```
/// use bits_proto::backend::{Notification, NotificationType, Poll, Reply, Timeouts};
/// use bits_proto::field::OriginalRequestUrl;
/// use bits_proto::message::NotificationResponse;
/// # use core::time::Duration;
///
/// let now = Duration::from_secs(1_700_000_000);
/// let mut notification =
///     Notification::new(NotificationType::ByValue, 80_000, Timeouts::DEFAULT, now);
///
/// let url = OriginalRequestUrl::try_from("http://origin.example/dir/entity")?;
/// let request = notification.request_by_value(url).unwrap();
/// // ... connect to the application, and send the head returned by `request.encode`; then:
/// notification.handle_headers_sent(now)?;
/// assert!(matches!(notification.poll(), Poll::SendData { offset: 0, length: 80_000, .. }));
/// // ... send the entity; then:
/// notification.handle_data_sent(80_000, now)?;
/// assert!(matches!(notification.poll(), Poll::ReceiveHeaders { .. }));
/// // ... read and parse the head of the response; then:
/// let response =
///     NotificationResponse { content_length: Some(100), ..NotificationResponse::default() };
/// notification.handle_response(&response, now)?;
/// let next = notification.poll();
/// assert!(matches!(next, Poll::ReceiveData { remaining: Some(100), keep: true, .. }));
/// // ... store the 100 bytes of the reply; then:
/// notification.handle_reply_data(100, now)?;
/// let Poll::Complete(outcome) = notification.poll() else { panic!() };
/// assert_eq!(outcome.reply, Reply::Body { length: 100 });
/// assert!(!outcome.copy_to_destination);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: \[MC-BUP\] 3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "super::persist::Stored", try_from = "super::persist::Stored")
)]
pub struct Notification {
    pub(super) kind: NotificationType,
    pub(super) timeouts: Timeouts,
    pub(super) accepted_statuses: AcceptedStatuses,
    /// The length of the entity in bytes, used only by value.
    pub(super) entity_length: u64,
    /// The start of the running timers. The send timer starts with the notification, the receive
    /// timers at the end of the request.
    pub(super) since: Duration,
    pub(super) phase: Phase,
}

/// A state with its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case", deny_unknown_fields)
)]
pub(super) enum Phase {
    SendHeaders,
    SendData {
        /// Less than the length of the entity.
        sent: u64,
    },
    SendRest {
        /// Less than the length of the entity.
        sent: u64,
        /// Nothing of it was received. No byte may be missing.
        body: Body,
    },
    ReceiveHeaders,
    ReceiveData(Body),
    FindReply {
        copy_to_destination: bool,
    },
    Complete(Outcome),
    Error(NotificationError),
}

/// The body of a response, by value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub(super) struct Body {
    pub(super) received: u64,
    /// `None` if the body ends with the connection. The attribute rejects stored forms without this
    /// field, which would otherwise be `None`.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "serde::Deserialize::deserialize"))]
    pub(super) remaining: Option<u64>,
    /// The reply is at a static URL, so the body is not the reply.
    pub(super) is_static: bool,
    pub(super) copy_to_destination: bool,
}

const _: () = assert!(size_of::<Notification>() <= 128, "a notification exceeds 128 bytes");

impl Notification {
    /// [3.3.3] Initialization, [3.3.5.2.1] `STATE_INIT`: starts a notification.
    ///
    /// `entity_length` is in bytes, and used only by value. The send timer starts at `now`: it
    /// includes connecting to the application. A notification of [`NotificationType::None`] is
    /// complete at once, without a reply, and the entity is copied to its destination.
    ///
    /// Source: \[MC-BUP\] 3.3.3, 3.3.5.1, 3.3.5.2.1.
    #[must_use]
    pub const fn new(
        kind: NotificationType,
        entity_length: u64,
        timeouts: Timeouts,
        now: Duration,
    ) -> Self {
        let phase = match kind {
            NotificationType::None => {
                Phase::Complete(Outcome { copy_to_destination: true, reply: Reply::None })
            }
            NotificationType::ByReference | NotificationType::ByValue => Phase::SendHeaders,
        };
        let accepted_statuses = AcceptedStatuses::AnySuccess;
        Self { kind, timeouts, accepted_statuses, entity_length, since: now, phase }
    }

    /// Sets the statuses with which the application accepts the entity. Default:
    /// [`AcceptedStatuses::AnySuccess`].
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::backend::{
    ///     AcceptedStatuses, Notification, NotificationError, NotificationType, Poll, Timeouts,
    /// };
    /// use bits_proto::http1::StatusCode;
    /// use bits_proto::message::NotificationResponse;
    /// # use core::time::Duration;
    ///
    /// let now = Duration::from_secs(1_700_000_000);
    /// let notification =
    ///     Notification::new(NotificationType::ByReference, 80_000, Timeouts::DEFAULT, now);
    /// let response = NotificationResponse {
    ///     status: StatusCode::NO_CONTENT,
    ///     ..NotificationResponse::default()
    /// };
    ///
    /// let mut strict = notification.with_accepted_statuses(AcceptedStatuses::OnlyOk);
    /// strict.handle_headers_sent(now)?;
    /// strict.handle_response(&response, now)?;
    /// let error = NotificationError::Application(StatusCode::NO_CONTENT);
    /// assert_eq!(strict.poll(), Poll::Failed(error));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn with_accepted_statuses(mut self, accepted_statuses: AcceptedStatuses) -> Self {
        self.accepted_statuses = accepted_statuses;
        self
    }

    /// [3.3.1.1] Returns how the application receives the entity.
    #[must_use]
    pub const fn kind(&self) -> NotificationType {
        self.kind
    }

    /// [3.3.1.1] Returns the state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.phase.state()
    }

    /// [3.3.5.2.4] Returns `true` once the application has accepted the entity. It must not be
    /// notified again, also if its reply gets lost.
    ///
    /// A server records the acceptance before it receives the reply: see
    /// [`Session::handle_accepted`](crate::server::Session::handle_accepted).
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        self.copy_to_destination().is_some()
    }

    /// [3.3.5.2.4] Returns `true` if the application accepted the entity and requests a copy at the
    /// destination, `false` if it requests none, and `None` if it has not accepted the entity.
    #[must_use]
    pub const fn copy_to_destination(&self) -> Option<bool> {
        match self.phase {
            Phase::SendRest { body: Body { copy_to_destination, .. }, .. }
            | Phase::ReceiveData(Body { copy_to_destination, .. })
            | Phase::FindReply { copy_to_destination }
            | Phase::Complete(Outcome { copy_to_destination, .. }) => Some(copy_to_destination),
            Phase::SendHeaders
            | Phase::SendData { .. }
            | Phase::ReceiveHeaders
            | Phase::Error(_) => None,
        }
    }

    /// [3.3.5.2] Returns the next action. Calling it changes nothing.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.
    pub fn poll(&self) -> Poll {
        let deadline = self.poll_timeout().unwrap_or(Duration::MAX);
        match self.phase {
            Phase::SendHeaders => Poll::SendHeaders { deadline },
            Phase::SendData { sent } | Phase::SendRest { sent, .. } => {
                let length = self.entity_length.saturating_sub(sent);
                Poll::SendData { offset: sent, length, deadline }
            }
            Phase::ReceiveHeaders => Poll::ReceiveHeaders { deadline },
            Phase::ReceiveData(Body { remaining, is_static, .. }) => {
                Poll::ReceiveData { remaining, keep: !is_static, deadline }
            }
            Phase::FindReply { .. } => Poll::FindReply,
            Phase::Complete(outcome) => Poll::Complete(outcome),
            Phase::Error(error) => Poll::Failed(error),
        }
    }

    /// [3.3.2] Returns the time to call [`handle_timeout`](Self::handle_timeout), unless an input
    /// comes first; `None` while no timer runs.
    ///
    /// Source: \[MC-BUP\] 3.3.2, 3.3.5.1.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.next_timer().map(|(_, deadline)| deadline)
    }

    /// Returns the timer that expires first, and its deadline.
    pub(super) fn next_timer(&self) -> Option<(Timer, Duration)> {
        let Timeouts { send, receive, receive_response } = self.timeouts;
        let (timer, timeout) = match self.phase {
            Phase::SendHeaders | Phase::SendData { .. } | Phase::SendRest { .. } => {
                (Timer::Send, send)
            }
            Phase::ReceiveHeaders if receive < receive_response => (Timer::Receive, receive),
            Phase::ReceiveHeaders => (Timer::ReceiveResponse, receive_response),
            Phase::ReceiveData(_) => (Timer::Receive, receive),
            Phase::FindReply { .. } | Phase::Complete(_) | Phase::Error(_) => return None,
        };
        Some((timer, self.since.saturating_add(timeout)))
    }

    /// [2.2.12] Notification Request: returns the request to send by value, whose body is the
    /// entity; `None` for a notification of another type.
    ///
    /// `original_request_url` is the destination URL of the upload. The request is sent to the URL
    /// of the application.
    ///
    /// Source: \[MC-BUP\] 2.2.12, 3.3.5.2.2.
    #[must_use]
    pub const fn request_by_value<'b>(
        &self,
        original_request_url: OriginalRequestUrl<'b>,
    ) -> Option<NotificationRequest<'b>> {
        let entity = match self.kind {
            NotificationType::ByValue => {
                NotifiedEntity::ByValue { content_length: self.entity_length }
            }
            NotificationType::None | NotificationType::ByReference => return None,
        };
        Some(NotificationRequest { original_request_url, entity })
    }

    /// [2.2.12] Notification Request: returns the request to send by reference, which has no body;
    /// `None` for a notification of another type.
    ///
    /// `request` is the path of the entity, and `response` the path for the application's reply.
    /// There must be no file at `response` yet: it would be taken for the reply.
    ///
    /// Source: \[MC-BUP\] 2.2.12, 3.3.5.2.2.
    #[must_use]
    pub const fn request_by_reference<'b>(
        &self,
        original_request_url: OriginalRequestUrl<'b>,
        request: RequestDataFileName<'b>,
        response: ResponseDataFileName<'b>,
    ) -> Option<NotificationRequest<'b>> {
        let entity = match self.kind {
            NotificationType::ByReference => NotifiedEntity::ByReference { request, response },
            NotificationType::None | NotificationType::ByValue => return None,
        };
        Some(NotificationRequest { original_request_url, entity })
    }
}

impl Phase {
    pub(super) const fn state(self) -> State {
        match self {
            Self::SendHeaders => State::SendHeaders,
            Self::SendData { .. } => State::SendData,
            Self::SendRest { .. } => State::SendRest,
            Self::ReceiveHeaders => State::ReceiveHeaders,
            Self::ReceiveData(_) => State::ReceiveData,
            Self::FindReply { .. } => State::FindReply,
            Self::Complete(_) => State::Complete,
            Self::Error(_) => State::Error,
        }
    }
}
