//! The request that an Ack answers.

use super::{Fields, MessageKind, Request};
use crate::field::{ContentRange, FieldName, SessionId, SupportedProtocols};
use crate::http1::{HeadVisitor as _, StatusCode};

/// The request that an Ack answers. The rules for an Ack depend on it.
///
/// Clients create it from the [`Request`] that they sent. A monitor that did not see the whole
/// request sets unknown values to `None`. Parsing then skips the comparison with these values, and
/// a protocol or offset that the Ack omits has no default.
///
/// # Example
///
/// ```
/// use bits_proto::field::SessionId;
/// use bits_proto::message::{AckContext, CloseSession, MessageKind, Request};
///
/// let session_id = SessionId::try_from("1")?;
/// let context = AckContext::from(&Request::from(CloseSession::new(session_id)));
/// assert_eq!(context, AckContext::CloseSession { session_id: Some(session_id) });
/// assert_eq!(context.kind(), MessageKind::CloseSessionAck);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.3, 2.2.5, 2.2.7, 2.2.9, 2.2.11.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AckContext<'r> {
    /// A Ping.
    Ping,
    /// A Create-Session.
    CreateSession {
        /// The protocols that the client offered.
        offered: Option<SupportedProtocols<'r>>,
    },
    /// A Fragment.
    Fragment {
        /// The session id.
        session_id: Option<SessionId<'r>>,
        /// The range of the fragment.
        content_range: Option<ContentRange>,
        /// The highest offset that any fragment of the session ended at, if it exceeds the end of
        /// `content_range`.
        ///
        /// An Ack may acknowledge bytes up to this offset. This happens when the Ack of a fragment
        /// was lost and the client sent a shorter fragment instead.
        sent_up_to: Option<u64>,
    },
    /// A Close-Session.
    CloseSession {
        /// The session id.
        session_id: Option<SessionId<'r>>,
    },
    /// A Cancel-Session.
    CancelSession {
        /// The session id.
        session_id: Option<SessionId<'r>>,
    },
}

impl<'r> From<&Request<'r>> for AckContext<'r> {
    fn from(request: &Request<'r>) -> Self {
        let session_id = request.session_id().copied();
        match request {
            Request::Ping(_) => Self::Ping,
            Request::CreateSession(create) => {
                Self::CreateSession { offered: Some(create.supported_protocols) }
            }
            Request::Fragment(fragment) => {
                let content_range = Some(fragment.content_range);
                Self::Fragment { session_id, content_range, sent_up_to: None }
            }
            Request::CloseSession(_) => Self::CloseSession { session_id },
            Request::CancelSession(_) => Self::CancelSession { session_id },
        }
    }
}

impl AckContext<'static> {
    /// Returns a request that an Ack may answer, for a monitor that did not see the request.
    ///
    /// The request depends on the status code and on the fields of the response. It allows any
    /// protocol and any offset. Returns `None` for a response without BITS-Packet-Type, which may
    /// belong to another protocol.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::http1::StatusCode;
    /// use bits_proto::message::{AckContext, MessageKind};
    ///
    /// let fields = [("BITS-Packet-Type", &b"Ack"[..]), ("BITS-Received-Content-Range", b"100")];
    /// let context = AckContext::assumed(StatusCode::OK, fields);
    /// assert_eq!(context.map(|context| context.kind()), Some(MessageKind::FragmentAck));
    /// assert_eq!(AckContext::assumed(StatusCode::OK, [("Server", &b"x"[..])]), None);
    /// ```
    #[must_use]
    pub fn assumed<'b>(
        status: StatusCode,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
    ) -> Option<Self> {
        let mut known = Fields::new();
        known.insert_pairs(fields, usize::MAX);
        Self::assumed_for(status, |field| known.get(field).is_some())
    }

    /// Returns a request that an Ack with this status code and these fields may answer.
    pub(super) fn assumed_for(status: StatusCode, has: impl Fn(FieldName) -> bool) -> Option<Self> {
        if !has(FieldName::PacketType) {
            return None;
        }
        Some(if has(FieldName::Protocol) {
            Self::CreateSession { offered: None }
        } else if has(FieldName::ReceivedContentRange)
            || status == StatusCode::RANGE_NOT_SATISFIABLE
        {
            let sent_up_to = Some(u64::MAX);
            Self::Fragment { session_id: None, content_range: None, sent_up_to }
        } else {
            Self::Ping
        })
    }
}

impl<'r> AckContext<'r> {
    /// Returns the kind of the Ack that grants the request.
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Ping => MessageKind::PingAck,
            Self::CreateSession { .. } => MessageKind::CreateSessionAck,
            Self::Fragment { .. } => MessageKind::FragmentAck,
            Self::CloseSession { .. } => MessageKind::CloseSessionAck,
            Self::CancelSession { .. } => MessageKind::CancelSessionAck,
        }
    }

    pub(super) const fn session_id(&self) -> Option<SessionId<'r>> {
        match self {
            Self::Ping | Self::CreateSession { .. } => None,
            Self::Fragment { session_id, .. }
            | Self::CloseSession { session_id }
            | Self::CancelSession { session_id } => *session_id,
        }
    }

    pub(super) const fn content_range(&self) -> Option<ContentRange> {
        match self {
            Self::Fragment { content_range, .. } => *content_range,
            _ => None,
        }
    }
}
