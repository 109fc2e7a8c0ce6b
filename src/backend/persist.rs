//! The stored form of a notification.

use core::time::Duration;

use super::notification::{Body, Phase};
use super::{
    AcceptedStatuses, Notification, NotificationError, NotificationType, Outcome, Reply, Timeouts,
    Timer,
};
use crate::persist::stored_form;

stored_form!(Notification as "notification" {
    kind: NotificationType,
    timeouts: Timeouts,
    accepted_statuses: AcceptedStatuses,
    entity_length: u64,
    since: Duration,
    phase: Phase,
});

impl Notification {
    /// Returns the rule that the fields violate; `None` if they are consistent.
    fn contradiction(&self) -> Option<&'static str> {
        let by_value = self.kind == NotificationType::ByValue;
        let by_reference = self.kind == NotificationType::ByReference;
        let (holds, text) = match self.phase {
            Phase::SendHeaders | Phase::ReceiveHeaders => {
                (by_value || by_reference, "state requires a server application")
            }
            Phase::SendData { sent } => (
                by_value && sent < self.entity_length,
                "state \"send-data\" requires the type \"by-value\" and unsent bytes",
            ),
            Phase::SendRest { sent, body } => (
                by_value && sent < self.entity_length && body.received == 0,
                "state \"send-rest\" requires the type \"by-value\", unsent bytes and no received byte",
            ),
            Phase::ReceiveData(body) => (
                by_value && body.is_valid(),
                "state \"receive-data\" requires the type \"by-value\" and missing bytes",
            ),
            Phase::FindReply { .. } => {
                (by_reference, "state \"find-reply\" requires a notification by reference")
            }
            Phase::Complete(outcome) => {
                (outcome.is_valid(self.kind), "outcome is impossible for the type")
            }
            Phase::Error(error) => {
                let was_accepted = matches!(error, NotificationError::Application(status)
                    if self.accepted_statuses.accepts(status));
                let is_valid = self.kind != NotificationType::None && !was_accepted;
                (is_valid, "failure is impossible for the type")
            }
        };
        (!holds).then_some(text)
    }
}

impl Body {
    /// Returns `true` if bytes are missing, and the total length does not overflow.
    fn is_valid(self) -> bool {
        self.remaining != Some(0)
            && self.received.checked_add(self.remaining.unwrap_or(0)).is_some()
    }
}

impl Outcome {
    fn is_valid(self, kind: NotificationType) -> bool {
        match (kind, self.reply) {
            (NotificationType::None, Reply::None) => self.copy_to_destination,
            (NotificationType::None, _) => false,
            (NotificationType::ByReference, Reply::Body { .. }) => false,
            (NotificationType::ByValue, Reply::Body { length }) => length > 0,
            (NotificationType::ByValue, Reply::File { .. }) => false,
            (_, Reply::Lost(error)) => error.loses_reply(kind),
            (NotificationType::ByReference, Reply::None | Reply::Static | Reply::File { .. })
            | (NotificationType::ByValue, Reply::None | Reply::Static) => true,
        }
    }
}

impl NotificationError {
    /// Returns `true` if a reply can be lost for this reason.
    const fn loses_reply(self, kind: NotificationType) -> bool {
        match self {
            Self::Storage => true,
            Self::Transport | Self::Timeout(Timer::Receive) => {
                matches!(kind, NotificationType::ByValue)
            }
            Self::Application(_) | Self::InvalidResponse | Self::Timeout(_) => false,
        }
    }
}
