//! What an Ack is read in the light of.

use super::{MessageKind, Request};
use crate::field::{ContentRange, SessionId, SupportedProtocols};

/// The request that an Ack answers: an Ack can be read only in its light.
///
/// Made from the [`Request`] that was sent. What is not known, to a monitor that came late, is
/// `None`: then the Ack is not compared with it, and nothing can be taken from it for a protocol
/// or an offset that the Ack leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckContext<'r> {
    /// A Ping.
    Ping,
    /// A Create-Session.
    CreateSession {
        /// The protocols that were offered.
        offered: Option<SupportedProtocols<'r>>,
    },
    /// A Fragment.
    Fragment {
        /// The session.
        session_id: Option<SessionId<'r>>,
        /// The range that was sent.
        content_range: Option<ContentRange>,
        /// How far all fragments of the session have come, if any came further than this one: a
        /// fragment whose Ack was lost, sent again with less in it, is answered with all the server
        /// holds by now.
        sent_up_to: Option<u64>,
    },
    /// A Close-Session.
    CloseSession {
        /// The session.
        session_id: Option<SessionId<'r>>,
    },
    /// A Cancel-Session.
    CancelSession {
        /// The session.
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

impl<'r> AckContext<'r> {
    /// The kind of Ack that grants it.
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
