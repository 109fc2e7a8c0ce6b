//! The stored form of an upload.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::random::Random;
use super::upload::MAX_HOST;
use super::{Exchange, FragmentSizing, Options, State, StopReason, Upload};
use crate::field::{ReplyUrl, SessionId};
use crate::http1::StatusCode;
use crate::message::Failure;
use crate::persist::{RestoreError, VERSION, check, stored_form};
use crate::util::inline_str::InlineStr;

stored_form!(Upload as "an upload" {
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
    reply_url: Option<InlineStr<{ ReplyUrl::MAX_LEN }>>,
    reply_done: bool,
    maybe_closed: bool,
    deadline: Duration,
    failures: u32,
    restarts: u32,
    stalls: u32,
    random: Random,
    stop: Option<StopReason>,
    challenge: Option<StatusCode>,
});

/// A sizing as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredSizing {
    length: u64,
    floor: u64,
    ceiling: u64,
}

impl From<FragmentSizing> for StoredSizing {
    fn from(sizing: FragmentSizing) -> Self {
        let FragmentSizing { length, floor, ceiling } = sizing;
        Self { length, floor, ceiling }
    }
}

impl TryFrom<StoredSizing> for FragmentSizing {
    type Error = RestoreError;

    fn try_from(stored: StoredSizing) -> Result<Self, RestoreError> {
        let StoredSizing { length, floor, ceiling } = stored;
        let sizing = Self::within(length, floor, ceiling);
        let is_sizing = sizing == Self { length, floor, ceiling };
        let out_of_order = (!is_sizing).then_some("the bounds of fragments are out of order");
        check("an upload", VERSION, out_of_order)?;
        Ok(sizing)
    }
}

impl Upload {
    /// What cannot be true of any upload that lived.
    fn contradiction(&self) -> Option<&'static str> {
        let has_session = self.session_id.is_some();
        let waits = self.exchange == Exchange::Unauthorized;
        let stands = self.exchange == Exchange::Suspended || self.state == State::Failed;
        let rules = [
            (self.is_text_valid(), "a text is not valid"),
            (self.next <= self.total, "more bytes are held than there are"),
            (self.are_offsets_in_order(), "the offsets contradict"),
            (has_session || self.next == 0, "bytes are held without a session"),
            (has_session || !self.needs_session(), "there is no session, and one is needed"),
            (
                !self.is_whole_state() || self.next == self.total,
                "it is whole, and bytes are missing",
            ),
            (self.state != State::Fragment || self.next < self.total, "there is nothing to send"),
            (self.is_challenged() == waits, "credentials are wanted and not wanted"),
            (self.stop.is_some() == stands, "it stands, and nobody knows why"),
            (self.host_id.is_some() || !self.waits_for_host(), "it waits for no host"),
            (has_session || !self.remembers_session(), "it remembers what was of no session"),
            (self.next == self.total || !self.was_whole(), "it was whole, and bytes are missing"),
            (!has_session || self.state != State::CreateSession, "there is a session already"),
            (self.state != State::GetReply || self.wants_reply(), "nobody wants a reply"),
            (self.is_stop_of_state(), "it has failed without a refusal"),
            (self.is_exchange_of_state(), "what is under way does not fit the state"),
        ];
        rules.iter().find(|(holds, _)| !holds).map(|(_, what)| *what)
    }

    fn is_text_valid(&self) -> bool {
        self.session_id.is_some() == self.session_id().is_some()
            && self.host_id.is_some() == self.host().is_some()
            && self.reply_url.is_some() == self.reply_url().is_some()
    }

    fn are_offsets_in_order(&self) -> bool {
        self.next <= self.max_acked && self.max_acked.max(self.sent_up_to) <= self.total
    }

    const fn waits_for_host(&self) -> bool {
        self.fallback_at.is_some() || self.fallback_timeout.is_some()
    }

    const fn remembers_session(&self) -> bool {
        self.max_acked > 0 || self.sent_up_to > 0 || self.was_whole()
    }

    const fn was_whole(&self) -> bool {
        self.maybe_closed || self.reply_done || self.reply_url.is_some()
    }

    fn is_challenged(&self) -> bool {
        self.challenge.is_some_and(|status| Failure::of(status, None) == Some(Failure::Credentials))
    }

    const fn is_stop_of_state(&self) -> bool {
        !matches!(self.state, State::Failed)
            || matches!(self.stop, Some(StopReason::Refused { .. }))
    }

    const fn needs_session(&self) -> bool {
        match self.state {
            State::Fragment | State::GetReply | State::Close | State::Cancel | State::Finished => {
                true
            }
            State::CreateSession | State::Ping | State::Cancelled | State::Failed => false,
        }
    }

    const fn is_whole_state(&self) -> bool {
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

    /// Nothing is under way where there is nothing to send.
    const fn is_exchange_of_state(&self) -> bool {
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
