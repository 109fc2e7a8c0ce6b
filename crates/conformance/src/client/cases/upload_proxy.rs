//! Responses of proxies, and redirects.

use bits_proto::field::PacketType;

use super::{always, once};
use crate::Level::{Must, Robustness, Security};
use crate::client::entry::{Entry, fail};
use crate::client::message::{Origin, Reply};
use crate::client::scenario::Expect::NoSuccess;
use crate::client::upload::{Scenario, Upload};

/// The maximum number of requests of a client that is redirected to the same URL.
const MAX_REDIRECTS: usize = 50;

/// The login page of a public network.
fn login() -> Reply {
    Reply::page(200)
}

pub(super) const CASES: &[Entry] = &[
    Entry::upload(
        "proxy.login.create",
        Must,
        &["R3.1.5.2.2-1", "R2.2.1.2-2"],
        "Do not accept a page without BITS-Packet-Type as an Ack for Create-Session, also with status 200.",
        once!(Ends, 50_001, CreateSession 1, |server, _request| {
            server.max_sessions += 1;
            login()
        }),
    ),
    Entry::upload(
        "proxy.login.fragment",
        Must,
        &["R3.1.5.2.4-1", "R2.2.1.2-2"],
        "Do not accept a page without BITS-Packet-Type as an Ack for a Fragment, also with status 200.",
        once!(Ends, 50_002, Fragment 1, |_server, _request| login()).check(Upload::repeats_first),
    ),
    Entry::upload(
        "proxy.login.close",
        Must,
        &["R3.1.5.2.5-1", "R2.2.1.2-2"],
        "Do not accept a page without BITS-Packet-Type as an Ack for Close-Session, also with status 200.",
        once!(Ends, 50_003, CloseSession 1, |_server, _request| login()),
    ),
    Entry::upload(
        "proxy.login.always",
        Must,
        &["R3.1.5.2.2-1", "R2.2.1.2-2"],
        "Report no success if all responses are pages with status 200.",
        Scenario::new(NoSuccess, 50_004, |server: &mut Upload, _| {
            server.max_sessions = usize::MAX;
            login()
        }),
    ),
    Entry::upload(
        "proxy.login.redirect",
        Must,
        &["RFC9110-15.4"],
        "Report no success if requests are redirected to a page with status 200.",
        Scenario::new(NoSuccess, 50_005, |server: &mut Upload, request| {
            server.max_sessions = usize::MAX;
            match request.origin {
                Origin::Main => Reply::page(302).field("Location", server.setup.other_url()),
                _ => login(),
            }
        }),
    ),
    Entry::upload(
        "redirect.same_server",
        Robustness,
        &["RFC9110-15.4"],
        "Follow a redirect of Create-Session completely, or give up.",
        Scenario::new(
            crate::client::scenario::Expect::Ends,
            50_006,
            |server: &mut Upload, request| {
                let moved = format!("{}.moved", server.setup.path);
                match request.is(PacketType::CreateSession) && request.target != moved {
                    true => {
                        server.max_sessions += 1;
                        Reply::page(308).field("Location", moved)
                    }
                    false => server.ordinary(request),
                }
            },
        ),
    ),
    Entry::upload(
        "redirect.fragment",
        Robustness,
        &["RFC9110-15.4"],
        "Send the whole body again after a redirect of a Fragment, or give up.",
        once!(Ends, 50_007, Fragment 1, |server, _request| {
            Reply::page(307).field("Location", server.setup.url())
        }),
    ),
    Entry::upload(
        "redirect.loop",
        Robustness,
        &["RFC9110-15.4"],
        "Give up after a few redirects to the same URL.",
        always!(GivesUp, 50_008, CreateSession, |server, _request| {
            server.max_sessions = usize::MAX;
            Reply::page(307).field("Location", server.setup.url())
        })
        .check(|server| match server.requests.len() {
            0..=MAX_REDIRECTS => Ok(()),
            count => {
                fail(format!("client sends {count} requests that are redirected to the same URL"))
            }
        }),
    ),
    Entry::upload(
        "redirect.to_get",
        Security,
        &["RFC9110-15.4.4"],
        "Do not treat the response to a GET, to which a 303 leads, as an Ack.",
        once!(Ends, 50_009, CloseSession 1, |server, _request| {
            Reply::page(303).field("Location", server.setup.other_url())
        }),
    ),
];
