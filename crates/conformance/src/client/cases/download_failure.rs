//! Statuses of failures, and pages that stand in for the entity.

use super::{SECOND, gives_up_soon, in_seconds, nth_get, resumed, stores_no_page, waits};
use crate::Level::{Must, Robustness, Should};
use crate::client::download::{CUT, Download, Scenario};
use crate::client::entry::Entry;
use crate::client::message::{Framing, Reply};
use crate::client::scenario::Expect::{GivesUp, NoSuccess, NoWrongCopy};

/// A case in which one GET receives a transient failure.
macro_rules! transient {
    ($id:literal, $status:literal, $advice:literal) => {
        Entry::download(
            $id,
            Robustness,
            &["RFC9110-15.6"],
            $advice,
            nth_get!(Finishes, 1, |_server, _reply| Reply::page($status)),
        )
    };
}

/// A case in which every request is refused for good.
macro_rules! fatal {
    ($id:literal, $status:literal, $requirement:literal, $advice:literal) => {
        Entry::download(
            $id,
            Must,
            &[$requirement],
            $advice,
            Scenario::new(GivesUp, 20_000, |_server: &mut Download, _request| Reply::page($status))
                .check(gives_up_soon),
        )
    };
}

/// A case in which HEAD receives another response.
macro_rules! head {
    ($id:literal, $expect:ident, $requirement:literal, $advice:literal, |$reply:ident| $changed:expr) => {
        Entry::download(
            $id,
            Robustness,
            &[$requirement],
            $advice,
            Scenario::new(
                crate::client::scenario::Expect::$expect,
                20_000,
                |server: &mut Download, request| {
                    let $reply: Reply = server.ordinary(request);
                    match server.deviate_if(request.method == "HEAD") {
                        true => $changed,
                        false => $reply,
                    }
                },
            ),
        )
    };
}

pub(super) const CASES: &[Entry] = &[
    transient!("retry.status_408", 408, "Retry after 408."),
    transient!("retry.status_429", 429, "Retry after 429."),
    transient!("retry.status_500", 500, "Retry after 500."),
    transient!("retry.status_502", 502, "Retry after the page of a proxy with status 502."),
    transient!("retry.status_503", 503, "Retry after 503."),
    transient!("retry.status_504", 504, "Retry after the page of a proxy with status 504."),
    Entry::download(
        "retry.rest",
        Robustness,
        &["R3.6.5.3-1"],
        "Do not append the page of a failure when the rest is requested.",
        resumed!(|_server, _range| Reply::page(503)),
    ),
    Entry::download(
        "retry.always",
        Must,
        &["RFC9110-15.6"],
        "Report no success if each response is a failure.",
        Scenario::new(NoSuccess, 20_000, |_server: &mut Download, _request| Reply::page(503))
            .check(stores_no_page),
    ),
    Entry::download(
        "retry.after_seconds",
        Should,
        &["RFC9110-10.2.3"],
        "Wait for the number of seconds in Retry-After before the next try after 503.",
        nth_get!(NoWrongCopy, 1, |_server, _reply| Reply::page(503).field("Retry-After", "2"))
            .check(|server| waits(server.pause(), 2 * SECOND)),
    ),
    Entry::download(
        "retry.after_seconds_429",
        Should,
        &["RFC9110-10.2.3", "RFC6585-4"],
        "Wait for the number of seconds in Retry-After before the next try after 429.",
        nth_get!(NoWrongCopy, 1, |_server, _reply| Reply::page(429).field("Retry-After", "2"))
            .check(|server| waits(server.pause(), 2 * SECOND)),
    ),
    Entry::download(
        "retry.after_date",
        Should,
        &["RFC9110-10.2.3"],
        "Wait until the date in Retry-After before the next try.",
        nth_get!(NoWrongCopy, 1, |_server, _reply| {
            Reply::page(503).field("Retry-After", in_seconds(3))
        })
        // A date has whole seconds.
        .check(|server| waits(server.pause(), 2 * SECOND)),
    ),
    fatal!("refusal.status_403", 403, "RFC9110-15.5.4", "Report 403, and do not retry."),
    fatal!("refusal.status_404", 404, "RFC9110-15.5.5", "Report 404, and do not retry."),
    fatal!("refusal.status_405", 405, "RFC9110-15.5.6", "Report 405, and do not retry."),
    fatal!("refusal.status_410", 410, "RFC9110-15.5.11", "Report 410, and do not retry."),
    fatal!("refusal.status_451", 451, "R3.6.5.3-3", "Report 451, and do not retry."),
    Entry::download(
        "page.after_head",
        Robustness,
        &["RFC9110-9.3.2"],
        "Compare the response with that to HEAD: a 200 with the page of a proxy is not the entity.",
        Scenario::new(NoWrongCopy, 20_000, |server: &mut Download, request| {
            let has_head = server.requests.iter().any(|it| it.method == "HEAD");
            match server.deviate_if(has_head && request.method == "GET") {
                true => Reply::page(200),
                false => server.ordinary(request),
            }
        }),
    ),
    Entry::download(
        "page.rest",
        Must,
        &["RFC9110-14.2"],
        "Do not append the page of a proxy with status 200 when the rest is requested.",
        resumed!(|_server, _range| Reply::page(200)),
    ),
    Entry::download(
        "page.rest.until_close",
        Must,
        &["RFC9110-14.2"],
        "Do not append a page without a length when the rest is requested.",
        resumed!(|_server, _range| Reply::page(200).framing(Framing::UntilClose)),
    ),
    head!(
        "head.not_allowed",
        NoWrongCopy,
        "RFC9110-9.3.2",
        "Send GET if the server does not allow HEAD, or report 405.",
        |_reply| Reply::page(405).field("Allow", "GET")
    ),
    head!(
        "head.no_length",
        NoWrongCopy,
        "RFC9110-9.3.2",
        "Do not treat a response to HEAD without Content-Length as one of an empty entity.",
        |reply| reply.framing(Framing::UntilClose)
    ),
    head!(
        "head.other_length",
        NoWrongCopy,
        "RFC9110-9.3.2",
        "Trust the length of the response to GET more than that to HEAD.",
        |reply| {
            let body = reply.body.get(..CUT).unwrap_or_default().to_vec();
            reply.body(body)
        }
    ),
];
