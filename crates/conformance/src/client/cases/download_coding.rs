//! Content codings.

use super::{each_get, resumed};
use crate::Level::{Must, Robustness};
use crate::client::entry::Entry;
use crate::client::gzip::gzip;
use crate::client::message::Reply;

/// Encodes the body of a response.
fn encoded(reply: Reply) -> Reply {
    let body = gzip(&reply.body);
    reply.body(body).field("Content-Encoding", "gzip")
}

pub(super) const CASES: &[Entry] = &[
    Entry::download(
        "coding.requested",
        Must,
        &["RFC9110-12.5.3"],
        "Request no content coding that the client does not decode, such as gzip in Accept-Encoding.",
        each_get!(Finishes, |_server, request, reply| {
            let accepted =
                request.field("Accept-Encoding").unwrap_or_default().to_ascii_lowercase();
            let is_accepted = accepted.split(',').any(|it| it.trim() == "gzip" || it.trim() == "*");
            if is_accepted { encoded(reply) } else { reply }
        }),
    ),
    Entry::download(
        "coding.unrequested",
        Robustness,
        &["RFC9110-8.4"],
        "Do not store a body in a content coding as it is: some proxies add gzip.",
        each_get!(NoWrongCopy, |_server, _request, reply| encoded(reply)),
    ),
    Entry::download(
        "coding.unknown",
        Must,
        &["RFC9110-8.4"],
        "Refuse a body in a content coding that the client does not know.",
        each_get!(NoSuccess, |_server, _request, reply| {
            let body = reply.body.iter().map(|byte| !byte).collect::<Vec<_>>();
            reply.body(body).field("Content-Encoding", "x-conformance")
        }),
    ),
    Entry::download(
        "coding.identity",
        Robustness,
        &["RFC9110-12.5.3"],
        "Accept Content-Encoding: identity, which leaves the body unchanged.",
        each_get!(Finishes, |_server, _request, reply| reply.field("Content-Encoding", "identity")),
    ),
    Entry::download(
        "coding.rest",
        Must,
        &["RFC9110-8.4"],
        "Do not append a part in a content coding to bytes without it.",
        resumed!(|server, range| encoded(server.part(range))),
    ),
];
