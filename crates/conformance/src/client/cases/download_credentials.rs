//! Servers that require credentials.

use super::{challenge, gives_up_soon, keeps_credentials};
use crate::Level::{Must, Security};
use crate::client::download::{CUT, Download, Scenario};
use crate::client::entry::Entry;
use crate::client::message::{Ending, Origin, Reply, Request};
use crate::client::scenario::Expect::{self, Finishes, GivesUp, NoSuccess, NoWrongCopy};
use crate::client::scenario::Needs;

/// A script in which the server responds in a way of its own until a request has credentials.
const fn protected(expect: Expect, answer: fn(&mut Download, &Request) -> Reply) -> Scenario {
    Scenario::new(expect, 20_000, answer).needs(Needs::Credentials)
}

/// Responds to requests with credentials, and requests them from others.
fn ordinary(server: &Download, request: &Request) -> Reply {
    match request.has_credentials() {
        true => server.ordinary(request),
        false => challenge(),
    }
}

pub(super) const CASES: &[Entry] = &[
    Entry::download(
        "credentials.basic",
        Must,
        &["R3.6.5.3-2"],
        "Answer 401 with credentials.",
        protected(Finishes, |server, request| ordinary(server, request)),
    ),
    Entry::download(
        "credentials.rest",
        Must,
        &["R3.6.5.3-2"],
        "Send credentials also with the request for the rest.",
        protected(Finishes, |server, request| {
            let reply = ordinary(server, request);
            let parts = server.gets().filter(|it| it.has_credentials()).count();
            match request.method == "GET" && request.has_credentials() && parts == 1 {
                true => reply.ending(Ending::Close).cut(CUT),
                false => reply,
            }
        }),
    ),
    Entry::download(
        "credentials.refused",
        Must,
        &["R3.6.5.3-2"],
        "Give up if the server refuses the credentials, instead of sending them again and again.",
        protected(GivesUp, |_server, _request| challenge()).check(gives_up_soon),
    ),
    Entry::download(
        "credentials.page",
        Must,
        &["R3.6.5.3-2"],
        "Do not store the page of a 401 that the client cannot answer.",
        protected(NoSuccess, |_server, _request| {
            Reply::page(401).field("WWW-Authenticate", "Unknown realm=\"conformance\"")
        })
        .check(super::stores_no_page),
    ),
    Entry::download(
        "credentials.redirect",
        Security,
        &["RFC9110-15.4"],
        "Do not send credentials to another server to which the download is redirected.",
        protected(NoWrongCopy, |server, request| match request.origin {
            Origin::Main if request.has_credentials() => {
                Reply::page(302).field("Location", server.setup.other_url())
            }
            Origin::Main => challenge(),
            _ => server.ordinary(request),
        })
        .check(|server| keeps_credentials(&server.requests)),
    ),
    Entry::download(
        "credentials.redirect.challenge",
        Security,
        &["RFC9110-15.4"],
        "Do not answer the 401 of another server to which the download is redirected.",
        protected(NoWrongCopy, |server, request| match request.origin {
            Origin::Main => Reply::page(302).field("Location", server.setup.other_url()),
            _ => challenge(),
        })
        .check(|server| keeps_credentials(&server.requests)),
    ),
    Entry::download(
        "anonymous.status_401",
        Must,
        &["R3.6.5.3-2"],
        "Report 401 if there are no credentials, and store no page.",
        Scenario::new(GivesUp, 20_000, |_server: &mut Download, _request| challenge())
            .needs(Needs::NoCredentials)
            .check(gives_up_soon),
    ),
    Entry::download(
        "anonymous.status_407",
        Must,
        &["R3.6.5.3-2"],
        "Report 407 if there are no credentials for a proxy, and store no page.",
        Scenario::new(GivesUp, 20_000, |_server: &mut Download, _request| {
            Reply::page(407).field("Proxy-Authenticate", "Basic realm=\"proxy\"")
        })
        .needs(Needs::NoCredentials)
        .check(gives_up_soon),
    ),
];
