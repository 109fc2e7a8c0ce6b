//! What a response answers.

use bits_proto::field::{ContentRange, SupportedProtocols};
use bits_proto::message::AckFor;

/// What a response answers.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'b> {
    Packet(AckFor<'b>),
    Notification,
    /// A GET, or a HEAD (`true`), whose answer has no body.
    Download(bool),
    Foreign,
}

impl Asked<'_> {
    /// The request of a response that stands alone. Of the request nothing is known but what every
    /// client does today: it offers the one protocol there is, and any offset may fit it.
    pub fn alone(name: &str) -> Option<Self> {
        let session_id = None;
        Some(match name {
            "ping" => Self::Packet(AckFor::Ping),
            "create-session" => {
                let offered = Some(SupportedProtocols::BITS_1_5);
                Self::Packet(AckFor::CreateSession { offered })
            }
            "fragment" => Self::Packet(AckFor::Fragment {
                session_id,
                content_range: widest(),
                sent_up_to: None,
            }),
            "close-session" => Self::Packet(AckFor::CloseSession { session_id }),
            "cancel-session" => Self::Packet(AckFor::CancelSession { session_id }),
            "notification" => Self::Notification,
            _ => return None,
        })
    }

    pub fn name(&self) -> Option<&'static str> {
        Some(match self {
            Self::Packet(AckFor::Ping) => "ping",
            Self::Packet(AckFor::CreateSession { .. }) => "create-session",
            Self::Packet(AckFor::Fragment { .. }) => "fragment",
            Self::Packet(AckFor::CloseSession { .. }) => "close-session",
            Self::Packet(AckFor::CancelSession { .. }) => "cancel-session",
            Self::Notification => "notification",
            Self::Download(_) | Self::Foreign => return None,
        })
    }
}

/// The last fragment of the largest entity: no offset lies beyond it.
pub fn widest() -> Option<ContentRange> {
    ContentRange::new(0, u64::MAX - 1, u64::MAX).ok()
}
