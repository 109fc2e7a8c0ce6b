//! Redirects.

use super::nth_get;
use crate::Level::{Must, Robustness, Security};
use crate::client::download::{Download, Scenario};
use crate::client::entry::{Entry, fail};
use crate::client::message::{Ending, Origin, Reply, Request};
use crate::client::scenario::Expect::{GivesUp, NoSuccess, NoWrongCopy};

/// Redirects every request for the entity until its target has a query.
fn moved(server: &mut Download, request: &Request, status: u16, location: &str) -> Reply {
    let is_first = !request.target.contains('?') && request.origin == Origin::Main;
    match server.deviate_if(is_first) {
        true => Reply::page(status).field("Location", location),
        false => server.ordinary(request),
    }
}

/// A case with a redirect within the server.
macro_rules! redirect {
    ($id:literal, $status:literal, $requirement:literal, $advice:literal) => {
        Entry::download(
            $id,
            Must,
            &[$requirement],
            $advice,
            Scenario::new(NoWrongCopy, 20_000, |server: &mut Download, request| {
                let location = format!("{}?moved", server.setup.path);
                moved(server, request, $status, &location)
            }),
        )
    };
}

pub(super) const CASES: &[Entry] = &[
    redirect!(
        "redirect.status_301",
        301,
        "RFC9110-15.4.2",
        "Follow 301, or report it, but do not store its page."
    ),
    redirect!(
        "redirect.status_302",
        302,
        "RFC9110-15.4.3",
        "Follow 302, or report it, but do not store its page."
    ),
    redirect!(
        "redirect.status_303",
        303,
        "RFC9110-15.4.4",
        "Follow 303, or report it, but do not store its page."
    ),
    redirect!(
        "redirect.status_307",
        307,
        "RFC9110-15.4.8",
        "Follow 307, or report it, but do not store its page."
    ),
    redirect!(
        "redirect.status_308",
        308,
        "RFC9110-15.4.9",
        "Follow 308, or report it, but do not store its page."
    ),
    Entry::download(
        "redirect.relative",
        Must,
        &["RFC9110-10.2.2"],
        "Resolve a relative Location against the URL of the request.",
        Scenario::new(NoWrongCopy, 20_000, |server: &mut Download, request| {
            let name = server.setup.path.rsplit('/').next().unwrap_or_default();
            let location = format!("../bits-conformance/./{name}?moved");
            moved(server, request, 302, &location)
        })
        .check(|server| {
            match server.requests.iter().find(|it| it.target.contains("/.")) {
                None => Ok(()),
                Some(request) => {
                    fail(format!("client sends {} {}", request.method, request.target))
                }
            }
        }),
    ),
    Entry::download(
        "redirect.other_server",
        Must,
        &["RFC9110-15.4"],
        "Follow a redirect to another server, or report it.",
        Scenario::new(NoWrongCopy, 20_000, |server: &mut Download, request| {
            let location = server.setup.other_url();
            moved(server, request, 302, &location)
        }),
    ),
    Entry::download(
        "redirect.rest",
        Must,
        &["RFC9110-15.4"],
        "Follow a redirect also when the rest is requested, with the same Range.",
        Scenario::new(NoWrongCopy, 20_000, |server: &mut Download, request| {
            if server.gets().count() > 1 {
                let location = server.setup.other_url();
                return moved(server, request, 302, &location);
            }
            let reply = server.ordinary(request);
            server.cut_first(request, reply)
        }),
    ),
    Entry::download(
        "redirect.loop",
        Must,
        &["RFC9110-15.4"],
        "Give up after some redirects in a row.",
        Scenario::new(GivesUp, 20_000, |server: &mut Download, _request| {
            Reply::page(302).field("Location", server.setup.url())
        }),
    ),
    Entry::download(
        "redirect.missing",
        Robustness,
        &["RFC9110-15.4"],
        "Report a redirect without Location, and do not store its page.",
        Scenario::new(NoSuccess, 20_000, |_server: &mut Download, _request| Reply::page(302)),
    ),
    Entry::download(
        "redirect.file",
        Security,
        &["RFC9110-17.3"],
        "Do not follow a redirect to a file of the client's computer.",
        Scenario::new(NoSuccess, 20_000, |_server: &mut Download, _request| {
            Reply::page(302).field("Location", "file:///etc/hosts")
        }),
    ),
    Entry::download(
        "redirect.cut",
        Robustness,
        &["RFC9112-8"],
        "Discard a redirect whose connection ends within its head.",
        nth_get!(NoWrongCopy, 1, |server, _reply| {
            let reply = Reply::page(302).field("Location", server.setup.other_url());
            let length = reply.head().len() - 10;
            Reply { sent: Some(length), ..reply }.ending(Ending::Close)
        }),
    ),
];
