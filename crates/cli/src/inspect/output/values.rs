//! The values of the fields of the machine-readable formats. Null means that a field is unset.

use std::collections::HashMap;
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::clock::absolute;
use super::details::{details, name};
use super::text::connections;
use crate::inspect::report::{Report, StartLine, Verdict, violation};
use crate::inspect::source::Direction;
use crate::inspect::target::path_and_query;

/// A message, and the ends of its connection.
pub struct Record<'r> {
    report: &'r Report,
    connection: Option<usize>,
    client: Option<SocketAddr>,
    server: Option<SocketAddr>,
}

/// Returns the records of the messages of a file.
pub fn records(reports: &[Report]) -> impl Iterator<Item = Record<'_>> {
    let connections = connections(reports);
    reports.iter().map(move |report| Record::new(report, &connections))
}

impl<'r> Record<'r> {
    fn new(report: &'r Report, connections: &HashMap<&str, usize>) -> Self {
        let ends = report.connection.as_deref();
        let [client, server] = ends.map(addresses).unwrap_or_default();
        let connection = ends.and_then(|ends| connections.get(ends).copied());
        Self { report, connection, client, server }
    }

    fn text(&self, key: &str) -> Value {
        self.report.fields.get(key).cloned().unwrap_or_default()
    }

    /// Returns the length of the body of a message in this direction. Larger numbers than the type
    /// `long` of Elasticsearch can hold are left out.
    fn length(&self, direction: Direction) -> Option<i64> {
        let length = self.report.number("content_length")?;
        i64::try_from(length).ok().filter(|_| self.report.direction == Some(direction))
    }

    /// Returns the path and the query of the target.
    fn path_and_query(&self) -> Option<(&str, Option<&str>)> {
        let StartLine::Request { target, .. } = &self.report.start_line else { return None };
        let target = path_and_query(target);
        Some(target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query))))
    }
}

/// Parses `CLIENT > SERVER`, with an optional number after it.
fn addresses(ends: &str) -> [Option<SocketAddr>; 2] {
    let mut ends = ends.split(" > ").map(|end| end.split(' ').next()?.parse().ok());
    [ends.next().flatten(), ends.next().flatten()]
}

pub fn epoch(record: &Record<'_>) -> Value {
    let seconds = record.report.time.map(|time| time.to_string());
    json!(seconds.map(|it| it[..it.len() - 3].to_string()))
}

pub fn timestamp(record: &Record<'_>) -> Value {
    json!(record.report.time.and_then(|time| absolute(time, 9)))
}

macro_rules! values {
    ($($name:ident($record:ident) $value:expr;)+) => { $(
        pub fn $name($record: &Record<'_>) -> Value {
            json!($value)
        }
    )+ };
}

values! {
    file(record) record.report.file;
    index(record) record.report.index;
    connection(record) record.connection;
    conversation(record) record.report.conversation;
    is_request(record) record.report.direction.map(|it| it == Direction::Request);
    authentication(record) record.report.is_authentication;
    unsent(record) record.report.unsent;
    message_length(record) record.report.length;
    skip_reason(record) record.report.skipped.as_ref().map(|it| it.reason.name());
    skip_offset(record) record.report.skipped.as_ref().map(|it| it.offset);
    skip_excerpt(record) record.report.skipped.as_ref().map(|it| &it.excerpt);
    kind(record) record.report.kind;
    ack_for(record) record.report.ack_context;
    status(record) record.report.status();
    verdict(record) record.report.verdict.name();
    failure(record) record.report.failure.map(|failure| failure.name());
    error(record) record.report.error.map(|error| error.to_string());
    missing(record) record.report.missing;
    client_ip(record) record.client.map(|end| end.ip().to_string());
    client_port(record) record.client.map(|end| end.port());
    server_ip(record) record.server.map(|end| end.ip().to_string());
    server_port(record) record.server.map(|end| end.port());
    session_id(record) record.text("session_id");
    content_name(record) record.text("content_name");
    first(record) record.text("first");
    last(record) record.text("last");
    total(record) record.text("total");
    content_length(record) record.text("content_length");
    received(record) record.text("received");
    protocol(record) record.text("protocol");
    protocols(record) record.text("protocols");
    host_id(record) record.text("host_id");
    reply_url(record) record.text("reply_url");
    code(record) record.text("code");
    context(record) record.text("context");
    request_length(record) record.length(Direction::Request);
    response_length(record) record.length(Direction::Response);
    path(record) record.path_and_query().map(|it| it.0);
    query(record) record.path_and_query().and_then(|it| it.1);
    transport(record) record.client.map(|_| "tcp");
    deviations(record) record.report.deviations.iter().map(|it| it.name()).collect::<Vec<_>>();
    rules(record) record.report.violations.iter().map(|it| it.rule()).collect::<Vec<_>>();
    severities(record) record.report.violations.iter().map(|it| it.severity().name()).collect::<Vec<_>>();
    violations(record) record.report.violations.iter().map(violation).collect::<Vec<_>>();
    ecs_version(_record) "8.17.0";
    event_kind(_record) "event";
    event_category(_record) ["network"];
    event_type(_record) ["protocol"];
    event_module(_record) "bits";
    event_dataset(_record) "bits.messages";
    network_protocol(_record) "http";
}

pub fn method(record: &Record<'_>) -> Value {
    match &record.report.start_line {
        StartLine::Request { method, .. } => json!(method),
        _ => Value::Null,
    }
}

pub fn target(record: &Record<'_>) -> Value {
    match &record.report.start_line {
        StartLine::Request { target, .. } => json!(target),
        _ => Value::Null,
    }
}

pub fn reason(record: &Record<'_>) -> Value {
    match &record.report.start_line {
        StartLine::Response { reason, .. } if !reason.is_empty() => json!(reason),
        _ => Value::Null,
    }
}

pub fn sender_ip(record: &Record<'_>) -> Value {
    by_direction(record, client_ip, server_ip)
}

pub fn sender_port(record: &Record<'_>) -> Value {
    by_direction(record, client_port, server_port)
}

pub fn receiver_ip(record: &Record<'_>) -> Value {
    by_direction(record, server_ip, client_ip)
}

pub fn receiver_port(record: &Record<'_>) -> Value {
    by_direction(record, server_port, client_port)
}

/// Returns one of two values, the first one for requests.
fn by_direction(
    record: &Record<'_>,
    of_request: fn(&Record<'_>) -> Value,
    of_response: fn(&Record<'_>) -> Value,
) -> Value {
    match record.report.direction {
        Some(Direction::Request) => of_request(record),
        Some(Direction::Response) => of_response(record),
        None => Value::Null,
    }
}

pub fn outcome(record: &Record<'_>) -> Value {
    let report = record.report;
    json!(match report.verdict {
        Verdict::Partial | Verdict::Foreign | Verdict::Skipped => "unknown",
        _ if report.is_request() => "unknown",
        Verdict::Rejected => "failure",
        Verdict::Ok | Verdict::Deviates => match report.status() {
            Some(200..=299) => "success",
            _ => "failure",
        },
    })
}

pub fn message(record: &Record<'_>) -> Value {
    let (name, details) = (name(record.report), details(record.report, None));
    json!(if details.is_empty() { name } else { format!("{name}: {details}") })
}
