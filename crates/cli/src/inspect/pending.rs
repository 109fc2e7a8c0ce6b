//! Requests that await a response.

use bits_proto::field::{ContentRange, SupportedProtocols};
use bits_proto::message::{AckContext, MessageKind};

/// A request that awaits its response.
#[derive(Clone, Copy, Debug)]
pub enum PendingRequest<'b> {
    Packet(AckContext<'b>),
    Notification,
    /// A GET, or a HEAD (`true`), whose response has no body.
    Download(bool),
    /// A CONNECT, after whose success the connection continues with another protocol.
    Connect,
    Foreign,
}

impl PendingRequest<'_> {
    /// Returns the assumed request of a response whose request is not in the input. It offers the
    /// only existing protocol, and its fragment allows any offset.
    pub fn assumed(name: &str) -> Option<Self> {
        let session_id = None;
        Some(match name {
            "ping" => Self::Packet(AckContext::Ping),
            "create-session" => {
                let offered = Some(SupportedProtocols::BITS_1_5);
                Self::Packet(AckContext::CreateSession { offered })
            }
            "fragment" => {
                // The largest range, which no offset exceeds.
                let content_range = ContentRange::new(0, u64::MAX - 1, u64::MAX).ok();
                Self::Packet(AckContext::Fragment { session_id, content_range, sent_up_to: None })
            }
            "close-session" => Self::Packet(AckContext::CloseSession { session_id }),
            "cancel-session" => Self::Packet(AckContext::CancelSession { session_id }),
            "notification" => Self::Notification,
            _ => return None,
        })
    }

    /// Returns whether the request is a message of the protocol.
    pub fn is_bits(&self) -> bool {
        matches!(self, Self::Packet(_) | Self::Notification)
    }

    pub fn name(&self) -> Option<&'static str> {
        Some(match self {
            Self::Packet(context) => match context.kind() {
                MessageKind::PingAck => "ping",
                MessageKind::CreateSessionAck => "create-session",
                MessageKind::FragmentAck => "fragment",
                MessageKind::CloseSessionAck => "close-session",
                MessageKind::CancelSessionAck => "cancel-session",
                _ => return None,
            },
            Self::Notification => "notification",
            Self::Download(_) | Self::Connect | Self::Foreign => return None,
        })
    }
}
