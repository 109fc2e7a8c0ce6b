//! Faults with challenges of servers and proxies, in both directions.

use digest_auth::{Algorithm, AlgorithmType};

use super::download_failure::retries;
use super::{adds, gives_up, sends};
use crate::double::{Fault, History, Login, Sent};

/// Returns the last challenge of the server.
fn challenge(past: &History) -> Option<&str> {
    past.responses().rev().find_map(|it| it.get("WWW-Authenticate"))
}

/// Repeats a request with an answer to the last challenge, which is read as another one.
fn answer(past: &History, sent: &Sent, read: fn(&str) -> String) -> Sent {
    let challenge = read(challenge(past).unwrap_or_default());
    let mut request = sent.clone();
    request.set("Authorization", &past.login.digest(&challenge, sent, |_| {}));
    request
}

/// Hashes another target than that of the request.
fn hash_other_target(login: &Login, challenge: &str, sent: &Sent) -> String {
    let other = Sent { target: "/".into(), ..sent.clone() };
    login.digest(challenge, &other, |_| {})
}

/// Gives up after a challenge in one case.
macro_rules! refuses {
    ($id:literal, $status:literal) => {
        gives_up!($id, |past, it| past.is($id) && it.status == $status)
    };
}
/// Answers each of many challenges in one case.
macro_rules! answers_again {
    ($id:literal) => {
        ($id, Fault::AnswersAgain(|past| past.is($id)))
    };
}
/// Sends another answer to the last challenge of the server in one case.
macro_rules! answers {
    ($id:literal, |$past:ident, $sent:ident, $challenge:ident| $answer:expr) => {
        sends!(
            $id,
            |past, sent| past.is($id) && challenge(past).is_some() => {
                let ($past, $sent, $challenge) = (past, &*sent, challenge(past).unwrap_or_default());
                let value = $answer;
                sent.set("Authorization", &value);
            }
        )
    };
}
/// Answers a challenge in one case that the double does not support.
macro_rules! misreads {
    ($id:literal, |$challenge:ident| $read:expr) => {
        adds!(
            $id,
            |past, sent| past.is($id) && past.last().is_some_and(|it| it.status == 401)
                => answer(past, sent, |$challenge| $read)
        )
    };
}

pub const FAULTS: &[(&str, Fault)] = &[
    refuses!("credentials.list", 401),
    refuses!("credentials.fields", 401),
    adds!(
        "credentials.status_407",
        |past, sent| past.is("credentials.status_407") && past.last().is_some() => {
            let mut request = sent.clone();
            request.set("Proxy-Authorization", &past.login.basic());
            request
        }
    ),
    retries!("anonymous.digest"),
    answers!("digest.answer", |past, sent, it| hash_other_target(&past.login, it, sent)),
    answers!("digest.basic", |past, _sent, _it| past.login.basic()),
    answers!("digest.count", |past, sent, it| past.login.digest(it, sent, |_| {})),
    gives_up!("digest.stale", |past, it| past.is("digest.stale") && it.has("stale=true")),
    answers_again!("digest.stale.always"),
    answers_again!("digest.refused"),
    answers!("digest.algorithm", |past, sent, it| past.login.digest(it, sent, |it| {
        it.algorithm = Algorithm::new(AlgorithmType::MD5, false);
    })),
    misreads!("digest.algorithm.unknown", |it| it.replace("BITS-CONFORMANCE", "MD5")),
    misreads!("digest.qop", |it| it.replace("auth-int", "auth")),
    misreads!("digest.realm", |it| it.replace(|letter: char| !letter.is_ascii(), "?")),
    refuses!("proxy.credentials", 407),
    answers_again!("proxy.credentials.refused"),
    sends!(
        "proxy.credentials.digest",
        |past, sent| past.is("proxy.credentials.digest") && past.last().is_some() => {
            let challenge = past.last().and_then(|it| it.get("Proxy-Authenticate"));
            if let (Some((_, login)), Some(challenge)) = (&past.proxy, challenge) {
                let value = hash_other_target(login, challenge, sent);
                sent.set("Proxy-Authorization", &value);
            }
        }
    ),
    sends!(
        "proxy.credentials.server",
        |past, sent| past.is("proxy.credentials.server") && challenge(past).is_some() => {
            if let Some((_, login)) = &past.proxy {
                sent.set("Authorization", &login.basic());
            }
        }
    ),
];
