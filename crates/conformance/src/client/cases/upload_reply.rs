//! Replies of the server application.

use bits_proto::field::PacketType;

use super::once;
use crate::Level::{Must, Robustness};
use crate::client::entry::{Entry, fail};
use crate::client::message::{Ending, Framing, Reply, Request};
use crate::client::scenario::Expect::{Ends, Finishes, GivesUp};
use crate::client::scenario::Needs;
use crate::client::upload::{REPLY, REPLY_TARGET, Scenario, Upload};

/// A case in which BITS-Reply-URL is spelt in another way.
macro_rules! url {
    ($id:literal, $length:literal, $advice:literal, |$server:ident| $url:expr) => {
        Entry::upload(
            $id,
            Robustness,
            &["R3.1.5.1.8-1", "R2.2.7.2-6"],
            $advice,
            Scenario::new(Finishes, $length, |server: &mut Upload, request| {
                let url: String = {
                    let $server = &server.setup;
                    $url
                };
                server.ordinary(request).change("BITS-Reply-URL", |_| url.clone())
            })
            .needs(Needs::Reply),
        )
    };
}

/// A script that gives the first GET another response.
macro_rules! first_get {
    ($expect:ident, $length:literal, |$server:ident| $reply:expr) => {
        Scenario::new($expect, $length, |server: &mut Upload, request| {
            match request.method == "GET" && server.deviates_once() {
                true => {
                    let $server = server;
                    $reply
                }
                false => server.ordinary(request),
            }
        })
        .needs(Needs::Reply)
    };
}

fn is_get(request: &&Request) -> bool {
    request.method == "GET"
}

pub(super) const CASES: &[Entry] = &[
    Entry::upload(
        "reply.before_close",
        Must,
        &["R3.1.5.1.8-1", "R2.2.8-2"],
        "Fetch the reply before Close-Session, with which the server deletes it.",
        Scenario::new(Finishes, 51_001, |server: &mut Upload, request| {
            match request.method == "GET" && !server.published.is_empty() {
                true => Reply::page(404),
                false => server.ordinary(request),
            }
        })
        .needs(Needs::Reply),
    ),
    url!("reply.absolute", 51_002, "Fetch the reply from an absolute URL.", |setup| format!(
        "{}{REPLY_TARGET}",
        setup.origin
    )),
    url!(
        "reply.relative",
        51_003,
        "Resolve a relative BITS-Reply-URL against the URL of the upload.",
        |_setup| "reply.bin".into()
    ),
    url!(
        "reply.backslashes",
        51_004,
        "Read backslashes in BITS-Reply-URL as slashes, as IIS sends them.",
        |_setup| "\\bits-conformance\\reply.bin".into()
    ),
    Entry::upload(
        "reply.missing",
        Must,
        &["R3.1.5.2.4-5"],
        "Report a failure if an expected reply has no BITS-Reply-URL.",
        Scenario::new(GivesUp, 51_005, |server: &mut Upload, request| {
            server.ordinary(request).without("BITS-Reply-URL")
        })
        .needs(Needs::Reply),
    ),
    Entry::upload(
        "reply.early_url",
        Robustness,
        &["R2.2.7.2-7"],
        "Ignore BITS-Reply-URL before the last Fragment.",
        once!(Finishes, 51_006, Fragment 1, |server, request| {
            server.ordinary(request).field("BITS-Reply-URL", "/bits-conformance/early.bin")
        })
        .needs(Needs::Reply)
        .check(|server| {
            match server.requests.iter().filter(is_get).find(|it| it.target.contains("early")) {
                None => Ok(()),
                Some(_) => fail("client fetches the reply before the file is complete"),
            }
        }),
    ),
    Entry::upload(
        "reply.coded",
        Must,
        &["RFC9110-8.4"],
        "Do not store a reply with a Content-Encoding as it comes: decode it, or fetch it again.",
        first_get!(Ends, 51_007, |_server| {
            Reply::new(200).field("Content-Encoding", "gzip").body("\x1f this is not the reply")
        }),
    ),
    Entry::upload(
        "reply.cut",
        Must,
        &["RFC9112-8"],
        "Fetch the reply again if its connection ends before the Content-Length.",
        first_get!(Finishes, 51_008, |_server| {
            Reply::new(200)
                .body(&REPLY[..10])
                .framing(Framing::LongLength(27))
                .ending(Ending::Close)
        }),
    ),
    Entry::upload(
        "reply.chunked",
        Must,
        &["RFC9112-7.1"],
        "Decode a reply in the chunked transfer coding.",
        Scenario::new(Finishes, 51_009, |server: &mut Upload, request| {
            let reply = server.ordinary(request);
            if request.method == "GET" { reply.framing(Framing::Chunked(5)) } else { reply }
        })
        .needs(Needs::Reply),
    ),
    Entry::upload(
        "reply.chunked_cut",
        Must,
        &["RFC9112-8"],
        "Fetch a chunked reply again if its connection ends before the last chunk.",
        first_get!(Finishes, 51_010, |_server| {
            Reply::new(200).body(REPLY).framing(Framing::Chunked(5)).ending(Ending::Close).cut(14)
        }),
    ),
    Entry::upload(
        "reply.busy",
        Robustness,
        &["RFC9110-15.6.4"],
        "Fetch the reply again after 503.",
        first_get!(Finishes, 51_011, |_server| Reply::page(503)),
    ),
    Entry::upload(
        "reply.not_found",
        Must,
        &["R3.1.5.1.8-1"],
        "Report a failure if the reply does not exist.",
        Scenario::new(GivesUp, 51_012, |server: &mut Upload, request| {
            match request.method == "GET" {
                true => Reply::page(404),
                false => server.ordinary(request),
            }
        })
        .needs(Needs::Reply),
    ),
    Entry::upload(
        "reply.identity",
        Robustness,
        &["R2.2.3.1-1", "RFC9110-12.5.3"],
        "Send Accept-Encoding: identity with the GET for the reply, whose bytes the application expects.",
        Scenario::new(Finishes, 51_013, Upload::ordinary).needs(Needs::Reply).check(|server| {
            let codings =
                server.requests.iter().find(is_get).and_then(|it| it.field("Accept-Encoding"));
            match codings {
                None | Some("identity" | "") => Ok(()),
                Some(codings) => fail(format!("client sends Accept-Encoding: {codings}")),
            }
        }),
    ),
    Entry::upload(
        "reply.session_kept",
        Must,
        &["R2.2.8-1"],
        "Close the session after the reply is fetched.",
        Scenario::new(Finishes, 51_014, Upload::ordinary).needs(Needs::Reply).check(|server| {
            match server.of(PacketType::CloseSession).count() {
                1 => Ok(()),
                count => fail(format!("client sends {count} Close-Session packets")),
            }
        }),
    ),
];
