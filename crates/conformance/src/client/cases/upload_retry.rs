//! Transient failures.

use bits_proto::field::PacketType;

use super::{SECOND, in_seconds, once, waits};
use crate::Level::{Must, Robustness, Should};
use crate::client::entry::Entry;
use crate::client::message::{Ending, Framing, Reply, Request};
use crate::client::scenario::BodyAction;
use crate::client::scenario::Expect::Finishes;
use crate::client::upload::{Scenario, Upload};

/// A case in which one Fragment receives a transient failure.
macro_rules! transient {
    ($id:literal, $length:literal, $advice:literal, $reply:expr) => {
        Entry::upload(
            $id,
            Robustness,
            &["R3.1.5.2.1-9", "RFC9110-15.6"],
            $advice,
            once!(Finishes, $length, Fragment 1, |_server, _request| $reply),
        )
    };
}

pub(super) const CASES: &[Entry] = &[
    transient!(
        "retry.status_500",
        43_001,
        "Retry after 500 without an error code, in the same session.",
        Reply::page(500)
    ),
    transient!(
        "retry.status_502",
        43_002,
        "Retry after the page of a proxy with status 502, in the same session.",
        Reply::page(502)
    ),
    transient!(
        "retry.status_503",
        43_003,
        "Retry after the page of a proxy with status 503, in the same session.",
        Reply::page(503)
    ),
    transient!(
        "retry.status_504",
        43_004,
        "Retry after the page of a proxy with status 504, in the same session.",
        Reply::page(504).framing(Framing::Chunked(20))
    ),
    transient!(
        "retry.status_408",
        43_005,
        "Retry after 408, with which a server closes a slow connection.",
        Reply::page(408).ending(Ending::Close)
    ),
    transient!(
        "retry.status_409",
        43_006,
        "Retry after 409, with which a server refuses a second request for a busy session.",
        Reply::refusal(409, "0x80070020")
    ),
    transient!(
        "retry.status_429",
        43_007,
        "Retry after 429 in the same session, instead of giving up.",
        Reply::new(429).field("Retry-After", "0")
    ),
    transient!(
        "retry.error_code",
        43_008,
        "Retry after 503 with an error code, in the same session.",
        Reply::refusal(503, "0x80070020")
    ),
    transient!(
        "retry.until_close",
        43_009,
        "Retry after a page without Content-Length, whose end is that of the connection.",
        Reply::page(500).framing(Framing::UntilClose)
    ),
    transient!(
        "retry.application",
        43_010,
        "Retry after 503 of the server application (BITS-Error-Context: 0x7).",
        Reply::refusal(503, "0x80190193").change("BITS-Error-Context", |_| "0x7".into())
    ),
    Entry::upload(
        "retry.before_body",
        Robustness,
        &["RFC9112-9.3"],
        "Read a response that arrives before the body is sent, and retry.",
        Scenario::new(Finishes, 43_011, Upload::ordinary).on_head(|server, request: &Request| {
            match request.is(PacketType::Fragment) && server.deviates_once() {
                true => BodyAction::Respond(Reply::page(503).ending(Ending::Close)),
                false => BodyAction::Read,
            }
        }),
    ),
    Entry::upload(
        "retry.create",
        Robustness,
        &["R3.1.5.2.1-9"],
        "Retry Create-Session after 503.",
        once!(Finishes, 43_012, CreateSession 1, |server, _request| {
            server.max_sessions += 1;
            Reply::page(503)
        }),
    ),
    Entry::upload(
        "retry.close",
        Robustness,
        &["R3.1.5.2.1-9"],
        "Retry Close-Session after 503: the server has not published the file.",
        once!(Finishes, 43_013, CloseSession 1, |_server, _request| Reply::page(503)),
    ),
    Entry::upload(
        "retry.twice",
        Robustness,
        &["R3.1.5.2.1-9"],
        "Retry also after two consecutive failures.",
        Scenario::new(Finishes, 43_014, |server: &mut Upload, request| {
            let is_early = server.of(PacketType::Fragment).count() <= 2;
            match request.is(PacketType::Fragment) && is_early {
                true => Reply::page(502),
                false => server.ordinary(request),
            }
        }),
    ),
    Entry::upload(
        "retry.after_seconds",
        Should,
        &["RFC9110-10.2.3"],
        "Wait for the number of seconds in Retry-After before the next try after 503.",
        once!(Finishes, 43_015, Fragment 1, |_server, _request| {
            Reply::page(503).field("Retry-After", "2")
        })
        .check(|server| waits(server.pause(), 2 * SECOND)),
    ),
    Entry::upload(
        "retry.after_seconds_429",
        Should,
        &["RFC9110-10.2.3", "RFC6585-4"],
        "Wait for the number of seconds in Retry-After before the next try after 429.",
        once!(Finishes, 43_016, Fragment 1, |_server, _request| {
            Reply::page(429).field("Retry-After", "2")
        })
        .check(|server| waits(server.pause(), 2 * SECOND)),
    ),
    Entry::upload(
        "retry.after_date",
        Should,
        &["RFC9110-10.2.3"],
        "Wait until the date in Retry-After before the next try.",
        once!(Finishes, 43_017, Fragment 1, |_server, _request| {
            Reply::page(429).field("Retry-After", in_seconds(3))
        })
        // A date has whole seconds.
        .check(|server| waits(server.pause(), 2 * SECOND)),
    ),
    Entry::upload(
        "retry.after_unreadable",
        Must,
        &["RFC9110-10.2.3"],
        "Ignore a Retry-After that is neither a number nor a date.",
        once!(Finishes, 43_018, Fragment 1, |_server, _request| {
            Reply::page(503).field("Retry-After", "soon")
        }),
    ),
    Entry::upload(
        "retry.after_past",
        Must,
        &["RFC9110-10.2.3"],
        "Retry soon if the date in Retry-After has passed.",
        once!(Finishes, 43_019, Fragment 1, |_server, _request| {
            Reply::page(503).field("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT")
        }),
    ),
];
