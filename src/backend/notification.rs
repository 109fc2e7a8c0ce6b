//! A notification: what it holds, how it begins, and what it asks for.

use core::time::Duration;

use super::{Outcome, Poll, Refused, Reply, State, Timer};
use crate::field::{OriginalRequestUrl, RequestDataFileName, ResponseDataFileName};
use crate::message::{NotificationRequest, NotifiedEntity};
use crate::state_machine::named;

named! {
    /// [3.3.1.1] `NotificationType`: how a server application gets the entity.
    ///
    /// Source: \[MC-BUP\] 3.2.1.1, 3.3.1.1.
    pub enum NotificationType {
        /// There is no application (`NONE`): the entity goes to its destination.
        None "none",
        /// It gets the path of the entity (`NOTIFICATION_BY_REFERENCE`).
        ByReference "by-reference",
        /// It gets the entity as the body of the request (`NOTIFICATION_BY_VALUE`).
        ByValue "by-value",
    }
}

/// [3.3.2] Timers: how long a notification may take. Each is a positive time; one of zero has
/// expired before anything can be sent or received.
///
/// # Example
///
/// ```
/// use bits_proto::backend::Timeouts;
/// use core::time::Duration;
///
/// let timeouts = Timeouts { send: Duration::from_secs(60), ..Timeouts::DEFAULT };
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
pub struct Timeouts {
    /// [3.3.2.1] Notification Send Timeout: for the whole request, head and entity. Default: 5
    /// minutes.
    pub send: Duration,
    /// [3.3.2.2] Notification Receive Timeout: for the whole response, from the end of the
    /// request. Default: 5 minutes.
    pub receive: Duration,
    /// [3.3.2.3] Notification Receive Response Timeout: for the head of the response, from the end
    /// of the request. Default: 5 minutes.
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

impl Default for Timeouts {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// [3.3.1.1] Back-End Client's State: one notification of a server application, and its answer.
///
/// Plain data: it can be copied and compared. With the feature `serde` it can be stored, and what
/// was stored is checked when it is read; a connection cannot be stored, so after a restart a
/// notification that is not over is
/// [reported as failed](Self::handle_transport_failure), and the server notifies again when the
/// client tries again. It holds no bytes of the entity or the reply, and no texts.
///
/// Times are durations since any moment the host likes, as long as it is the same one for the
/// whole life of a notification. A timer that has expired counts even where nobody called
/// [`handle_timeout`](Self::handle_timeout): what is reported at its deadline or later comes too
/// late, and the notification fails. So an application that sends its reply drop by drop does not
/// hold up the server for ever.
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
/// // ... the host connects, and sends the head that `request.encode` makes; then:
/// let step = notification.handle_headers_sent(now)?;
/// assert!(matches!(step, Poll::SendData { offset: 0, length: 80_000, .. }));
/// // ... the host sends the entity; then:
/// let step = notification.handle_data_sent(80_000, now)?;
/// assert!(matches!(step, Poll::ReceiveHeaders { .. }));
/// // ... the host reads the head of the response; then:
/// let response =
///     NotificationResponse { content_length: Some(100), ..NotificationResponse::default() };
/// let step = notification.handle_response(&response, now)?;
/// assert!(matches!(step, Poll::ReceiveData { left: Some(100), keep: true, .. }));
/// // ... the host stores 100 bytes of reply; then:
/// let Poll::Complete(outcome) = notification.handle_reply_data(100, now)? else { panic!() };
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
    /// In bytes. Nothing counts on it but by value.
    pub(super) entity_length: u64,
    /// When the timers that run were started: the send timer with the notification, the receive
    /// timers when the request was sent.
    pub(super) since: Duration,
    pub(super) phase: Phase,
}

/// A state with what is known in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case", deny_unknown_fields)
)]
pub(super) enum Phase {
    SendHeaders,
    SendData {
        /// Fewer than the entity has.
        sent: u64,
    },
    ReceiveHeaders,
    ReceiveData(Body),
    FindReply {
        copy_to_destination: bool,
    },
    Complete(Outcome),
    Error(Refused),
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
    /// `None` where it ends with the connection. Without the attribute, a field that was lost
    /// would read as that.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "serde::Deserialize::deserialize"))]
    pub(super) left: Option<u64>,
    /// Whether it is no reply, because that has a URL already.
    pub(super) is_static: bool,
    pub(super) copy_to_destination: bool,
}

const _: () = assert!(size_of::<Notification>() <= 128, "a notification is small");

impl Notification {
    /// [3.3.3] Initialization, [3.3.5.2.1] `STATE_INIT`: begins a notification.
    ///
    /// `entity_length` is in bytes; it counts only by value. The send timer starts at `now`, so
    /// connecting to the application is part of sending. With [`NotificationType::None`] the
    /// notification is complete at once: the entity belongs at its destination, without a reply.
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
        Self { kind, timeouts, entity_length, since: now, phase }
    }

    /// [3.3.1.1] How the application gets the entity.
    #[must_use]
    pub const fn kind(&self) -> NotificationType {
        self.kind
    }

    /// [3.3.1.1] Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.phase.state()
    }

    /// [3.3.5.2] What to do next. Asking changes nothing.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.
    pub fn poll(&self) -> Poll {
        let deadline = self.deadline().unwrap_or(Duration::MAX);
        match self.phase {
            Phase::SendHeaders => Poll::SendHeaders { deadline },
            Phase::SendData { sent } => {
                let length = self.entity_length.saturating_sub(sent);
                Poll::SendData { offset: sent, length, deadline }
            }
            Phase::ReceiveHeaders => Poll::ReceiveHeaders { deadline },
            Phase::ReceiveData(Body { left, is_static, .. }) => {
                Poll::ReceiveData { left, keep: !is_static, deadline }
            }
            Phase::FindReply { .. } => Poll::FindReply,
            Phase::Complete(outcome) => Poll::Complete(outcome),
            Phase::Error(refused) => Poll::Failed(refused),
        }
    }

    /// [3.3.2] When the next timer expires; `None` while none runs.
    ///
    /// Source: \[MC-BUP\] 3.3.2, 3.3.5.1.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        self.next_timer().map(|(_, deadline)| deadline)
    }

    /// The timer that expires first, and when.
    pub(super) fn next_timer(&self) -> Option<(Timer, Duration)> {
        let Timeouts { send, receive, receive_response } = self.timeouts;
        let (timer, timeout) = match self.phase {
            Phase::SendHeaders | Phase::SendData { .. } => (Timer::Send, send),
            Phase::ReceiveHeaders if receive < receive_response => (Timer::Receive, receive),
            Phase::ReceiveHeaders => (Timer::ReceiveResponse, receive_response),
            Phase::ReceiveData(_) => (Timer::Receive, receive),
            Phase::FindReply { .. } | Phase::Complete(_) | Phase::Error(_) => return None,
        };
        Some((timer, self.since.saturating_add(timeout)))
    }

    /// [2.2.12] Notification Request: the message to send by value, whose body is the entity;
    /// `None` for a notification of any other kind.
    ///
    /// `original_request_url` is the destination URL of the upload. The host knows the URL of the
    /// application, which is the target of the request.
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

    /// [2.2.12] Notification Request: the message to send by reference, which has no body; `None`
    /// for a notification of any other kind.
    ///
    /// `request` is where the application finds the entity, and `response` where it puts its
    /// reply. No file should be at `response`: what is there when it has answered counts as its
    /// reply.
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
            Self::ReceiveHeaders => State::ReceiveHeaders,
            Self::ReceiveData(_) => State::ReceiveData,
            Self::FindReply { .. } => State::FindReply,
            Self::Complete(_) => State::Complete,
            Self::Error(_) => State::Error,
        }
    }
}
