//! What an observer makes of a response.

use super::memory::{
    Answered, Asked, Fingerprint, Named, Packet, Previous, Session, View, id_of, is_id,
};
use super::{Event, Observer, Sequence, State, Violation};
use crate::deviation::Deviation;
use crate::field::{HResult, ReplyUrl};
use crate::head::{Status, StatusLine};
use crate::message::{
    Ack, AckFor, CreateSessionAck, FragmentAck, Incoming, MessageKind, Refusal, examine_ack,
    examine_notification_response,
};

impl Observer {
    pub(super) fn response<'b>(
        &mut self,
        connection: u32,
        incoming: &impl Incoming<'b, Line = StatusLine<'b>>,
        report: &mut impl FnMut(Violation),
    ) {
        let status = incoming.line().status;
        if status.is_interim() {
            return;
        }
        match self.take_asked(connection, report) {
            None | Some(Asked::Foreign) => {}
            Some(Asked::Notification) => {
                let each = &mut |error| report(Violation::from(error));
                let examined = examine_notification_response(incoming, each);
                examined.deviations.iter().for_each(|it| report(Violation::from(it)));
            }
            Some(Asked::Packet(packet)) => {
                self.doubt_answer();
                let before = self.view();
                let settles = self.answer(&packet, incoming, report);
                self.answered = Some(Answered { connection, before, settles });
            }
        }
    }

    const fn view(&self) -> View {
        View { state: self.state, next: self.session.next, sessions: self.sessions }
    }

    /// The request that an answer belongs to.
    pub(super) fn take_asked(
        &mut self,
        connection: u32,
        report: &mut impl FnMut(Violation),
    ) -> Option<Asked> {
        let asked = self.unanswered.take(connection);
        if asked.is_none() && !self.unanswered.take_untracked() && self.has_begun {
            report(Sequence::UnaskedAnswer.into());
        }
        asked
    }

    /// An answer that the client may have understood in one way or another, or not at all.
    pub(super) fn unreadable(&mut self, asked: Asked) {
        let Asked::Packet(packet) = asked else { return };
        if packet.is_fragment_of_session() {
            self.session.next = None;
        }
        if packet.kind == Some(MessageKind::CreateSession) {
            self.session.is_issued = false;
            if self.state == State::NoSession {
                self.state = State::Unknown;
            }
        }
    }

    /// Whether the answer says where the session stands.
    fn answer<'b>(
        &mut self,
        packet: &Packet,
        incoming: &impl Incoming<'b, Line = StatusLine<'b>>,
        report: &mut impl FnMut(Violation),
    ) -> bool {
        let status = incoming.line().status;
        let each = &mut |error| report(Violation::from(error));
        let examined = examine_ack(incoming, &self.ack_for(packet), each);
        for deviation in examined.deviations.iter() {
            let is_said_better = examined.is_of_another && deviation == Deviation::UnexpectedField;
            let is_http = deviation == Deviation::MissingError && !has_code(status);
            if !is_said_better && !is_http {
                report(Violation::from(deviation));
            }
        }
        let report = &mut |rule| report(Violation::Sequence(rule));
        if examined.is_of_another {
            report(Sequence::WrongAck);
        }
        let Some(ack) = examined.message else {
            self.unreadable(Asked::Packet(*packet));
            return true;
        };
        match &ack {
            Ack::Refused(refusal) => self.refused(refusal, packet, report),
            _ if !packet.is_valid => {
                report(Sequence::GrantedDespiteError);
                // Nobody knows what the two have made of it.
                (self.session.next, self.session.sent_up_to) = (None, None);
            }
            Ack::Ping(_) => self.granted(Event::Pinged, packet, report),
            Ack::CreateSession(ack) => self.created(ack, report),
            Ack::Fragment(ack) => self.received_more(ack, packet, report),
            Ack::CloseSession(_) => self.granted(Event::Closed, packet, report),
            Ack::CancelSession(_) => self.granted(Event::Cancelled, packet, report),
        }
        match &ack {
            Ack::Ping(_) => false,
            Ack::Refused(refusal) => {
                refusal.status() == Status::RANGE_NOT_SATISFIABLE || is_not_found(refusal)
            }
            _ => packet.is_valid,
        }
    }

    /// What the answer is to be read in the light of.
    fn ack_for(&self, packet: &Packet) -> AckFor<'_> {
        let session_id = self.session_id().filter(|_| packet.named == Named::This);
        // What is not known is as large as can be.
        let sent_up_to = self.session.sent_up_to.filter(|_| packet.is_valid).unwrap_or(u64::MAX);
        match packet.kind {
            Some(MessageKind::CreateSession) => {
                AckFor::CreateSession { offered: self.offered.protocols() }
            }
            Some(MessageKind::Fragment) => AckFor::Fragment {
                session_id,
                content_range: packet.range,
                sent_up_to: Some(sent_up_to),
            },
            Some(MessageKind::CloseSession) => AckFor::CloseSession { session_id },
            Some(MessageKind::CancelSession) => AckFor::CancelSession { session_id },
            _ => AckFor::Ping,
        }
    }

    fn granted(&mut self, event: Event, packet: &Packet, report: &mut impl FnMut(Sequence)) {
        let rule = match packet.named {
            Named::This | Named::None => self.apply(event).err(),
            Named::Previous => None,
            Named::Ended => Some(Sequence::GrantedAfterEnd),
            Named::Unknown => Some(Sequence::GrantedWithoutSession),
        };
        rule.into_iter().for_each(report);
    }

    fn created(&mut self, ack: &CreateSessionAck<'_>, report: &mut impl FnMut(Sequence)) {
        let is_known = |id| is_id(id, &ack.session_id);
        let previous = self.previous.as_ref().map(|previous| &previous.id);
        if is_known(self.session.id.as_ref()) || is_known(previous) {
            report(Sequence::SessionIdReused);
        }
        if ack.session_id.guid().is_none() {
            report(Sequence::SessionIdNotGuid);
        }
        let has_ended = matches!(self.state, State::Closed | State::Cancelled | State::Lost);
        self.previous = self.session.id.map(|id| Previous { id, has_ended }).or(self.previous);
        self.sessions = self.sessions.wrapping_add(1);
        self.session = Session::issued(id_of(&ack.session_id), self.created_name);
        self.host = ack.host_id.map(|host| Fingerprint::of_host(host.as_str().as_bytes()));
        // A new session may follow whatever went before it.
        let _ = self.apply(Event::Created);
    }

    fn received_more(
        &mut self,
        ack: &FragmentAck<'_>,
        packet: &Packet,
        report: &mut impl FnMut(Sequence),
    ) {
        self.granted(Event::Received, packet, report);
        if packet.named != Named::This {
            return;
        }
        let received = ack.received.0;
        if packet.leaves_gap {
            report(Sequence::GapGranted);
        }
        if self.session.next.is_some_and(|next| received < next) {
            report(Sequence::ReceivedGoesBack);
        } else if packet.range.is_some_and(|range| received < range.end()) {
            report(Sequence::ReceivedShort);
        }
        self.session.next = Some(received);
        self.session.too_large = None;
        if ack.reply_url.is_some_and(|url| self.is_elsewhere(&url)) {
            report(Sequence::ReplyUrlElsewhere);
        }
    }

    /// Whether the reply is on another host than the one the client began with.
    fn is_elsewhere(&self, url: &ReplyUrl<'_>) -> bool {
        match (self.origin, url.host()) {
            (Some(origin), Some(host)) => Fingerprint::of_host(host) != origin,
            _ => false,
        }
    }

    fn refused(
        &mut self,
        refusal: &Refusal<'_>,
        packet: &Packet,
        report: &mut impl FnMut(Sequence),
    ) {
        let is_not_found = is_not_found(refusal);
        let is_for_anybody =
            matches!(packet.kind, Some(MessageKind::Ping | MessageKind::CreateSession));
        if is_not_found && is_for_anybody {
            report(Sequence::NoSessionToLose);
        }
        if packet.named == Named::This {
            // Neither breaks a rule in any state.
            let _ = self.apply(if is_not_found { Event::NotFound } else { Event::Refused });
        }
        match refusal.status() {
            Status::RANGE_NOT_SATISFIABLE => self.out_of_sync(refusal, packet, report),
            Status::CONTENT_TOO_LARGE => {
                self.session.too_large = packet.fragment_range().map(|range| range.len());
            }
            _ => {}
        }
    }

    /// The server says where the client has to go on.
    fn out_of_sync(
        &mut self,
        refusal: &Refusal<'_>,
        packet: &Packet,
        report: &mut impl FnMut(Sequence),
    ) {
        if packet.kind.is_some_and(|kind| kind != MessageKind::Fragment) {
            return report(Sequence::WrongAck);
        }
        let (Some(range), Some(received)) = (packet.fragment_range(), refusal.received()) else {
            return;
        };
        if received.0 == range.first() {
            report(Sequence::NeedlessResynchronisation);
        }
        if self.session.sent_up_to.is_some_and(|sent_up_to| received.0 > sent_up_to) {
            report(Sequence::ResynchronisedBeyondSent);
        }
        self.session.next = Some(received.0);
    }
}

fn is_not_found(refusal: &Refusal<'_>) -> bool {
    refusal.code() == Some(HResult::BG_E_SESSION_NOT_FOUND)
}

/// [3.2.5.2.3] Whether the specification prescribes an error code for the status. Any other may
/// come from HTTP itself (3.2.5.2.1), and needs none.
const fn has_code(status: Status) -> bool {
    matches!(status.get(), 400 | 403 | 411 | 501)
}
