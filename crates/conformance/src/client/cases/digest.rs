//! Servers that require Digest authentication.

use super::{DOWNLOAD_CHALLENGE, MAX_TRIES, UPLOAD_CHALLENGE, sends_at_most};
use crate::Level::{Must, Robustness, Security, Should};
use crate::client::digest::{Algorithm, Answer, Challenge};
use crate::client::download::Download;
use crate::client::entry::{Entry, Outcome, fail};
use crate::client::message::{Reply, Request};
use crate::client::scenario::Expect::{self, Ends, GivesUp};
use crate::client::scenario::{Model, Needs, Scenario};
use crate::client::setup::ACCOUNT;
use crate::client::upload::Upload;

/// The maximum number of requests if the server calls each nonce stale.
const MAX_STALE: usize = 10;
/// The number of requests after which the server no longer responds, as the client is in a loop.
const MAX_RECORDED: usize = 100;

const PLAIN: Challenge = Challenge::new();
const STALE: Challenge = Challenge { nonce: 2, is_stale: true, ..PLAIN };
const SHA_256: Challenge = Challenge { algorithm: Algorithm::Sha256, ..PLAIN };
const UNKNOWN: Challenge = Challenge { algorithm: Algorithm::Unknown, ..PLAIN };
const WITH_BODY: Challenge = Challenge { qop: "auth-int", ..PLAIN };
const NON_ASCII: Challenge =
    Challenge { realm: "Äpfel, äöüäöüäöüäöüäöüäöü", ..PLAIN };

/// Verifies the answer of a request to a challenge; `None` for a request without an answer.
pub(super) fn answer(request: &Request, challenge: &Challenge) -> Option<Result<Answer, String>> {
    let value = request.credentials("Authorization", "Digest")?;
    Some(challenge.verify(ACCOUNT, request, value))
}

/// Returns the valid answers to a challenge.
fn answers<'s>(
    requests: &'s [Request],
    challenge: &'s Challenge,
) -> impl Iterator<Item = Answer> + 's {
    requests.iter().filter_map(|request| answer(request, challenge)?.ok())
}

/// Responds with 401 and the challenge.
fn refuse<M: Model>(server: &mut M, request: &Request, challenge: &Challenge) -> Reply {
    server.allow_again(request);
    Reply::page(401).field("WWW-Authenticate", challenge.value())
}

/// Responds to requests with a valid answer, and challenges the client in response to others.
fn protect<M: Model>(server: &mut M, request: &Request, challenge: &Challenge) -> Reply {
    match answer(request, challenge) {
        Some(Ok(answer)) if answer.nonce == challenge.nonce => server.respond(request),
        _ => refuse(server, request, challenge),
    }
}

/// Fails the first request with a valid answer, so that the client repeats it with the same nonce.
fn fail_first<M: Model>(server: &mut M, request: &Request) -> Reply {
    let is_first = answers(server.requests(), &PLAIN).count() == 1;
    if is_first && matches!(answer(request, &PLAIN), Some(Ok(_))) {
        server.allow_again(request);
        return Reply::page(503);
    }
    protect(server, request, &PLAIN)
}

/// Replaces the nonce once it is used.
fn replace_nonce<M: Model>(server: &mut M, request: &Request) -> Reply {
    let is_used = answers(server.requests(), &PLAIN).next().is_some();
    protect(server, request, if is_used { &STALE } else { &PLAIN })
}

/// Requests credentials with a nonce of its own for each request.
fn refuse_all<M: Model>(server: &mut M, request: &Request, is_stale: bool) -> Reply {
    if server.requests().len() > MAX_RECORDED {
        return Reply::silence();
    }
    let is_stale = is_stale && answer(request, &PLAIN).is_some();
    let challenge = Challenge { nonce: server.requests().len(), is_stale, ..PLAIN };
    refuse(server, request, &challenge)
}

/// Requires that all answers to a challenge are valid, and that the client sends few requests without one.
fn answers_are_valid<M: Model>(server: &M, challenge: &Challenge) -> Outcome {
    let mut refused = 0;
    for request in server.requests() {
        match answer(request, challenge) {
            Some(Ok(_)) => {}
            // Not checked: requests are recorded without their bodies, which the hash covers.
            Some(Err(_)) if challenge.qop == "auth-int" && !request.is_complete() => {}
            Some(Err(reason)) => {
                return fail(format!("Authorization of {} {reason}", request.method));
            }
            None => refused += 1,
        }
    }
    sends_at_most(refused, MAX_TRIES)
}

/// Requires that the requests with the same nonce are counted.
fn counts<M: Model>(server: &M) -> Outcome {
    let counts = answers(server.requests(), &PLAIN).filter_map(|answer| answer.count);
    for (position, count) in (1..).zip(counts) {
        if count != position {
            return fail(format!("nc of request {position} with the same nonce is {count}"));
        }
    }
    answers_are_valid(server, &PLAIN)
}

/// Requires that a client that has answered a challenge answers the next one.
fn answers_again<M: Model>(server: &M) -> Outcome {
    let mut answers = answers(server.requests(), &PLAIN);
    match answers.next().is_some() && answers.all(|answer| answer.nonce != STALE.nonce) {
        true => fail("client answers the first challenge, but not the one with stale=true"),
        false => answers_are_valid(server, &PLAIN),
    }
}

/// Requires that no request after the first challenge has credentials of this scheme.
fn never_sends<M: Model>(server: &M, scheme: &str) -> Outcome {
    let mut requests = server.requests().iter().skip(1);
    match requests.find(|it| it.credentials("Authorization", scheme).is_some()) {
        Some(request) => fail(format!("client answers with {scheme}, in {}", request.method)),
        None => Ok(()),
    }
}

/// A script for a client with credentials.
const fn script<M: Model>(
    expect: Expect,
    answer: fn(&mut M, &Request) -> Reply,
    check: fn(&M) -> Outcome,
) -> Scenario<M> {
    Scenario::new(expect, 20_000, answer).check(check).needs(Needs::Credentials)
}

/// Defines the cases for one direction. `$challenge` is the requirement to answer challenges.
macro_rules! cases {
    ($entry:ident, $model:ty, $challenge:expr) => {
        &[
            Entry::$entry(
                "digest.answer",
                Must,
                &[$challenge, "RFC7616-3.4"],
                "Answer a challenge with all parameters and the hash of RFC 7616, or give up.",
                script::<$model>(
                    Ends,
                    |server, request| protect(server, request, &PLAIN),
                    |server| answers_are_valid(server, &PLAIN),
                ),
            ),
            Entry::$entry(
                "digest.basic",
                Security,
                &[$challenge, "RFC9110-11.4"],
                "Do not answer with Basic, which reveals the password, if the server offers Digest only.",
                script::<$model>(
                    Ends,
                    |server, request| protect(server, request, &PLAIN),
                    |server| never_sends(server, "Basic"),
                ),
            ),
            Entry::$entry(
                "digest.count",
                Must,
                &[$challenge, "RFC7616-3.4"],
                "Count all requests with the same nonce in nc, also repeated ones.",
                script::<$model>(Ends, fail_first, counts),
            ),
            Entry::$entry(
                "digest.stale",
                Robustness,
                &["RFC7616-3.3"],
                "Answer a challenge with stale=true with its nonce and the same password.",
                script::<$model>(Ends, replace_nonce, answers_again),
            ),
            Entry::$entry(
                "digest.stale.always",
                Robustness,
                &["RFC7616-3.3"],
                "Give up after a few challenges with stale=true in a row.",
                script::<$model>(
                    GivesUp,
                    |server, request| refuse_all(server, request, true),
                    |server| sends_at_most(server.requests().len(), MAX_STALE),
                ),
            ),
            Entry::$entry(
                "digest.refused",
                Must,
                &[$challenge],
                "Give up if the server refuses an answer, although it sends another nonce.",
                script::<$model>(
                    GivesUp,
                    |server, request| refuse_all(server, request, false),
                    |server| sends_at_most(server.requests().len(), MAX_TRIES),
                ),
            ),
            Entry::$entry(
                "digest.algorithm",
                Must,
                &[$challenge, "RFC7616-3.4"],
                "Answer a challenge for SHA-256 with this algorithm, or give up.",
                script::<$model>(
                    Ends,
                    |server, request| protect(server, request, &SHA_256),
                    |server| answers_are_valid(server, &SHA_256),
                ),
            ),
            Entry::$entry(
                "digest.algorithm.unknown",
                Should,
                &["RFC7616-3.3"],
                "Ignore a challenge with an unknown algorithm.",
                script::<$model>(
                    GivesUp,
                    |server, request| refuse(server, request, &UNKNOWN),
                    |server| never_sends(server, "Digest"),
                ),
            ),
            Entry::$entry(
                "digest.qop",
                Must,
                &[$challenge, "RFC7616-3.4"],
                "Protect the body with auth-int if the server offers nothing else, or give up.",
                script::<$model>(
                    Ends,
                    |server, request| protect(server, request, &WITH_BODY),
                    |server| answers_are_valid(server, &WITH_BODY),
                ),
            ),
            Entry::$entry(
                "digest.realm",
                Robustness,
                &["RFC7616-3.3"],
                "Return a realm with commas and bytes beyond ASCII unchanged, or give up.",
                script::<$model>(
                    Ends,
                    |server, request| protect(server, request, &NON_ASCII),
                    |server| answers_are_valid(server, &NON_ASCII),
                ),
            ),
        ]
    };
}

pub(super) const UPLOADS: &[Entry] = cases!(upload, Upload, UPLOAD_CHALLENGE);
pub(super) const DOWNLOADS: &[Entry] = cases!(download, Download, DOWNLOAD_CHALLENGE);

/// Defines the case of a client that is challenged and has no credentials.
macro_rules! anonymous {
    ($entry:ident, $model:ty, $challenge:expr) => {
        &[Entry::$entry(
            "anonymous.digest",
            Must,
            &[$challenge],
            "Report a challenge with the scheme Digest if there are no credentials, and do not retry.",
            script::<$model>(
                GivesUp,
                |server, request| refuse(server, request, &PLAIN),
                |server| sends_at_most(server.requests().len(), MAX_TRIES),
            )
            .needs(Needs::NoCredentials),
        )]
    };
}

pub(super) const ANONYMOUS_UPLOADS: &[Entry] = anonymous!(upload, Upload, UPLOAD_CHALLENGE);
pub(super) const ANONYMOUS_DOWNLOADS: &[Entry] = anonymous!(download, Download, DOWNLOAD_CHALLENGE);
