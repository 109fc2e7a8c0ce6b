//! The stored form of a download.

use core::time::Duration;

use serde::de::Error as _;

use super::body::Body;
use super::download::{MAX_DATE, MAX_TAG, Progress};
use super::{Download, Exchange, Options, Source, State, StopReason};
use crate::download::ByteRange;
use crate::download::field::{EntityTag, LastModified};
use crate::http1::StatusCode;
use crate::persist::{VERSION, check, stored_form};
use crate::util::inline_str::InlineStr;
use crate::util::random::Random;

stored_form!(Progress as "download" {
    options: Options,
    state: State,
    exchange: Exchange,
    total: Option<u64>,
    modified: Option<InlineStr<MAX_DATE>>,
    tag: Option<InlineStr<MAX_TAG>>,
    next: u64,
    single_range: bool,
    uses_peers: bool,
    has_sources: bool,
    peer_failures: u32,
    deadline: Duration,
    failures: u32,
    restarts: u32,
    random: Random,
    stop_reason: Option<StopReason>,
    challenge: Option<StatusCode>,
    => whole: total.and_then(ByteRange::whole),
    // The body of a response in flight is not stored. The request is sent again.
    => body: Body::None,
});

impl Progress {
    /// Returns the first rule that the fields violate; `None` if they are consistent.
    fn contradiction(&self) -> Option<&'static str> {
        let is_unauthorized = self.exchange == Exchange::Unauthorized;
        let rules = [
            (self.are_texts_valid(), "invalid date or entity tag"),
            (self.has_valid_stop(), "stop reason contradicts the state"),
            (
                self.challenge.is_some() == is_unauthorized
                    && self.challenge.is_none_or(StatusCode::is_challenge),
                "challenge contradicts the exchange",
            ),
            (self.is_exchange_valid(), "exchange contradicts the state"),
            (self.state != State::Search || self.uses_peers, "search without peers"),
            (!self.has_sources || self.uses_peers, "sources without peers"),
            (self.is_stop_reason_valid(), "stop reason is not that of a failure"),
        ];
        rules.iter().find(|(holds, _)| !holds).map(|(_, text)| *text)
    }

    /// Returns true if a stop reason is present where it is needed, and absent where it has no meaning.
    fn has_valid_stop(&self) -> bool {
        let is_stopped = self.exchange == Exchange::Suspended || self.state == State::Failed;
        self.stop_reason.is_some() == is_stopped || (self.state == State::Discard && !is_stopped)
    }

    const fn is_stop_reason_valid(&self) -> bool {
        !matches!(self.state, State::Failed)
            || matches!(
                self.stop_reason,
                Some(StopReason::Refused { .. } | StopReason::RangeOutsideEntity)
            )
    }

    fn are_texts_valid(&self) -> bool {
        let is_date = |date: InlineStr<MAX_DATE>| LastModified::try_from(date.as_bytes()).is_ok();
        let is_strong_tag = |tag: InlineStr<MAX_TAG>| {
            EntityTag::try_from(tag.as_bytes()).is_ok_and(|tag| !tag.is_weak())
        };
        self.modified.is_none_or(is_date) && self.tag.is_none_or(is_strong_tag)
    }

    /// Returns `true` if the state allows the exchange: without a request, none is in flight.
    const fn is_exchange_valid(&self) -> bool {
        match self.state {
            State::Size | State::Download => true,
            State::Search | State::Discard | State::Commit => {
                matches!(self.exchange, Exchange::Ready | Exchange::Suspended)
            }
            State::Finished | State::Cancelled | State::Failed => {
                matches!(self.exchange, Exchange::Ready)
            }
        }
    }
}

/// The stored form of a [`Download`].
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredDownload<R, P> {
    ranges: R,
    sources: P,
    progress: Progress,
}

impl<'de, R, P> serde::Deserialize<'de> for Download<R, P>
where
    R: AsRef<[ByteRange]> + serde::Deserialize<'de>,
    P: AsRef<[Source]> + serde::Deserialize<'de>,
{
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StoredDownload { ranges, sources, progress } =
            serde::Deserialize::deserialize(deserializer)?;
        let mut download = Self { ranges, sources, progress };
        check("download", VERSION, download.contradiction()).map_err(D::Error::custom)?;
        if download.progress.exchange == Exchange::Ready {
            // The bytes of a download that an earlier version stored may have no validator.
            download.make_ready();
        }
        Ok(download)
    }
}

impl<R: AsRef<[ByteRange]>, P: AsRef<[Source]>> Download<R, P> {
    /// Returns the first rule that progress and ranges violate together; `None` if they are
    /// consistent.
    fn contradiction(&self) -> Option<&'static str> {
        let needs_all = matches!(self.progress.state, State::Commit | State::Finished);
        let exceeds = self.requested().is_some_and(|requested| self.progress.next > requested);
        if exceeds && self.progress.state != State::Discard {
            return Some("offset exceeds the requested bytes");
        }
        (needs_all && !self.is_finished()).then_some("state needs all bytes to be received")
    }
}
