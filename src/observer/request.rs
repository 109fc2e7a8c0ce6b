//! Handling of requests.

use super::authentication::{DeferredError, has_token};
use super::pending::{Packet, PendingOn, PendingRequest, SessionRef};
use super::session::{Fingerprint, LastCreate, Session};
use super::{Event, Observer, SequenceRule, State, Violation};
use crate::error::{Error, ErrorKind};
use crate::field::{ContentName, ContentRange, SessionId};
use crate::http1::RequestLine;
use crate::limits::MIN_FRAGMENT;
use crate::message::{
    MessageKind, MissingContentLength, NotificationRequest, NotifiedEntity, ParseOptions, Request,
    RequestSummary, Source, Validated, validate_notification, validate_request,
};

/// Accepts every unambiguous request. Its deviations are reported as violations.
const OPTIONS: ParseOptions = ParseOptions {
    method_override: true,
    plain_post: true,
    missing_content_length: MissingContentLength::AcceptOnEmpty,
    max_ignored_body: u64::MAX,
    max_value: usize::MAX,
};

impl Observer {
    pub(super) fn observe_request<'b>(
        &mut self,
        connection: u32,
        source: &impl Source<'b, Line = RequestLine<'b>>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])> + Clone,
        report: &mut impl FnMut(Violation),
    ) {
        let line = source.line();
        if !Request::is_bits_request(&line, fields.clone()) {
            if NotificationRequest::is_notification(&line, fields) {
                return self.observe_notification(connection, source, report);
            }
            return self.add_pending(connection, PendingRequest::Unrelated);
        }
        self.begin_packet(connection, report);
        let (mut mismatch, mut has_other_error) = (None, false);
        let each = &mut |error: Error| match error.kind() {
            ErrorKind::LengthMismatch => mismatch = Some(error),
            _ => {
                has_other_error = true;
                report(Violation::from(error));
            }
        };
        let summary = validate_request(source, &OPTIONS, each);
        summary.deviations.iter().for_each(|deviation| report(Violation::from(deviation)));
        self.check_host(summary.kind, fields.clone(), report);
        let mut packet = Packet::new(self.packet_count, summary.kind, summary.is_valid);
        if let Some(error) = mismatch {
            if summary.content_length != Some(0) {
                report(Violation::from(error));
            } else if has_token(fields) {
                packet.is_valid = !has_other_error;
                packet.arrived = Some(0);
            } else {
                packet.arrived = Some(0);
                self.deferred_error = Some(DeferredError { number: packet.number, error });
            }
        }
        self.observe_packet(&summary, &mut packet, report);
        self.add_pending(connection, PendingRequest::Packet(packet));
    }

    /// Handles the start of a packet: confirms the last response, and reports overlapping packets.
    pub(super) fn begin_packet(&mut self, connection: u32, report: &mut impl FnMut(Violation)) {
        self.packet_count = self.packet_count.wrapping_add(1);
        match self.last_response {
            // The client continues on the connection of the response, so it has received it.
            Some(response) if response.connection == connection => {
                self.last_response = None;
                if let Some(session) = self.session(response.serial) {
                    session.unconfirmed = session.unconfirmed.filter(|_| !response.is_definitive);
                }
            }
            _ => self.mark_unconfirmed(),
        }
        match self.pending.report_overlap(connection) {
            Some(PendingOn::SameConnection) => report(SequenceRule::PipelinedRequest.into()),
            Some(PendingOn::OtherConnection) => report(SequenceRule::ConcurrentRequest.into()),
            None => {}
        }
    }

    fn observe_notification<'b>(
        &mut self,
        connection: u32,
        source: &impl Source<'b, Line = RequestLine<'b>>,
        report: &mut impl FnMut(Violation),
    ) {
        let each = &mut |error| report(Violation::from(error));
        let Validated { message, deviations } = validate_notification(source, each);
        deviations.iter().for_each(|deviation| report(Violation::from(deviation)));
        let Session { state, sent_up_to, total, .. } = self.current;
        let entity = message.map(|message| message.entity);
        let length = match entity {
            Some(NotifiedEntity::ByValue { content_length }) => Some(content_length),
            Some(NotifiedEntity::ByReference { .. }) | None => None,
        };
        match (sent_up_to, total.or(length)) {
            (Some(sent_up_to), Some(total)) if sent_up_to < total => {
                let missing = total.saturating_sub(sent_up_to);
                report(SequenceRule::EarlyNotification.with_missing(missing, total));
            }
            (Some(_), Some(_)) => {}
            _ if state == State::NoSession => report(SequenceRule::EarlyNotification.into()),
            _ => {}
        }
        if let (Some(total), Some(length)) = (total, length) {
            if length != total {
                report(SequenceRule::NotificationLengthMismatch.with_mismatch(length, total));
            }
        }
        let by_reference = matches!(entity, Some(NotifiedEntity::ByReference { .. }));
        self.add_pending(connection, PendingRequest::Notification { by_reference });
    }

    /// Checks that the request goes to the host in BITS-Host-Id.
    fn check_host<'b>(
        &mut self,
        kind: Option<MessageKind>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        report: &mut impl FnMut(Violation),
    ) {
        let mut fields = fields.into_iter();
        let Some((_, host)) = fields.find(|(name, _)| name.eq_ignore_ascii_case("Host")) else {
            return;
        };
        let host = Fingerprint::of_host(host);
        if kind == Some(MessageKind::CreateSession) {
            // A client may create a session on any host.
            self.origin_host = self.origin_host.or(Some(host));
        } else if self.current.unconfirmed.is_none()
            && self.assigned_host.is_some_and(|assigned| assigned != host)
        {
            report(SequenceRule::HostIdIgnored.into());
            // Later requests to this host would repeat the report.
            self.assigned_host = None;
        }
    }

    fn observe_packet(
        &mut self,
        summary: &RequestSummary<'_>,
        packet: &mut Packet,
        report: &mut impl FnMut(Violation),
    ) {
        let Some(event) = event_of(packet.kind) else { return };
        packet.range = summary.content_range;
        if event == Event::Create {
            let name = summary.content_name.as_ref().map(fingerprint);
            self.last_create = LastCreate::new(packet.number, name, summary.supported_protocols);
        }
        if packet.needs_session() {
            let Some(session_id) = &summary.session_id else { return };
            packet.session_ref = self.resolve(session_id);
            if packet.session_ref == SessionRef::Unknown && packet.arrived.is_none() {
                return report(SequenceRule::UnknownSession.into());
            }
        }
        let session = match packet.session_ref {
            SessionRef::Session(serial) => self.session(serial),
            SessionRef::None | SessionRef::Unknown => None,
        };
        let is_known = session.is_some();
        let session = match session {
            Some(session) => session,
            None => &mut self.current,
        };
        packet.had_ended = session.state.has_ended();
        packet.next = session.next;
        packet.sent_up_to = session.sent_up_to;
        if packet.arrived.is_some() {
            // The first request of an authentication. The client repeats it with its body.
            return;
        }
        if session.apply_request(event, report) && is_known {
            session.check_packet(event, packet, report);
            session.check_name(summary.content_name, report);
        } else if !packet.needs_session() {
            // After a Ping the client may retry with the fragment size that was rejected.
            session.rejected_len = None;
        }
    }

    /// Finds the session with this id, and makes it the current one if it has not ended.
    fn resolve(&mut self, session_id: &SessionId<'_>) -> SessionRef {
        if self.current.has_id(session_id) {
            return SessionRef::Session(self.current.serial);
        }
        if let Some(previous) = self.previous.filter(|previous| previous.has_id(session_id)) {
            if !previous.state.has_ended() {
                // The client returned to its previous session.
                self.previous = Some(self.current);
                self.current = previous;
            }
            return SessionRef::Session(previous.serial);
        }
        if self.all_sessions_known {
            let has_none = self.current.state == State::NoSession;
            return if has_none { SessionRef::None } else { SessionRef::Unknown };
        }
        // The observer may have missed the Ack that issued the session.
        self.session_count = self.session_count.wrapping_add(1);
        self.set_current(Session::with_id(self.session_count, State::Unknown, session_id));
        SessionRef::Session(self.session_count)
    }

    /// Makes `session` the current session, and the current one the previous.
    pub(super) fn set_current(&mut self, session: Session) {
        if self.current.id().is_some() {
            let forgotten = self.previous.replace(self.current);
            // A later request for a forgotten session is valid only if the session has not ended.
            self.all_sessions_known &=
                forgotten.is_none_or(|forgotten| forgotten.state.has_ended());
        }
        self.current = session;
    }
}

impl Session {
    /// Applies a request to the state, and returns true if its offsets can be checked.
    fn apply_request(&mut self, event: Event, report: &mut impl FnMut(Violation)) -> bool {
        match self.state.try_next(event) {
            Ok(state) => self.state = state,
            // Valid for a client that did not receive the last responses.
            Err(_)
                if self
                    .unconfirmed
                    .is_some_and(|earlier| earlier.state.try_next(event).is_ok()) => {}
            Err(rule) => {
                report(rule.into());
                return !matches!(
                    rule,
                    SequenceRule::RequestAfterEnd | SequenceRule::RequestBeforeCreate
                );
            }
        }
        true
    }

    fn check_packet(
        &mut self,
        event: Event,
        packet: &mut Packet,
        report: &mut impl FnMut(Violation),
    ) {
        match (event, packet.range) {
            (Event::Fragment, Some(range)) => self.check_fragment(range, packet, report),
            // The bytes of an invalid range are unknown.
            (Event::Fragment, None) => self.sent_up_to = None,
            (Event::Close, _) => self.check_close(report),
            _ => {}
        }
    }

    fn check_fragment(
        &mut self,
        range: ContentRange,
        packet: &mut Packet,
        report: &mut impl FnMut(Violation),
    ) {
        match self.offset_bounds() {
            Some((lowest, _)) if range.first() < lowest => {
                report(SequenceRule::OffsetGoesBack.with_mismatch(range.first(), lowest));
            }
            Some((_, highest)) if range.first() > highest => {
                report(SequenceRule::OffsetSkipsAhead.with_mismatch(range.first(), highest));
            }
            _ => {}
        }
        if let Some(total) = self.total.filter(|total| *total != range.total()) {
            report(SequenceRule::TotalChanges.with_mismatch(range.total(), total));
        }
        let is_consistent = self.next.is_none_or(|next| next <= range.total());
        self.total = self.total.or(Some(range.total()).filter(|_| is_consistent));
        let is_too_long = |rejected: &u64| range.len() >= *rejected && range.len() > MIN_FRAGMENT;
        let rejected = self.rejected_len.filter(|_| self.unconfirmed.is_none());
        if let Some(rejected) = rejected.filter(is_too_long) {
            let limit = rejected.saturating_sub(1).max(MIN_FRAGMENT);
            report(SequenceRule::FragmentNotSmaller.with_limit(range.len(), limit));
        }
        packet.leaves_gap = self.sent_up_to.is_some_and(|sent| range.first() > sent);
        if !packet.leaves_gap {
            self.sent_up_to = self.sent_up_to.map(|sent| sent.max(range.end()));
        }
    }

    fn check_close(&self, report: &mut impl FnMut(Violation)) {
        if let (Some(total), Some((_, highest))) = (self.total, self.offset_bounds()) {
            if highest < total {
                let missing = total.saturating_sub(highest);
                report(SequenceRule::CloseBeforeComplete.with_missing(missing, total));
            }
        }
    }

    fn check_name(&mut self, name: Option<ContentName<'_>>, report: &mut impl FnMut(Violation)) {
        let name = name.as_ref().map(fingerprint);
        if name.is_some() && self.content_name.is_some_and(|known| Some(known) != name) {
            report(SequenceRule::ContentNameChanges.into());
        }
        self.content_name = self.content_name.or(name);
    }
}

const fn event_of(kind: Option<MessageKind>) -> Option<Event> {
    match kind {
        Some(MessageKind::Ping) => Some(Event::Ping),
        Some(MessageKind::CreateSession) => Some(Event::Create),
        Some(MessageKind::Fragment) => Some(Event::Fragment),
        Some(MessageKind::CloseSession) => Some(Event::Close),
        Some(MessageKind::CancelSession) => Some(Event::Cancel),
        _ => None,
    }
}

fn fingerprint(name: &ContentName<'_>) -> Fingerprint {
    Fingerprint::of(name.as_bytes())
}
