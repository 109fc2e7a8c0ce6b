//! Faults of Ping and Create-Session, and of session ids.

use super::{accepted, acknowledged, answers, reads};
use crate::double::{Fault, Reply, set};
use crate::seen::{has, is_of};

const UNKNOWN: &str = "{00000000-0000-4000-8000-000000000000}";
const PROTOCOL: &str = "BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}\r\n";
const OTHER: &str = "BITS-Supported-Protocols: {11111111-2222-4333-8444-555555555555}";

pub const FAULTS: &[(&str, Fault)] = &[
    (
        "ping.answered",
        Fault::Changes(|seen, response| {
            let is_plain = seen.parts.uri.path() == "/" && !seen.has("BITS-Session-Id");
            if seen.field("BITS-Packet-Type") == Some("Ping")
                && is_plain
                && response.status() == 200
            {
                *response.status_mut() = http::StatusCode::NOT_IMPLEMENTED;
            }
        }),
    ),
    answers!(
        "ping.unknown_session",
        |seen| seen.is("ping") && seen.session() == UNKNOWN,
        Reply::not_found()
    ),
    answers!(
        "ping.unknown_path",
        |seen| seen.is("ping") && seen.parts.uri.path().ends_with(".new"),
        Reply::refusal(404, "0x80070002")
    ),
    answers!(
        "ping.during_upload",
        |seen| seen.is("ping") && is_of(seen.past, 23),
        Reply::invalid()
    ),
    answers!(
        "ping.body",
        |seen| seen.is("ping") && seen.field("Content-Length") == Some("5"),
        accepted(seen)
    ),
    (
        "create.session_id",
        Fault::Changes(|seen, response| {
            if seen.is("create-session") && seen.previous == "ping" && !seen.has("X-Pipelined") {
                set(response, "BITS-Session-Id", "");
            }
        }),
    ),
    (
        "create.session_id.guid",
        Fault::Changes(|seen, response| {
            if seen.is("create-session") {
                let id = response.headers().get("BITS-Session-Id").cloned();
                let id = id.and_then(|id| id.to_str().map(str::to_owned).ok()).unwrap_or_default();
                set(response, "BITS-Session-Id", id.trim_matches(['{', '}']));
            }
        }),
    ),
    (
        "create.session_id.unique",
        Fault::Changes(|seen, response| {
            let is_again = has(seen.past, "cancel-session") && !has(seen.past, "fragment");
            if seen.is("create-session") && is_again {
                set(response, "BITS-Session-Id", &seen.past[0].session);
            }
        }),
    ),
    ("create.session_id.random", Fault::CountsSessions),
    (
        "create.protocol",
        Fault::Changes(|seen, response| {
            if seen.is("create-session") {
                set(response, "BITS-Protocol", "");
            }
        }),
    ),
    reads!(
        "create.protocol.second",
        "{11111111-2222-4333-8444-555555555555} {7df0354d-249b-430f-820d-3d2a9bef4931}\r\n",
        "{11111111-2222-4333-8444-555555555555}\r\n"
    ),
    (
        "create.protocol.unknown",
        Fault::ReadsHead(|head| head.replace(&format!("{OTHER}\r\n"), PROTOCOL)),
    ),
    (
        "create.protocol.missing",
        Fault::ReadsHead(|head| {
            let is_without = head.contains(": Create-Session\r\n") && !head.contains("Protocols");
            if !is_without {
                return head.into();
            }
            head.replace("\r\n\r\n", &format!("\r\n{PROTOCOL}\r\n"))
        }),
    ),
    reads!("create.protocol.empty", "BITS-Supported-Protocols: \r\n", PROTOCOL),
    reads!(
        "create.protocol.malformed",
        "{7df0354d-249b-430f-820d}",
        "{7df0354d-249b-430f-820d-3d2a9bef4931}"
    ),
    answers!(
        "create.protocol.excess",
        |seen| seen.field("BITS-Supported-Protocols").is_some_and(|it| it.len() > 1000),
        Some(Reply::Silence)
    ),
    reads!("create.body", "Content-Length: 7\r\n", "Content-Length: 0\r\n"),
    answers!(
        "create.length.missing",
        |seen| seen.is("create-session") && !seen.has("Content-Length"),
        Some(Reply::Silence)
    ),
    answers!(
        "create.content_name",
        |seen| seen.is("create-session") && seen.field("Content-Name") == Some("report 2024.zip"),
        Reply::invalid()
    ),
    answers!(
        "create.content_name.foreign",
        |seen| seen.has("Content-Name") && seen.field("Content-Name").is_none(),
        Reply::invalid()
    ),
    answers!(
        "create.content_name.long",
        |seen| seen.field("Content-Name").is_some_and(|name| name.len() == 300),
        Some(Reply::Silence)
    ),
    answers!("create.again", |seen| seen.is_fragment(13, 30), {
        let mut response = seen.ack_of(0);
        *response.status_mut() = http::StatusCode::RANGE_NOT_SATISFIABLE;
        Some(Reply::Response(response))
    }),
    answers!(
        "session.unknown.fragment",
        |seen| seen.is("fragment") && seen.session() == UNKNOWN,
        acknowledged(seen)
    ),
    answers!(
        "session.unknown.close",
        |seen| seen.is("close-session") && seen.session() == UNKNOWN,
        accepted(seen)
    ),
    answers!(
        "session.unknown.cancel",
        |seen| seen.is("cancel-session") && seen.session() == UNKNOWN,
        accepted(seen)
    ),
    answers!(
        "session.missing.fragment",
        |seen| seen.is("fragment") && !seen.has("BITS-Session-Id"),
        acknowledged(seen)
    ),
    answers!(
        "session.missing.close",
        |seen| seen.is("close-session") && !seen.has("BITS-Session-Id"),
        accepted(seen)
    ),
    answers!(
        "session.missing.cancel",
        |seen| seen.is("cancel-session") && !seen.has("BITS-Session-Id"),
        accepted(seen)
    ),
    answers!(
        "session.id.empty",
        |seen| seen.field("BITS-Session-Id") == Some(""),
        acknowledged(seen)
    ),
    answers!("session.id.path", |seen| seen.session().contains(".."), acknowledged(seen)),
    answers!("session.id.wildcard", |seen| seen.session() == "*", acknowledged(seen)),
    answers!("session.id.quote", |seen| seen.session().contains('\''), acknowledged(seen)),
    answers!("session.id.long", |seen| seen.session().len() == 3000, acknowledged(seen)),
    answers!(
        "session.id.prefix",
        |seen| seen.session().starts_with('{') && !seen.session().contains('}'),
        acknowledged(seen)
    ),
    answers!("session.id.suffix", |seen| seen.session().ends_with("}0"), acknowledged(seen)),
    answers!(
        "session.id.last_character",
        |seen| {
            let is_known = |id: &str| {
                id == UNKNOWN
                    || seen.of(3999)
                    || seen.past.iter().any(|it| it.session.eq_ignore_ascii_case(id))
            };
            seen.is("fragment")
                && seen.session().len() == 38
                && seen.session().ends_with('}')
                && !seen.past.is_empty()
                && !is_known(seen.session())
        },
        acknowledged(seen)
    ),
    answers!(
        "session.id.lower_case",
        |seen| seen.is("fragment") && seen.session().contains(|it: char| it.is_ascii_lowercase()),
        Reply::not_found()
    ),
    answers!(
        "session.other_url",
        |seen| seen.past.is_empty() && seen.is_fragment(0, 57),
        acknowledged(seen)
    ),
    answers!(
        "session.other_url.close",
        |seen| seen.past.is_empty() && seen.is("close-session"),
        accepted(seen)
    ),
    super::spoils!("session.foreign_bytes", 59),
    answers!("session.kept", |seen| seen.is_fragment(33, 61), Reply::not_found()),
];
