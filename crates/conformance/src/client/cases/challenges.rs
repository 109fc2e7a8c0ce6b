//! Servers that offer several schemes, and challenges of a proxy that the client does not use.

use super::digest::answer;
use super::{DOWNLOAD_CHALLENGE, UPLOAD_CHALLENGE};
use crate::Level::{Must, Security};
use crate::client::digest::Challenge;
use crate::client::download::Download;
use crate::client::entry::{Entry, Outcome, fail};
use crate::client::message::{Reply, Request};
use crate::client::scenario::Expect::{Finishes, NoSuccess};
use crate::client::scenario::{Model, Needs, Scenario};
use crate::client::setup::ACCOUNT;
use crate::client::upload::Upload;

const DIGEST: Challenge = Challenge { realm: "bits, conformance", ..Challenge::new() };
const BASIC: &str = "Basic realm=\"bits, conformance\"";
/// Challenges with schemes that do not exist. Negotiate and NTLM would not do, as some clients support them.
const UNKNOWN: [&str; 2] = ["Unknown-1", "Unknown-2 realm=\"a, b\""];

/// Responds to requests with credentials that are valid for Basic or Digest, and sends challenges to others.
fn protect<M: Model>(server: &mut M, request: &Request, challenges: &[String]) -> Reply {
    let is_basic = request.field("Authorization") == Some(&ACCOUNT.basic());
    if is_basic || matches!(answer(request, &DIGEST), Some(Ok(_))) {
        return server.respond(request);
    }
    server.allow_again(request);
    let refusal = Reply::page(401);
    challenges.iter().fold(refusal, |refusal, it| refusal.field("WWW-Authenticate", it))
}

/// Sends all challenges in one field.
fn protect_with_list<M: Model>(server: &mut M, request: &Request) -> Reply {
    let list = format!("{}, {BASIC}, {}", UNKNOWN.join(", "), DIGEST.value());
    protect(server, request, &[list])
}

/// Sends each challenge in a field of its own.
fn protect_with_fields<M: Model>(server: &mut M, request: &Request) -> Reply {
    let [first, second] = UNKNOWN.map(String::from);
    protect(server, request, &[first, DIGEST.value(), second, BASIC.into()])
}

/// Requests credentials for a proxy that does not exist.
fn pretend_proxy<M: Model>(server: &mut M, request: &Request) -> Reply {
    server.allow_again(request);
    Reply::page(407).field("Proxy-Authenticate", "Basic realm=\"proxy\"")
}

/// Requires that the client answers 407 neither with credentials for a proxy, nor with those for the server.
fn ignores_proxy<M: Model>(server: &M) -> Outcome {
    let requests = server.requests();
    if let Some(it) = requests.iter().find(|it| it.field("Proxy-Authorization").is_some()) {
        return fail(format!("client sends credentials for a proxy, in {}", it.method));
    }
    let is_open = requests.first().is_some_and(|it| it.field("Authorization").is_none());
    match requests.iter().find(|it| is_open && it.field("Authorization").is_some()) {
        Some(it) => fail(format!("client answers 407 with credentials, in {}", it.method)),
        None => Ok(()),
    }
}

/// Defines the cases for one direction. `$challenge` is the requirement to answer challenges.
macro_rules! cases {
    ($entry:ident, $model:ty, $challenge:expr) => {
        &[
            Entry::$entry(
                "credentials.list",
                Must,
                &[$challenge, "RFC9110-11.6.1"],
                "Choose a scheme that you support from several challenges in one WWW-Authenticate.",
                Scenario::<$model>::new(Finishes, 20_000, protect_with_list)
                    .needs(Needs::Credentials),
            ),
            Entry::$entry(
                "credentials.fields",
                Must,
                &[$challenge, "RFC9110-11.6.1"],
                "Choose a scheme that you support from several fields with the name WWW-Authenticate.",
                Scenario::<$model>::new(Finishes, 20_000, protect_with_fields)
                    .needs(Needs::Credentials),
            ),
            Entry::$entry(
                "credentials.status_407",
                Security,
                &["RFC9110-15.5.8"],
                "Send no credentials in response to a 407 if the client does not use a proxy.",
                Scenario::<$model>::new(NoSuccess, 20_000, pretend_proxy)
                    .needs(Needs::Credentials)
                    .check(ignores_proxy),
            ),
        ]
    };
}

pub(super) const UPLOADS: &[Entry] = cases!(upload, Upload, UPLOAD_CHALLENGE);
pub(super) const DOWNLOADS: &[Entry] = cases!(download, Download, DOWNLOAD_CHALLENGE);
