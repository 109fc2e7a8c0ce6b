//! The fields of the machine-readable formats, for the formats and their documentation.

use serde_json::Value;

use super::values as value;
use super::values::Record;

/// A field of a format.
pub struct Field {
    pub name: &'static str,
    /// The type in the terms of the format.
    pub kind: &'static str,
    pub meaning: &'static str,
    /// Returns the value, or null if the field is unset.
    pub value: fn(&Record<'_>) -> Value,
}

macro_rules! fields {
    ($($name:literal $kind:literal $value:path, $meaning:literal;)+) => {
        &[$( Field { name: $name, kind: $kind, meaning: $meaning, value: $value }, )+]
    };
}

/// The columns of the Zeek log.
pub const ZEEK: &[Field] = fields! {
    "ts" "time" value::epoch, "time at which the head was complete";
    "file" "string" value::file, "the input file; `-` is standard input";
    "index" "count" value::index, "number of the message in its file, from 0";
    "conn" "count" value::connection, "number of the TCP connection in its file, from 1";
    "id.orig_h" "addr" value::client_ip, "address of the client";
    "id.orig_p" "port" value::client_port, "port of the client";
    "id.resp_h" "addr" value::server_ip, "address of the server";
    "id.resp_p" "port" value::server_port, "port of the server";
    "is_orig" "bool" value::is_request, "`T` for a request, `F` for a response; unset if unknown";
    "conversation" "count" value::conversation, "number of the conversation, that is, of the client and its URL";
    "kind" "string" value::kind, "kind of message, as in JSON";
    "ack_for" "string" value::ack_for, "kind of the request that a response answers";
    "method" "string" value::method, "method of a request";
    "uri" "string" value::target, "target of a request";
    "status_code" "count" value::status, "status code of a response";
    "status_msg" "string" value::reason, "reason phrase of a response";
    "session_id" "string" value::session_id, "BITS-Session-Id";
    "content_name" "string" value::content_name, "Content-Name";
    "range_first" "count" value::first, "first byte in Content-Range";
    "range_last" "count" value::last, "last byte in Content-Range";
    "range_total" "count" value::total, "length of the entity in Content-Range";
    "content_length" "count" value::content_length, "Content-Length";
    "received" "count" value::received, "BITS-Received-Content-Range, the next byte that the server expects";
    "protocol" "string" value::protocol, "BITS-Protocol";
    "supported_protocols" "vector[string]" value::protocols, "BITS-Supported-Protocols";
    "host_id" "string" value::host_id, "BITS-Host-Id";
    "reply_url" "string" value::reply_url, "BITS-Reply-URL";
    "error_code" "string" value::code, "BITS-Error or BITS-Error-Code";
    "error_context" "string" value::context, "BITS-Error-Context";
    "verdict" "string" value::verdict, "`ok`, `deviates`, `rejected`, `partial`, `foreign` or `skipped`";
    "failure" "string" value::failure, "class of a failure, which determines the reaction of the client";
    "error" "string" value::error, "the reason why the message was rejected";
    "deviations" "set[string]" value::deviations, "names of the deviations from the specification";
    "violations" "vector[string]" value::rules, "names of the violated rules";
    "severities" "vector[string]" value::severities, "severities of the rules, in the order of `violations`";
    "length" "count" value::message_length, "number of bytes of the message";
    "missing" "count" value::missing, "number of bytes that were sent but not captured";
    "unsent" "count" value::unsent, "number of bytes that the sender did not send before the connection ended";
    "authentication" "bool" value::authentication, "`T` for a fragment without a body, like the first requests of an authentication";
    "skip_reason" "string" value::skip_reason, "reason why bytes belong to no message";
    "skip_offset" "count" value::skip_offset, "position of these bytes in the stream of their direction";
};

/// The fields of the Elastic Common Schema, and those of this program below `bits`.
pub const ECS: &[Field] = fields! {
    "@timestamp" "date" value::timestamp, "time at which the head was complete; only in captures";
    "ecs.version" "keyword" value::ecs_version, "version of the schema";
    "message" "match_only_text" value::message, "short description of the message";
    "event.kind" "keyword" value::event_kind, "always `event`";
    "event.category" "keyword" value::event_category, "always `[\"network\"]`";
    "event.type" "keyword" value::event_type, "always `[\"protocol\"]`";
    "event.module" "keyword" value::event_module, "always `bits`";
    "event.dataset" "keyword" value::event_dataset, "always `bits.messages`";
    "event.action" "keyword" value::kind, "kind of message, as in JSON";
    "event.outcome" "keyword" value::outcome, "`success` or `failure` of a response, otherwise `unknown`";
    "event.sequence" "long" value::index, "number of the message in its file, from 0";
    "log.file.path" "keyword" value::file, "the input file; `-` is standard input";
    "network.transport" "keyword" value::transport, "`tcp`; only in captures";
    "network.protocol" "keyword" value::network_protocol, "always `http`";
    "source.ip" "ip" value::sender_ip, "address of the sender of the message";
    "source.port" "long" value::sender_port, "port of the sender of the message";
    "destination.ip" "ip" value::receiver_ip, "address of the receiver of the message";
    "destination.port" "long" value::receiver_port, "port of the receiver of the message";
    "client.ip" "ip" value::client_ip, "address of the client";
    "client.port" "long" value::client_port, "port of the client";
    "server.ip" "ip" value::server_ip, "address of the server";
    "server.port" "long" value::server_port, "port of the server";
    "http.request.method" "keyword" value::method, "method of a request";
    "http.request.body.bytes" "long" value::request_length, "Content-Length of a request";
    "http.response.status_code" "long" value::status, "status code of a response";
    "http.response.body.bytes" "long" value::response_length, "Content-Length of a response";
    "url.original" "wildcard" value::target, "target of a request";
    "url.path" "wildcard" value::path, "path of the target";
    "url.query" "keyword" value::query, "query of the target, without the question mark";
    "error.code" "keyword" value::code, "BITS-Error or BITS-Error-Code";
    "error.message" "match_only_text" value::error, "the reason why the message was rejected";
    "bits.connection" "long" value::connection, "number of the TCP connection in its file, from 1";
    "bits.conversation" "long" value::conversation, "number of the conversation, that is, of the client and its URL";
    "bits.ack_for" "keyword" value::ack_for, "kind of the request that a response answers";
    "bits.verdict" "keyword" value::verdict, "`ok`, `deviates`, `rejected`, `partial`, `foreign` or `skipped`";
    "bits.failure" "keyword" value::failure, "class of a failure, which determines the reaction of the client";
    "bits.session_id" "keyword" value::session_id, "BITS-Session-Id";
    "bits.content_name" "keyword" value::content_name, "Content-Name";
    "bits.range.first" "unsigned_long" value::first, "first byte in Content-Range";
    "bits.range.last" "unsigned_long" value::last, "last byte in Content-Range";
    "bits.range.total" "unsigned_long" value::total, "length of the entity in Content-Range";
    "bits.received" "unsigned_long" value::received, "BITS-Received-Content-Range, the next byte that the server expects";
    "bits.protocol" "keyword" value::protocol, "BITS-Protocol";
    "bits.supported_protocols" "keyword" value::protocols, "BITS-Supported-Protocols";
    "bits.host_id" "keyword" value::host_id, "BITS-Host-Id";
    "bits.reply_url" "wildcard" value::reply_url, "BITS-Reply-URL";
    "bits.error_context" "keyword" value::context, "BITS-Error-Context";
    "bits.deviations" "keyword" value::deviations, "names of the deviations from the specification";
    "bits.violations" "nested" value::violations, "the violated rules, each with `rule`, `section`, `severity` and `message`";
    "bits.length" "unsigned_long" value::message_length, "number of bytes of the message";
    "bits.unsent" "unsigned_long" value::unsent, "number of bytes that the sender did not send before the connection ended";
    "bits.authentication" "boolean" value::authentication, "true for a fragment without a body, like the first requests of an authentication";
    "bits.skipped.reason" "keyword" value::skip_reason, "reason why bytes belong to no message";
    "bits.skipped.offset" "unsigned_long" value::skip_offset, "position of these bytes in the stream of their direction";
    "bits.skipped.excerpt" "keyword" value::skip_excerpt, "the first of these bytes, with escape sequences";
    "bits.missing" "unsigned_long" value::missing, "number of bytes that were sent but not captured";
};
