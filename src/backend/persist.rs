//! The stored form of a notification.

use core::time::Duration;

use super::notification::{Body, Phase};
use super::{Notification, NotificationType, Outcome, Refused, Reply, Timeouts};
use crate::http1::StatusCode;
use crate::persist::stored_form;

stored_form!(Notification as "a notification" {
    kind: NotificationType,
    timeouts: Timeouts,
    entity_length: u64,
    since: Duration,
    phase: Phase,
});

impl Notification {
    /// What cannot be true of any notification that lived.
    fn contradiction(&self) -> Option<&'static str> {
        let by_value = self.kind == NotificationType::ByValue;
        let by_reference = self.kind == NotificationType::ByReference;
        let (holds, what) = match self.phase {
            Phase::SendHeaders | Phase::ReceiveHeaders => {
                (by_value || by_reference, "there is nobody to notify")
            }
            Phase::SendData { sent } => {
                (by_value && sent < self.entity_length, "there is nothing to send")
            }
            Phase::ReceiveData(body) => {
                (by_value && body.is_possible(), "there is nothing to receive")
            }
            Phase::FindReply { .. } => (by_reference, "there is no file"),
            Phase::Complete(outcome) => {
                (outcome.is_possible(self.kind), "the outcome does not fit its kind")
            }
            Phase::Error(refused) => {
                (refused.is_possible(self.kind), "the failure does not fit its kind")
            }
        };
        (!holds).then_some(what)
    }
}

impl Body {
    /// Whether something is still to come, and the whole has a length.
    fn is_possible(self) -> bool {
        self.left != Some(0) && self.received.checked_add(self.left.unwrap_or(0)).is_some()
    }
}

impl Outcome {
    fn is_possible(self, kind: NotificationType) -> bool {
        match (kind, self.reply) {
            (NotificationType::None, Reply::None) => self.copy_to_destination,
            (NotificationType::None, _) => false,
            (NotificationType::ByReference, Reply::Body { .. }) => false,
            (NotificationType::ByValue, Reply::Body { length }) => length > 0,
            (NotificationType::ByValue, Reply::File { .. }) => false,
            (NotificationType::ByReference, Reply::None | Reply::Static | Reply::File { .. })
            | (NotificationType::ByValue, Reply::None | Reply::Static) => true,
        }
    }
}

impl Refused {
    fn is_possible(self, kind: NotificationType) -> bool {
        kind != NotificationType::None && self != Self::Application(StatusCode::OK)
    }
}
