//! The stored form of an upload.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::upload::MAX_HOST;
use super::{Exchange, FragmentSizing, Options, State, StopReason, Upload};
use crate::field::{ReplyUrl, SessionId};
use crate::http1::StatusCode;
use crate::persist::{RestoreError, VERSION, check, stored_form};
use crate::util::inline_str::InlineStr;
use crate::util::random::Random;

stored_form!(Upload as "upload" {
    options: Options,
    total: u64,
    state: State,
    exchange: Exchange,
    session_id: Option<InlineStr<{ SessionId::MAX_LEN }>>,
    host_id: Option<InlineStr<MAX_HOST>>,
    fallback_timeout: Option<Duration>,
    fallback_at: Option<Duration>,
    next: u64,
    max_acked: u64,
    sent_up_to: u64,
    accepted_len: u64,
    acked_before: u64,
    is_unconfirmed: bool,
    reply_url: Option<InlineStr<{ ReplyUrl::MAX_LEN }>>,
    reply_done: bool,
    maybe_closed: bool,
    deadline: Duration,
    failures: u32,
    restarts: u32,
    stalls: u32,
    random: Random,
    stop_reason: Option<StopReason>,
    challenge: Option<StatusCode>,
});

/// The stored form of a [`FragmentSizing`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredSizing {
    length: u64,
    min: u64,
    max: u64,
}

impl From<FragmentSizing> for StoredSizing {
    fn from(sizing: FragmentSizing) -> Self {
        let FragmentSizing { length, min, max } = sizing;
        Self { length, min, max }
    }
}

impl TryFrom<StoredSizing> for FragmentSizing {
    type Error = RestoreError;

    fn try_from(stored: StoredSizing) -> Result<Self, RestoreError> {
        let StoredSizing { length, min, max } = stored;
        let sizing = Self::with_bounds(length, min, max);
        let is_sizing = sizing == Self { length, min, max };
        let contradiction = (!is_sizing).then_some("fragment length exceeds its bounds");
        check("upload", VERSION, contradiction)?;
        Ok(sizing)
    }
}

impl Upload {
    /// Returns the first rule that the fields violate; `None` if they are consistent.
    fn contradiction(&self) -> Option<&'static str> {
        let has_session = self.session_id.is_some();
        let is_unauthorized = self.exchange == Exchange::Unauthorized;
        let is_stopped = self.exchange == Exchange::Suspended || self.state == State::Failed;
        let rules = [
            (self.are_texts_valid(), "invalid session id, host or reply URL"),
            (self.next <= self.total, "offset exceeds the length of the entity"),
            (self.are_offsets_in_order(), "offsets contradict each other"),
            (has_session || self.next == 0, "offset without a session"),
            (has_session || !self.needs_session(), "state needs a session"),
            (
                !self.needs_all_bytes() || self.next == self.total,
                "state needs all bytes to be received",
            ),
            (self.state != State::Fragment || self.next < self.total, "state needs bytes to send"),
            (
                self.challenge.is_some_and(StatusCode::is_challenge) == is_unauthorized,
                "challenge contradicts the exchange",
            ),
            (self.stop_reason.is_some() == is_stopped, "stop reason contradicts the state"),
            (self.host_id.is_some() || !self.has_fallback(), "fallback without a host"),
            (has_session || !self.has_progress(), "progress without a session"),
            (
                self.next == self.total || !self.was_complete(),
                "reply or close before the last byte",
            ),
            (
                !has_session || self.state != State::CreateSession,
                "session exists before it is created",
            ),
            (self.state != State::GetReply || self.expects_reply(), "unexpected reply"),
            (self.is_stop_reason_valid(), "state \"failed\" without a refusal"),
            (self.is_exchange_valid(), "exchange contradicts the state"),
        ];
        rules.iter().find(|(holds, _)| !holds).map(|(_, text)| *text)
    }

    fn are_texts_valid(&self) -> bool {
        self.session_id.is_none_or(|id| SessionId::try_from(id.as_bytes()).is_ok())
            && self.host_id.is_some() == self.host().is_some()
            && self.reply_url.is_some() == self.reply_url().is_some()
    }

    fn are_offsets_in_order(&self) -> bool {
        let known = self.max_acked.max(self.sent_up_to).max(self.accepted_len);
        self.next.max(self.acked_before) <= self.max_acked && known <= self.total
    }

    const fn has_fallback(&self) -> bool {
        self.fallback_at.is_some() || self.fallback_timeout.is_some()
    }

    const fn has_progress(&self) -> bool {
        self.max_acked > 0
            || self.sent_up_to > 0
            || self.accepted_len > 0
            || self.is_unconfirmed
            || self.was_complete()
    }

    const fn was_complete(&self) -> bool {
        self.maybe_closed || self.reply_done || self.reply_url.is_some()
    }

    const fn is_stop_reason_valid(&self) -> bool {
        !matches!(self.state, State::Failed)
            || matches!(
                self.stop_reason,
                Some(StopReason::Refused { .. } | StopReason::FragmentNotFound)
            )
    }

    const fn needs_session(&self) -> bool {
        match self.state {
            State::Fragment | State::GetReply | State::Close | State::Cancel | State::Finished => {
                true
            }
            State::CreateSession | State::Ping | State::Cancelled | State::Failed => false,
        }
    }

    const fn needs_all_bytes(&self) -> bool {
        match self.state {
            State::GetReply | State::Close | State::Finished => true,
            State::CreateSession
            | State::Ping
            | State::Fragment
            | State::Cancel
            | State::Cancelled
            | State::Failed => false,
        }
    }

    /// Returns `true` if the state allows the exchange: without a request, none is in flight.
    const fn is_exchange_valid(&self) -> bool {
        match (self.state, self.exchange) {
            (State::Finished | State::Cancelled | State::Failed, exchange) => {
                matches!(exchange, Exchange::Ready)
            }
            (State::GetReply, exchange) => {
                matches!(exchange, Exchange::Ready | Exchange::BackOff | Exchange::Suspended)
            }
            _ => true,
        }
    }
}
