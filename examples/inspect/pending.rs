//! What a response answers.

use bits_proto::field::{ContentRange, SupportedProtocols};
use bits_proto::message::AckContext;

/// What a response answers.
#[derive(Clone, Copy, Debug)]
pub enum PendingRequest<'b> {
    Packet(AckContext<'b>),
    Notification,
    /// A GET, or a HEAD (`true`), whose answer has no body.
    Download(bool),
    Foreign,
}

impl PendingRequest<'_> {
    /// The request of a response that stands alone. Of the request nothing is known but what every
    /// client does today: it offers the one protocol there is, and any offset may fit it.
    pub fn alone(name: &str) -> Option<Self> {
        let session_id = None;
        Some(match name {
            "ping" => Self::Packet(AckContext::Ping),
            "create-session" => {
                let offered = Some(SupportedProtocols::BITS_1_5);
                Self::Packet(AckContext::CreateSession { offered })
            }
            "fragment" => Self::Packet(AckContext::Fragment {
                session_id,
                content_range: widest(),
                sent_up_to: None,
            }),
            "close-session" => Self::Packet(AckContext::CloseSession { session_id }),
            "cancel-session" => Self::Packet(AckContext::CancelSession { session_id }),
            "notification" => Self::Notification,
            _ => return None,
        })
    }

    pub fn name(&self) -> Option<&'static str> {
        Some(match self {
            Self::Packet(AckContext::Ping) => "ping",
            Self::Packet(AckContext::CreateSession { .. }) => "create-session",
            Self::Packet(AckContext::Fragment { .. }) => "fragment",
            Self::Packet(AckContext::CloseSession { .. }) => "close-session",
            Self::Packet(AckContext::CancelSession { .. }) => "cancel-session",
            Self::Notification => "notification",
            Self::Download(_) | Self::Foreign => return None,
        })
    }
}

/// The last fragment of the largest entity: no offset lies beyond it.
pub fn widest() -> Option<ContentRange> {
    ContentRange::new(0, u64::MAX - 1, u64::MAX).ok()
}
