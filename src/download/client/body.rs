//! The body of a response: which bytes are stored, and where.

use core::time::Duration;

use super::{Download, Event, EventError, Exchange, ExchangeEvent, Source, State, StopReason};
use crate::download::field::ContentRange;
use crate::download::{
    ByteRange, ChosenRanges, MultipartEvent, MultipartRead, MultipartReader, choose_ranges,
};
use crate::state_machine::StateMachine as _;

/// The body of a response that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::large_enum_variant, reason = "there is no allocator")]
pub(super) enum Body {
    /// No body is expected.
    None,
    /// One range of the entity.
    Range {
        /// The number of bytes to skip before the range.
        skip: u64,
        /// The offset of the next byte in the entity.
        offset: u64,
        /// The number of bytes of the range that are left; `None` if its end is unknown.
        remaining: Option<u64>,
    },
    /// Several ranges.
    Multipart {
        reader: MultipartReader,
        /// The number of received bytes after the last range.
        end: u64,
        /// The number of received bytes before the current part.
        part_start: u64,
    },
}

/// The result of [`Download::handle_data`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Data<'i> {
    /// The number of bytes of the input that were consumed. Pass the rest to the next call.
    pub consumed: usize,
    /// The bytes to store, if there are any.
    pub store: Option<Store<'i>>,
    /// True if the body is no longer needed: all of its ranges arrived, or it is invalid. Read it to
    /// its end to use the connection again, or close the connection.
    pub is_done: bool,
}

/// Bytes of the entity to store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Store<'i> {
    /// The position among the bytes of all ranges (`FRAGMENT_OFFSET`). The bytes of a whole entity
    /// have the same position as offset.
    pub position: u64,
    /// The offset in the entity.
    pub offset: u64,
    /// The bytes; at least one.
    pub bytes: &'i [u8],
}

impl<R: AsRef<[ByteRange]>, P: AsRef<[Source]>> Download<R, P> {
    /// Reports the next bytes of the body, and returns those to store.
    ///
    /// Pass the rest of the input again until all of it is consumed, unless the body is
    /// [done](Data::is_done). The bytes count as received: store them before the download itself is
    /// stored. If that fails, call [`handle_storage_failure`](Self::handle_storage_failure).
    ///
    /// # Errors
    ///
    /// [`EventError`] if no body is expected; nothing changes then.
    pub fn handle_data<'i>(
        &mut self,
        input: &'i [u8],
        now: Duration,
    ) -> Result<Data<'i>, EventError> {
        self.progress.exchange.transition(ExchangeEvent::Data)?;
        if !input.is_empty() {
            self.progress.deadline = now.saturating_add(self.progress.options.response_timeout);
        }
        match self.progress.body {
            Body::None => Ok(Data { consumed: input.len(), store: None, is_done: true }),
            Body::Range { skip, offset, remaining } => {
                self.read_range(input, skip, offset, remaining)
            }
            Body::Multipart { mut reader, end, part_start } => match reader.read(input) {
                Ok(read) => {
                    self.progress.body = Body::Multipart { reader, end, part_start };
                    self.on_multipart(read, end, now)
                }
                Err(_) => {
                    // The length of the last part may be wrong, and so its bytes.
                    self.progress.next = part_start;
                    self.reject_body(now)?;
                    Ok(Data { consumed: input.len(), store: None, is_done: true })
                }
            },
        }
    }

    /// Reports that the body ended as its framing says, before it was [done](Data::is_done).
    ///
    /// It completes an entity whose length the server did not state. Otherwise bytes are missing, and
    /// the rest is requested again.
    ///
    /// # Errors
    ///
    /// [`EventError`] if no body is expected; nothing changes then.
    pub fn handle_body_end(&mut self, now: Duration) -> Result<(), EventError> {
        self.progress.exchange.transition(ExchangeEvent::BodyComplete)?;
        match self.progress.body {
            Body::Range { remaining: None, .. }
                if self.is_other_length(Some(self.progress.next)) =>
            {
                self.start_over(StopReason::EntityChanged)
            }
            Body::Range { remaining: None, .. } => {
                self.set_total(self.progress.next);
                self.complete_body()
            }
            Body::None | Body::Range { .. } | Body::Multipart { .. } => {
                self.retry_or_suspend(StopReason::Transport, now)
            }
        }
    }

    fn read_range<'i>(
        &mut self,
        input: &'i [u8],
        skip: u64,
        offset: u64,
        remaining: Option<u64>,
    ) -> Result<Data<'i>, EventError> {
        let skipped = usize::try_from(skip).unwrap_or(usize::MAX).min(input.len());
        let rest = input.get(skipped..).unwrap_or_default();
        let skip = skip.saturating_sub(skipped as u64);
        let limit = remaining.map_or(usize::MAX, |it| usize::try_from(it).unwrap_or(usize::MAX));
        let bytes = rest.get(..limit).unwrap_or(rest);
        let length = bytes.len() as u64;
        let remaining = remaining.map(|remaining| remaining.saturating_sub(length));
        let next_offset = offset.saturating_add(length);
        self.progress.body = Body::Range { skip, offset: next_offset, remaining };
        let store = self.store(offset, bytes);
        let is_done = remaining == Some(0);
        if is_done {
            self.complete_body()?;
        } else if remaining.is_none() && self.is_too_long() {
            self.start_over(StopReason::EntityChanged)?;
            return Ok(Data { consumed: input.len(), store, is_done: true });
        }
        Ok(Data { consumed: skipped.saturating_add(bytes.len()), store, is_done })
    }

    fn on_multipart<'i>(
        &mut self,
        read: MultipartRead<'i>,
        end: u64,
        now: Duration,
    ) -> Result<Data<'i>, EventError> {
        let mut data = Data { consumed: read.consumed, store: None, is_done: false };
        match read.event {
            Some(MultipartEvent::Part(part)) => {
                data.is_done = !self.accept_part(part, end, now)?;
            }
            Some(MultipartEvent::Data { offset, bytes }) => data.store = self.store(offset, bytes),
            Some(MultipartEvent::End) => {
                data.is_done = true;
                if self.progress.next < end {
                    self.reject_body(now)?;
                } else {
                    self.progress.failures = 0;
                    self.complete_body()?;
                }
            }
            None => {}
        }
        Ok(data)
    }

    /// Checks the head of the next part. Returns false if the body is rejected.
    fn accept_part(
        &mut self,
        part: ContentRange,
        end: u64,
        now: Duration,
    ) -> Result<bool, EventError> {
        if self.is_other_length(part.total()) {
            self.start_over(StopReason::EntityChanged)?;
            return Ok(false);
        }
        let next = self.progress.next;
        let is_expected = part.range().is_some() && self.ranges_up_to(end).next() == part.range();
        if !is_expected {
            self.reject_body(now)?;
            return Ok(false);
        }
        if let Some(total) = part.total() {
            self.set_total(total);
        }
        if let Body::Multipart { part_start, .. } = &mut self.progress.body {
            if next > *part_start {
                // The part before this one is complete.
                self.progress.failures = 0;
            }
            *part_start = next;
        }
        Ok(true)
    }

    /// Returns the ranges from the next byte to that with this position.
    fn ranges_up_to(&self, end: u64) -> ChosenRanges<'_> {
        let next = self.progress.next;
        choose_ranges(self.all_ranges(), next, end.saturating_sub(next), false)
    }

    /// [3.6.5.2.4.2] Requests single ranges after a response with other ranges than requested. If
    /// that is done already, the request is retried after a back-off.
    pub(super) fn reject_body(&mut self, now: Duration) -> Result<(), EventError> {
        let is_several =
            matches!(self.progress.body, Body::Multipart { .. }) || self.chosen().nth(1).is_some();
        if self.progress.single_range || self.progress.state == State::Size || !is_several {
            return self.retry_or_suspend(StopReason::Protocol, now);
        }
        if self.progress.next > 0 && !self.is_identified() {
            // Single ranges cannot continue the received parts, and a new start would end here again.
            return self.suspend(StopReason::MissingValidator);
        }
        self.progress.single_range = true;
        self.complete_body()
    }

    /// Counts bytes as received.
    fn store<'i>(&mut self, offset: u64, bytes: &'i [u8]) -> Option<Store<'i>> {
        if bytes.is_empty() {
            return None;
        }
        let position = self.progress.next;
        self.progress.next = position.saturating_add(bytes.len() as u64);
        if matches!(self.progress.body, Body::Range { .. }) {
            // The bytes of a part count when it is complete.
            self.progress.failures = 0;
        }
        Some(Store { position, offset, bytes })
    }

    /// Continues after a body whose bytes were stored.
    pub(super) fn complete_body(&mut self) -> Result<(), EventError> {
        self.progress.state = self.progress.state.transition(Event::Received)?;
        self.make_ready();
        Ok(())
    }

    /// Returns true if all ranges are downloaded.
    pub(super) fn is_finished(&self) -> bool {
        self.requested() == Some(self.progress.next)
    }

    /// Makes the download ready for its next action. That is the commit if no byte is missing, and to
    /// discard all bytes if another response cannot continue them.
    pub(super) fn make_ready(&mut self) {
        self.end_exchange();
        if self.progress.state != State::Download {
            return;
        }
        if self.is_finished() {
            let state = self.progress.state.next(Event::AllReceived);
            self.progress.state = state.unwrap_or(self.progress.state);
        } else if let Some(reason) = self.obstacle() {
            // Cannot fail: legal in this state.
            let _ = self.start_over(reason);
        }
    }

    /// Returns the reason why another response cannot continue the received bytes, if there is one.
    fn obstacle(&self) -> Option<StopReason> {
        if self.progress.next == 0 {
            None
        } else if self.requested().is_none() {
            Some(StopReason::Interrupted)
        } else {
            Some(StopReason::MissingValidator).filter(|_| !self.is_identified())
        }
    }

    /// Returns true if more bytes were received than the entity has according to an earlier response.
    fn is_too_long(&self) -> bool {
        self.requested().is_some_and(|requested| self.progress.next > requested)
    }

    /// Returns true if the version of the entity can be compared with that of another response.
    pub(super) const fn is_identified(&self) -> bool {
        self.has_validator() || self.compares_lengths()
    }

    pub(super) const fn has_validator(&self) -> bool {
        self.progress.modified.is_some() || self.progress.tag.is_some()
    }

    /// Returns true if an equal length is sufficient to continue.
    pub(super) const fn compares_lengths(&self) -> bool {
        !self.has_validator()
            && self.progress.options.allow_missing_validator
            && self.progress.total.is_some()
    }

    pub(super) const fn end_exchange(&mut self) {
        self.progress.exchange = Exchange::Ready;
        self.progress.body = Body::None;
    }
}
