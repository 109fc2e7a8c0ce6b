//! The next action of a download, and its requests.

use core::time::Duration;

use super::{Download, Exchange, Source, State, StopReason, Validator};
use crate::download::field::{EntityTag, FieldName, LastModified};
use crate::download::{ByteRange, ChosenRanges, Method};
use crate::http1::StatusCode;

/// The next action of a download. It changes only with the next input or command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum Poll {
    /// Send the request of [`transmit`](Download::transmit).
    ///
    /// Call [`handle_sending`](Download::handle_sending) before its first byte and
    /// [`handle_sent`](Download::handle_sent) after its last. Then report the response with
    /// [`handle_response`](Download::handle_response) or
    /// [`handle_unreadable`](Download::handle_unreadable), or its absence with
    /// [`handle_transport_failure`](Download::handle_transport_failure).
    ///
    /// While [`exchange`](Download::exchange) is [`Exchange::Receiving`], pass the body to
    /// [`handle_data`](Download::handle_data), and report its end with
    /// [`handle_body_end`](Download::handle_body_end) unless it is done before.
    Send,
    /// Search for peers that have the entity (`STATE_SEARCH`). Then call
    /// [`handle_search_finished`](Download::handle_search_finished).
    Search,
    /// Fetch the ranges of [`transmit`](Download::transmit) from the peer with this index, and store
    /// them at [`received`](Download::received). Then call
    /// [`handle_peer_fetched`](Download::handle_peer_fetched) or
    /// [`handle_peer_failed`](Download::handle_peer_failed).
    FetchFromPeer(u32),
    /// Discard all bytes that were stored, because the download starts over;
    /// [`restart_reason`](Download::restart_reason) returns the reason. Then call
    /// [`handle_discarded`](Download::handle_discarded).
    Discard,
    /// Make all bytes durable, because all ranges are downloaded, and remove stored bytes beyond
    /// [`received`](Download::received), which a crash can leave behind. Then call
    /// [`handle_committed`](Download::handle_committed), or
    /// [`handle_storage_failure`](Download::handle_storage_failure) if that fails.
    Commit,
    /// Wait for an input. If none arrives by this time, call
    /// [`handle_timeout`](Download::handle_timeout).
    Wait(Duration),
    /// The server responded with this status and wants credentials. Obtain them, call
    /// [`provide_credentials`](Download::provide_credentials), and send them with the same request.
    Credentials(StatusCode),
    /// The download is suspended. [`resume`](Download::resume) continues it.
    Suspended(StopReason),
    /// All ranges are downloaded.
    Finished,
    /// The download is cancelled.
    Cancelled,
    /// The server rejected the download. Once the cause is removed, [`resume`](Download::resume)
    /// continues it.
    Failed(StopReason),
}

/// A request to send: its method, ranges and conditions.
///
/// It borrows the download, so it is written before the next input.
#[derive(Clone, Debug)]
pub struct Transmit<'d> {
    method: Method,
    ranges: Option<ChosenRanges<'d>>,
    condition: Option<Condition<'d>>,
    source_ranges: SourceRanges<'d>,
}

/// The condition of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition<'d> {
    /// If-Unmodified-Since with the received date.
    IfUnmodifiedSince(LastModified<'d>),
    /// If-Match with the received tag.
    IfMatch(EntityTag<'d>),
    /// If-Range with the received tag.
    IfRangeTag(EntityTag<'d>),
    /// If-Range with the received date.
    IfRangeDate(LastModified<'d>),
}

impl<'d> Transmit<'d> {
    /// Returns the method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// Returns the ranges to request; `None` for the whole entity.
    #[must_use]
    pub fn ranges(&self) -> Option<impl Iterator<Item = ByteRange> + Clone + use<'d>> {
        let source_ranges = self.source_ranges;
        let locate = move |(index, part)| source_ranges.at_source(index, part);
        self.ranges.clone().map(|ranges| ranges.enumerate().map(locate))
    }

    /// Returns the condition; `None` if there is none.
    #[must_use]
    pub const fn condition(&self) -> Option<Condition<'d>> {
        self.condition
    }
}

impl<'d> Condition<'d> {
    /// Returns the field of the condition and its value.
    pub(crate) const fn field(self) -> (FieldName, &'d [u8]) {
        match self {
            Self::IfUnmodifiedSince(date) => (FieldName::IfUnmodifiedSince, date.as_bytes()),
            Self::IfMatch(tag) => (FieldName::IfMatch, tag.as_bytes()),
            Self::IfRangeTag(tag) => (FieldName::IfRange, tag.as_bytes()),
            Self::IfRangeDate(date) => (FieldName::IfRange, date.as_bytes()),
        }
    }
}

/// The ranges of the caller from the next byte on, with their sources.
#[derive(Clone, Copy, Debug)]
struct SourceRanges<'d> {
    ranges: &'d [ByteRange],
    sources: &'d [Source],
}

impl SourceRanges<'_> {
    /// Returns a part of the range with this index as it is in its source.
    fn at_source(&self, index: usize, part: ByteRange) -> ByteRange {
        match (self.ranges.get(index), self.sources.get(index)) {
            (Some(range), Some(Source::Peer { offset, .. })) => {
                let skipped = part.first().saturating_sub(range.first());
                ByteRange::at(offset.saturating_add(skipped), part.len()).unwrap_or(part)
            }
            _ => part,
        }
    }
}

impl<R: AsRef<[ByteRange]>, P: AsRef<[Source]>> Download<R, P> {
    /// Returns the next action. Calling it changes nothing.
    pub fn poll(&self) -> Poll {
        let progress = &self.progress;
        let stop_reason = progress.stop_reason.unwrap_or(StopReason::Paused);
        match progress.state {
            State::Finished => return Poll::Finished,
            State::Cancelled => return Poll::Cancelled,
            State::Failed => return Poll::Failed(stop_reason),
            State::Size | State::Search | State::Download | State::Discard | State::Commit => {}
        }
        match progress.exchange {
            Exchange::Ready => self.next_action(),
            Exchange::Sending | Exchange::Awaiting | Exchange::Receiving | Exchange::BackOff => {
                Poll::Wait(progress.deadline)
            }
            Exchange::Unauthorized => {
                Poll::Credentials(progress.challenge.unwrap_or(StatusCode::UNAUTHORIZED))
            }
            Exchange::Suspended => Poll::Suspended(stop_reason),
        }
    }

    fn next_action(&self) -> Poll {
        match self.progress.state {
            State::Search => Poll::Search,
            State::Discard => Poll::Discard,
            State::Commit => Poll::Commit,
            State::Download => match self.source_of(self.current_range()) {
                Source::Peer { index, .. } => Poll::FetchFromPeer(index),
                Source::Origin => Poll::Send,
            },
            _ => Poll::Send,
        }
    }

    /// Returns the next request, or the ranges of [`Poll::FetchFromPeer`]; `None` if the state has no
    /// request. While a body arrives, it has the ranges that are still missing.
    #[must_use]
    pub fn transmit(&self) -> Option<Transmit<'_>> {
        match self.progress.state {
            State::Size => Some(Transmit {
                method: Method::Head,
                ranges: None,
                condition: None,
                source_ranges: self.source_ranges(),
            }),
            State::Download => {
                let chosen = self.chosen();
                let is_from_origin = self.source_of(self.current_range()) == Source::Origin;
                let is_whole = is_from_origin && self.is_whole(chosen.clone());
                let ranges = Some(chosen).filter(|_| !is_whole);
                let condition = self.condition(ranges.is_some());
                Some(Transmit {
                    method: Method::Get,
                    condition,
                    source_ranges: self.source_ranges(),
                    ranges,
                })
            }
            _ => None,
        }
    }

    /// Returns true if these ranges are one range with the whole entity, or if its length is unknown.
    pub(super) fn is_whole(&self, mut ranges: ChosenRanges<'_>) -> bool {
        match (ranges.next(), ranges.next()) {
            (None, _) => true,
            (Some(range), None) => self.progress.whole == Some(range),
            (Some(_), Some(_)) => false,
        }
    }

    fn condition(&self, has_ranges: bool) -> Option<Condition<'_>> {
        let date = || self.last_modified().filter(|it| it.date().is_some());
        match self.progress.options.validator {
            Validator::None => None,
            Validator::IfUnmodifiedSince => date().map(Condition::IfUnmodifiedSince),
            Validator::IfMatch => self.tag().map(Condition::IfMatch),
            Validator::IfRange if !has_ranges => None,
            Validator::IfRange => match self.tag() {
                Some(tag) => Some(Condition::IfRangeTag(tag)),
                None => date().map(Condition::IfRangeDate),
            },
        }
    }

    fn source_ranges(&self) -> SourceRanges<'_> {
        let index = self.current_range();
        let sources = self.sources.as_ref().get(index..).filter(|_| self.progress.has_sources);
        let ranges = self.all_ranges().get(index..);
        SourceRanges { ranges: ranges.unwrap_or_default(), sources: sources.unwrap_or_default() }
    }
}
