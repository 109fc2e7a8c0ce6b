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
    copies!("redirect.status_301", |past| pieces(past, 1)),
    copies!("redirect.status_302", |past| pieces(past, 1)),
    copies!("redirect.status_303", |past| pieces(past, 1)),
    copies!("redirect.status_307", |past| pieces(past, 1)),
    copies!("redirect.status_308", |past| pieces(past, 1)),
    sends!(
        "redirect.relative",
        |past, sent| past.is("redirect.relative") && past.last().is_some_and(|it| it.status == 302)
            => sent.target = "/bits-conformance/../bits-conformance/copy.bin".into()
    ),
    copies!("redirect.other_server", |past| pieces(past, 1)),
    copies!("redirect.rest", |past| pieces(past, 2)),
    copies!("redirect.loop", |past| pieces(past, 1)),
    copies!("redirect.missing", |past| pieces(past, 1)),
    copies!("redirect.file", |_past| b"127.0.0.1 localhost\n".to_vec()),
    copies!("redirect.cut", |_past| Vec::new()),
    fails!("credentials.basic", |past| past.last().is_some_and(|it| it.status == 401)),
    copies!("credentials.rest", |past| first(past, 10_000)),
    retries!("credentials.refused"),
    copies!("credentials.page", |past| pieces(past, 1)),
    leaks!("credentials.redirect"),
    leaks!("credentials.redirect.challenge"),
    retries!("anonymous.status_401"),
    retries!("anonymous.status_407"),
];
