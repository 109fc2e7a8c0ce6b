//! Responses of the server.

use core::time::Duration;

use super::body::Body;
use super::error::is_transient;
use super::{Download, Event, EventError, ExchangeEvent, Source, State, StopReason};
use crate::download::field::{ContentRange, MultipartType};
use crate::download::{ByteRange, MultipartReader, Response};
use crate::http1::{BodyLength, StatusCode};
use crate::message::Failure;
use crate::state_machine::StateMachine as _;
use crate::util::inline_str::InlineStr;

impl<R: AsRef<[ByteRange]>, P: AsRef<[Source]>> Download<R, P> {
    /// [3.6.5.3] Reports the head of the response to the request in flight. It may arrive before the
    /// whole request is sent.
    ///
    /// If [`exchange`](Self::exchange) is [`Receiving`](super::Exchange::Receiving) then, the body is
    /// passed to [`handle_data`](Self::handle_data). Otherwise it is not needed.
    ///
    /// A redirect counts as a failure. The caller may follow it before, except from https to http, and
    /// report the final response;
    /// [`ResolvedUrl::from_redirect`](crate::field::ResolvedUrl::from_redirect) returns its URL.
    ///
    /// # Errors
    ///
    /// [`EventError`] if no response is expected; nothing changes then.
    pub fn handle_response(
        &mut self,
        response: &Response<'_>,
        now: Duration,
    ) -> Result<(), EventError> {
        self.progress.exchange.transition(ExchangeEvent::Answered)?;
        match response.status {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT if response.is_encoded => {
                self.suspend(StopReason::UnsupportedEncoding)
            }
            StatusCode::OK if self.progress.state == State::Size => self.on_size(response, now),
            StatusCode::OK => self.on_whole(response, now),
            StatusCode::PARTIAL_CONTENT if self.progress.state == State::Download => {
                self.on_partial(response, now)
            }
            StatusCode::PRECONDITION_FAILED => self.start_over(StopReason::EntityChanged),
            StatusCode::RANGE_NOT_SATISFIABLE => {
                self.on_unsatisfiable(response.entity_length(), now)
            }
            status if status.is_success() || status == StatusCode::NOT_MODIFIED => {
                self.retry_or_suspend(StopReason::Protocol, now)
            }
            status => {
                self.on_failure(status, now)?;
                let seconds = response.retry_after.and_then(|it| it.seconds());
                if let Some(seconds) = seconds {
                    self.handle_retry_after(Duration::from_secs(seconds), now);
                }
                Ok(())
            }
        }
    }

    /// Reports that the response to the request in flight is not valid. `status` is its status code,
    /// if that could be parsed. An error status is classified like that of a valid response;
    /// otherwise the request is retried.
    ///
    /// # Errors
    ///
    /// [`EventError`] if no response is expected; nothing changes then.
    pub fn handle_unreadable(
        &mut self,
        status: Option<StatusCode>,
        now: Duration,
    ) -> Result<(), EventError> {
        self.progress.exchange.transition(ExchangeEvent::Answered)?;
        match status {
            // The ranges in the body are unknown.
            Some(StatusCode::PARTIAL_CONTENT) => self.reject_body(now),
            Some(StatusCode::PRECONDITION_FAILED) => self.start_over(StopReason::EntityChanged),
            Some(StatusCode::RANGE_NOT_SATISFIABLE) => self.on_unsatisfiable(None, now),
            Some(status) if status.get() >= 300 && status != StatusCode::NOT_MODIFIED => {
                self.on_failure(status, now)
            }
            _ => self.retry_or_suspend(StopReason::Protocol, now),
        }
    }

    /// [3.6.5.2.2] Handles the response to HEAD.
    fn on_size(&mut self, response: &Response<'_>, now: Duration) -> Result<(), EventError> {
        let total = response.entity_length();
        if !self.adopt_version(response, total, now)? {
            return Ok(());
        }
        self.after_size()
    }

    fn after_size(&mut self) -> Result<(), EventError> {
        // Without a validator, nothing shows that peers have the version of the origin server.
        let searches = self.progress.uses_peers && self.is_identified();
        let event = if self.is_finished() {
            Event::AllReceived
        } else if searches {
            Event::SizedForSearch
        } else {
            Event::Sized
        };
        self.complete(event)
    }

    /// Handles a response with the whole entity.
    fn on_whole(&mut self, response: &Response<'_>, now: Duration) -> Result<(), EventError> {
        let total = response.entity_length();
        // Without Range, the request was for the whole entity. Its length may be known only now.
        let is_whole_requested = self.is_whole(self.chosen());
        if !self.adopt_version(response, total, now)? {
            return Ok(());
        }
        let Some(total) = total else { return self.on_unknown_length(response, now) };
        if is_whole_requested && total > 0 {
            return self.receive(Body::Range { skip: 0, offset: 0, remaining: Some(total) }, now);
        }
        let mut chosen = self.chosen();
        match (chosen.next(), chosen.next()) {
            // An empty entity.
            (None, _) => self.complete(Event::AllReceived),
            (Some(range), None) if range.is_whole(total) || self.progress.options.skip_to_range => {
                let remaining = Some(range.len());
                let (skip, offset) = (range.first(), range.first());
                self.receive(Body::Range { skip, offset, remaining }, now)
            }
            (Some(_), Some(_)) if !self.progress.single_range => self.reject_body(now),
            _ => self.suspend(StopReason::RangesNotSupported),
        }
    }

    /// Handles a response with the whole entity, whose length is unknown.
    fn on_unknown_length(
        &mut self,
        response: &Response<'_>,
        now: Duration,
    ) -> Result<(), EventError> {
        let is_accepted = self.progress.options.dynamic
            && self.is_whole_entity()
            && response.body == BodyLength::Chunked;
        if !is_accepted {
            return self.suspend(StopReason::MissingLength);
        }
        if self.progress.next > 0 {
            // The server ignores the request for the rest.
            return self.start_over(StopReason::Interrupted);
        }
        self.receive(Body::Range { skip: 0, offset: 0, remaining: None }, now)
    }

    /// Handles a response with ranges.
    fn on_partial(&mut self, response: &Response<'_>, now: Duration) -> Result<(), EventError> {
        let was_limited = !self.all_ranges().is_empty() && !self.requests_everything();
        if !self.adopt_version(response, response.entity_length(), now)? {
            return Ok(());
        }
        if was_limited && self.requests_everything() && self.exceeds_max_length() {
            // The entity has no validator, as the response shows. It is requested at once.
            return self.complete_body();
        }
        match (response.content_range, response.multipart) {
            (Some(content_range), _) => self.on_range(content_range, response.body, now),
            (None, Some(multipart)) => self.on_multipart_type(multipart, now),
            (None, None) => self.reject_body(now),
        }
    }

    /// Handles a response with one range: the requested one, or a prefix of it.
    fn on_range(
        &mut self,
        content_range: ContentRange,
        body: BodyLength,
        now: Duration,
    ) -> Result<(), EventError> {
        let mut chosen = self.chosen();
        let (requested, is_single) = (chosen.next(), chosen.next().is_none());
        let (Some(requested), Some(range)) = (requested, content_range.range()) else {
            return self.retry_or_suspend(StopReason::Protocol, now);
        };
        let is_requested = range.first() == requested.first() && range.last() <= requested.last();
        let has_length = body.known().is_none_or(|length| length == range.len());
        if !is_single || !is_requested || !has_length {
            return self.reject_body(now);
        }
        let (offset, remaining) = (range.first(), Some(range.len()));
        self.receive(Body::Range { skip: 0, offset, remaining }, now)
    }

    fn on_multipart_type(
        &mut self,
        multipart: MultipartType<'_>,
        now: Duration,
    ) -> Result<(), EventError> {
        let part_start = self.progress.next;
        let end = part_start.saturating_add(self.chosen().bytes());
        let reader = MultipartReader::new(multipart);
        self.receive(Body::Multipart { reader, end, part_start }, now)
    }

    /// Handles a 416 response. The entity has none of the requested ranges, or the server does not
    /// accept several.
    fn on_unsatisfiable(&mut self, total: Option<u64>, now: Duration) -> Result<(), EventError> {
        if self.is_other_length(total) {
            return self.start_over(StopReason::EntityChanged);
        }
        let is_outside = |total| self.chosen().any(|range| range.end() > total);
        match total {
            _ if self.requests_several() => self.reject_body(now),
            Some(total) if is_outside(total) => self.fail(StopReason::RangeOutsideEntity),
            // The range lies within the entity as it was.
            None if self.progress.total.is_some() => self.start_over(StopReason::EntityChanged),
            _ => self.retry_or_suspend(StopReason::Protocol, now),
        }
    }

    /// Returns true if the request has several ranges, and single ones were not tried yet.
    fn requests_several(&self) -> bool {
        !self.progress.single_range && self.chosen().nth(1).is_some()
    }

    /// Handles a status that is neither a success nor about the version of the entity.
    fn on_failure(&mut self, status: StatusCode, now: Duration) -> Result<(), EventError> {
        let reason = StopReason::Refused { status };
        match Failure::of(status, None, None) {
            Some(Failure::Credentials) => {
                let exchange = self.progress.exchange.transition(ExchangeEvent::Challenged)?;
                self.progress.state = self.progress.state.transition(Event::Credentials)?;
                self.progress.exchange = exchange;
                self.progress.challenge = Some(status);
                Ok(())
            }
            _ if is_transient(status) => self.retry_or_suspend(reason, now),
            // The field with the ranges may be too long.
            _ if matches!(status.get(), 400 | 414 | 431) && self.requests_several() => {
                self.reject_body(now)
            }
            // GET states the length too.
            _ if self.progress.state == State::Size && matches!(status.get(), 405 | 501) => {
                self.after_size()
            }
            _ => self.fail(reason),
        }
    }

    /// Compares the version of the entity in a response with the known one. Returns false if the
    /// response cannot be used; then the download continues elsewhere.
    fn adopt_version(
        &mut self,
        response: &Response<'_>,
        total: Option<u64>,
        now: Duration,
    ) -> Result<bool, EventError> {
        let modified = response.last_modified.and_then(|it| InlineStr::new(it.as_bytes()));
        let tag = response.tag.filter(|tag| !tag.is_weak());
        let tag = tag.and_then(|tag| InlineStr::new(tag.as_bytes()));
        let progress = &mut self.progress;
        let is_changed = differs(progress.modified.as_ref(), modified.as_ref())
            || differs(progress.tag.as_ref(), tag.as_ref());
        if is_changed || self.is_other_length(total) {
            self.start_over(StopReason::EntityChanged)?;
            return Ok(false);
        }
        let is_comparable = self.progress.modified.and(modified.as_ref()).is_some()
            || self.progress.tag.and(tag.as_ref()).is_some()
            || (self.compares_lengths() && total.is_some());
        if is_comparable {
            self.progress.modified = self.progress.modified.or(modified);
            self.progress.tag = self.progress.tag.or(tag);
        } else if self.progress.next > 0 {
            self.retry_or_suspend(StopReason::Protocol, now)?;
            return Ok(false);
        } else {
            // The validators of an earlier response, such as that to HEAD, do not identify the bytes
            // of this one.
            (self.progress.modified, self.progress.tag) = (modified, tag);
        }
        let Some(total) = total else { return Ok(true) };
        self.set_total(total);
        if self.ranges.as_ref().iter().any(|range| range.end() > total) {
            self.fail(StopReason::RangeOutsideEntity)?;
            return Ok(false);
        }
        Ok(true)
    }

    /// Returns true if the length of the entity is another one than before.
    pub(super) fn is_other_length(&self, total: Option<u64>) -> bool {
        differs(self.progress.total.as_ref(), total.as_ref())
    }

    pub(super) fn set_total(&mut self, total: u64) {
        self.progress.total = Some(total);
        self.progress.whole = ByteRange::whole(total);
    }

    /// Waits for the body of the response. The download is suspended if another response would have to
    /// continue the body, although its version is unknown.
    fn receive(&mut self, body: Body, now: Duration) -> Result<(), EventError> {
        let end = match body {
            Body::Range { remaining, .. } => {
                remaining.map(|remaining| self.progress.next.saturating_add(remaining))
            }
            Body::Multipart { end, .. } => Some(end),
            Body::None => None,
        };
        if end.is_some() && end != self.requested() && !self.is_identified() {
            return self.suspend(StopReason::MissingValidator);
        }
        self.progress.exchange = self.progress.exchange.transition(ExchangeEvent::HeadReceived)?;
        self.progress.body = body;
        self.progress.deadline = now.saturating_add(self.progress.options.response_timeout);
        Ok(())
    }

    /// Ends the exchange, whose response was read.
    fn complete(&mut self, event: Event) -> Result<(), EventError> {
        self.progress.state = self.progress.state.transition(event)?;
        self.end_exchange();
        Ok(())
    }
}

/// Returns true if both values are known and not equal.
fn differs<T: PartialEq>(known: Option<&T>, received: Option<&T>) -> bool {
    known.zip(received).is_some_and(|(known, received)| known != received)
}
