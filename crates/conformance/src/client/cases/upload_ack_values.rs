//! Acks whose values are unusual, missing or wrong.

use std::time::Duration;

use bits_proto::field::PacketType;

use super::once;
use crate::Level::{Must, Robustness, Should};
use crate::client::entry::{Entry, Outcome, fail};
use crate::client::message::Request;
use crate::client::scenario::Expect::Finishes;
use crate::client::upload::{Scenario, Upload};

/// Requires that all packets of the session have its id as the server issued it.
fn has_issued_id(server: &Upload) -> Outcome {
    let is_wrong = |request: &&Request| {
        let id = request.field("BITS-Session-Id");
        id.is_some_and(|id| server.sessions.iter().all(|session| session.id != id))
    };
    match server.requests.iter().find(is_wrong) {
        None => Ok(()),
        Some(request) => fail(format!(
            "client sends BITS-Session-Id: {} instead of {}",
            request.field("BITS-Session-Id").unwrap_or_default(),
            server.sessions.first().map_or("", |session| &session.id)
        )),
    }
}

/// Issues session ids with this spelling.
fn issue(server: &mut Upload, request: &Request, id: &str) -> crate::client::message::Reply {
    let reply = server.ordinary(request);
    let old = server.sessions.last().map(|session| session.id.clone()).unwrap_or_default();
    if request.is(PacketType::CreateSession) {
        if let Some(session) = server.sessions.last_mut() {
            session.id = id.into();
        }
    }
    reply.change("BITS-Session-Id", |value| if value == old { id.into() } else { value.into() })
}

pub(super) const CASES: &[Entry] = &[
    Entry::upload(
        "value.session_id.absent",
        Robustness,
        &["R2.2.1.2-5"],
        "Accept Acks without BITS-Session-Id except that for Create-Session: IIS sends it only there.",
        Scenario::new(Finishes, 41_101, |server: &mut Upload, request| {
            let reply = server.ordinary(request);
            match request.packet() {
                Some(PacketType::CreateSession) => reply,
                _ => reply.without("BITS-Session-Id"),
            }
        }),
    ),
    Entry::upload(
        "value.session_id.spelling",
        Robustness,
        &["R2.2.3.2-3"],
        "Compare session ids as GUIDs, and send the one that the Ack for Create-Session has.",
        Scenario::new(Finishes, 41_102, |server: &mut Upload, request| {
            let reply = server.ordinary(request);
            match request.packet() {
                Some(PacketType::CreateSession) => reply,
                _ => reply.change("BITS-Session-Id", |id| {
                    id.trim_matches(['{', '}']).to_ascii_lowercase()
                }),
            }
        })
        .check(has_issued_id),
    ),
    Entry::upload(
        "value.session_id.opaque",
        Must,
        &["R2.2.3.2-3"],
        "Send the session id with the same bytes as in the Ack for Create-Session, whatever it looks like.",
        Scenario::new(Finishes, 41_103, |server: &mut Upload, request| {
            issue(server, request, "aZ-_.~0==")
        })
        .check(has_issued_id),
    ),
    Entry::upload(
        "value.session_id.lower_case",
        Must,
        &["R2.2.3.2-3"],
        "Send a session id in lower case and without braces if the server has issued it so.",
        Scenario::new(Finishes, 41_104, |server: &mut Upload, request| {
            issue(server, request, "a0ff5911-4144-45b3-bf27-27afc8ec8a67")
        })
        .check(has_issued_id),
    ),
    Entry::upload(
        "value.session_id.other",
        Robustness,
        &["R2.2.3.2-3"],
        "Keep the session id of the Ack for Create-Session, also if another Ack has a different one.",
        once!(Ends, 41_105, Fragment 1, |server, request| {
            let other = |_: &str| "{B0FF5911-4144-45B3-BF27-27AFC8EC8A67}".to_owned();
            server.ordinary(request).change("BITS-Session-Id", other)
        })
        .check(has_issued_id),
    ),
    Entry::upload(
        "value.session_id.missing",
        Must,
        &["R2.2.3.2-4", "R3.1.5.2.2-1"],
        "Discard an Ack for Create-Session that has no BITS-Session-Id, and send no Fragment without one.",
        once!(Ends, 41_106, CreateSession 1, |server, request| {
            server.max_sessions += 1;
            server.ordinary(request).without("BITS-Session-Id")
        })
        .check(|server| match server.of(PacketType::Fragment).find(|it| it.field("BITS-Session-Id").is_none()) {
            None => Ok(()),
            Some(_) => fail("client sends a Fragment without BITS-Session-Id"),
        }),
    ),
    Entry::upload(
        "value.protocol.case",
        Must,
        &["R2.2.2.2-2"],
        "Compare the GUID in BITS-Protocol without regard to case.",
        Scenario::new(Finishes, 41_107, |server: &mut Upload, request| {
            server.ordinary(request).change("BITS-Protocol", str::to_ascii_uppercase)
        }),
    ),
    Entry::upload(
        "value.protocol.not_offered",
        Must,
        &["R2.2.2.2-3", "R3.1.5.2.2-1"],
        "Do not continue if BITS-Protocol names a protocol that the client did not offer.",
        Scenario::new(crate::client::scenario::Expect::NoSuccess, 41_108, |server: &mut Upload, request| {
            server.max_sessions = usize::MAX;
            let other = |_: &str| "{33333333-2222-4333-8444-555555555555}".to_owned();
            server.ordinary(request).change("BITS-Protocol", other)
        })
        .check(|server| match server.of(PacketType::Fragment).count() {
            0 => Ok(()),
            count => fail(format!("client sends {count} Fragment packets of an unknown protocol")),
        }),
    ),
    Entry::upload(
        "value.offset.behind",
        Must,
        &["R2.2.7.2-2", "R3.1.5.2.4-2"],
        "Continue at BITS-Received-Content-Range, also if it is before the end of the last Fragment.",
        once!(Finishes, 41_109, Fragment 1, |server, request| {
            let reply = server.ordinary(request);
            let Some(session) = server.sessions.last_mut() else { return reply };
            session.bytes.truncate(session.bytes.len() / 2);
            let received = session.bytes.len().to_string();
            reply.without("BITS-Reply-URL").change("BITS-Received-Content-Range", |_| received.clone())
        })
        .check(|server| {
            let first = server.of(PacketType::Fragment).next().map_or(0, |it| it.length);
            match server.offsets().get(1) {
                Some(offset) if *offset == first / 2 => Ok(()),
                offset => fail(format!("expected a Fragment at {}; client sends {offset:?}", first / 2)),
            }
        }),
    ),
    Entry::upload(
        "value.offset.ahead",
        Must,
        &["R2.2.7.2-3", "R3.1.5.2.4-2"],
        "Do not trust a BITS-Received-Content-Range beyond the bytes that were sent.",
        once!(Ends, 41_110, Fragment 1, |server, request| {
            let total = server.setup.content.length.to_string();
            server.ordinary(request).change("BITS-Received-Content-Range", |_| total.clone())
        }),
    ),
    Entry::upload(
        "value.offset.missing",
        Should,
        &["R2.2.7.2-4", "R3.1.5.2.4-1"],
        "Do not treat an Ack without BITS-Received-Content-Range as that of the whole file.",
        once!(Ends, 41_111, Fragment 1, |server, request| {
            server.ordinary(request).without("BITS-Received-Content-Range")
        }),
    ),
    Entry::upload(
        "value.offset.unreadable",
        Must,
        &["R3.1.5.2.4-1"],
        "Discard an Ack whose BITS-Received-Content-Range is not a number.",
        once!(Ends, 41_112, Fragment 1, |server, request| {
            server.ordinary(request).change("BITS-Received-Content-Range", |it| format!("+{it}"))
        }),
    ),
    Entry::upload(
        "value.offset.conflict",
        Robustness,
        &["R3.1.5.2.4-1", "RFC9110-5.3"],
        "Discard an Ack with two different offsets, or use the lower one.",
        once!(Ends, 41_113, Fragment 1, |server, request| {
            let total = server.setup.content.length.to_string();
            server.ordinary(request).field("BITS-Received-Content-Range", total)
        }),
    ),
    Entry::upload(
        "value.late",
        Robustness,
        &["R3.1.5.2.1-12"],
        "Wait for an Ack that takes a second, and do not send the Fragment again before.",
        once!(Finishes, 41_114, Fragment 1, |server, request| {
            server.ordinary(request).delay(Duration::from_secs(1))
        })
        .check(|server| {
            let offsets = server.offsets();
            match offsets.iter().filter(|offset| **offset == 0).count() {
                1 => Ok(()),
                count => fail(format!("client sends the first Fragment {count} times")),
            }
        }),
    ),
];
