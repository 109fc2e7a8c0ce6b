//! Explains messages in the order in which they happened, and matches responses with requests.

mod invalid;

use std::collections::{BTreeMap, VecDeque};

use bits_proto::Error;
use bits_proto::field::FieldName;
use bits_proto::http1::Progress;
use bits_proto::message::{HeaderSlots, NotificationRequest, RequestHead, ResponseHead};
use bits_proto::observer::Violation;

use self::invalid::incomplete_head;
use crate::inspect::body::{MalformedBody, SWITCHING_PROTOCOLS, request_body, response_body};
use crate::inspect::decode::{
    accept_missing_body, decode_ack, decode_notification_request, decode_notification_response,
    decode_packet, decode_response_without_request, record_missing_body,
};
use crate::inspect::observers::{ObservedRequest, Observers};
use crate::inspect::pending::PendingRequest;
use crate::inspect::report::{Report, StartLine, Verdict, fields};
use crate::inspect::source::{
    Body, ConnectionId, Direction, End, Ended, Event, Message, PlainFile, SkipReason, Skipped,
    Source, Time,
};

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
    explain_source(file, &mut PlainFile::new(bytes), context).reports
}

/// The messages of a source, and the ends of its connections.
pub struct Trace {
    pub reports: Vec<Report>,
    pub endings: Vec<Ending>,
}

/// The end of a connection with HTTP.
#[derive(Debug)]
pub struct Ending {
    /// Number of reports before it.
    pub index: usize,
    /// The two ends, as in the reports.
    pub connection: String,
    pub end: End,
    pub time: Option<Time>,
}

/// Explains every message of a source.
pub fn explain_source<'b>(file: &str, source: &mut impl Source<'b>, context: Context) -> Trace {
    let mut reader = Reader {
        file,
        source,
        conversations: BTreeMap::new(),
        observers: Observers::new(context.from_start),
        ack_for: context.ack_for,
        without_body: Vec::new(),
    };
    let (mut reports, mut endings) = (Vec::<Report>::new(), Vec::new());
    while let Some(event) = reader.source.next_event() {
        match event {
            Event::Message(message) => {
                reports.push(reader.message(&message, reports.len()));
                for (index, error) in reader.without_body.drain(..) {
                    record_missing_body(&mut reports[index], error);
                }
            }
            Event::Skipped(skipped) => reports.push(reader.skipped(&skipped, reports.len())),
            Event::Ended(ended) => endings.extend(reader.ended(ended, reports.len())),
        }
    }
    Trace { reports, endings }
}

/// State of one connection.
#[derive(Default)]
struct Conversation<'b> {
    /// Requests in the order in which they must be answered.
    pending: VecDeque<Pending<'b>>,
    /// True if an unknown number of responses may be missing from the input.
    may_miss_responses: bool,
}

/// A request that awaits its response.
#[derive(Clone, Copy)]
struct Pending<'b> {
    request: PendingRequest<'b>,
    /// Index of its report.
    index: usize,
    /// `None` for a malformed request.
    observed: Option<ObservedRequest>,
}

struct Reader<'s, 'b, S> {
    file: &'s str,
    source: &'s mut S,
    conversations: BTreeMap<ConnectionId, Conversation<'b>>,
    observers: Observers,
    ack_for: Option<PendingRequest<'static>>,
    /// Requests whose missing body is an error, by the index of their reports.
    without_body: Vec<(usize, Error)>,
}

/// Length of a message: the length of its head, and its body.
type Extent = (usize, Body);

impl<'b, S: Source<'b>> Reader<'_, 'b, S> {
    fn message(&mut self, message: &Message<'b>, index: usize) -> Report {
        let mut report = Report::new(self.file, index, Some(message.direction));
        report.connection = self.source.ends(message.connection);
        report.time = message.time;
        let (head, body) = match message.direction {
            Direction::Request => self.request(message, &mut report),
            Direction::Response => self.response(message, &mut report),
        };
        self.consume(message, head, body, &mut report);
        report
    }

    /// Handles a request.
    fn request(&mut self, message: &Message<'b>, report: &mut Report) -> Extent {
        let mut slots = HeaderSlots::new();
        let head = match RequestHead::parse(message.bytes, &mut slots) {
            Ok(Progress::Complete(head)) => head,
            Ok(Progress::Partial) => return incomplete_head(message, report),
            Err(error) => return self.invalid_request(message, report, error),
        };
        self.miss_responses(message);
        let line = head.line();
        let (method, target) = (line.method.into(), line.target.into());
        report.start_line = StartLine::Request { method, target };
        report.fields = fields(head.fields(), None);
        let pending = if NotificationRequest::is_notification(&line, head.fields()) {
            decode_notification_request(report, &head)
        } else if matches!(line.method, "GET" | "HEAD") {
            report.kind = "download";
            PendingRequest::Download(line.method == "HEAD")
        } else if line.method == "CONNECT" {
            report.verdict = Verdict::Foreign;
            PendingRequest::Connect
        } else {
            decode_packet(report, &head)
        };
        let violations = &mut report.violations;
        let ends = report.connection.as_deref();
        let observed = self.observers.request(message.connection, ends, &head, violations);
        report.conversation = Some(observed.conversation());
        accept_missing_body(report);
        let pending = Pending { request: pending, index: report.index, observed: Some(observed) };
        self.conversation(message.connection).pending.push_back(pending);
        (head.len(), request_body(&head, report.verdict == Verdict::Rejected))
    }

    /// Handles the responses before a request that the client received and the capture lacks.
    fn miss_responses(&mut self, message: &Message<'b>) {
        if message.follows_missed_response {
            self.miss_response(message.connection);
        }
        // On other connections they may have arrived.
        let is_missed = |(connection, conversation): &(&ConnectionId, &Conversation<'_>)| {
            **connection != message.connection
                && !conversation.pending.is_empty()
                && !self.source.is_captured(**connection, Direction::Response)
        };
        let others = self.conversations.iter().filter(is_missed);
        for connection in others.map(|(connection, _)| *connection).collect::<Vec<_>>() {
            while self.miss_response(connection) {}
        }
    }

    /// Handles a response that was not captured: it answers the oldest request. Returns false if
    /// there is none.
    fn miss_response(&mut self, connection: ConnectionId) -> bool {
        let answered = self.conversation(connection).pending.pop_front();
        if let Some(observed) = answered.and_then(|answered| answered.observed) {
            self.observers.missed_response(&observed);
        }
        answered.is_some()
    }

    /// Handles a response.
    fn response(&mut self, message: &Message<'b>, report: &mut Report) -> Extent {
        let mut slots = HeaderSlots::new();
        let head = match ResponseHead::parse(message.bytes, &mut slots) {
            Ok(Progress::Complete(head)) => head,
            Ok(Progress::Partial) => return incomplete_head(message, report),
            Err(error) => return self.invalid_response(message, report, error),
        };
        let status = head.line().status;
        let reason = head.line().reason.to_string();
        report.start_line = StartLine::Response { status: status.get(), reason };
        report.fields = fields(head.fields(), Some(status.get()));
        if status.is_interim() && status.get() != SWITCHING_PROTOCOLS {
            report.verdict = Verdict::Foreign;
            return (head.len(), Body::Length(0));
        }
        let is_ack = FieldName::PacketType.find_in(head.fields()).is_some();
        let answered = self.take_pending(message.connection, is_ack);
        let pending = answered.map(|answered| answered.request).or(self.ack_for);
        report.ack_context = pending.as_ref().and_then(PendingRequest::name);
        match pending {
            Some(PendingRequest::Packet(ack_context)) => {
                let observed = answered.and_then(|answered| answered.observed);
                let ack_context = match observed {
                    Some(observed) => self.observers.ack_context(&observed, ack_context),
                    None => ack_context,
                };
                decode_ack(report, &head, &ack_context);
            }
            Some(PendingRequest::Notification) => decode_notification_response(report, &head),
            Some(PendingRequest::Download(_)) => report.kind = "download",
            Some(PendingRequest::Foreign | PendingRequest::Connect) => {
                report.verdict = Verdict::Foreign;
            }
            None => decode_response_without_request(report, &head),
        }
        self.observe_response(message.connection, answered.as_ref(), &head, report);
        let rest = &message.bytes[head.len()..];
        if let Some(observed) = answered.and_then(|answered| answered.observed) {
            self.observers.download_body(&observed, &head, rest, &mut report.violations);
        }
        match response_body(&head, pending.as_ref(), rest) {
            Ok(body) => (head.len(), body),
            Err(MalformedBody { error, valid }) => {
                let is_bits = is_ack || pending.as_ref().is_some_and(PendingRequest::is_bits);
                self.malformed(message, report, error, is_bits);
                (head.len() + valid, Body::Unknown)
            }
        }
    }

    fn observe_response(
        &mut self,
        connection: ConnectionId,
        answered: Option<&Pending<'b>>,
        head: &ResponseHead<'_, '_>,
        report: &mut Report,
    ) {
        let violations = &mut report.violations;
        match answered {
            Some(Pending { observed: Some(observed), index, .. }) => {
                report.conversation = Some(observed.conversation());
                self.observers.response(observed, head, violations);
                violations.retain(|violation| match violation {
                    Violation::Request(error) => {
                        self.without_body.push((*index, *error));
                        false
                    }
                    _ => true,
                });
            }
            // The observer does not know the request.
            Some(_) => violations.extend(report.deviations.iter().copied().map(Violation::from)),
            None if self.ack_for.is_some() => {
                self.observers.unsolicited_response(connection, head, violations);
                violations.extend(report.deviations.iter().copied().map(Violation::from));
            }
            None => {
                self.observers.unsolicited_response(connection, head, violations);
                Observers::response_without_request(head, violations);
            }
        }
        // An observer that joined later may not report an error that the request alone reveals.
        let error = report.error.map(Violation::from);
        report.violations.extend(error.filter(|error| !report.violations.contains(error)));
    }

    /// Handles bytes that belong to no message.
    fn skipped(&mut self, skipped: &Skipped<'b>, index: usize) -> Report {
        let mut report = Report::new(self.file, index, skipped.direction);
        report.connection = self.source.ends(skipped.connection);
        report.time = skipped.time;
        report.skip(skipped);
        // The bytes may be a message that was not recognized, of which the peer knows.
        let conversation = self.conversation(skipped.connection);
        let is_response = skipped.direction == Some(Direction::Response);
        let is_lost = skipped.reason == SkipReason::NotCaptured;
        if is_lost || !is_response || !conversation.pending.is_empty() {
            conversation.may_miss_responses |= is_response;
            self.observers.reset(skipped.connection);
        }
        report
    }

    /// Handles the end of a connection, after all of its messages.
    fn ended(&mut self, ended: Ended, index: usize) -> Option<Ending> {
        let Ended { connection, end, time } = ended;
        self.conversations.remove(&connection);
        self.observers.ended(connection);
        let connection = self.source.ends(connection)?;
        Some(Ending { index, connection, end, time })
    }

    fn conversation(&mut self, connection: ConnectionId) -> &mut Conversation<'b> {
        self.conversations.entry(connection).or_default()
    }

    /// Removes and returns the request that a response answers.
    fn take_pending(&mut self, connection: ConnectionId, is_ack: bool) -> Option<Pending<'b>> {
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
        let fits = |it: &Pending<'_>| matches!(it.request, PendingRequest::Packet(_)) == is_ack;
        let index = pending.iter().position(fits).unwrap_or(0);
        pending.remove(index)
    }

    fn consume(&mut self, message: &Message<'b>, head: usize, body: Body, report: &mut Report) {
        let consumed = self.source.consume(message, head, body);
        report.length = consumed.length;
        report.body_length = consumed.length.saturating_sub(head as u64);
        report.missing = consumed.missing;
        report.unsent = consumed.unsent;
        if consumed.unsent > 0 && consumed.is_closed && message.direction == Direction::Request {
            self.incomplete_request(message.connection, body, report);
        }
        if body == Body::Cut && consumed.missing.is_some_and(|missing| missing > 0) {
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
}
