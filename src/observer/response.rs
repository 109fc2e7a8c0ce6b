//! Handling of responses.

use super::pending::{Packet, PendingRequest, SessionRef};
use super::session::{ClientView, Fingerprint, Session};
use super::{Event, LastResponse, Observer, SequenceRule, Violation};
use crate::deviation::{Deviation, Deviations};
use crate::field::{ErrorContext, HResult, ReplyUrl};
use crate::http1::{StatusCode, StatusLine};
use crate::message::{
    Ack, AckContext, CreateSessionAck, FragmentAck, MessageKind, Refusal, Source, Validated,
    validate_ack, validate_notification_response,
};

impl Observer {
    pub(super) fn observe_response<'b>(
        &mut self,
        connection: u32,
        source: &impl Source<'b, Line = StatusLine<'b>>,
        report: &mut impl FnMut(Violation),
    ) {
        let status = source.line().status;
        if status.is_interim() {
            return;
        }
        match self.take_pending(connection, Some(status), report) {
            None | Some(PendingRequest::Unrelated) => {}
            Some(PendingRequest::Notification { by_reference }) => {
                check_notification_response(by_reference, source, report);
            }
            Some(PendingRequest::Packet(packet)) => {
                self.mark_unconfirmed();
                let view = self.view_of(&packet);
                let is_definitive = self.observe_ack(&packet, source, report);
                self.last_response = view.map(|(serial, previous_view)| LastResponse {
                    connection,
                    serial,
                    previous_view,
                    is_definitive,
                });
            }
        }
    }

    /// Returns the serial number of the packet's session, and the view of the client before the
    /// response.
    fn view_of(&mut self, packet: &Packet) -> Option<(u32, ClientView)> {
        let SessionRef::Session(serial) = packet.session_ref else { return None };
        self.session(serial).map(|session| (serial, session.view()))
    }

    /// Removes and returns the oldest pending request, and reports an unsolicited response.
    pub(super) fn take_pending(
        &mut self,
        connection: u32,
        status: Option<StatusCode>,
        report: &mut impl FnMut(Violation),
    ) -> Option<PendingRequest> {
        let request = self.pending.take(connection);
        // Servers send 408 before they close an idle connection.
        let is_idle_timeout = status == Some(StatusCode::REQUEST_TIMEOUT);
        let knows_requests = (self.from_start || self.last_connection == Some(connection))
            && !self.pending.is_untracked(connection);
        if request.is_none() && knows_requests && !is_idle_timeout {
            report(SequenceRule::UnsolicitedResponse.into());
        }
        request
    }

    /// Forgets what an invalid response may have changed: the client's interpretation is unknown.
    pub(super) fn forget_outcome(&mut self, packet: &Packet) {
        match packet.kind {
            // The server may have issued a session.
            None | Some(MessageKind::CreateSession) => self.forget_progress(),
            Some(MessageKind::Fragment) => {
                if let SessionRef::Session(serial) = packet.session_ref {
                    self.session(serial).into_iter().for_each(|session| session.next = None);
                }
            }
            _ => {}
        }
    }

    /// Handles the response to a packet, and returns true if it is
    /// [definitive](LastResponse::is_definitive).
    fn observe_ack<'b>(
        &mut self,
        packet: &Packet,
        source: &impl Source<'b, Line = StatusLine<'b>>,
        report: &mut impl FnMut(Violation),
    ) -> bool {
        let each = &mut |error| report(Violation::from(error));
        let validated = validate_ack(source, &self.ack_context(packet), each);
        // `WrongAck` covers the fields of other Acks. Without the kind of request, any field of an
        // Ack may be right.
        let has_own_fields = packet.kind.is_some() && !validated.is_of_other_request;
        let is_reported = |it: &Deviation| has_own_fields || *it != Deviation::UnexpectedField;
        let deviations = protocol_deviations(validated.deviations, source.line().status);
        deviations.filter(is_reported).for_each(|deviation| report(Violation::from(deviation)));
        let report = &mut |rule| report(Violation::Sequence(rule));
        if packet.kind.is_some() && validated.is_of_other_request {
            report(SequenceRule::WrongAck);
        }
        let Some(ack) = validated.message else {
            self.forget_outcome(packet);
            return true;
        };
        if !packet.is_valid && ack.failure().is_none() {
            report(SequenceRule::AcceptedDespiteError);
            if packet.kind.is_none() {
                self.forget_outcome(packet);
            }
        }
        match &ack {
            Ack::Refused(refusal) => return self.apply_refusal(refusal, packet, report),
            Ack::Ping(_) => {
                self.apply_success(Event::Pinged, packet, report);
                return false;
            }
            Ack::CreateSession(ack) => self.apply_created(ack, packet, report),
            Ack::Fragment(ack) => self.apply_received(ack, packet, report),
            Ack::CloseSession(_) => self.apply_success(Event::Closed, packet, report),
            Ack::CancelSession(_) => self.apply_success(Event::Cancelled, packet, report),
        }
        true
    }

    /// Returns the request with which the response is validated, as far as it is known.
    fn ack_context(&self, packet: &Packet) -> AckContext<'_> {
        let session = match packet.session_ref {
            SessionRef::Session(serial) => {
                let mut sessions = core::iter::once(&self.current).chain(&self.previous);
                sessions.find(|session| session.serial == serial)
            }
            SessionRef::None | SessionRef::Unknown => None,
        };
        let session_id = session.and_then(Session::id);
        match packet.kind {
            Some(MessageKind::CreateSession) => {
                let create = Some(&self.last_create).filter(|it| it.number == packet.number);
                AckContext::CreateSession { offered: create.and_then(|it| it.offered()) }
            }
            Some(MessageKind::Fragment) => AckContext::Fragment {
                session_id,
                content_range: packet.range,
                // An unknown end allows any offset.
                sent_up_to: session.and_then(|it| it.sent_up_to).or(Some(u64::MAX)),
            },
            Some(MessageKind::CloseSession) => AckContext::CloseSession { session_id },
            Some(MessageKind::CancelSession) => AckContext::CancelSession { session_id },
            _ => AckContext::Ping,
        }
    }

    /// Applies a successful response to the state of the session.
    fn apply_success(
        &mut self,
        event: Event,
        packet: &Packet,
        report: &mut impl FnMut(SequenceRule),
    ) {
        let session = match packet.session_ref {
            SessionRef::Unknown => return report(SequenceRule::AcceptedWithoutSession),
            SessionRef::None => Some(&mut self.current),
            SessionRef::Session(serial) => self.session(serial),
        };
        let Some(session) = session else { return };
        if session.state.has_ended() && !packet.had_ended {
            // The session ended while the request was pending. The server may have executed the
            // request first.
            return;
        }
        match session.state.try_next(event) {
            Ok(state) => session.state = state,
            Err(rule) => report(rule),
        }
    }

    fn apply_created(
        &mut self,
        ack: &CreateSessionAck<'_>,
        packet: &Packet,
        report: &mut impl FnMut(SequenceRule),
    ) {
        let is_known = |session: &Session| session.has_id(&ack.session_id);
        if is_known(&self.current) || self.previous.as_ref().is_some_and(is_known) {
            report(SequenceRule::SessionIdReused);
        }
        if ack.session_id.guid().is_none() {
            report(SequenceRule::SessionIdNotGuid);
        }
        self.assigned_host = ack.host_id.map(|host| Fingerprint::of_host(host.as_str().as_bytes()));
        let create = Some(self.last_create).filter(|it| it.number == packet.number);
        let name = create.and_then(|create| create.content_name);
        self.session_count = self.session_count.wrapping_add(1);
        let mut session = Session::issued(self.session_count, &ack.session_id, name);
        session.state = self.current.state.try_next(Event::Created).unwrap_or(session.state);
        self.set_current(session);
    }

    fn apply_received(
        &mut self,
        ack: &FragmentAck<'_>,
        packet: &Packet,
        report: &mut impl FnMut(SequenceRule),
    ) {
        let known_hosts = [self.origin_host, self.assigned_host];
        self.apply_success(Event::Received, packet, report);
        let SessionRef::Session(serial) = packet.session_ref else { return };
        let Some(session) = self.session(serial) else { return };
        let received = ack.received.0;
        if packet.leaves_gap {
            report(SequenceRule::GapAccepted);
            // The server counts the bytes of the gap as received.
            session.sent_up_to = session.sent_up_to.max(packet.range.map(|range| range.end()));
        }
        if packet.next.is_some_and(|next| received < next) {
            report(SequenceRule::ReceivedGoesBack);
        } else if packet.range.is_some_and(|range| received < range.end()) {
            report(SequenceRule::ReceivedInsideFragment);
        }
        session.set_next(received, packet);
        session.rejected_len = None;
        let Some(url) = ack.reply_url else { return };
        if is_on_other_host(&url, known_hosts) {
            report(SequenceRule::ReplyUrlOtherHost);
        }
        let url = Fingerprint::of(url.as_bytes());
        if session.reply_url.is_some_and(|known| known != url) {
            report(SequenceRule::ReplyUrlChanges);
        }
        session.reply_url = Some(url);
    }

    /// Handles a refusal, and returns true if it is [definitive](LastResponse::is_definitive).
    fn apply_refusal(
        &mut self,
        refusal: &Refusal<'_>,
        packet: &Packet,
        report: &mut impl FnMut(SequenceRule),
    ) -> bool {
        let is_not_found = refusal.code() == Some(HResult::BG_E_SESSION_NOT_FOUND);
        if is_not_found && packet.kind.is_some() && !packet.needs_session() {
            report(SequenceRule::UnexpectedSessionNotFound);
        }
        if !has_status_of_code(refusal) {
            report(SequenceRule::StatusMismatch);
        }
        let is_fragment = packet.kind == Some(MessageKind::Fragment);
        if refusal.received().is_some() && !is_fragment && packet.kind.is_some() {
            report(SequenceRule::WrongAck);
            return false;
        }
        let SessionRef::Session(serial) = packet.session_ref else { return false };
        let Some(session) = self.session(serial) else { return false };
        if !session.state.has_ended() || packet.had_ended {
            // Both events are allowed in every state.
            let event = if is_not_found { Event::NotFound } else { Event::Refused };
            session.state = session.state.try_next(event).unwrap_or(session.state);
        }
        if session.next == Some(0) && is_fragment {
            // The server does not keep the length of a first fragment that it refused.
            session.total = None;
        }
        match refusal.status() {
            StatusCode::RANGE_NOT_SATISFIABLE => session.apply_resync(refusal, packet, report),
            StatusCode::CONTENT_TOO_LARGE => {
                session.rejected_len = packet.range.map(|range| range.len())
            }
            _ => {}
        }
        is_not_found || refusal.status() == StatusCode::RANGE_NOT_SATISFIABLE
    }
}

impl Session {
    /// Handles the offset of a 416 response.
    fn apply_resync(
        &mut self,
        refusal: &Refusal<'_>,
        packet: &Packet,
        report: &mut impl FnMut(SequenceRule),
    ) {
        let Some(received) = refusal.received() else {
            // The offset is unreadable: the client cannot continue at it.
            self.next = None;
            return;
        };
        let Some(range) = packet.range else { return };
        if received.0 == range.first() {
            report(SequenceRule::NeedlessResynchronisation);
        }
        if self.sent_up_to.is_some_and(|sent_up_to| received.0 > sent_up_to) {
            report(SequenceRule::ResynchronisedBeyondSent);
        }
        self.set_next(received.0, packet);
    }

    /// Sets the offset that the server expects next.
    ///
    /// The response to an older packet than the last one does not lower it.
    fn set_next(&mut self, received: u64, packet: &Packet) {
        if packet.number < self.next_set_by {
            self.next = self.next.map(|next| next.max(received));
        } else {
            (self.next, self.next_set_by) = (Some(received), packet.number);
        }
        // An offset beyond the total length makes the total length unknown.
        self.total = self.total.filter(|total| self.next.is_none_or(|next| next <= *total));
    }
}

/// Checks the response of a server application.
fn check_notification_response<'b>(
    by_reference: bool,
    source: &impl Source<'b, Line = StatusLine<'b>>,
    report: &mut impl FnMut(Violation),
) {
    let each = &mut |error| report(Violation::from(error));
    let Validated { message, mut deviations } = validate_notification_response(source, each);
    let has_body = |length: Option<u64>| length.is_some_and(|length| length > 0);
    if by_reference && message.is_some_and(|it| it.is_success() && has_body(it.content_length)) {
        // The reply belongs in the file that the notification named.
        deviations.insert(Deviation::UnexpectedBody);
    }
    deviations.iter().for_each(|deviation| report(Violation::from(deviation)));
}

/// Returns the deviations of a response that violate this protocol.
///
/// [3.2.5.2.1] A server may send any HTTP status code without an error code, and an authentication
/// challenge without a packet type.
fn protocol_deviations(
    deviations: Deviations,
    status: StatusCode,
) -> impl Iterator<Item = Deviation> {
    let has_code = matches!(status.get(), 400 | 403 | 411 | 501);
    let is_challenge = matches!(status.get(), 401 | 407);
    deviations.iter().filter(move |deviation| match deviation {
        Deviation::MissingError => has_code,
        Deviation::MissingPacketType => !is_challenge,
        _ => true,
    })
}

/// Returns true if the reply is neither on the origin host nor on the host in BITS-Host-Id.
fn is_on_other_host(url: &ReplyUrl<'_>, [origin, assigned]: [Option<Fingerprint>; 2]) -> bool {
    let host = url.host().map(Fingerprint::of_host);
    host.is_some() && origin.is_some() && host != origin && host != assigned
}

/// Returns true if the status code is the one that the specification assigns to the error code.
///
/// [3.2.5.2.3] A server application may combine them freely.
fn has_status_of_code(refusal: &Refusal<'_>) -> bool {
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
