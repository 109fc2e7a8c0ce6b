//! The answer to a request, and the handling of its unread body.

use uuid::Uuid;

use super::Policy;
use crate::error::Error;
use crate::field::{ErrorContext, HResult, ReceivedContentRange, ReplyUrl, RetryAfter, SessionId};
use crate::http1::StatusCode;
use crate::message::{Ack, CancelSessionAck, CloseSessionAck, FragmentAck, PingAck, Refusal};
use crate::util::packed::packed;

/// Answer to a request.
///
/// # Example
///
/// ```
/// use bits_proto::message::Ack;
/// use bits_proto::server::{Answer, Policy, UnreadBody};
/// # use bits_proto::http1::{RequestLine, Version};
/// # use bits_proto::message::Request;
/// # let line = RequestLine { method: "BITS_POST", target: "/e", version: Version::Http11 };
/// # let fields = [("BITS-Packet-Type", &b"Fragment"[..]), ("Content-Length", b"7")];
/// # let error = Request::from_fields(line, fields, &Policy::DEFAULT.requests).unwrap_err();
/// // A request that could not be parsed, with a body of 7 bytes:
/// let answer = Answer::for_error(&error, Some(7), &Policy::DEFAULT);
/// assert_eq!(answer.ack(None).status().get(), 400);
/// assert_eq!(answer.unread_body, UnreadBody::Drain(7));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Answer {
    kind: AnswerKind,
    /// Nil in a refusal, which has no session id.
    session_id: Uuid,
    /// Handling of the part of a fragment's body that was not read.
    ///
    /// It does not cover the body of another packet, which
    /// [`ParseOptions::max_ignored_body`](crate::message::ParseOptions::max_ignored_body) may permit:
    /// read and drop that body before the connection is reused.
    pub unread_body: UnreadBody,
}

/// Kind of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerKind {
    Ping,
    Received { next: u64, has_reply_url: bool },
    Closed,
    Cancelled,
    Refused(CompactRefusal),
}

/// Refusal without a session id, smaller than a [`Refusal`]. Steps are moved often, so
/// their size matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CompactRefusal {
    status: StatusCode,
    error: Option<(HResult, ErrorContext)>,
    received: Option<ReceivedContentRange>,
    retry_after: Option<RetryAfter>,
}

impl CompactRefusal {
    pub(super) const fn new(refusal: &Refusal<'_>) -> Self {
        let error = match (refusal.code(), refusal.context()) {
            (Some(code), Some(context)) => Some((code, context)),
            _ => None,
        };
        Self {
            status: refusal.status(),
            error,
            received: refusal.received(),
            retry_after: refusal.retry_after(),
        }
    }

    const fn refusal(self) -> Refusal<'static> {
        let refusal = match self.received {
            Some(received) => Refusal::bare(self.status).with_received(received),
            None => Refusal::bare(self.status),
        };
        let refusal = match self.error {
            Some((code, context)) => refusal.with_error(code, context),
            None => refusal,
        };
        match self.retry_after {
            Some(retry_after) => refusal.with_retry_after(retry_after),
            None => refusal,
        }
    }
}

/// Handling of a body that was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum UnreadBody {
    /// No part of a fragment's body is unread; the connection can be reused. For the body of another
    /// packet see [`Answer::unread_body`].
    None,
    /// Read and drop this number of bytes, then reuse the connection. Only for a body of which
    /// nothing was read; after a partial read the value is [`Close`](Self::Close).
    Drain(u64),
    /// Close the connection after the answer.
    ///
    /// Closing a connection with unread input may reset it before the client has read the answer.
    /// Shut down the sending side first, and continue to read for a moment.
    Close,
}

impl UnreadBody {
    pub(super) const fn of(bytes: u64, policy: &Policy<'_>) -> Self {
        if bytes == 0 {
            Self::None
        } else if bytes <= policy.drain_limit {
            Self::Drain(bytes)
        } else {
            Self::Close
        }
    }
}

/// [`UnreadBody`] in 8 bytes instead of 16: 0 for `None`, `u64::MAX` for `Close`, and otherwise the number of
/// bytes to drop. `Drain(0)` becomes `None`, and `Drain(u64::MAX)` becomes `Close`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PackedUnreadBody(u64);

impl PackedUnreadBody {
    pub(super) const NONE: Self = Self(0);

    pub(super) const fn new(unread_body: UnreadBody) -> Self {
        Self(match unread_body {
            UnreadBody::None => 0,
            UnreadBody::Drain(bytes) => bytes,
            UnreadBody::Close => u64::MAX,
        })
    }

    pub(super) const fn get(self) -> UnreadBody {
        match self.0 {
            0 => UnreadBody::None,
            u64::MAX => UnreadBody::Close,
            bytes => UnreadBody::Drain(bytes),
        }
    }
}

packed!(PackedUnreadBody, UnreadBody);

impl Answer {
    pub(super) const fn new(kind: AnswerKind, session_id: Uuid, unread_body: UnreadBody) -> Self {
        Self { kind, session_id, unread_body }
    }

    pub(super) const fn refuse(refusal: Refusal<'static>, unread_body: UnreadBody) -> Self {
        Self::refuse_compact(CompactRefusal::new(&refusal), unread_body)
    }

    pub(super) const fn refuse_compact(refusal: CompactRefusal, unread_body: UnreadBody) -> Self {
        Self { kind: AnswerKind::Refused(refusal), session_id: Uuid::nil(), unread_body }
    }

    /// Returns the answer to a request that could not be parsed: the refusal of
    /// [`Refusal::for_error`] and the handling of the body. `body_length` is `None` if the end of the
    /// body is unknown, and `Some(0)` without Content-Length and Transfer-Encoding.
    pub fn for_error(error: &Error, body_length: Option<u64>, policy: &Policy<'_>) -> Self {
        let unread_body =
            body_length.map_or(UnreadBody::Close, |length| UnreadBody::of(length, policy));
        Self::refuse(Refusal::for_error(error, &policy.requests), unread_body)
    }

    /// Returns the answer to a request for an unknown session.
    pub const fn session_not_found(body_length: u64, policy: &Policy<'_>) -> Self {
        Self::refuse(Refusal::session_not_found(), UnreadBody::of(body_length, policy))
    }

    /// Returns `true` if the Ack carries the reply URL, which the embedder keeps.
    #[must_use]
    pub const fn has_reply_url(&self) -> bool {
        matches!(self.kind, AnswerKind::Received { has_reply_url: true, .. })
    }

    /// Returns the status code.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self.kind {
            AnswerKind::Refused(refused) => refused.status,
            AnswerKind::Ping
            | AnswerKind::Received { .. }
            | AnswerKind::Closed
            | AnswerKind::Cancelled => StatusCode::OK,
        }
    }

    /// Returns the Ack to send. `reply_url` is the URL reported with the notification; it is ignored
    /// unless [`has_reply_url`](Self::has_reply_url) returns `true`.
    #[must_use]
    #[inline]
    pub fn ack<'b>(&self, reply_url: Option<ReplyUrl<'b>>) -> Ack<'b> {
        let session_id = Some(SessionId::from(self.session_id));
        match self.kind {
            AnswerKind::Ping => PingAck.into(),
            AnswerKind::Received { next, has_reply_url } => FragmentAck {
                session_id,
                received: ReceivedContentRange(next),
                reply_url: reply_url.filter(|_| has_reply_url),
            }
            .into(),
            AnswerKind::Closed => CloseSessionAck { session_id }.into(),
            AnswerKind::Cancelled => CancelSessionAck { session_id }.into(),
            AnswerKind::Refused(refused) => refused.refusal().into(),
        }
    }
}
