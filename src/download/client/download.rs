//! The data of a download, its constructors and getters.

use core::time::Duration;

use super::body::Body;
use super::{Exchange, Options, Source, State, StopReason};
use crate::download::field::{EntityTag, LastModified};
use crate::download::{ByteRange, ChosenRanges, choose_ranges};
use crate::http1::StatusCode;
use crate::util::inline_str::InlineStr;
use crate::util::random::Random;

/// The maximum length of a Last-Modified that is compared, in bytes. A valid date has 29.
pub(super) const MAX_DATE: usize = 64;
/// The maximum length of an entity tag that is compared, in bytes.
pub(super) const MAX_TAG: usize = 128;

/// [3.6] One download on the client side: an entity or ranges of it, in the order of the caller.
///
/// [`poll`](Self::poll) returns the next action, and the `handle_*` methods report what happened; see
/// [the driving convention](crate::client#driving-convention). The caller sends the request of
/// [`transmit`](Self::transmit), passes the response to [`handle_response`](Self::handle_response),
/// and the bytes of its body to [`handle_data`](Self::handle_data), which returns the bytes to store.
///
/// Bytes of two versions of the entity never mix: date, strong tag and length of every response are
/// compared with those of the first one. If the entity changed, [`Poll::Discard`](super::Poll::Discard)
/// asks the caller to discard all bytes, and the download starts over.
///
/// Without Last-Modified and a strong tag, versions of equal length cannot be distinguished. The bytes
/// of such a response are not continued by another one: the entity is requested at once, and the
/// download starts over if the transfer breaks. If the ranges need several requests, the download is
/// suspended with [`StopReason::MissingValidator`]. [`Options::allow_missing_validator`] changes that.
/// A date of more than 64 bytes and a tag of more than 128 bytes count as absent.
///
/// `R` holds the ranges, such as a `Vec<ByteRange>` or an array. An empty list requests the whole
/// entity. `P` holds the sources of the ranges, where peers are used.
///
/// A download is plain data without allocations of its own. With the feature `serde` it can be stored
/// at any time, after the bytes that it counts as received. It is also stored after
/// [`handle_discarded`](Self::handle_discarded), before any byte of the new version. Another process that loads it compares
/// [`received`](Self::received) with the number of bytes that are stored. If fewer are stored, it calls
/// [`handle_storage_failure`](Self::handle_storage_failure). Then it calls [`resume`](Self::resume).
///
/// # Example
///
/// A download of a whole entity from responses in memory:
///
/// ```
/// use std::time::Duration;
///
/// use bits_proto::download::{Download, Options, Poll, Response};
/// use bits_proto::http1::{StatusCode, StatusLine, Version};
///
/// let line = StatusLine { version: Version::Http11, status: StatusCode::OK, reason: "OK" };
/// let fields = [("Content-Length", &b"11"[..]), ("Last-Modified", b"Sun, 06 Nov 1994 08:49:37 GMT")];
/// let now = Duration::ZERO; // since any fixed moment
/// let mut file = Vec::new();
///
/// let mut download = Download::whole(Options::DEFAULT, 7);
/// loop {
///     match download.poll() {
///         Poll::Send => {
///             let is_get = download.transmit().is_some_and(|it| it.method().as_str() == "GET");
///             download.handle_sending(now)?;
///             // Send `transmit()` to the server, and parse the response.
///             download.handle_sent(now)?;
///             download.handle_response(&Response::from_fields(line, fields).unwrap(), now)?;
///             let mut body = if is_get { &b"hello world"[..] } else { b"" };
///             while !body.is_empty() {
///                 let data = download.handle_data(body, now)?;
///                 if let Some(store) = data.store {
///                     assert_eq!(store.position, file.len() as u64);
///                     file.extend_from_slice(store.bytes);
///                 }
///                 body = &body[data.consumed..];
///             }
///         }
///         Poll::Commit => download.handle_committed()?, // after the file was flushed
///         Poll::Finished => break,
///         other => panic!("{other:?}"),
///     }
/// }
/// assert_eq!(file, b"hello world");
/// # Ok::<(), bits_proto::download::EventError>(())
/// ```
///
/// Source: \[MC-BUP\] 3.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Download<R, P = [Source; 0]> {
    pub(super) ranges: R,
    pub(super) sources: P,
    pub(super) progress: Progress,
}

/// The state of a download without its ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "super::persist::Stored", try_from = "super::persist::Stored")
)]
pub(super) struct Progress {
    pub(super) options: Options,
    pub(super) state: State,
    pub(super) exchange: Exchange,
    /// The length of the entity in bytes (`DATA_LENGTH`).
    pub(super) total: Option<u64>,
    /// The range of the whole entity, unless its length is unknown or 0.
    pub(super) whole: Option<ByteRange>,
    /// Last-Modified (`DATA_TIMESTAMP`).
    pub(super) modified: Option<InlineStr<MAX_DATE>>,
    /// The strong entity tag.
    pub(super) tag: Option<InlineStr<MAX_TAG>>,
    /// The number of bytes received (`FRAGMENT_OFFSET`).
    pub(super) next: u64,
    /// Only one range is requested at a time (`SINGLE_RANGE_ONLY`).
    pub(super) single_range: bool,
    /// Peers are used (`BPCR_ALLOWED`).
    pub(super) uses_peers: bool,
    /// The sources of the ranges are known.
    pub(super) has_sources: bool,
    /// `PEER_RETRY_COUNT`.
    pub(super) peer_failures: u32,
    /// The body of the response that arrives.
    pub(super) body: Body,
    /// Time at which the request or response timer expires, or the back-off ends.
    pub(super) deadline: Duration,
    /// Consecutive failures.
    pub(super) failures: u32,
    /// The number of times that the download started over.
    pub(super) restarts: u32,
    pub(super) random: Random,
    /// The reason why the download is suspended or failed.
    pub(super) stop_reason: Option<StopReason>,
    /// The status of the response that asked for credentials.
    pub(super) challenge: Option<StatusCode>,
}

impl Download<[ByteRange; 0]> {
    /// Creates a download of a whole entity. `seed` randomizes the back-off, so that many clients do
    /// not retry at the same time: it should differ between downloads.
    #[must_use]
    pub const fn whole(options: Options, seed: u64) -> Self {
        Self { ranges: [], sources: [], progress: Progress::new(options, seed) }
    }
}

impl<R: AsRef<[ByteRange]>> Download<R> {
    /// Creates a download of ranges (`APPLICATION_RANGES`), whose bytes are stored one after the other
    /// in this order. An empty list requests the whole entity.
    #[must_use]
    pub const fn new(ranges: R, options: Options, seed: u64) -> Self {
        Self { ranges, sources: [], progress: Progress::new(options, seed) }
    }
}

impl<R: AsRef<[ByteRange]>, P: AsRef<[Source]> + Default> Download<R, P> {
    /// Creates a download of ranges that peers may have. The caller reports their sources with
    /// [`handle_search_finished`](Self::handle_search_finished).
    #[must_use]
    pub fn new_with_peers(ranges: R, options: Options, seed: u64) -> Self {
        let progress = Progress::new(options.with_peers(true), seed);
        Self { ranges, sources: P::default(), progress }
    }
}

impl<R: AsRef<[ByteRange]>, P: AsRef<[Source]>> Download<R, P> {
    /// Returns the state: what to do next.
    #[must_use]
    pub const fn state(&self) -> State {
        self.progress.state
    }

    /// Returns the progress of the current request.
    #[must_use]
    pub const fn exchange(&self) -> Exchange {
        self.progress.exchange
    }

    /// Returns the number of bytes received, over all ranges.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.progress.next
    }

    /// Returns the number of bytes in all ranges; `None` for a whole entity whose length is unknown.
    #[must_use]
    pub fn requested(&self) -> Option<u64> {
        if self.is_whole_entity() {
            return self.progress.total;
        }
        Some(self.ranges.as_ref().iter().fold(0, |sum: u64, range| sum.saturating_add(range.len())))
    }

    /// Returns the length of the entity in bytes; `None` before the server stated it.
    #[must_use]
    pub const fn entity_length(&self) -> Option<u64> {
        self.progress.total
    }

    /// Returns the date of the last change of the entity, as the server sent it.
    #[must_use]
    pub fn last_modified(&self) -> Option<LastModified<'_>> {
        let date = self.progress.modified.as_ref();
        date.and_then(|date| LastModified::try_from(date.as_bytes()).ok())
    }

    /// Returns the strong entity tag.
    #[must_use]
    pub fn tag(&self) -> Option<EntityTag<'_>> {
        self.progress.tag.as_ref().and_then(|tag| EntityTag::try_from(tag.as_bytes()).ok())
    }

    /// Returns true if only one range is requested at a time, because the server does not support
    /// several.
    #[must_use]
    pub const fn is_single_range(&self) -> bool {
        self.progress.single_range
    }

    /// Returns how many times the download started over: because the entity changed, because the
    /// received bytes could not be continued, or with [`restart`](Self::restart).
    #[must_use]
    pub const fn restarts(&self) -> u32 {
        self.progress.restarts
    }

    /// Returns the reason why the download starts over, while the next action is
    /// [`Poll::Discard`](super::Poll::Discard): [`StopReason::EntityChanged`],
    /// [`StopReason::Interrupted`] or [`StopReason::MissingValidator`]. Returns `None` in other states,
    /// if the caller started over, and if the download was suspended since.
    #[must_use]
    pub fn restart_reason(&self) -> Option<StopReason> {
        let is_pending =
            self.progress.state == State::Discard && self.progress.exchange == Exchange::Ready;
        self.progress.stop_reason.filter(|_| is_pending)
    }

    /// Returns the number of consecutive failures.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.progress.failures
    }

    /// Returns true if the whole entity is downloaded.
    pub(super) fn is_whole_entity(&self) -> bool {
        self.ranges.as_ref().is_empty()
    }

    /// Returns the ranges of the next request. It is empty for a whole entity of unknown length.
    pub(super) fn chosen(&self) -> ChosenRanges<'_> {
        let max_length = if self.requests_everything() { u64::MAX } else { self.max_length() };
        self.chosen_within(max_length)
    }

    /// Returns the ranges of the next request if it has at most `max_length` bytes.
    fn chosen_within(&self, max_length: u64) -> ChosenRanges<'_> {
        let Progress { next, single_range, .. } = self.progress;
        choose_ranges(self.ranges_of_one_request(), next, max_length, single_range)
    }

    /// Returns true if [`Options::max_length`] does not apply to the next request: a response without
    /// a validator cannot be continued, so it should contain everything.
    pub(super) const fn requests_everything(&self) -> bool {
        self.progress.total.is_some() && !self.is_identified()
    }

    /// Returns true if [`Options::max_length`] leaves out bytes that the next request could have.
    pub(super) fn exceeds_max_length(&self) -> bool {
        let max_length = self.max_length();
        self.chosen_within(u64::MAX).bytes() > self.chosen_within(max_length).bytes()
    }

    fn max_length(&self) -> u64 {
        self.progress.options.max_length.max(1)
    }

    /// Returns the ranges in the order in which they are stored. It is empty for a whole entity of
    /// unknown length, or of length 0.
    pub(super) fn all_ranges(&self) -> &[ByteRange] {
        if self.is_whole_entity() { self.progress.whole.as_slice() } else { self.ranges.as_ref() }
    }

    /// [3.6.5.2.4.4] Trimming a Request to a Single URL: returns the ranges up to the first one from
    /// another source than the next byte, and up to the maximum number for one request.
    fn ranges_of_one_request(&self) -> &[ByteRange] {
        let ranges = self.all_ranges();
        let max_ranges = self.progress.options.max_ranges.clamp(1, Options::MAX_RANGES) as usize;
        let first = self.current_range();
        let last = first.saturating_add(max_ranges).min(ranges.len());
        let source = self.source_of(first).record();
        let is_other = |index: &usize| self.source_of(*index).record() != source;
        let end = (first..last).find(is_other).unwrap_or(last);
        ranges.get(..end).unwrap_or(ranges)
    }

    /// Returns the index of the range that contains the next byte.
    pub(super) fn current_range(&self) -> usize {
        let mut end = 0_u64;
        let is_done = |range: &&ByteRange| {
            end = end.saturating_add(range.len());
            end <= self.progress.next
        };
        self.all_ranges().iter().take_while(is_done).count()
    }

    /// Returns the source of a range.
    pub(super) fn source_of(&self, index: usize) -> Source {
        let range = self.all_ranges().get(index).filter(|_| self.progress.has_sources);
        match (range, self.sources.as_ref().get(index)) {
            (Some(range), Some(Source::Peer { index, offset }))
                if ByteRange::at(*offset, range.len()).is_some() =>
            {
                Source::Peer { index: *index, offset: *offset }
            }
            _ => Source::Origin,
        }
    }
}

impl Progress {
    const fn new(options: Options, seed: u64) -> Self {
        Self {
            options,
            state: State::first(&options),
            exchange: Exchange::Ready,
            total: None,
            whole: None,
            modified: None,
            tag: None,
            next: 0,
            single_range: false,
            uses_peers: options.peers,
            has_sources: false,
            peer_failures: 0,
            body: Body::None,
            deadline: Duration::ZERO,
            failures: 0,
            restarts: 0,
            random: Random(seed),
            stop_reason: None,
            challenge: None,
        }
    }
}

impl State {
    /// Returns the state of a new download.
    pub(super) const fn first(options: &Options) -> Self {
        if options.head_first || options.peers { Self::Size } else { Self::Download }
    }
}
