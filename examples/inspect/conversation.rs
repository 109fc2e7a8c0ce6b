//! Takes a stream of messages apart, and reads each Ack for the request before it.

use std::collections::VecDeque;

use bits_proto::Error;
use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::error::ErrorKind;
use bits_proto::field::{ContentRange, FieldName, PacketType, SupportedProtocols};
use bits_proto::head::{Progress, RequestHead, ResponseHead, Slots, Status};
use bits_proto::message::{
    AbsentLength, Ack, AckFor, Failure, NotificationRequest, NotificationResponse, Policy, Refusal,
    Request,
};

use crate::report::{Report, Verdict, fields};

/// What a response answers.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'b> {
    Packet(AckFor<'b>),
    Notification,
    /// A GET, or a HEAD (`true`), whose answer has no body.
    Download(bool),
    Foreign,
}

impl Asked<'_> {
    /// The request of a response that stands alone. Of the request nothing is known but what every
    /// client does today: it offers the one protocol there is, and any offset may fit it.
    pub fn alone(name: &str) -> Option<Self> {
        let session_id = None;
        Some(match name {
            "ping" => Self::Packet(AckFor::Ping),
            "create-session" => {
                let offered = Some(SupportedProtocols::BITS_1_5);
                Self::Packet(AckFor::CreateSession { offered })
            }
            "fragment" => Self::Packet(AckFor::Fragment {
                session_id,
                content_range: widest(),
                sent_up_to: None,
            }),
            "close-session" => Self::Packet(AckFor::CloseSession { session_id }),
            "cancel-session" => Self::Packet(AckFor::CancelSession { session_id }),
            "notification" => Self::Notification,
            _ => return None,
        })
    }

    fn name(&self) -> Option<&'static str> {
        Some(match self {
            Self::Packet(AckFor::Ping) => "ping",
            Self::Packet(AckFor::CreateSession { .. }) => "create-session",
            Self::Packet(AckFor::Fragment { .. }) => "fragment",
            Self::Packet(AckFor::CloseSession { .. }) => "close-session",
            Self::Packet(AckFor::CancelSession { .. }) => "cancel-session",
            Self::Notification => "notification",
            Self::Download(_) | Self::Foreign => return None,
        })
    }
}

/// The last fragment of the largest entity: no offset lies beyond it.
fn widest() -> Option<ContentRange> {
    ContentRange::new(0, u64::MAX - 1, u64::MAX).ok()
}

/// What an observer accepts: other methods and a missing Content-Length can be understood; a body
/// where there is none is what a server has to refuse.
const POLICY: Policy = Policy {
    method_override: true,
    plain_post: true,
    absent_length: AbsentLength::AcceptOnEmpty,
    ..Policy::DEFAULT
};

/// Explains every message in `bytes`. `alone` is what a response answers that no request in
/// `bytes` went before.
pub fn explain(file: &str, bytes: &[u8], alone: Option<Asked<'static>>) -> Vec<Report> {
    let mut reader = Reader { file, rest: bytes, unanswered: VecDeque::new(), alone };
    let mut reports = Vec::new();
    while !reader.rest.trim_ascii_start().is_empty() {
        reports.push(reader.next_report(reports.len()));
    }
    reports
}

struct Reader<'f, 'b> {
    file: &'f str,
    rest: &'b [u8],
    /// Requests in the order in which they have to be answered.
    unanswered: VecDeque<Asked<'b>>,
    alone: Option<Asked<'static>>,
}

/// What follows a head.
enum Body {
    Length(u64),
    /// Until the connection ends, or what looks like the next message.
    Open,
    /// Nobody can tell: the rest of the input is lost.
    Unknown,
}

impl<'b> Reader<'_, 'b> {
    fn next_report(&mut self, index: usize) -> Report {
        let is_request = !is_response(self.rest);
        let mut report = Report::new(self.file, index, is_request);
        let body = if is_request {
            self.read_request(&mut report)
        } else {
            self.read_response(&mut report)
        };
        self.skip_body(&mut report, body);
        report
    }

    fn read_request(&mut self, report: &mut Report) -> Body {
        let mut slots = Slots::new();
        let head = match RequestHead::parse(self.rest, &mut slots) {
            Ok(Progress::Complete(head)) => head,
            Ok(Progress::Partial) => return self.cut_short(report),
            Err(error) => return self.broken_head(report, error),
        };
        self.rest = &self.rest[head.len()..];
        let line = head.line();
        report.start_line = format!("{} {}", line.method, line.target);
        report.fields = fields(head.fields(), None);
        let asked = if NotificationRequest::is_one(&line, head.fields()) {
            read_notification_request(report, &head)
        } else if matches!(line.method, "GET" | "HEAD") {
            report.kind = "download";
            Asked::Download(line.method == "HEAD")
        } else {
            read_packet(report, &head)
        };
        self.unanswered.push_back(asked);
        // A request that was refused for want of a length may have brought its body.
        let is_in_doubt = report.verdict == Verdict::Rejected;
        match head.framing().content_length {
            None if is_in_doubt => Body::Open,
            _ => Body::Length(head.body_length()),
        }
    }

    fn read_response(&mut self, report: &mut Report) -> Body {
        let mut slots = Slots::new();
        let head = match ResponseHead::parse(self.rest, &mut slots) {
            Ok(Progress::Complete(head)) => head,
            Ok(Progress::Partial) => return self.cut_short(report),
            Err(error) => return self.broken_head(report, error),
        };
        self.rest = &self.rest[head.len()..];
        let status = head.line().status;
        report.start_line = format!("{status} {}", head.line().reason);
        report.fields = fields(head.fields(), Some(status.get()));
        if status.is_interim() {
            report.verdict = Verdict::Foreign;
            return Body::Length(0);
        }
        let asked = self.take_asked(&head).or(self.alone);
        report.ack_for = asked.as_ref().and_then(Asked::name);
        match asked {
            Some(Asked::Packet(ack_for)) => read_ack(report, &head, &ack_for),
            Some(Asked::Notification) => read_notification_response(report, &head),
            Some(Asked::Download(_)) => report.kind = "download",
            Some(Asked::Foreign) => report.verdict = Verdict::Foreign,
            None => read_alone(report, &head),
        }
        match head.body_length() {
            _ if matches!(asked, Some(Asked::Download(true))) => Body::Length(0),
            Some(length) => Body::Length(length),
            None => Body::Open,
        }
    }

    /// The request that a response answers. A notification, or a download, may go on between a
    /// packet and its Ack, on another connection.
    fn take_asked(&mut self, head: &ResponseHead<'_, '_>) -> Option<Asked<'b>> {
        let is_ack = FieldName::PacketType.find_in(head.fields()).is_some();
        let fits = |asked: &Asked<'_>| matches!(asked, Asked::Packet(_)) == is_ack;
        let index = self.unanswered.iter().position(fits).unwrap_or(0);
        self.unanswered.remove(index)
    }

    /// The input ends inside the head.
    fn cut_short(&mut self, report: &mut Report) -> Body {
        report.verdict = Verdict::Partial;
        self.rest = &[];
        Body::Length(0)
    }

    /// The head is no head, or nobody can tell where its message ends.
    fn broken_head(&self, report: &mut Report, error: Error) -> Body {
        report.kind = kind_despite(&error, self.rest).unwrap_or("other");
        reject(report, error);
        Body::Unknown
    }

    fn skip_body(&mut self, report: &mut Report, body: Body) {
        let length = match body {
            Body::Length(length) => length,
            Body::Open if starts_message(self.rest) => 0,
            Body::Open | Body::Unknown => self.rest.len() as u64,
        };
        let held = usize::try_from(length).ok().and_then(|length| self.rest.get(length..));
        if held.is_none() && report.verdict != Verdict::Rejected {
            report.verdict = Verdict::Partial;
            report.deviations.clear();
            report.failure = None;
        }
        self.rest = held.unwrap_or_default();
    }
}

fn is_response(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    let mark = b"HTTP/";
    start.starts_with(mark) || mark.starts_with(start)
}

fn starts_message(bytes: &[u8]) -> bool {
    let starts = [&b"HTTP/1."[..], b"BITS_POST ", b"POST ", b"GET ", b"HEAD "];
    starts.iter().any(|start| bytes.starts_with(start))
}

fn read_packet<'b>(report: &mut Report, head: &RequestHead<'_, 'b>) -> Asked<'b> {
    match Request::from_head(head, &POLICY) {
        Ok(decoded) => {
            report.kind = packet_name(decoded.message.packet_type());
            accept(report, decoded.deviations);
            Asked::Packet(AckFor::from(&decoded.message))
        }
        Err(error) if error.kind() == ErrorKind::NotBits => {
            report.verdict = Verdict::Foreign;
            Asked::Foreign
        }
        Err(error) => {
            let packet_type = FieldName::PacketType.find_in(head.fields());
            let packet_type = packet_type.and_then(|value| PacketType::try_from(value).ok());
            let is_known = error.field() != Some(FieldName::PacketType.as_str());
            let kind = packet_type.filter(|_| is_known).map_or("other", packet_name);
            report.kind = kind;
            reject(report, error);
            Asked::alone(kind).unwrap_or(Asked::Packet(AckFor::Ping))
        }
    }
}

fn read_notification_request<'b>(report: &mut Report, head: &RequestHead<'_, 'b>) -> Asked<'b> {
    report.kind = "notification-request";
    match NotificationRequest::from_head(head) {
        Ok(decoded) => accept(report, decoded.deviations),
        Err(error) => reject(report, error),
    }
    Asked::Notification
}

fn read_ack(report: &mut Report, head: &ResponseHead<'_, '_>, ack_for: &AckFor<'_>) {
    report.kind = "ack";
    match Ack::from_head(head, ack_for) {
        Ok(decoded) => {
            report.failure = decoded.message.failure();
            accept(report, decoded.deviations);
        }
        Err(error) if error.kind() == ErrorKind::NotAnAck => report.verdict = Verdict::Foreign,
        Err(error) => reject(report, error),
    }
}

fn read_notification_response(report: &mut Report, head: &ResponseHead<'_, '_>) {
    report.kind = "notification-response";
    match NotificationResponse::from_head(head) {
        Ok(decoded) => accept(report, decoded.deviations),
        Err(error) => reject(report, error),
    }
}

/// A response of whose request nothing is known is read for what it carries.
fn read_alone(report: &mut Report, head: &ResponseHead<'_, '_>) {
    let has = |field: FieldName| field.find_in(head.fields()).is_some();
    let status = head.line().status;
    if !has(FieldName::PacketType) {
        if has(FieldName::StaticResponseUrl) || has(FieldName::CopyFileToDestination) {
            read_notification_response(report, head);
        } else if status == Status::try_from(206).unwrap_or(Status::OK) {
            report.kind = "download";
        } else if status.is_success() {
            report.verdict = Verdict::Foreign;
        } else {
            report.failure = Failure::of(status, None);
            accept(report, Deviations::from_iter([Deviation::MissingPacketType]));
        }
        return;
    }
    let ack_for = if has(FieldName::Protocol) {
        AckFor::CreateSession { offered: None }
    } else if has(FieldName::ReceivedContentRange) || status == Status::RANGE_NOT_SATISFIABLE {
        AckFor::Fragment { session_id: None, content_range: widest(), sent_up_to: None }
    } else {
        AckFor::Ping
    };
    read_ack(report, head, &ack_for);
    // Whether the id is missing depends on the request: a Ping's Ack needs none.
    report.deviations.retain(|deviation| *deviation != Deviation::MissingSessionId);
    if report.deviations.is_empty() && report.verdict == Verdict::Deviates {
        report.verdict = Verdict::Ok;
    }
}

fn accept(report: &mut Report, deviations: Deviations) {
    report.deviations = deviations.iter().collect();
    report.deviations.sort_by_key(|deviation| deviation.name());
    report.verdict = if deviations.is_empty() { Verdict::Ok } else { Verdict::Deviates };
}

fn reject(report: &mut Report, error: Error) {
    report.verdict = Verdict::Rejected;
    report.error = Some(error);
    report.reply = report.is_request.then(|| Refusal::for_error(&error, &POLICY));
}

fn packet_name(packet_type: PacketType) -> &'static str {
    match packet_type {
        PacketType::Ping => "ping",
        PacketType::CreateSession => "create-session",
        PacketType::Fragment => "fragment",
        PacketType::CloseSession => "close-session",
        PacketType::CancelSession => "cancel-session",
        PacketType::Ack => "ack",
    }
}

/// The packet type of a head that is well-formed HTTP but for its framing.
fn kind_despite(error: &Error, bytes: &[u8]) -> Option<&'static str> {
    error.field()?;
    let mut slots = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut slots);
    let mut response_slots = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut response_slots);
    let headers: &[_] = if request.parse(bytes).is_ok() {
        request.headers
    } else if response.parse(bytes).is_ok() {
        response.headers
    } else {
        return None;
    };
    let value = FieldName::PacketType.find_in(headers.iter().map(|it| (it.name, it.value)))?;
    PacketType::try_from(value).ok().map(packet_name)
}
