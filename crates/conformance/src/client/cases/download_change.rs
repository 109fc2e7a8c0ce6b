//! Entities that change between two responses.

use super::nth_get;
use crate::Level::Must;
use crate::client::download::{CUT, Download, Scenario};
use crate::client::entry::Entry;
use crate::client::message::{Ending, Reply, Request};
use crate::client::scenario::Expect::{NoSuccess, NoWrongCopy};

/// A case in which the entity changes when the rest is requested. The first response is cut. `$reply` makes
/// each response to GET.
macro_rules! changes {
    ($id:literal, $requirement:literal, $advice:literal, |$server:ident| $change:expr, |$now:ident, $request:ident| $reply:expr) => {
        Entry::download(
            $id,
            Must,
            &[$requirement],
            $advice,
            Scenario::new(NoWrongCopy, 20_000, |server: &mut Download, request: &Request| {
                if server.is_nth_get(request, 2) {
                    let $server = &mut *server;
                    $change;
                }
                let ($now, $request) = (&*server, request);
                let reply: Reply = $reply;
                server.cut_first(request, reply)
            }),
        )
    };
}

/// Responds without regard to conditions, as some caches do.
fn unconditional(server: &Download, request: &Request) -> Reply {
    match request.field("Range") {
        Some(range) => server.part(range),
        None => server.whole(),
    }
}

pub(super) const CASES: &[Entry] = &[
    changes!(
        "change.both",
        "RFC9110-15.3.7.3",
        "Start over if date and tag of the entity have changed: bytes of two versions must not meet.",
        |server| server.replace_entity(),
        |server, request| server.ordinary(request)
    ),
    changes!(
        "change.etag",
        "RFC9110-15.3.7.3",
        "Compare the strong ETag of both responses: the date is equal if an entity changes twice a second.",
        |server| {
            server.replace_bytes(20_000);
            server.etag = "\"2\"".into();
        },
        |server, request| server.ordinary(request)
    ),
    changes!(
        "change.date",
        "RFC9110-15.3.7.3",
        "Compare Last-Modified of both responses if they have no ETag.",
        |server| server.replace_entity(),
        |server, request| server.ordinary(request).without("ETag")
    ),
    changes!(
        "change.cached",
        "RFC9110-15.3.7.3",
        "Compare the validators of both responses: some caches ignore the conditions of requests.",
        |server| server.replace_entity(),
        |server, request| unconditional(server, request)
    ),
    changes!(
        "change.cached.etag",
        "RFC9110-15.3.7.3",
        "Compare the tags of both responses, also if the dates are equal.",
        |server| {
            server.replace_bytes(20_000);
            server.etag = "\"2\"".into();
        },
        |server, request| unconditional(server, request)
    ),
    changes!(
        "change.weak",
        "RFC9110-15.3.7.3",
        "Do not combine parts on the strength of a weak ETag: it is equal for similar entities.",
        |server| server.replace_bytes(20_000),
        |server, request| {
            let reply = Download::without_validators(unconditional(server, request));
            reply.field("ETag", "W/\"1\"")
        }
    ),
    changes!(
        "change.no_validators",
        "RFC9110-15.3.7.3",
        "Start over if the responses have no validators: their bytes may be those of two versions.",
        |server| server.replace_bytes(20_000),
        |server, request| Download::without_validators(unconditional(server, request))
    ),
    changes!(
        "change.lost_validators",
        "RFC9110-15.3.7.3",
        "Do not combine a part that has lost the validators of the first response.",
        |server| server.replace_bytes(20_000),
        |server, request| {
            let reply = unconditional(server, request);
            if server.gets().count() > 1 { Download::without_validators(reply) } else { reply }
        }
    ),
    changes!(
        "change.longer",
        "RFC9110-15.3.7.3",
        "Compare the total in Content-Range with the length of the first response: the file has grown.",
        |server| server.replace_bytes(25_000),
        |server, request| unconditional(server, request)
    ),
    changes!(
        "change.shorter",
        "RFC9110-15.3.7.3",
        "Compare the total in Content-Range with the length of the first response: the file has shrunk.",
        |server| server.replace_bytes(15_000),
        |server, request| unconditional(server, request)
    ),
    Entry::download(
        "change.always",
        Must,
        &["RFC9110-15.3.7.3"],
        "Give up if the entity changes again and again before all its bytes arrive.",
        Scenario::new(NoSuccess, 20_000, |server: &mut Download, request| {
            if request.method != "GET" {
                return server.ordinary(request);
            }
            let number = server.gets().count();
            server.etag = format!("\"{number}\"");
            server.last_modified = format!("Sun, 06 Nov 1994 08:{:02}:37 GMT", number % 60);
            server.ordinary(request).ending(Ending::Close).cut(CUT / 2)
        }),
    ),
    Entry::download(
        "change.before_get",
        Must,
        &["RFC9110-15.3.7.3"],
        "Accept an entity that has changed since HEAD, or start over.",
        nth_get!(NoWrongCopy, 1, |server, _reply| {
            server.replace_entity();
            server.whole()
        }),
    ),
];
