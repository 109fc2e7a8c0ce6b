//! What an observer makes of a request.

use super::memory::{Asked, Fingerprint, Named, Offered, Packet, Session, id_of, is_id};
use super::{Event, Observer, Sequence, State, Violation};
use crate::field::{ContentName, ContentRange, FieldName, SessionId};
use crate::head::RequestLine;
use crate::message::{
    AbsentLength, Fragment, Incoming, METHOD, MessageKind, NotificationRequest, Policy, Request,
    examine_notification, examine_request,
};

/// Everything is taken that can be understood: what is wrong with it is said all the same.
const POLICY: Policy = Policy {
    method_override: true,
    plain_post: true,
    absent_length: AbsentLength::AcceptOnEmpty,
    skipped_body: u64::MAX,
    max_value: usize::MAX,
};

impl Observer {
    pub(super) fn request<'b>(
        &mut self,
        connection: u32,
        incoming: &impl Incoming<'b, Line = RequestLine<'b>>,
        report: &mut impl FnMut(Violation),
    ) {
        let line = incoming.line();
        if NotificationRequest::is_one(&line, incoming.fields()) {
            self.notification(incoming, report);
            return self.unanswered.push(connection, Asked::Notification);
        }
        if line.method != METHOD && FieldName::PacketType.find_in(incoming.fields()).is_none() {
            return self.unanswered.push(connection, Asked::Foreign);
        }
        self.begin_packet(connection, report);
        let each = &mut |error| report(Violation::from(error));
        let examined = examine_request(incoming, &POLICY, each);
        examined.deviations.iter().for_each(|deviation| report(Violation::from(deviation)));
        let mut packet = Packet::new(examined.kind, examined.message.is_some());
        self.check_host(examined.kind, incoming, report);
        if let Some(request) = examined.message {
            let each = &mut |rule| report(Violation::Sequence(rule));
            self.packet(&request, &mut packet, each);
        }
        self.unanswered.push(connection, Asked::Packet(packet));
    }

    /// A packet begins on this connection.
    pub(super) fn begin_packet(&mut self, connection: u32, report: &mut impl FnMut(Violation)) {
        self.has_begun = true;
        match self.answered {
            // The client sends on after an answer: it has it.
            Some(answered) if answered.connection == connection => {
                self.answered = None;
                self.doubt = self.doubt.filter(|_| !answered.settles);
            }
            _ => self.doubt_answer(),
        }
        let (mut is_here, mut is_elsewhere) = (false, false);
        for (other, _) in self.unanswered.packets() {
            is_here |= other == connection;
            is_elsewhere |= other != connection;
        }
        if is_here {
            report(Sequence::PipelinedRequest.into());
        } else if is_elsewhere {
            report(Sequence::ConcurrentRequest.into());
        }
    }

    fn notification<'b>(
        &mut self,
        incoming: &impl Incoming<'b, Line = RequestLine<'b>>,
        report: &mut impl FnMut(Violation),
    ) {
        let each = &mut |error| report(Violation::from(error));
        let examined = examine_notification(incoming, each);
        examined.deviations.iter().for_each(|deviation| report(Violation::from(deviation)));
        let (sent_up_to, total) = (self.session.sent_up_to, self.session.total);
        if matches!((sent_up_to, total), (Some(sent_up_to), Some(total)) if sent_up_to < total) {
            report(Sequence::EarlyNotification.into());
        }
    }

    /// Whether it goes where the server sent the client to.
    fn check_host<'b>(
        &mut self,
        kind: Option<MessageKind>,
        incoming: &impl Incoming<'b>,
        report: &mut impl FnMut(Violation),
    ) {
        let mut fields = incoming.fields();
        let Some((_, host)) = fields.find(|(name, _)| name.eq_ignore_ascii_case("Host")) else {
            return;
        };
        let host = Fingerprint::of_host(host);
        self.origin = self.origin.or(Some(host));
        // A new session begins where it likes, and a client that has not got the name cannot know.
        let is_bound = kind != Some(MessageKind::CreateSession) && self.doubt.is_none();
        if is_bound && self.host.is_some_and(|named| named != host) {
            report(Sequence::HostIdIgnored.into());
            // It goes on there; that is said once.
            self.host = None;
        }
    }

    fn packet(
        &mut self,
        request: &Request<'_>,
        packet: &mut Packet,
        report: &mut impl FnMut(Sequence),
    ) {
        let event = match request {
            Request::Ping(_) => Event::Ping,
            Request::CreateSession(create) => {
                self.offered = Offered::new(&create.supported_protocols);
                self.created_name = create.content_name.as_ref().map(fingerprint);
                Event::Create
            }
            Request::Fragment(_) => Event::Fragment,
            Request::CloseSession(_) => Event::Close,
            Request::CancelSession(_) => Event::Cancel,
        };
        if let Some(session_id) = request.session_id() {
            packet.named = self.identify(session_id);
            match packet.named {
                Named::This | Named::None => {}
                Named::Previous => return,
                Named::Ended => return report(Sequence::RequestAfterEnd),
                Named::Unknown => return report(Sequence::UnknownSession),
            }
        }
        if let Err(rule) = self.apply(event) {
            // Before the last answers, which the client may not have, it was right.
            if self.doubt.is_none_or(|earlier| earlier.state.follow(event).is_err()) {
                report(rule);
                if rule != Sequence::FragmentAfterClose {
                    // There is no session whose offsets could be compared.
                    return;
                }
            }
        }
        match request {
            Request::Fragment(fragment) => self.fragment(fragment, packet, report),
            Request::CloseSession(_) => self.close(report),
            // A client that goes on after a Ping tries again, perhaps with what was too large.
            _ => self.session.too_large = None,
        }
        if packet.named == Named::This {
            self.check_name(request.content_name(), report);
        }
    }

    /// Which session the client means.
    fn identify(&mut self, session_id: &SessionId<'_>) -> Named {
        if is_id(self.session.id.as_ref(), session_id) {
            // Who knows the id has got the Ack that issued it.
            let sessions = self.sessions;
            self.doubt = self.doubt.filter(|earlier| earlier.sessions == sessions);
            return Named::This;
        }
        if let Some(previous) = self.previous.filter(|it| is_id(Some(&it.id), session_id)) {
            return if previous.has_ended { Named::Ended } else { Named::Previous };
        }
        if self.session.is_issued {
            return Named::Unknown;
        }
        if self.state == State::NoSession {
            return Named::None;
        }
        // One from before the observer came.
        self.session = Session::adopted(id_of(session_id));
        self.state = State::Unknown;
        self.doubt = None;
        Named::This
    }

    fn fragment(
        &mut self,
        fragment: &Fragment<'_>,
        packet: &mut Packet,
        report: &mut impl FnMut(Sequence),
    ) {
        let range = fragment.content_range;
        packet.range = Some(range);
        match self.believed() {
            Some((lowest, _)) if range.first() < lowest => report(Sequence::OffsetGoesBack),
            Some((_, highest)) if range.first() > highest => report(Sequence::OffsetSkipsAhead),
            _ => {}
        }
        let has_answers = self.doubt.is_none();
        let session = &mut self.session;
        if session.total.is_some_and(|total| total != range.total()) {
            report(Sequence::TotalChanges);
        }
        session.total = session.total.or(Some(range.total()));
        if has_answers && session.too_large.is_some_and(|too_large| range.len() >= too_large) {
            report(Sequence::FragmentNotSmaller);
        }
        packet.leaves_gap = session.sent_up_to.is_some_and(|sent| range.first() > sent);
        session.sent_up_to = session.sent_up_to.map(|sent| sent.max(range.end()));
    }

    fn close(&self, report: &mut impl FnMut(Sequence)) {
        if let (Some(total), Some((_, highest))) = (self.session.total, self.believed()) {
            if highest < total {
                report(Sequence::CloseBeforeWhole);
            }
        }
    }

    /// The lowest and the highest offset at which the client may believe to stand; `None` if that
    /// is not known.
    fn believed(&self) -> Option<(u64, u64)> {
        let next = self.session.next?;
        let earlier = match self.doubt {
            Some(earlier) => earlier.next?,
            None => next,
        };
        Some((next.min(earlier), next.max(earlier)))
    }

    fn check_name(&mut self, name: Option<ContentName<'_>>, report: &mut impl FnMut(Sequence)) {
        let name = name.as_ref().map(fingerprint);
        let known = self.session.content_name;
        if name.is_some() && known.is_some() && name != known {
            report(Sequence::ContentNameChanges);
        }
        self.session.content_name = known.or(name);
    }
}

fn fingerprint(name: &ContentName<'_>) -> Fingerprint {
    Fingerprint::of(name.as_bytes().iter().copied())
}

impl Packet {
    /// Whether it is a Fragment of the session that is followed.
    pub(super) fn is_fragment_of_session(&self) -> bool {
        self.kind == Some(MessageKind::Fragment) && self.named == Named::This
    }

    /// The range of the fragment that a 416 or a 413 may answer.
    pub(super) fn fragment_range(&self) -> Option<ContentRange> {
        self.range.filter(|_| self.is_fragment_of_session())
    }
}
