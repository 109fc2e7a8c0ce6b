//! What an observer makes of a response.

use super::pending::{Packet, PendingRequest, SessionRef};
use super::session::{Fingerprint, Session, View};
use super::{Answered, Event, Observer, SequenceRule, Violation};
use crate::deviation::{Deviation, Deviations};
use crate::field::{ErrorContext, HResult, ReplyUrl};
use crate::http1::{StatusCode, StatusLine};
use crate::message::{
    Ack, AckContext, CreateSessionAck, FragmentAck, MessageKind, Refusal, Source, Validated,
    validate_ack, validate_notification_response,
};

impl Observer {
    pub(super) fn response<'b>(
        &mut self,
        connection: u32,
        source: &impl Source<'b, Line = StatusLine<'b>>,
        report: &mut impl FnMut(Violation),
    ) {
        let status = source.line().status;
        if status.is_interim() {
            return;
        }
        match self.take_asked(connection, Some(status), report) {
            None | Some(PendingRequest::Foreign) => {}
            Some(PendingRequest::Notification { by_reference }) => {
                told(by_reference, source, report);
            }
            Some(PendingRequest::Packet(packet)) => {
                self.doubt_answer();
                let before = self.view_of(&packet);
                let settles = self.answer(&packet, source, report);
                self.answered =
                    before.map(|(serial, before)| Answered { connection, serial, before, settles });
            }
        }
    }

    fn view_of(&mut self, packet: &Packet) -> Option<(u32, View)> {
        let SessionRef::Session(serial) = packet.named else { return None };
        self.session(serial).map(|session| (serial, session.view()))
    }

    /// The request that an answer belongs to.
    pub(super) fn take_asked(
        &mut self,
        connection: u32,
        status: Option<StatusCode>,
        report: &mut impl FnMut(Violation),
    ) -> Option<PendingRequest> {
        let asked = self.unanswered.take(connection);
        // A server may say so before it closes a connection that nothing comes on.
        let is_farewell = status == Some(StatusCode::REQUEST_TIMEOUT);
        let is_known = self.from_start || self.heard == Some(connection);
        if asked.is_none() && is_known && !is_farewell && !self.unanswered.is_blind(connection) {
            report(SequenceRule::UnsolicitedResponse.into());
        }
        asked
    }

    /// An answer that the client may have understood in one way or another, or not at all.
    pub(super) fn unreadable(&mut self, packet: &Packet) {
        match packet.kind {
            // There may be a session that nobody has seen.
            None | Some(MessageKind::CreateSession) => self.lose_track(),
            Some(MessageKind::Fragment) => {
                if let SessionRef::Session(serial) = packet.named {
                    self.session(serial).into_iter().for_each(|session| session.next = None);
                }
            }
            _ => {}
        }
    }

    /// Whether the answer says where the session stands.
    fn answer<'b>(
        &mut self,
        packet: &Packet,
        source: &impl Source<'b, Line = StatusLine<'b>>,
        report: &mut impl FnMut(Violation),
    ) -> bool {
        let each = &mut |error| report(Violation::from(error));
        let validated = validate_ack(source, &self.ack_context(packet), each);
        // Fields of other Acks are told as that, and are nothing if the request is not known.
        let has_own_fields = packet.kind.is_some() && !validated.is_of_other_request;
        let is_told = |it: &Deviation| has_own_fields || *it != Deviation::UnexpectedField;
        let deviations = worth_saying(validated.deviations, source.line().status);
        deviations.filter(is_told).for_each(|deviation| report(Violation::from(deviation)));
        let report = &mut |rule| report(Violation::Sequence(rule));
        if packet.kind.is_some() && validated.is_of_other_request {
            report(SequenceRule::WrongAck);
        }
        let Some(ack) = validated.message else {
            self.unreadable(packet);
            return true;
        };
        if !packet.is_valid && ack.failure().is_none() {
            report(SequenceRule::GrantedDespiteError);
            if packet.kind.is_none() {
                self.unreadable(packet);
            }
        }
        match &ack {
            Ack::Refused(refusal) => return self.refused(refusal, packet, report),
            Ack::Ping(_) => {
                self.granted(Event::Pinged, packet, report);
                return false;
            }
            Ack::CreateSession(ack) => self.created(ack, packet, report),
            Ack::Fragment(ack) => self.received_more(ack, packet, report),
            Ack::CloseSession(_) => self.granted(Event::Closed, packet, report),
            Ack::CancelSession(_) => self.granted(Event::Cancelled, packet, report),
        }
        true
    }

    /// What the answer is to be read in the light of.
    fn ack_context(&self, packet: &Packet) -> AckContext<'_> {
        let followed = match packet.named {
            SessionRef::Session(serial) => {
                let sessions = core::iter::once(&self.current).chain(&self.previous);
                sessions.into_iter().find(|session| session.serial == serial)
            }
            SessionRef::None | SessionRef::Unknown => None,
        };
        let session_id = followed.and_then(Session::id);
        match packet.kind {
            Some(MessageKind::CreateSession) => {
                let creation = Some(&self.creation).filter(|it| it.number == packet.number);
                AckContext::CreateSession { offered: creation.and_then(|it| it.offered()) }
            }
            Some(MessageKind::Fragment) => AckContext::Fragment {
                session_id,
                content_range: packet.range,
                // What is not known is as large as can be.
                sent_up_to: followed.and_then(|it| it.sent_up_to).or(Some(u64::MAX)),
            },
            Some(MessageKind::CloseSession) => AckContext::CloseSession { session_id },
            Some(MessageKind::CancelSession) => AckContext::CancelSession { session_id },
            _ => AckContext::Ping,
        }
    }

    /// The request was granted.
    fn granted(&mut self, event: Event, packet: &Packet, report: &mut impl FnMut(SequenceRule)) {
        let session = match packet.named {
            SessionRef::Unknown => return report(SequenceRule::GrantedWithoutSession),
            SessionRef::None => Some(&mut self.current),
            SessionRef::Session(serial) => self.session(serial),
        };
        let Some(session) = session else { return };
        if session.state.has_ended() && !packet.had_ended {
            // It ended while this was under way, and what was first is not known.
            return;
        }
        match session.state.follow(event) {
            Ok(state) => session.state = state,
            Err(rule) => report(rule),
        }
    }

    fn created(
        &mut self,
        ack: &CreateSessionAck<'_>,
        packet: &Packet,
        report: &mut impl FnMut(SequenceRule),
    ) {
        let is_known = |session: &Session| session.is(&ack.session_id);
        if is_known(&self.current) || self.previous.as_ref().is_some_and(is_known) {
            report(SequenceRule::SessionIdReused);
        }
        if ack.session_id.guid().is_none() {
            report(SequenceRule::SessionIdNotGuid);
        }
        self.host = ack.host_id.map(|host| Fingerprint::of_host(host.as_str().as_bytes()));
        let creation = Some(self.creation).filter(|it| it.number == packet.number);
        let name = creation.and_then(|creation| creation.content_name);
        self.sessions = self.sessions.wrapping_add(1);
        let mut session = Session::issued(self.sessions, &ack.session_id, name);
        session.state = self.current.state.follow(Event::Created).unwrap_or(session.state);
        self.follow(session);
    }

    fn received_more(
        &mut self,
        ack: &FragmentAck<'_>,
        packet: &Packet,
        report: &mut impl FnMut(SequenceRule),
    ) {
        let (origin, host) = (self.origin, self.host);
        self.granted(Event::Received, packet, report);
        let SessionRef::Session(serial) = packet.named else { return };
        let Some(session) = self.session(serial) else { return };
        let received = ack.received.0;
        if packet.leaves_gap {
            report(SequenceRule::GapGranted);
            // It was sent after all, and the server holds to it.
            session.sent_up_to = session.sent_up_to.max(packet.range.map(|range| range.end()));
        }
        if packet.next.is_some_and(|next| received < next) {
            report(SequenceRule::ReceivedGoesBack);
        } else if packet.range.is_some_and(|range| received < range.end()) {
            report(SequenceRule::ReceivedShort);
        }
        session.go_on_at(received, packet);
        session.too_large = None;
        let Some(url) = ack.reply_url else { return };
        if is_elsewhere(&url, [origin, host]) {
            report(SequenceRule::ReplyUrlElsewhere);
        }
        let url = Fingerprint::of(url.as_bytes());
        if session.reply_url.is_some_and(|known| known != url) {
            report(SequenceRule::ReplyUrlChanges);
        }
        session.reply_url = Some(url);
    }

    /// The server says no. Whether that says where the session stands.
    fn refused(
        &mut self,
        refusal: &Refusal<'_>,
        packet: &Packet,
        report: &mut impl FnMut(SequenceRule),
    ) -> bool {
        let is_not_found = refusal.code() == Some(HResult::BG_E_SESSION_NOT_FOUND);
        if is_not_found && packet.kind.is_some() && !packet.needs_session() {
            report(SequenceRule::NoSessionToLose);
        }
        if !is_status_of_code(refusal) {
            report(SequenceRule::UnusualStatus);
        }
        let is_fragment = packet.kind == Some(MessageKind::Fragment);
        if refusal.received().is_some() && !is_fragment && packet.kind.is_some() {
            report(SequenceRule::WrongAck);
            return false;
        }
        let SessionRef::Session(serial) = packet.named else { return false };
        let Some(session) = self.session(serial) else { return false };
        if !session.state.has_ended() || packet.had_ended {
            // Neither breaks a rule in any state.
            let event = if is_not_found { Event::NotFound } else { Event::Refused };
            session.state = session.state.follow(event).unwrap_or(session.state);
        }
        if session.next == Some(0) && is_fragment {
            // Nobody has taken the length from a first fragment that was refused.
            session.total = None;
        }
        match refusal.status() {
            StatusCode::RANGE_NOT_SATISFIABLE => session.out_of_sync(refusal, packet, report),
            StatusCode::CONTENT_TOO_LARGE => {
                session.too_large = packet.range.map(|range| range.len())
            }
            _ => {}
        }
        is_not_found || refusal.status() == StatusCode::RANGE_NOT_SATISFIABLE
    }
}

impl Session {
    /// The server says where the client has to go on.
    fn out_of_sync(
        &mut self,
        refusal: &Refusal<'_>,
        packet: &Packet,
        report: &mut impl FnMut(SequenceRule),
    ) {
        let (Some(range), Some(received)) = (packet.range, refusal.received()) else { return };
        if received.0 == range.first() {
            report(SequenceRule::NeedlessResynchronisation);
        }
        if self.sent_up_to.is_some_and(|sent_up_to| received.0 > sent_up_to) {
            report(SequenceRule::ResynchronisedBeyondSent);
        }
        self.go_on_at(received.0, packet);
    }

    /// The server has named an offset. In answer to a request that was overtaken by another one,
    /// it does not lead back.
    fn go_on_at(&mut self, received: u64, packet: &Packet) {
        if packet.number < self.answered {
            self.next = self.next.map(|next| next.max(received));
        } else {
            (self.next, self.answered) = (Some(received), packet.number);
        }
        // The server holds more than the client said there is: nobody knows how much that is.
        self.total = self.total.filter(|total| self.next.is_none_or(|next| next <= *total));
    }
}

/// What a server application answered.
fn told<'b>(
    by_reference: bool,
    source: &impl Source<'b, Line = StatusLine<'b>>,
    report: &mut impl FnMut(Violation),
) {
    let each = &mut |error| report(Violation::from(error));
    let Validated { message, mut deviations } = validate_notification_response(source, each);
    let has_body = |length: Option<u64>| length.is_some_and(|length| length > 0);
    if by_reference && message.is_some_and(|it| it.is_success() && has_body(it.content_length)) {
        // A reply goes where the notification said.
        deviations.insert(Deviation::UnexpectedBody);
    }
    deviations.iter().for_each(|deviation| report(Violation::from(deviation)));
}

/// What departs from the protocol, and not from HTTP alone: [3.2.5.2.1] a server may answer as any
/// HTTP server does, and a challenge is one for HTTP to deal with.
fn worth_saying(deviations: Deviations, status: StatusCode) -> impl Iterator<Item = Deviation> {
    let has_code = matches!(status.get(), 400 | 403 | 411 | 501);
    let is_challenge = matches!(status.get(), 401 | 407);
    deviations.iter().filter(move |deviation| match deviation {
        Deviation::MissingError => has_code,
        Deviation::MissingPacketType => !is_challenge,
        _ => true,
    })
}

/// Whether the reply is on none of the hosts that the client has to do with.
fn is_elsewhere(url: &ReplyUrl<'_>, [origin, host]: [Option<Fingerprint>; 2]) -> bool {
    let named = url.host().map(Fingerprint::of_host);
    named.is_some() && origin.is_some() && named != origin && named != host
}

/// [3.2.5.2.3] Whether the status is the one that the specification has for the code. What an
/// application says is its own.
fn is_status_of_code(refusal: &Refusal<'_>) -> bool {
    let status = refusal.status().get();
    match refusal.code() {
        _ if refusal.context() == Some(ErrorContext::REMOTE_APPLICATION) => true,
        _ if refusal.status() == StatusCode::RANGE_NOT_SATISFIABLE => true,
        Some(HResult::BG_E_SESSION_NOT_FOUND) => status == 500,
        Some(HResult::E_ACCESSDENIED) => matches!(status, 403 | 501),
        Some(HResult::E_INVALIDARG) => matches!(status, 400 | 411),
        _ => true,
    }
}
