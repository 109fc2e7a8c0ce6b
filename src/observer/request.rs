//! What an observer makes of a request.

use super::pending::{Packet, PendingRequest, SessionRef, Waiting};
use super::session::{Creation, Fingerprint, Session};
use super::{Event, Observer, SequenceRule, State, Violation};
use crate::field::{ContentName, ContentRange, SessionId};
use crate::http1::RequestLine;
use crate::limits::MIN_FRAGMENT;
use crate::message::{
    MessageKind, MissingContentLength, NotificationRequest, NotifiedEntity, ParseOptions, Request,
    RequestSummary, Source, Validated, validate_notification, validate_request,
};

/// Accepts everything that can be parsed. The observer still reports the deviations.
const LENIENT: ParseOptions = ParseOptions {
    method_override: true,
    plain_post: true,
    missing_content_length: MissingContentLength::AcceptOnEmpty,
    max_ignored_body: u64::MAX,
    max_value: usize::MAX,
};

impl Observer {
    pub(super) fn request<'b>(
        &mut self,
        connection: u32,
        source: &impl Source<'b, Line = RequestLine<'b>>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])> + Clone,
        report: &mut impl FnMut(Violation),
    ) {
        let line = source.line();
        if !Request::is_bits_request(&line, fields.clone()) {
            if NotificationRequest::is_notification(&line, fields) {
                return self.notification(connection, source, report);
            }
            return self.ask(connection, PendingRequest::Foreign);
        }
        self.begin_packet(connection, report);
        let each = &mut |error| report(Violation::from(error));
        let outline = validate_request(source, &LENIENT, each);
        outline.deviations.iter().for_each(|deviation| report(Violation::from(deviation)));
        self.check_host(outline.kind, fields, report);
        let mut packet = Packet::new(self.packets, outline.kind, outline.is_valid);
        self.packet(&outline, &mut packet, &mut |rule| report(Violation::Sequence(rule)));
        self.ask(connection, PendingRequest::Packet(packet));
    }

    /// A packet begins on this connection.
    pub(super) fn begin_packet(&mut self, connection: u32, report: &mut impl FnMut(Violation)) {
        self.packets = self.packets.wrapping_add(1);
        match self.answered {
            // The client sends on after an answer: it has it.
            Some(answered) if answered.connection == connection => {
                self.answered = None;
                if let Some(session) = self.session(answered.serial) {
                    session.unconfirmed = session.unconfirmed.filter(|_| !answered.settles);
                }
            }
            _ => self.doubt_answer(),
        }
        match self.unanswered.note_waiting(connection) {
            Some(Waiting::Here) => report(SequenceRule::PipelinedRequest.into()),
            Some(Waiting::Elsewhere) => report(SequenceRule::ConcurrentRequest.into()),
            None => {}
        }
    }

    fn notification<'b>(
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
        let is_early = match (sent_up_to, total.or(length)) {
            (Some(sent_up_to), Some(total)) => sent_up_to < total,
            _ => state == State::NoSession,
        };
        if is_early {
            report(SequenceRule::EarlyNotification.into());
        }
        if total.is_some() && length.is_some() && total != length {
            report(SequenceRule::NotificationLength.into());
        }
        let by_reference = matches!(entity, Some(NotifiedEntity::ByReference { .. }));
        self.ask(connection, PendingRequest::Notification { by_reference });
    }

    /// Whether it goes where the server sent the client to.
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
            // A new session begins where it likes.
            self.origin = self.origin.or(Some(host));
        } else if self.current.unconfirmed.is_none() && self.host.is_some_and(|named| named != host)
        {
            report(SequenceRule::HostIdIgnored.into());
            // It goes on there; that is said once.
            self.host = None;
        }
    }

    fn packet(
        &mut self,
        outline: &RequestSummary<'_>,
        packet: &mut Packet,
        report: &mut impl FnMut(SequenceRule),
    ) {
        let Some(event) = event_of(packet.kind) else { return };
        packet.range = outline.content_range;
        if event == Event::Create {
            let name = outline.content_name.as_ref().map(fingerprint);
            self.creation = Creation::new(packet.number, name, outline.supported_protocols);
        }
        if packet.needs_session() {
            let Some(session_id) = &outline.session_id else { return };
            packet.named = self.identify(session_id);
            if packet.named == SessionRef::Unknown {
                return report(SequenceRule::UnknownSession);
            }
        }
        let session = match packet.named {
            SessionRef::Session(serial) => self.session(serial),
            SessionRef::None | SessionRef::Unknown => None,
        };
        let is_followed = session.is_some();
        let session = match session {
            Some(session) => session,
            None => &mut self.current,
        };
        packet.had_ended = session.state.has_ended();
        packet.next = session.next;
        if session.begin(event, report) && is_followed {
            session.observe(event, packet, report);
            session.check_name(outline.content_name, report);
        } else if !packet.needs_session() {
            // A client that goes on after a Ping tries again, perhaps with what was too large.
            session.too_large = None;
        }
    }

    /// Which session the client means.
    fn identify(&mut self, session_id: &SessionId<'_>) -> SessionRef {
        if self.current.is(session_id) {
            return SessionRef::Session(self.current.serial);
        }
        if let Some(previous) = self.previous.filter(|previous| previous.is(session_id)) {
            if !previous.state.has_ended() {
                // The client has come back to it.
                self.previous = Some(self.current);
                self.current = previous;
            }
            return SessionRef::Session(previous.serial);
        }
        if self.knows_all {
            let is_none = self.current.state == State::NoSession;
            return if is_none { SessionRef::None } else { SessionRef::Unknown };
        }
        // One that the observer did not see being issued.
        self.sessions = self.sessions.wrapping_add(1);
        self.follow(Session::named(self.sessions, State::Unknown, session_id));
        SessionRef::Session(self.sessions)
    }

    /// From now on the conversation is about this session.
    pub(super) fn follow(&mut self, session: Session) {
        if self.current.id().is_some() {
            let forgotten = self.previous.replace(self.current);
            // One that has ended may be forgotten: whoever names it is wrong either way.
            self.knows_all &= forgotten.is_none_or(|forgotten| forgotten.state.has_ended());
        }
        self.current = session;
    }
}

impl Session {
    /// Moves as the table says, or tells the rule that is broken. Whether there is a session whose
    /// offsets can be compared.
    fn begin(&mut self, event: Event, report: &mut impl FnMut(SequenceRule)) -> bool {
        match self.state.follow(event) {
            Ok(state) => self.state = state,
            // Before the last answers, which the client may not have, it was right.
            Err(_)
                if self.unconfirmed.is_some_and(|earlier| earlier.state.follow(event).is_ok()) => {}
            Err(rule) => {
                report(rule);
                return !matches!(
                    rule,
                    SequenceRule::RequestAfterEnd | SequenceRule::RequestBeforeCreate
                );
            }
        }
        true
    }

    fn observe(
        &mut self,
        event: Event,
        packet: &mut Packet,
        report: &mut impl FnMut(SequenceRule),
    ) {
        match (event, packet.range) {
            (Event::Fragment, Some(range)) => self.fragment(range, packet, report),
            // Nobody can tell what it brings.
            (Event::Fragment, None) => self.sent_up_to = None,
            (Event::Close, _) => self.close(report),
            _ => {}
        }
    }

    fn fragment(
        &mut self,
        range: ContentRange,
        packet: &mut Packet,
        report: &mut impl FnMut(SequenceRule),
    ) {
        match self.offset_bounds() {
            Some((lowest, _)) if range.first() < lowest => report(SequenceRule::OffsetGoesBack),
            Some((_, highest)) if range.first() > highest => report(SequenceRule::OffsetSkipsAhead),
            _ => {}
        }
        if self.total.is_some_and(|total| total != range.total()) {
            report(SequenceRule::TotalChanges);
        }
        let is_credible = self.next.is_none_or(|next| next <= range.total());
        self.total = self.total.or(Some(range.total()).filter(|_| is_credible));
        let is_as_long = |too_large| range.len() >= too_large && range.len() > MIN_FRAGMENT;
        if self.unconfirmed.is_none() && self.too_large.is_some_and(is_as_long) {
            report(SequenceRule::FragmentNotSmaller);
        }
        packet.leaves_gap = self.sent_up_to.is_some_and(|sent| range.first() > sent);
        if !packet.leaves_gap {
            self.sent_up_to = self.sent_up_to.map(|sent| sent.max(range.end()));
        }
    }

    fn close(&self, report: &mut impl FnMut(SequenceRule)) {
        if let (Some(total), Some((_, highest))) = (self.total, self.offset_bounds()) {
            if highest < total {
                report(SequenceRule::CloseBeforeWhole);
            }
        }
    }

    fn check_name(&mut self, name: Option<ContentName<'_>>, report: &mut impl FnMut(SequenceRule)) {
        let name = name.as_ref().map(fingerprint);
        if name.is_some() && self.content_name.is_some_and(|known| Some(known) != name) {
            report(SequenceRule::ContentNameChanges);
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
