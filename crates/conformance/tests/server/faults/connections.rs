//! Faults of HTTP.

use super::{acknowledged, answers, reads};
use crate::double::{Fault, Reply};

/// Does not answer a Ping with this field.
macro_rules! silent {
    ($id:literal, $name:literal, $value:literal) => {
        answers!($id, |seen| seen.field($name) == Some($value), Some(Reply::Silence))
    };
}

/// Reads the body of a request whose head contains a text as the next request.
macro_rules! leaves_body {
    ($id:literal, $text:literal) => {
        (
            $id,
            Fault::ReadsHead(|head| {
                if head.contains($text) { with_length(head, "0") } else { head.into() }
            }),
        )
    };
}

/// Replaces the values of all fields Content-Length by one.
fn with_length(head: &str, length: &str) -> String {
    let mut lines = head.split_inclusive("\r\n").collect::<Vec<_>>();
    lines.retain(|line| !line.starts_with("Content-Length:"));
    let line = format!("Content-Length: {length}\r\n");
    lines.insert(1, &line);
    lines.concat()
}

pub const FAULTS: &[(&str, Fault)] = &[
    answers!("connection.head_bytewise", |seen| seen.has("X-Bytewise"), Some(Reply::End)),
    ("connection.pipelined", Fault::DropsPipelined),
    answers!("connection.pipelined_upload", |seen| seen.is_fragment(83, 166), Reply::invalid()),
    answers!("connection.expect", |seen| seen.has("Expect") && seen.of(167), Some(Reply::Silence)),
    answers!(
        "connection.expect_refused",
        |seen| seen.has("Expect") && seen.of(168),
        Some(Reply::Silence)
    ),
    reads!("connection.close", "Connection: close\r\n", ""),
    reads!("connection.http_1_0", " HTTP/1.0\r\n", " HTTP/1.1\r\n"),
    answers!(
        "connection.absolute_target",
        |seen| seen.parts.uri.authority().is_some(),
        Reply::invalid()
    ),
    silent!("connection.garbage", "X-Unrelated", "16"),
    silent!("connection.incomplete_head", "X-Unrelated", "45"),
    silent!("connection.large_head", "X-After", "large head"),
    silent!("connection.many_fields", "X-After", "many fields"),
    silent!("connection.long_target", "X-After", "long target"),
    silent!("connection.idle", "X-Idle", "32"),
    reads!("connection.method.unknown", "FOO /", "BITS_POST /"),
    reads!("connection.method.lower_case", "bits_post /", "BITS_POST /"),
    answers!("connection.half_closed", |seen| seen.has("X-Half-Closed"), Some(Reply::End)),
    (
        "smuggling.body_of_gap",
        Fault::ReadsHead(|head| {
            let is_gap = head.contains("Content-Range: bytes 20-") && head.contains("/4000\r\n");
            if is_gap { with_length(head, "0") } else { head.into() }
        }),
    ),
    leaves_body!("smuggling.body_of_invalid_range", "bytes 1-0/3999"),
    leaves_body!("smuggling.body_of_unknown_session", "-000000000001}"),
    leaves_body!("smuggling.body_of_unknown_packet", "Packet-Type: Unknown"),
    (
        "smuggling.body_of_ping",
        Fault::ReadsHead(|head| {
            let is_large = head.contains("Content-Length: 1") || head.contains("Content-Length: 2");
            let is_ping = head.contains("Packet-Type: Ping") && is_large;
            if is_ping { with_length(head, "0") } else { head.into() }
        }),
    ),
    leaves_body!("smuggling.body_of_other_method", "PUT /"),
    (
        "smuggling.chunked_with_length",
        Fault::ReadsHead(|head| {
            let is_both = head.contains(": chunked") && head.contains("Content-Length");
            let head = if is_both { with_length(head, "5") } else { head.into() };
            if is_both { head.replace("Transfer-Encoding: chunked\r\n", "") } else { head }
        }),
    ),
    (
        "smuggling.two_lengths",
        Fault::ReadsHead(|head| {
            let is_twice = head.matches("Content-Length:").count() == 2;
            if is_twice { with_length(head, "0") } else { head.into() }
        }),
    ),
    leaves_body!("smuggling.length_list", "Content-Length: 0, "),
    answers!(
        "smuggling.chunked",
        |seen| seen.has("Transfer-Encoding") && seen.is_fragment(0, 3998),
        acknowledged(seen)
    ),
    reads!("smuggling.coding.unknown", "Transfer-Encoding: xchunked\r\n", ""),
    reads!("smuggling.coding.identity", "Transfer-Encoding: identity\r\n", ""),
    reads!("smuggling.space_before_colon", "Content-Name : a\r\n", ""),
    reads!("smuggling.line_folding", "Content-Name: a\r\n b\r\n", ""),
    reads!("smuggling.nul", "Content-Name: a\0b\r\n", ""),
    reads!("smuggling.bare_cr", "Content-Name: a\rContent-Length: 0\r\n", ""),
    reads!("smuggling.name_with_space", "Content Name: a\r\n", ""),
    reads!("smuggling.line_without_colon", "no-colon\r\n", ""),
];
