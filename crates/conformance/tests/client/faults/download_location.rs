//! Faults with redirects and credentials.

use super::download_failure::retries;
use super::{copies, fails, first, leak, pieces, sends};
use crate::double::{Fault, History, Sent};

/// Returns a request for the URL of the last redirect, with credentials.
fn follow(past: &History, sent: &Sent) -> Option<Sent> {
    Some(leak(sent, past.last()?.get("Location")?))
}

/// Sends credentials to the server of each redirect.
macro_rules! leaks {
    ($id:literal) => {
        ($id, Fault::Adds(|past, sent| follow(past, sent).filter(|_| past.is($id))))
    };
}

pub const FAULTS: &[(&str, Fault)] = &[
    copies!("location.status_301", |past| pieces(past, 1)),
    copies!("location.status_302", |past| pieces(past, 1)),
    copies!("location.status_303", |past| pieces(past, 1)),
    copies!("location.status_307", |past| pieces(past, 1)),
    copies!("location.status_308", |past| pieces(past, 1)),
    sends!(
        "location.relative",
        |past, sent| past.is("location.relative") && past.last().is_some_and(|it| it.status == 302)
            => sent.target = "/bits-conformance/../bits-conformance/copy.bin".into()
    ),
    copies!("location.other_server", |past| pieces(past, 1)),
    copies!("location.rest", |past| pieces(past, 2)),
    copies!("location.loop", |past| pieces(past, 1)),
    copies!("location.missing", |past| pieces(past, 1)),
    copies!("location.file", |_past| b"127.0.0.1 localhost\n".to_vec()),
    copies!("location.cut", |_past| Vec::new()),
    fails!("login.basic", |past| past.last().is_some_and(|it| it.status == 401)),
    copies!("login.rest", |past| first(past, 10_000)),
    retries!("login.refused"),
    copies!("login.page", |past| pieces(past, 1)),
    leaks!("login.redirect"),
    leaks!("login.redirect.challenge"),
    retries!("anonymous.status_401"),
    retries!("anonymous.status_407"),
];
