//! Servers that require credentials.

use bits_proto::field::PacketType;

use super::{always, challenge, keeps_credentials};
use crate::Level::{Must, Security};
use crate::client::entry::{Entry, fail};
use crate::client::message::{Ending, Origin, Reply, Request};
use crate::client::scenario::BodyAction;
use crate::client::scenario::Expect::{Ends, Finishes};
use crate::client::scenario::Needs;
use crate::client::upload::{REPLY_TARGET, Scenario, Upload};

/// The maximum number of requests with credentials that the server refuses.
const MAX_TRIES: usize = 3;

/// Requires credentials for the packets of this type.
fn protect(server: &mut Upload, request: &Request, packet: PacketType) -> Reply {
    match request.is(packet) && request.field("Authorization").is_none() {
        true => {
            server.max_sessions += usize::from(packet == PacketType::CreateSession);
            challenge()
        }
        false => server.ordinary(request),
    }
}

pub(super) const CASES: &[Entry] = &[
    Entry::upload(
        "credentials.create",
        Must,
        &["R3.1.5.2.1-1"],
        "Answer 401 to Create-Session with credentials.",
        Scenario::new(Finishes, 48_001, |server: &mut Upload, request| {
            protect(server, request, PacketType::CreateSession)
        })
        .needs(Needs::Credentials),
    ),
    Entry::upload(
        "credentials.fragment",
        Must,
        &["R3.1.5.2.1-1"],
        "Answer 401 to a Fragment with credentials, and send the Fragment again in the same session.",
        Scenario::new(Finishes, 48_002, |server: &mut Upload, request| {
            protect(server, request, PacketType::Fragment)
        })
        .needs(Needs::Credentials),
    ),
    Entry::upload(
        "credentials.before_body",
        Must,
        &["R3.1.5.2.1-1", "RFC9112-9.3"],
        "Read a 401 that arrives before the body is sent, and answer it with credentials.",
        Scenario::new(Finishes, 48_003, Upload::ordinary)
            .on_head(|_, request| {
                let is_open = request.field("Authorization").is_none();
                match request.is(PacketType::Fragment) && is_open {
                    true => BodyAction::Respond(challenge().ending(Ending::Close)),
                    false => BodyAction::Read,
                }
            })
            .needs(Needs::Credentials),
    ),
    Entry::upload(
        "credentials.close",
        Must,
        &["R3.1.5.2.1-1"],
        "Answer 401 to Close-Session with credentials.",
        Scenario::new(Finishes, 48_004, |server: &mut Upload, request| {
            protect(server, request, PacketType::CloseSession)
        })
        .needs(Needs::Credentials),
    ),
    Entry::upload(
        "credentials.refused",
        Must,
        &["R3.1.5.2.1-1"],
        "Give up if the server refuses the credentials, instead of sending them again and again.",
        always!(GivesUp, 48_005, CreateSession, |server, _request| {
            server.max_sessions += 1;
            challenge()
        })
        .needs(Needs::Credentials)
        .check(|server| server.gives_up_after(MAX_TRIES)),
    ),
    Entry::upload(
        "credentials.unknown",
        Must,
        &["R3.1.5.2.1-1"],
        "Give up if the server offers no scheme that the client supports.",
        always!(GivesUp, 48_011, CreateSession, |server, _request| {
            server.max_sessions += 1;
            Reply::page(401).field("WWW-Authenticate", "Unknown realm=\"conformance\"")
        })
        .needs(Needs::Credentials)
        .check(|server| server.gives_up_after(MAX_TRIES)),
    ),
    Entry::upload(
        "credentials.redirect",
        Security,
        &["RFC9110-15.4"],
        "Do not send credentials to another server to which Create-Session is redirected.",
        Scenario::new(Ends, 48_006, |server: &mut Upload, request| {
            match request.is(PacketType::CreateSession) && request.origin == Origin::Main {
                true => Reply::page(307).field("Location", server.setup.other_url()),
                false => server.ordinary(request),
            }
        })
        .needs(Needs::Credentials)
        .check(|server| keeps_credentials(&server.requests)),
    ),
    Entry::upload(
        "credentials.reply",
        Security,
        &["R3.1.5.1.8-1", "RFC9110-15.4"],
        "Do not send credentials to another server that BITS-Reply-URL names.",
        Scenario::new(Ends, 48_007, |server: &mut Upload, request| {
            let url = format!("{}{REPLY_TARGET}", server.setup.other_origin);
            server.ordinary(request).change("BITS-Reply-URL", |_| url.clone())
        })
        .needs(Needs::CredentialsAndReply)
        .check(|server| keeps_credentials(&server.requests)),
    ),
    Entry::upload(
        "anonymous.status_401",
        Must,
        &["R3.1.5.2.1-1"],
        "Report 401 if there are no credentials, and do not retry.",
        always!(GivesUp, 48_008, CreateSession, |server, _request| {
            server.max_sessions += 1;
            challenge()
        })
        .needs(Needs::NoCredentials)
        .check(|server| server.gives_up_after(MAX_TRIES)),
    ),
    Entry::upload(
        "anonymous.status_407.fragment",
        Must,
        &["R3.1.5.2.1-1"],
        "Report 407 also to a Fragment, and do not send it again and again.",
        always!(GivesUp, 48_010, Fragment, |_server, _request| {
            Reply::page(407).field("Proxy-Authenticate", "Basic realm=\"proxy\"")
        })
        .needs(Needs::NoCredentials)
        .check(|server| match server.of(PacketType::Fragment).count() {
            count if count <= MAX_TRIES => Ok(()),
            count => fail(format!("client sends {count} Fragment packets, which are refused")),
        }),
    ),
    Entry::upload(
        "anonymous.status_407",
        Must,
        &["R3.1.5.2.1-1"],
        "Report 407 if there are no credentials for a proxy, and do not retry.",
        always!(GivesUp, 48_009, CreateSession, |server, _request| {
            server.max_sessions += 1;
            Reply::page(407).field("Proxy-Authenticate", "Basic realm=\"proxy\"")
        })
        .needs(Needs::NoCredentials)
        .check(|server| server.gives_up_after(MAX_TRIES)),
    ),
];
