//! Explains messages in the order in which they happened, and matches responses with requests.

use std::collections::{BTreeMap, VecDeque};

use bits_proto::Error;
use bits_proto::field::FieldName;
use bits_proto::http1::Progress;
use bits_proto::message::{HeaderSlots, NotificationRequest, RequestHead, ResponseHead};
use bits_proto::observer::Violation;

use crate::decode::{
    decode_ack, decode_lone_response, decode_notification_request, decode_notification_response,
    decode_packet, kind_of_invalid, reject,
};
use crate::observers::{ObservedRequest, Observers};
use crate::pending::PendingRequest;
use crate::report::{Report, StartLine, Verdict, fields};
use crate::source::{Body, ConnectionId, Direction, Event, Loss, Message, PlainFile, Source};

/// Options of the command line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context {
    /// Assumed request of a response without a request.
    pub ack_for: Option<PendingRequest<'static>>,
    /// True if the conversations begin with the input.
    pub from_start: bool,
}

/// Explains every message in `bytes`.
pub fn explain(file: &str, bytes: &[u8], context: Context) -> Vec<Report> {
    explain_source(file, &mut PlainFile::new(bytes), context)
}

/// Explains every message of a source.
pub fn explain_source<'b>(
    file: &str,
    source: &mut impl Source<'b>,
    context: Context,
) -> Vec<Report> {
    let mut reader = Reader {
        file,
        source,
        conversations: BTreeMap::new(),
        observers: Observers::new(context.from_start),
        ack_for: context.ack_for,
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

/// State of one connection.
#[derive(Default)]
struct Conversation<'b> {
    /// Requests in the order in which they must be answered.
    pending: VecDeque<(PendingRequest<'b>, ObservedRequest)>,
    /// True if an unknown number of responses may be missing from the input.
    may_miss_responses: bool,
}

struct Reader<'s, 'b, S> {
    file: &'s str,
    source: &'s mut S,
    conversations: BTreeMap<ConnectionId, Conversation<'b>>,
    observers: Observers,
    ack_for: Option<PendingRequest<'static>>,
}

/// Length of a message: the length of its head, and its body.
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
        self.consume(message, head, body, &mut report);
        report
    }

    /// Handles a request.
    fn request(&mut self, message: &Message<'b>, report: &mut Report) -> Extent {
        let mut slots = HeaderSlots::new();
        let head = match RequestHead::parse(message.bytes, &mut slots) {
            Ok(Progress::Complete(head)) => head,
            Ok(Progress::Partial) => return incomplete_head(report),
            Err(error) => return self.invalid_head(message, report, error),
        };
        let line = head.line();
        let (method, target) = (line.method.into(), line.target.into());
        report.start_line = StartLine::Request { method, target };
        report.fields = fields(head.fields(), None);
        let pending = if NotificationRequest::is_notification(&line, head.fields()) {
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
        report.conversation = Some(observed.conversation());
        self.conversation(message.connection).pending.push_back((pending, observed));
        // A request that is rejected because of its missing length may still have a body.
        let is_rejected = report.verdict == Verdict::Rejected;
        let body = match head.framing().content_length {
            None if is_rejected => Body::Open,
            _ => Body::Length(head.body_length()),
        };
        (head.len(), body)
    }

    /// Handles a response.
    fn response(&mut self, message: &Message<'b>, report: &mut Report) -> Extent {
        let mut slots = HeaderSlots::new();
        let head = match ResponseHead::parse(message.bytes, &mut slots) {
            Ok(Progress::Complete(head)) => head,
            Ok(Progress::Partial) => return incomplete_head(report),
            Err(error) => return self.invalid_head(message, report, error),
        };
        let status = head.line().status;
        let reason = head.line().reason.to_string();
        report.start_line = StartLine::Response { status: status.get(), reason };
        report.fields = fields(head.fields(), Some(status.get()));
        if status.is_interim() {
            report.verdict = Verdict::Foreign;
            return (head.len(), Body::Length(0));
        }
        let answered = self.take_pending(message.connection, &head);
        let pending = answered.as_ref().map(|(pending, _)| *pending).or(self.ack_for);
        report.ack_context = pending.as_ref().and_then(PendingRequest::name);
        match pending {
            Some(PendingRequest::Packet(ack_context)) => decode_ack(report, &head, &ack_context),
            Some(PendingRequest::Notification) => decode_notification_response(report, &head),
            Some(PendingRequest::Download(_)) => report.kind = "download",
            Some(PendingRequest::Foreign) => report.verdict = Verdict::Foreign,
            None => decode_lone_response(report, &head),
        }
        self.observe_response(message.connection, answered.as_ref(), &head, report);
        let body = match head.body_length().known() {
            _ if matches!(pending, Some(PendingRequest::Download(true))) => Body::Length(0),
            Some(length) => Body::Length(length),
            None => Body::Open,
        };
        (head.len(), body)
    }

    fn observe_response(
        &mut self,
        connection: ConnectionId,
        answered: Option<&(PendingRequest<'b>, ObservedRequest)>,
        head: &ResponseHead<'_, '_>,
        report: &mut Report,
    ) {
        match answered {
            Some((_, observed)) => {
                report.conversation = Some(observed.conversation());
                self.observers.response(observed, head, &mut report.violations);
            }
            None => {
                self.observers.unsolicited_response(connection, head, &mut report.violations);
                // An observer does not report these for a response without its request.
                let deviations = report.deviations.iter().copied();
                report.violations.extend(deviations.map(Violation::from));
            }
        }
        // An observer that joined later may not report an error that the request alone reveals.
        let error = report.error.map(Violation::from);
        report.violations.extend(error.filter(|error| !report.violations.contains(error)));
    }

    /// Handles bytes without the start of their message.
    fn lost(&mut self, loss: &Loss, index: usize) -> Report {
        self.observers.reset(loss.connection);
        let is_request = loss.direction == Direction::Request;
        self.conversation(loss.connection).may_miss_responses |= !is_request;
        let mut report = Report::new(self.file, index, is_request);
        report.connection = self.source.ends(loss.connection);
        report.time = loss.time;
        report.note = Some("start of message not captured".into());
        report.verdict = Verdict::Partial;
        report.missing = Some(loss.missing);
        report
    }

    /// Handles the end of a connection, after all of its messages.
    fn ended(&mut self, connection: ConnectionId) {
        self.conversations.remove(&connection);
        self.observers.ended(connection);
    }

    fn conversation(&mut self, connection: ConnectionId) -> &mut Conversation<'b> {
        self.conversations.entry(connection).or_default()
    }

    /// Removes and returns the request that a response answers.
    fn take_pending(
        &mut self,
        connection: ConnectionId,
        head: &ResponseHead<'_, '_>,
    ) -> Option<(PendingRequest<'b>, ObservedRequest)> {
        let is_mixed = self.source.ends(connection).is_none();
        if self.conversations.get(&connection).is_some_and(|it| it.may_miss_responses) {
            self.observers.reset(connection);
        }
        let conversation = self.conversation(connection);
        let pending = &mut conversation.pending;
        if std::mem::take(&mut conversation.may_miss_responses) {
            // BITS clients wait for each response, so this one answers the last request.
            pending.drain(..pending.len().saturating_sub(1));
        }
        if !is_mixed {
            return pending.pop_front();
        }
        // In a file of messages, a notification or a download of another connection may be between
        // a packet and its Ack.
        let is_ack = FieldName::PacketType.find_in(head.fields()).is_some();
        let fits = |(request, _): &(PendingRequest<'_>, _)| {
            matches!(request, PendingRequest::Packet(_)) == is_ack
        };
        let index = pending.iter().position(fits).unwrap_or(0);
        pending.remove(index)
    }

    fn consume(&mut self, message: &Message<'b>, head: usize, body: Body, report: &mut Report) {
        let consumed = self.source.consume(message, head, body);
        report.missing = consumed.missing;
        if head == 0 && consumed.missing.is_some_and(|missing| missing > 0) {
            // The message was sent completely, so the peer knows what the observer cannot see.
            self.observers.reset(message.connection);
        }
        if !consumed.is_complete && report.verdict != Verdict::Rejected {
            report.verdict = Verdict::Partial;
            report.deviations.clear();
            report.failure = None;
        }
        if message.direction == Direction::Response {
            self.conversation(message.connection).may_miss_responses |= consumed.may_skip_messages;
        }
    }

    /// Handles an invalid head, or one that does not determine the end of its message.
    fn invalid_head(&mut self, message: &Message<'b>, report: &mut Report, error: Error) -> Extent {
        self.observers.reset(message.connection);
        report.violations.push(Violation::from(error));
        report.kind = kind_of_invalid(&error, message.bytes).unwrap_or("other");
        reject(report, error);
        (0, Body::Unknown)
    }
}

/// Handles a head that the input does not contain completely.
fn incomplete_head(report: &mut Report) -> Extent {
    report.verdict = Verdict::Partial;
    (0, Body::Unknown)
}
