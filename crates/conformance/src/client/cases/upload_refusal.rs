//! Refusals after which a client must give up or send smaller fragments.

use bits_proto::field::PacketType;

use super::{always, once};
use crate::Level::{Must, Robustness};
use crate::client::entry::{Entry, Outcome, fail};
use crate::client::message::{Ending, Reply, Request};
use crate::client::scenario::BodyAction;
use crate::client::scenario::Expect::{Ends, Finishes};
use crate::client::scenario::Needs;
use crate::client::upload::{Scenario, Upload};

/// The maximum number of tries after which a client gives up.
const MAX_TRIES: usize = 3;

/// A case in which Create-Session is refused for good.
macro_rules! fatal {
    ($id:literal, $level:ident, $requirements:expr, $length:literal, $advice:literal, $reply:expr) => {
        Entry::upload(
            $id,
            $level,
            $requirements,
            $advice,
            always!(GivesUp, $length, CreateSession, |server, _request| {
                server.max_sessions = usize::MAX;
                $reply
            })
            .check(|server| server.gives_up_after(MAX_TRIES)),
        )
    };
}

/// A refusal of the server application.
fn application(status: u16) -> Reply {
    let code = format!("0x8019{status:04X}");
    Reply::refusal(status, &code).change("BITS-Error-Context", |_| "0x7".into())
}

/// Requires that the client sends a fragment once.
fn is_sent_once(server: &Upload) -> Outcome {
    match server.of(PacketType::Fragment).count() {
        1 => Ok(()),
        count => {
            fail(format!("client sends {count} Fragment packets, of which the first was refused"))
        }
    }
}

/// Returns true for a fragment that the server has refused before, or a longer one.
fn is_as_long(server: &Upload, request: &Request) -> bool {
    let first = server.of(PacketType::Fragment).next();
    request.is(PacketType::Fragment) && first.is_some_and(|it| request.length >= it.length)
}

/// Requires that each fragment is shorter than the one before.
fn shrinks(server: &Upload) -> Outcome {
    let lengths = server.of(PacketType::Fragment).map(|it| it.length).collect::<Vec<_>>();
    match lengths.windows(2).find(|it| it[0] <= it[1]) {
        None => Ok(()),
        Some(pair) => {
            fail(format!("client sends {} bytes after {} bytes were too many", pair[1], pair[0]))
        }
    }
}

pub(super) const CASES: &[Entry] = &[
    fatal!(
        "refusal.access_denied",
        Must,
        &["R3.1.5.2.1-2"],
        44_001,
        "Report 403, and do not retry.",
        Reply::refusal(403, "0x80070005")
    ),
    fatal!(
        "refusal.access_denied.page",
        Must,
        &["R3.1.5.2.1-2"],
        44_002,
        "Report 403 without an error code, and do not retry.",
        Reply::page(403)
    ),
    fatal!(
        "refusal.not_enabled",
        Must,
        &["R3.1.5.2.1-3", "R3.1.5.2.1-4"],
        44_003,
        "Report 501 with the error code for access denied: uploads are not enabled at the URL.",
        Reply::refusal(501, "0x80070005")
    ),
    fatal!(
        "refusal.not_found",
        Must,
        &["R3.1.5.2.1-9"],
        44_004,
        "Report 404 to Create-Session, and do not retry.",
        Reply::page(404)
    ),
    fatal!(
        "refusal.method",
        Must,
        &["R3.1.5.2.1-9", "RFC9110-15.5.6"],
        44_005,
        "Report 405, with which a server without BITS answers, and do not retry.",
        Reply::page(405).field("Allow", "GET, HEAD")
    ),
    fatal!(
        "refusal.invalid",
        Must,
        &["R3.1.5.2.1-7"],
        44_006,
        "Report 400 with the error code for an invalid argument, and do not retry.",
        Reply::refusal(400, "0x80070057")
    ),
    fatal!(
        "refusal.invalid.page",
        Must,
        &["R3.1.5.2.1-9"],
        44_007,
        "Report 400 without an error code, and do not retry.",
        Reply::page(400)
    ),
    Entry::upload(
        "refusal.too_large",
        Must,
        &["R3.1.5.2.1-6"],
        "Report the error code for a file that is too large (0x80200020), and send no more of it.",
        always!(GivesUp, 44_008, Fragment, |_server, _request| Reply::refusal(400, "0x80200020"))
            .check(is_sent_once),
    ),
    Entry::upload(
        "refusal.application",
        Must,
        &["R3.1.5.2.1-2"],
        "Report 403 of the server application (BITS-Error-Context: 0x7), and do not send the file again.",
        always!(GivesUp, 44_009, Fragment, |_server, _request| application(403))
            .check(is_sent_once),
    ),
    Entry::upload(
        "refusal.application.too_large",
        Robustness,
        &["R3.1.5.2.1-9"],
        "Report 413 of the server application: shorter fragments do not make the file shorter.",
        always!(GivesUp, 44_010, Fragment, |_server, _request| application(413))
            .check(is_sent_once),
    ),
    Entry::upload(
        "refusal.application.credentials",
        Robustness,
        &["R3.1.5.2.1-9"],
        "Report 401 of the server application: it refuses the server, not the credentials of the client.",
        always!(GivesUp, 44_011, Fragment, |_server, _request| application(401))
            .needs(Needs::Credentials)
            .check(is_sent_once),
    ),
    Entry::upload(
        "refusal.then_silence",
        Must,
        &["R3.1.5.2.1-7"],
        "Send no Fragment and no Close-Session after a refusal for good.",
        once!(GivesUp, 44_012, Fragment 1, |_server, _request| Reply::refusal(400, "0x80070057"))
            .check(|server| {
                let later =
                    server.requests.iter().skip_while(|it| !it.is(PacketType::Fragment)).skip(1);
                let mut later = later.filter(|it| !it.is(PacketType::CancelSession));
                match later.next().and_then(Request::packet) {
                    None => Ok(()),
                    Some(packet) => fail(format!("client sends {packet} after the refusal")),
                }
            }),
    ),
    Entry::upload(
        "limit.shorter",
        Must,
        &["R3.1.5.2.4-3", "R2.2.6-2"],
        "Send shorter fragments after 413, in the same session.",
        Scenario::new(Finishes, 45_001, |server: &mut Upload, request| {
            match is_as_long(server, request) {
                true => Reply::page(413),
                false => server.ordinary(request),
            }
        }),
    ),
    Entry::upload(
        "limit.shorter.before_body",
        Robustness,
        &["R3.1.5.2.4-3", "RFC9112-9.3"],
        "Read a 413 that arrives before the body is sent, and send shorter fragments.",
        Scenario::new(Finishes, 45_002, Upload::ordinary).on_head(
            |server, request| match is_as_long(server, request) {
                true => {
                    let ending = Ending::Close;
                    BodyAction::Respond(Reply::page(413).ending(ending))
                }
                false => BodyAction::Read,
            },
        ),
    ),
    Entry::upload(
        "limit.lowered",
        Must,
        &["R3.1.5.2.4-3"],
        "Send shorter fragments after 413 also if the server took longer ones before.",
        once!(Finishes, 45_004, Fragment 2, |_server, _request| Reply::page(413)).check(|server| {
            let lengths = server.of(PacketType::Fragment).map(|it| it.length).skip(1);
            match lengths.take(2).collect::<Vec<_>>()[..] {
                [refused, next] if next >= refused => {
                    fail(format!("client sends {next} bytes after {refused} bytes were too many"))
                }
                _ => Ok(()),
            }
        }),
    ),
    Entry::upload(
        "limit.lowered.status_404",
        Robustness,
        &["R3.1.5.2.1-9"],
        "Give up, or send shorter fragments, after a 404 to fragments: IIS limits their length with it.",
        Scenario::new(Ends, 45_005, |server: &mut Upload, request| {
            let is_refused =
                is_as_long(server, request) && server.of(PacketType::Fragment).count() > 1;
            match server.is_nth(request, PacketType::Fragment, 2) || is_refused {
                true => Reply::page(404),
                false => server.ordinary(request),
            }
        })
        .check(|server| {
            let later = server.of(PacketType::Fragment).skip(1);
            match later.filter(|it| is_as_long(server, it)).count() {
                count if count <= MAX_TRIES => Ok(()),
                count => fail(format!("client sends {count} fragments as long as refused ones")),
            }
        }),
    ),
    Entry::upload(
        "limit.never_enough",
        Must,
        &["R3.1.5.2.4-3"],
        "Report 413 if the shortest fragments are too long.",
        always!(GivesUp, 45_003, Fragment, |_server, _request| Reply::page(413)).check(shrinks),
    ),
];
