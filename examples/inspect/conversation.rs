//! Explains messages in the order in which they happened, and reads each Ack for its request.

use std::collections::{BTreeMap, VecDeque};

use bits_proto::Error;
use bits_proto::field::FieldName;
use bits_proto::http1::Progress;
use bits_proto::message::{HeaderSlots, NotificationRequest, RequestHead, ResponseHead};
use bits_proto::observer::Violation;

use crate::decode::{
    decode_ack, decode_alone, decode_notification_request, decode_notification_response,
    decode_packet, kind_despite, reject,
};
use crate::observers::{ObservedRequest, Observers};
use crate::pending::PendingRequest;
use crate::report::{Report, Verdict, fields};
use crate::source::{Body, ConnectionId, Direction, Event, Loss, Message, PlainFile, Source};

/// What is known beside what was captured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Circumstances {
    /// What a response answers that no request went before.
    pub alone: Option<PendingRequest<'static>>,
    /// Whether nothing went before: sessions are created where they can be seen.
    pub from_start: bool,
}

/// Explains every message in `bytes`.
pub fn explain(file: &str, bytes: &[u8], circumstances: Circumstances) -> Vec<Report> {
    explain_source(file, &mut PlainFile::new(bytes), circumstances)
}

/// Explains everything that a source has.
pub fn explain_source<'b>(
    file: &str,
    source: &mut impl Source<'b>,
    circumstances: Circumstances,
) -> Vec<Report> {
    let mut reader = Reader {
        file,
        source,
        conversations: BTreeMap::new(),
        observers: Observers::new(circumstances.from_start),
        alone: circumstances.alone,
    };
    let mut reports = Vec::new();
    while let Some(event) = reader.source.next_event() {
        match event {
            Event::Message(message) => reports.push(reader.message(&message, reports.len())),
            Event::Lost(loss) => reports.push(reader.lost(&loss, reports.len())),
            Event::Ended(connection) => reader.ended(connection),
        }
    }
    reports
}

/// What is known of one connection.
#[derive(Default)]
struct Conversation<'b> {
    /// Requests in the order in which they have to be answered.
    unanswered: VecDeque<(PendingRequest<'b>, ObservedRequest)>,
    /// Responses may have been lost, and nobody knows how many.
    is_astray: bool,
}

struct Reader<'s, 'b, S> {
    file: &'s str,
    source: &'s mut S,
    conversations: BTreeMap<ConnectionId, Conversation<'b>>,
    observers: Observers,
    alone: Option<PendingRequest<'static>>,
}

/// How long a message is: its head, and what follows it.
type Extent = (usize, Body);

impl<'b, S: Source<'b>> Reader<'_, 'b, S> {
    fn message(&mut self, message: &Message<'b>, index: usize) -> Report {
        let is_request = message.direction == Direction::Request;
        let mut report = Report::new(self.file, index, is_request);
        report.connection = self.source.ends(message.connection);
        report.time = message.time;
        let (head, body) = if is_request {
            self.request(message, &mut report)
        } else {
            self.response(message, &mut report)
        };
        self.pass(message, head, body, &mut report);
        report
    }

    /// Every request of every connection comes by here, in the order of all messages.
    fn request(&mut self, message: &Message<'b>, report: &mut Report) -> Extent {
        let mut slots = HeaderSlots::new();
        let head = match RequestHead::parse(message.bytes, &mut slots) {
            Ok(Progress::Complete(head)) => head,
            Ok(Progress::Partial) => return cut_short(report),
            Err(error) => return self.broken_head(message, report, error),
        };
        let line = head.line();
        report.start_line = format!("{} {}", line.method, line.target);
        report.fields = fields(head.fields(), None);
        let asked = if NotificationRequest::is_notification(&line, head.fields()) {
            decode_notification_request(report, &head)
        } else if matches!(line.method, "GET" | "HEAD") {
            report.kind = "download";
            PendingRequest::Download(line.method == "HEAD")
        } else {
            decode_packet(report, &head)
        };
        let violations = &mut report.violations;
        let ends = report.connection.as_deref();
        let observed = self.observers.request(message.connection, ends, &head, violations);
        self.conversation(message.connection).unanswered.push_back((asked, observed));
        // A request that was refused for want of a length may have brought its body.
        let is_in_doubt = report.verdict == Verdict::Rejected;
        let body = match head.framing().content_length {
            None if is_in_doubt => Body::Open,
            _ => Body::Length(head.body_length()),
        };
        (head.len(), body)
    }

    /// Every response of every connection comes by here, in the order of all messages.
    fn response(&mut self, message: &Message<'b>, report: &mut Report) -> Extent {
        let mut slots = HeaderSlots::new();
        let head = match ResponseHead::parse(message.bytes, &mut slots) {
            Ok(Progress::Complete(head)) => head,
            Ok(Progress::Partial) => return cut_short(report),
            Err(error) => return self.broken_head(message, report, error),
        };
        let status = head.line().status;
        report.start_line = format!("{status} {}", head.line().reason);
        report.fields = fields(head.fields(), Some(status.get()));
        if status.is_interim() {
            report.verdict = Verdict::Foreign;
            return (head.len(), Body::Length(0));
        }
        let answered = self.take_asked(message.connection, &head);
        let asked = answered.as_ref().map(|(asked, _)| *asked).or(self.alone);
        report.ack_context = asked.as_ref().and_then(PendingRequest::name);
        match asked {
            Some(PendingRequest::Packet(ack_context)) => decode_ack(report, &head, &ack_context),
            Some(PendingRequest::Notification) => decode_notification_response(report, &head),
            Some(PendingRequest::Download(_)) => report.kind = "download",
            Some(PendingRequest::Foreign) => report.verdict = Verdict::Foreign,
            None => decode_alone(report, &head),
        }
        self.watch_response(message.connection, answered.as_ref(), &head, report);
        let body = match head.body_length() {
            _ if matches!(asked, Some(PendingRequest::Download(true))) => Body::Length(0),
            Some(length) => Body::Length(length),
            None => Body::Open,
        };
        (head.len(), body)
    }

    fn watch_response(
        &mut self,
        connection: ConnectionId,
        answered: Option<&(PendingRequest<'b>, ObservedRequest)>,
        head: &ResponseHead<'_, '_>,
        report: &mut Report,
    ) {
        match answered {
            Some((_, observed)) => {
                self.observers.response(observed, head, &mut report.violations);
            }
            None => {
                self.observers.unasked(connection, head, &mut report.violations);
                // No observer has read it in the light of a request.
                let deviations = report.deviations.iter().copied();
                report.violations.extend(deviations.map(Violation::from));
            }
        }
        // Beside the request alone it may be wrong where more may have gone before.
        let error = report.error.map(Violation::from);
        report.violations.extend(error.filter(|error| !report.violations.contains(error)));
    }

    /// The start of one message or more was not captured.
    fn lost(&mut self, loss: &Loss, index: usize) -> Report {
        self.observers.astray(loss.connection);
        let is_request = loss.direction == Direction::Request;
        self.conversation(loss.connection).is_astray |= !is_request;
        let mut report = Report::new(self.file, index, is_request);
        report.connection = self.source.ends(loss.connection);
        report.time = loss.time;
        report.start_line = "(its start is not there)".into();
        report.verdict = Verdict::Partial;
        report.missing = Some(loss.missing);
        report
    }

    /// A connection came to its end, after all of its messages.
    fn ended(&mut self, connection: ConnectionId) {
        self.conversations.remove(&connection);
        self.observers.ended(connection);
    }

    fn conversation(&mut self, connection: ConnectionId) -> &mut Conversation<'b> {
        self.conversations.entry(connection).or_default()
    }

    /// The request that a response answers.
    fn take_asked(
        &mut self,
        connection: ConnectionId,
        head: &ResponseHead<'_, '_>,
    ) -> Option<(PendingRequest<'b>, ObservedRequest)> {
        let is_mixed = self.source.ends(connection).is_none();
        if self.conversations.get(&connection).is_some_and(|it| it.is_astray) {
            self.observers.astray(connection);
        }
        let conversation = self.conversation(connection);
        let unanswered = &mut conversation.unanswered;
        if std::mem::take(&mut conversation.is_astray) {
            // No client of this protocol asks again before it was answered.
            unanswered.drain(..unanswered.len().saturating_sub(1));
        }
        if !is_mixed {
            return unanswered.pop_front();
        }
        // A notification, or a download, may go on between a packet and its Ack, on another
        // connection.
        let is_ack = FieldName::PacketType.find_in(head.fields()).is_some();
        let fits = |(asked, _): &(PendingRequest<'_>, _)| {
            matches!(asked, PendingRequest::Packet(_)) == is_ack
        };
        let index = unanswered.iter().position(fits).unwrap_or(0);
        unanswered.remove(index)
    }

    fn pass(&mut self, message: &Message<'b>, head: usize, body: Body, report: &mut Report) {
        let held = self.source.pass(message, head, body);
        report.missing = held.missing;
        if head == 0 && held.missing.is_some_and(|missing| missing > 0) {
            // One that was cut when its connection ended is as good as none; this one was whole.
            self.observers.astray(message.connection);
        }
        if !held.is_whole && report.verdict != Verdict::Rejected {
            report.verdict = Verdict::Partial;
            report.deviations.clear();
            report.failure = None;
        }
        if message.direction == Direction::Response {
            self.conversation(message.connection).is_astray |= held.is_astray;
        }
    }

    /// The head is no head, or nobody can tell where its message ends.
    fn broken_head(&mut self, message: &Message<'b>, report: &mut Report, error: Error) -> Extent {
        self.observers.astray(message.connection);
        report.violations.push(Violation::from(error));
        report.kind = kind_despite(&error, message.bytes).unwrap_or("other");
        reject(report, error);
        (0, Body::Unknown)
    }
}

/// The input ends inside the head.
fn cut_short(report: &mut Report) -> Extent {
    report.verdict = Verdict::Partial;
    (0, Body::Unknown)
}
