//! Sessions that the server no longer has.

use bits_proto::field::PacketType;

use super::{always, once};
use crate::Level::{Must, Robustness};
use crate::client::entry::{Entry, Outcome, fail};
use crate::client::message::{Framing, Reply};
use crate::client::upload::{Upload, session_not_found};

/// The maximum number of sessions in a few seconds.
const MAX_SESSIONS: usize = 50;

/// Requires that the client sends the file from its beginning in a second session.
fn starts_over(server: &Upload) -> Outcome {
    let mut second = server.requests.iter().filter(|it| it.is(PacketType::CreateSession)).skip(1);
    let Some(second) = second.next() else {
        return fail("client does not send Create-Session again");
    };
    let mut later = server.of(PacketType::Fragment).filter(|it| it.at > second.at);
    match later.next().and_then(|it| it.range()) {
        Some(range) if range.first() == 0 => Ok(()),
        range => fail(format!("client continues the new session with {range:?}")),
    }
}

/// A case in which a session is lost after the first fragment.
macro_rules! lost {
    ($id:literal, $level:ident, $length:literal, $advice:literal, $reply:expr) => {
        Entry::upload(
            $id,
            $level,
            &["R3.1.5.2.1-5"],
            $advice,
            once!(Finishes, $length, Fragment 1, |server, _request| {
                server.forget();
                $reply
            })
            .check(starts_over),
        )
    };
}

/// The refusal with another spelling of the error code.
fn spelt(code: &str) -> Reply {
    session_not_found().change("BITS-Error-Code", |_| code.into()).without("BITS-Error")
}

pub(super) const CASES: &[Entry] = &[
    lost!(
        "session.lost",
        Must,
        46_001,
        "Start over with Create-Session after 500 with the error code 0x8020001F.",
        session_not_found()
    ),
    lost!(
        "session.lost.status_400",
        Robustness,
        46_002,
        "Start over after the error code 0x8020001F with status 400.",
        session_not_found().status(400)
    ),
    lost!(
        "session.lost.status_404",
        Robustness,
        46_003,
        "Start over after the error code 0x8020001F with status 404.",
        session_not_found().status(404)
    ),
    lost!(
        "session.lost.status_410",
        Robustness,
        46_004,
        "Start over after the error code 0x8020001F with status 410.",
        session_not_found().status(410)
    ),
    lost!(
        "session.lost.lower_case",
        Robustness,
        46_005,
        "Read the digits of error codes without regard to case.",
        spelt("0x8020001f")
    ),
    lost!(
        "session.lost.no_prefix",
        Robustness,
        46_006,
        "Read an error code without 0x.",
        spelt("8020001F")
    ),
    lost!(
        "session.lost.bits_error",
        Must,
        46_007,
        "Read the error code in BITS-Error, which old servers send instead of BITS-Error-Code.",
        session_not_found().without("BITS-Error-Code")
    ),
    lost!(
        "session.lost.no_context",
        Robustness,
        46_008,
        "Start over after the error code 0x8020001F without BITS-Error-Context.",
        session_not_found().without("BITS-Error-Context")
    ),
    lost!(
        "session.lost.chunked",
        Robustness,
        46_009,
        "Read the error code of a chunked response.",
        session_not_found().body("Not found.").framing(Framing::Chunked(4))
    ),
    Entry::upload(
        "session.lost.at_end",
        Must,
        &["R3.1.5.2.1-5"],
        "Start over if the session is lost before the first Close-Session: the file is not published.",
        once!(Finishes, 46_010, CloseSession 1, |server, _request| {
            server.forget();
            session_not_found()
        })
        .check(starts_over),
    ),
    Entry::upload(
        "session.lost.later",
        Must,
        &["R3.1.5.2.1-5"],
        "Send the file from its beginning if the session is lost after an acknowledged Fragment.",
        once!(Finishes, 46_011, Fragment 2, |server, _request| {
            server.forget();
            session_not_found()
        })
        .check(starts_over),
    ),
    Entry::upload(
        "session.lost.always",
        Robustness,
        &["R3.1.5.2.1-5"],
        "Wait between tries, or give up, if the server loses each session.",
        always!(NoSuccess, 46_012, Fragment, |server, _request| {
            server.forget();
            session_not_found()
        })
        .check(|server| match server.of(PacketType::CreateSession).count() {
            0..=MAX_SESSIONS => Ok(()),
            count => fail(format!("client creates {count} sessions, which are lost at once")),
        }),
    ),
];
