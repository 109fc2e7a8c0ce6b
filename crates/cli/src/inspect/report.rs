//! The report about one message.

use std::fmt;

use bits_proto::Error;
use bits_proto::field::{
    ContentRange, ErrorContext, FieldName, HResult, HostIdFallbackTimeout, Protocol,
    ReceivedContentRange, SupportedProtocols,
};
use bits_proto::http1::Framing;
use bits_proto::message::{Failure, Refusal};
use bits_proto::observer::{Severity, Violation};
use serde_json::{Map, Value, json};

use crate::inspect::counted::counted;
use crate::inspect::source::{self, Direction, SkipReason, Time};

/// Overall result for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    Deviates,
    Rejected,
    Partial,
    Foreign,
    Skipped,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Deviates => "deviates",
            Self::Rejected => "rejected",
            Self::Partial => "partial",
            Self::Foreign => "foreign",
            Self::Skipped => "skipped",
        }
    }
}

/// A party of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    Client,
    /// The server, or an intermediary that responds for it.
    Server,
    /// The server application that receives notifications.
    Application,
}

impl Party {
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Application => "application",
        }
    }
}

/// The start line of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StartLine {
    /// Not captured, or invalid.
    #[default]
    Unknown,
    Request {
        method: String,
        target: String,
    },
    Response {
        status: u16,
        reason: String,
    },
}

/// Maximum number of skipped bytes that are shown.
const MAX_EXCERPT: usize = 32;

/// The explanation of one message.
#[derive(Debug)]
pub struct Report {
    pub file: String,
    pub index: usize,
    pub start_line: StartLine,
    /// Describes bytes without a readable head.
    pub note: Option<String>,
    /// Number of the conversation to which the message belongs.
    pub conversation: Option<usize>,
    /// `None` for bytes at the beginning of a file of messages.
    pub direction: Option<Direction>,
    pub kind: &'static str,
    pub ack_context: Option<&'static str>,
    pub verdict: Verdict,
    pub deviations: Vec<bits_proto::deviation::Deviation>,
    /// Rules that the message violates, by itself or in its context.
    pub violations: Vec<Violation>,
    pub fields: Map<String, Value>,
    pub failure: Option<Failure>,
    pub error: Option<Error>,
    pub reply: Option<Refusal<'static>>,
    /// The two ends, the client first, if the input distinguishes connections.
    pub connection: Option<String>,
    /// Time at which the head was complete.
    pub time: Option<Time>,
    /// Number of bytes that were sent and not captured.
    pub missing: Option<u64>,
    /// Number of bytes of the body that the sender did not send before the connection ended.
    pub unsent: u64,
    /// Number of bytes, including those that were not captured.
    pub length: u64,
    /// Number of these bytes that follow the head.
    pub body_length: u64,
    /// Description of bytes that belong to no message.
    pub skipped: Option<Skipped>,
    /// True for a Fragment without a body, as the first requests of an authentication are.
    pub is_authentication: bool,
}

/// Bytes that belong to no message.
#[derive(Debug)]
pub struct Skipped {
    pub reason: SkipReason,
    /// Position of the first byte in the stream of its direction, or in the file.
    pub offset: u64,
    pub length: u64,
    /// The first bytes, with escape sequences for those that are not printable ASCII.
    pub excerpt: String,
}

impl Report {
    /// Creates an empty report.
    pub fn new(file: &str, index: usize, direction: Option<Direction>) -> Self {
        Self {
            file: file.into(),
            index,
            start_line: StartLine::Unknown,
            note: None,
            conversation: None,
            direction,
            kind: "other",
            ack_context: None,
            verdict: Verdict::Ok,
            deviations: Vec::new(),
            violations: Vec::new(),
            fields: Map::new(),
            failure: None,
            error: None,
            reply: None,
            connection: None,
            time: None,
            missing: None,
            unsent: 0,
            length: 0,
            body_length: 0,
            skipped: None,
            is_authentication: false,
        }
    }

    pub fn is_request(&self) -> bool {
        self.direction == Some(Direction::Request)
    }

    /// Describes bytes that belong to no message.
    pub fn skip(&mut self, skipped: &source::Skipped<'_>) {
        let source::Skipped { reason, offset, length, missing, bytes, .. } = *skipped;
        (self.length, self.missing) = (length, missing);
        if reason == SkipReason::NotCaptured {
            self.note = Some("start of message not captured".into());
            self.verdict = Verdict::Partial;
            return;
        }
        self.kind = "skipped";
        self.verdict = Verdict::Skipped;
        let excerpt = bytes[..bytes.len().min(MAX_EXCERPT)].escape_ascii().to_string();
        self.skipped = Some(Skipped { reason, offset, length, excerpt });
    }

    /// Returns whether the message was rejected or is incomplete, or whether bytes are unexpected.
    pub fn is_failure(&self) -> bool {
        let is_unexpected = |skipped: &Skipped| skipped.reason.is_unexpected();
        matches!(self.verdict, Verdict::Rejected | Verdict::Partial)
            || self.skipped.as_ref().is_some_and(is_unexpected)
    }

    /// Returns whether the message violates a rule of the highest severity.
    pub fn violates_must(&self) -> bool {
        self.violations.iter().any(|violation| violation.severity() == Severity::Must)
    }

    /// Returns the party that sent the message.
    pub fn sender(&self) -> Party {
        match (self.kind, self.is_request()) {
            ("notification-response", _) => Party::Application,
            ("notification-request", _) | (_, false) => Party::Server,
            (_, true) => Party::Client,
        }
    }

    /// Returns the party that receives the message.
    pub fn receiver(&self) -> Party {
        match (self.sender(), self.kind) {
            (Party::Server, "notification-request") => Party::Application,
            (Party::Client | Party::Application, _) => Party::Server,
            (Party::Server, _) => Party::Client,
        }
    }

    /// Returns a field with text, or an empty string.
    pub fn text(&self, key: &str) -> &str {
        self.fields.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns a field with a number.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.fields.get(key).and_then(Value::as_u64)
    }

    /// Returns the status code of a response.
    pub fn status(&self) -> Option<u16> {
        match self.start_line {
            StartLine::Response { status, .. } => Some(status),
            _ => None,
        }
    }

    pub fn to_json(&self) -> Value {
        let names: Vec<_> = self.deviations.iter().map(|deviation| deviation.name()).collect();
        json!({
            "file": self.file,
            "index": self.index,
            "kind": self.kind,
            "ack_for": self.ack_context,
            "verdict": self.verdict.name(),
            "deviations": names,
            "fields": self.fields,
            "failure": self.failure.map(Failure::name),
            "error": self.error.map(|error| json!({
                "message": error.to_string(),
                "field": error.field(),
                "offset": error.offset(),
                "section": error.section(),
            })),
            "reply": self.reply.map(|reply| json!({
                "status": reply.status().get(),
                "code": reply.code().map(|code| code.to_string()),
                "context": reply.context().map(|context| context.to_string()),
            })),
            "connection": self.connection,
            "time": self.time.map(|time| time.to_string()),
            "missing": self.missing,
            "violations": self.violations.iter().map(violation).collect::<Vec<_>>(),
            "direction": self.direction.map(Direction::name),
            "length": self.length,
            "unsent": self.unsent,
            "skipped": self.skipped.as_ref().map(|skipped| json!({
                "reason": skipped.reason.name(),
                "offset": skipped.offset,
                "excerpt": skipped.excerpt,
            })),
            "authentication": self.is_authentication,
        })
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reason, length, excerpt, .. } = self;
        let bytes = counted(*length, "byte");
        let more = if *length > MAX_EXCERPT as u64 { "…" } else { "" };
        let description = reason.description();
        write!(f, "Skipped {bytes} {description}: \"{excerpt}{more}\"")
    }
}

/// Returns a violation as JSON.
pub fn violation(violation: &Violation) -> Value {
    json!({
        "rule": violation.rule(),
        "section": violation.section(),
        "severity": violation.severity().name(),
        "message": violation.to_string(),
    })
}

/// Returns the known fields of a head with valid values, even if the message is invalid.
pub fn fields<'b>(
    head: impl Iterator<Item = (&'b str, &'b [u8])> + Clone,
    status: Option<u16>,
) -> Map<String, Value> {
    let find = |field: FieldName| field.find_in(head.clone());
    let text = |field| find(field).map(|value| json!(String::from_utf8_lossy(value)));
    let mut known = Map::new();
    let mut insert = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            known.insert(key.into(), value);
        }
    };
    insert("session_id", text(FieldName::SessionId));
    insert("protocols", protocols(head.clone()));
    insert("protocol", read::<Protocol>(find(FieldName::Protocol)).map(|it| json!(it.to_string())));
    let range = read::<ContentRange>(find(FieldName::ContentRange));
    insert("first", range.map(|range| json!(range.first())));
    insert("last", range.map(|range| json!(range.last())));
    insert("total", range.map(|range| json!(range.total())));
    let length = find(FieldName::ContentLength).map(|value| [("Content-Length", value)]);
    let length = length.and_then(|field| Framing::from_fields(field).ok()?.content_length);
    insert("content_length", length.map(|length| json!(length)));
    insert("content_name", text(FieldName::ContentName));
    let received = read::<ReceivedContentRange>(find(FieldName::ReceivedContentRange));
    insert("received", received.map(|received| json!(received.0)));
    insert("reply_url", text(FieldName::ReplyUrl));
    insert("host_id", text(FieldName::HostId));
    let timeout = read::<HostIdFallbackTimeout>(find(FieldName::HostIdFallbackTimeout));
    insert("fallback_timeout", timeout.map(|timeout| json!(timeout.0)));
    insert("original_request_url", text(FieldName::OriginalRequestUrl));
    insert("request_data_file_name", text(FieldName::RequestDataFileName));
    insert("response_data_file_name", text(FieldName::ResponseDataFileName));
    insert("static_response_url", text(FieldName::StaticResponseUrl));
    insert("copy_file_to_destination", text(FieldName::CopyFileToDestination));
    insert("status", status.map(|status| json!(status)));
    let is_set = |value: &&[u8]| !value.is_empty();
    let code = find(FieldName::Error).filter(is_set);
    let code = code.or_else(|| find(FieldName::ErrorCode).filter(is_set));
    insert("code", code.and_then(code_text));
    let context =
        find(FieldName::ErrorContext).and_then(|value| ErrorContext::parse(value).ok()?);
    insert("context", context.map(|context| json!(context.to_string())));
    known
}

fn read<'b, T: TryFrom<&'b [u8]>>(value: Option<&'b [u8]>) -> Option<T> {
    value.and_then(|value| T::try_from(value).ok())
}

fn code_text(value: &[u8]) -> Option<Value> {
    let code = HResult::parse(value).ok()?;
    Some(code.map_or(json!("0x00000000"), |code| json!(code.to_string())))
}

/// Returns the protocols of all BITS-Supported-Protocols fields.
fn protocols<'b>(head: impl Iterator<Item = (&'b str, &'b [u8])>) -> Option<Value> {
    let lists = head
        .filter(|(name, _)| FieldName::from_name(name) == Some(FieldName::SupportedProtocols))
        .filter_map(|(_, value)| SupportedProtocols::try_from(value).ok());
    let protocols: Vec<_> =
        lists.flat_map(|list| list.iter()).map(|protocol| protocol.to_string()).collect();
    (!protocols.is_empty()).then(|| json!(protocols))
}
