//! Proxies that require credentials.

use super::{DOWNLOAD_CHALLENGE, MAX_TRIES, UPLOAD_CHALLENGE, challenge, sends_at_most};
use crate::Level::{Must, Robustness, Security};
use crate::client::digest::Challenge;
use crate::client::download::Download;
use crate::client::entry::{Entry, Outcome, Stop, fail};
use crate::client::message::{Origin, Reply, Request};
use crate::client::scenario::Expect::Ends;
use crate::client::scenario::{Model, Needs, Scenario};
use crate::client::setup::PROXY_ACCOUNT;
use crate::client::upload::Upload;

/// The field with the credentials for a proxy.
const FIELD: &str = "Proxy-Authorization";
const DIGEST: Challenge = Challenge::new();

/// Responds to requests that the proxy accepts, and to those that do not use it.
fn forward<M: Model>(server: &mut M, request: &Request, is_valid: bool, challenge: &str) -> Reply {
    if is_valid || request.origin == Origin::Main {
        return server.respond(request);
    }
    server.allow_again(request);
    Reply::page(407).field("Proxy-Authenticate", challenge)
}

fn has_basic(request: &Request) -> bool {
    request.field(FIELD) == Some(&PROXY_ACCOUNT.basic())
}

/// Verifies an answer with the scheme Digest; `None` for a request without one.
fn answer(request: &Request) -> Option<Result<(), String>> {
    let value = request.credentials(FIELD, "Digest")?;
    Some(DIGEST.verify(PROXY_ACCOUNT, request, value).map(|_| ()))
}

fn require_basic<M: Model>(server: &mut M, request: &Request) -> Reply {
    forward(server, request, has_basic(request), "Basic realm=\"proxy\"")
}

fn require_digest<M: Model>(server: &mut M, request: &Request) -> Reply {
    let is_valid = matches!(answer(request), Some(Ok(())));
    forward(server, request, is_valid, &DIGEST.value())
}

fn refuse<M: Model>(server: &mut M, request: &Request) -> Reply {
    forward(server, request, false, "Basic realm=\"proxy\"")
}

/// Forwards requests to a server that requires other credentials.
fn forward_to_protected<M: Model>(server: &mut M, request: &Request) -> Reply {
    match has_basic(request) {
        true => {
            server.allow_again(request);
            challenge()
        }
        false => require_basic(server, request),
    }
}

/// Returns the requests to the proxy. A client that does not use the proxy cannot be examined.
fn proxied<M: Model>(server: &M) -> Result<impl Iterator<Item = &Request>, Stop> {
    let is_proxied = |request: &&Request| request.origin == Origin::Other;
    let mut requests = server.requests().iter().filter(is_proxied).peekable();
    match requests.peek() {
        Some(_) => Ok(requests),
        None => Err(Stop::NotApplicable("client does not use the proxy in http_proxy".into())),
    }
}

fn sends_basic<M: Model>(server: &M) -> Outcome {
    match proxied(server)?.any(has_basic) {
        true => Ok(()),
        false => fail("client sends no credentials to the proxy"),
    }
}

fn sends_digest<M: Model>(server: &M) -> Outcome {
    for (position, request) in proxied(server)?.enumerate() {
        if let Some(Err(reason)) = answer(request) {
            return fail(format!("{FIELD} of {} {reason}", request.method));
        }
        if position > 0 && request.credentials(FIELD, "Basic").is_some() {
            return fail("client answers a challenge for Digest with Basic");
        }
    }
    Ok(())
}

fn gives_up_soon<M: Model>(server: &M) -> Outcome {
    sends_at_most(proxied(server)?.count(), MAX_TRIES)
}

/// Requires that the server does not receive the credentials for the proxy as its own.
fn keeps_credentials<M: Model>(server: &M) -> Outcome {
    let basic = PROXY_ACCOUNT.basic();
    let _ = proxied(server)?;
    match server.requests().iter().any(|it| it.field("Authorization") == Some(&basic)) {
        true => fail("client sends the credentials for the proxy to the server"),
        false => Ok(()),
    }
}

/// A script for a client that uses the proxy.
const fn script<M: Model>(
    answer: fn(&mut M, &Request) -> Reply,
    check: fn(&M) -> Outcome,
) -> Scenario<M> {
    Scenario::new(Ends, 20_000, answer).check(check).needs(Needs::Proxy)
}

/// Defines the cases for one direction. `$challenge` is the requirement to answer challenges.
macro_rules! cases {
    ($entry:ident, $model:ty, $challenge:expr) => {
        &[
            Entry::$entry(
                "proxy.credentials",
                Robustness,
                &[$challenge, "RFC9110-11.7.1"],
                "Send the user and the password in http_proxy to a proxy that requires them.",
                script::<$model>(require_basic, sends_basic),
            ),
            Entry::$entry(
                "proxy.credentials.refused",
                Must,
                &[$challenge],
                "Give up if the proxy refuses the credentials, instead of sending them again and again.",
                script::<$model>(refuse, gives_up_soon),
            ),
            Entry::$entry(
                "proxy.credentials.digest",
                Security,
                &[$challenge, "RFC9110-11.4"],
                "Answer a proxy that requires Digest with a valid hash and not with Basic, or give up.",
                script::<$model>(require_digest, sends_digest),
            ),
            Entry::$entry(
                "proxy.credentials.server",
                Security,
                &["RFC9110-11.7.2"],
                "Do not answer the 401 of a server with the credentials for the proxy.",
                script::<$model>(forward_to_protected, keeps_credentials),
            ),
        ]
    };
}

pub(super) const UPLOADS: &[Entry] = cases!(upload, Upload, UPLOAD_CHALLENGE);
pub(super) const DOWNLOADS: &[Entry] = cases!(download, Download, DOWNLOAD_CHALLENGE);
