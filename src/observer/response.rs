//! Handling of responses.

use super::authentication::DeferredError;
use super::pending::{Packet, PendingRequest, SessionRef};
use super::session::{ClientView, Fingerprint, Session};
use super::single_response::{
    check_ack_without_request, check_notification_response, report_deviations,
};
use super::{Accepted, Event, LastResponse, Observer, SequenceRule, Violation};
use crate::deviation::Deviation;
use crate::field::{ErrorContext, HResult, ReplyUrl};
use crate::http1::{StatusCode, StatusLine};
use crate::message::{
    Ack, AckContext, CreateSessionAck, Failure, FragmentAck, MessageKind, Refusal, Source,
    validate_ack,
};

/// The result of an Ack.
struct Outcome {
    /// See [`LastResponse::is_definitive`].
    is_definitive: bool,
    /// The offset in a successful Ack for a fragment.
    received: Option<u64>,
}

impl Outcome {
    const DEFINITIVE: Self = Self { is_definitive: true, received: None };
}

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
            Some(PendingRequest::Missed) => check_ack_without_request(source, report),
            Some(PendingRequest::Notification { by_reference }) => {
                check_notification_response(by_reference, source, report);
            }
            Some(PendingRequest::Packet(packet)) => {
                self.mark_unconfirmed();
                let deferred = self.deferred_error.filter(|it| it.number == packet.number);
                if let Some(DeferredError { error, .. }) = deferred {
                    self.deferred_error = None;
                    if !status.is_challenge() {
                        report(Violation::Request(error));
                    }
                }
                let view = self.view_of(&packet);
                let outcome = self.observe_ack(&packet, source, report);
                self.last_response = view.map(|(serial, previous_view)| LastResponse {
                    connection,
                    serial,
                    previous_view,
                    is_definitive: outcome.is_definitive,
                    accepted: outcome.received.map(|received| Accepted { packet, received }),
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

    /// Handles the response to a packet.
    fn observe_ack<'b>(
        &mut self,
        packet: &Packet,
        source: &impl Source<'b, Line = StatusLine<'b>>,
        report: &mut impl FnMut(Violation),
    ) -> Outcome {
        let context = self.ack_context(packet);
        let each = &mut |error| report(Violation::from(error));
        let validated = validate_ack(source, &context, each);
        let kind = packet.kind.map(|_| context.kind());
        report_deviations(&validated, source.line().status, kind, report);
        if packet.kind.is_some() && validated.is_of_other_request {
            report(SequenceRule::WrongAck.into());
        }
        let Some(ack) = validated.message else {
            self.forget_outcome(packet);
            return Outcome::DEFINITIVE;
        };
        if !packet.is_valid && ack.failure().is_none() {
            report(SequenceRule::AcceptedDespiteError.into());
            if packet.kind.is_none() {
                self.forget_outcome(packet);
            }
        }
        match &ack {
            Ack::Refused(refusal) => {
                let is_definitive = self.apply_refusal(refusal, packet, report);
                return Outcome { is_definitive, received: None };
            }
            Ack::Ping(_) => {
                self.apply_success(Event::Pinged, packet, report);
                return Outcome { is_definitive: false, received: None };
            }
            Ack::CreateSession(ack) => self.apply_created(ack, packet, report),
            Ack::Fragment(ack) => {
                let has_offset = !validated.deviations.contains(Deviation::MissingReceived);
                self.apply_received(ack, has_offset, packet, report);
                return Outcome { received: Some(ack.received.0), ..Outcome::DEFINITIVE };
            }
            Ack::CloseSession(_) => self.apply_success(Event::Closed, packet, report),
            Ack::CancelSession(_) => self.apply_success(Event::Cancelled, packet, report),
        }
        Outcome::DEFINITIVE
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
    fn apply_success(&mut self, event: Event, packet: &Packet, report: &mut impl FnMut(Violation)) {
        let session = match packet.session_ref {
            SessionRef::Unknown => return report(SequenceRule::AcceptedWithoutSession.into()),
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
            Err(rule) => report(rule.into()),
        }
    }

    fn apply_created(
        &mut self,
        ack: &CreateSessionAck<'_>,
        packet: &Packet,
        report: &mut impl FnMut(Violation),
    ) {
        let is_known = |session: &Session| session.has_id(&ack.session_id);
        if is_known(&self.current) || self.previous.as_ref().is_some_and(is_known) {
            report(SequenceRule::SessionIdReused.into());
        }
        if ack.session_id.guid().is_none() {
            report(SequenceRule::SessionIdNotGuid.into());
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
        has_offset: bool,
        packet: &Packet,
        report: &mut impl FnMut(Violation),
    ) {
        let known_hosts = [self.origin_host, self.assigned_host];
        self.apply_success(Event::Received, packet, report);
        let SessionRef::Session(serial) = packet.session_ref else { return };
        let Some(session) = self.session(serial) else { return };
        let received = ack.received.0;
        session.check_received(received, has_offset, packet, report);
        if has_offset {
            session.set_next(received, packet);
        } else {
            session.next = None;
        }
        session.rejected_len = None;
        let Some(url) = ack.reply_url else { return };
        if is_on_other_host(&url, known_hosts) {
            report(SequenceRule::ReplyUrlOtherHost.into());
        }
        let url = Fingerprint::of(url.as_bytes());
        if session.reply_url.is_some_and(|known| known != url) {
            report(SequenceRule::ReplyUrlChanges.into());
        }
        session.reply_url = Some(url);
    }

    /// Handles a refusal, and returns true if it is [definitive](LastResponse::is_definitive).
    fn apply_refusal(
        &mut self,
        refusal: &Refusal<'_>,
        packet: &Packet,
        report: &mut impl FnMut(Violation),
    ) -> bool {
        let failure = refusal.failure();
        let is_not_found = failure == Failure::StartOver;
        if is_not_found && packet.kind.is_some() && !packet.needs_session() {
            report(SequenceRule::UnexpectedSessionNotFound.into());
        }
        if !has_status_of_code(refusal) {
            report(SequenceRule::StatusMismatch.into());
        }
        let is_fragment = packet.kind == Some(MessageKind::Fragment);
        if refusal.received().is_some() && !is_fragment && packet.kind.is_some() {
            report(SequenceRule::WrongAck.into());
            return false;
        }
        let SessionRef::Session(serial) = packet.session_ref else { return false };
        let Some(session) = self.session(serial) else { return false };
        if !session.state.has_ended() || packet.had_ended {
            // Both events are allowed in every state.
            let event = if is_not_found { Event::NotFound } else { Event::Refused };
            session.state = session.state.try_next(event).unwrap_or(session.state);
        }
        if session.next == Some(0) && is_fragment && !refusal.status().is_challenge() {
            // The server does not keep the length of a first fragment that it refused.
            session.total = None;
        }
        match failure {
            Failure::Resynchronise => session.apply_resync(refusal, packet, report),
            Failure::SmallerFragments => {
                session.rejected_len = packet.range.map(|range| range.len());
            }
            _ => {}
        }
        matches!(failure, Failure::StartOver | Failure::Resynchronise)
    }
}

impl Session {
    /// Checks the offset of a successful Ack. Without an offset, the Ack acknowledges the whole
    /// fragment, and nothing else.
    fn check_received(
        &mut self,
        received: u64,
        has_offset: bool,
        packet: &Packet,
        report: &mut impl FnMut(Violation),
    ) {
        let gap = packet.range.zip(packet.sent_up_to).filter(|_| packet.leaves_gap);
        if let Some((range, sent_up_to)) = gap {
            report(SequenceRule::GapAccepted.with_mismatch(range.first(), sent_up_to));
            // The server counts the bytes of the gap as received.
            self.sent_up_to = self.sent_up_to.max(Some(range.end()));
        }
        packet.check_arrived(received, report);
        // The server counts the missing bytes as received.
        self.sent_up_to = self.sent_up_to.map(|sent| sent.max(received));
        let whole = packet.range.filter(|_| packet.arrived.is_none());
        match (packet.next, whole) {
            (Some(next), _) if has_offset && received < next => {
                report(SequenceRule::ReceivedGoesBack.with_mismatch(received, next));
            }
            (_, Some(range)) if received < range.end() => {
                report(SequenceRule::ReceivedInsideFragment.with_mismatch(received, range.end()));
            }
            _ => {}
        }
    }

    /// Handles the offset of a 416 response.
    fn apply_resync(
        &mut self,
        refusal: &Refusal<'_>,
        packet: &Packet,
        report: &mut impl FnMut(Violation),
    ) {
        let Some(received) = refusal.received() else {
            // The offset is unreadable: the client cannot continue at it.
            self.next = None;
            return;
        };
        let Some(range) = packet.range else { return };
        if received.0 == range.first() {
            report(SequenceRule::NeedlessResynchronisation.into());
        }
        if let Some(limit) = self.sent_up_to.filter(|sent_up_to| received.0 > *sent_up_to) {
            report(SequenceRule::ResynchronisedBeyondSent.with_limit(received.0, limit));
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
