//! Faults after failures, and with pages that stand in for the entity.

use super::{copies, fails, first, pieces, reads};
use crate::double::Fault;

/// Gives up after a failure.
macro_rules! gives_up_in {
    ($id:literal) => {
        fails!($id, |past| past.last().is_some_and(|it| it.status >= 400))
    };
}
/// Ignores Retry-After.
macro_rules! ignores_retry_after {
    ($id:literal) => {
        reads!(
            $id,
            |past, _sent, it| past.is($id) && it.get("Retry-After").is_some()
                => it.set("Retry-After", "")
        )
    };
}
/// Retries after a refusal.
macro_rules! retries {
    ($id:literal) => {
        super::reads!($id, |past, _sent, it| past.is($id) && it.status >= 400 => it.status = 503)
    };
}
pub(super) use retries;

pub const FAULTS: &[(&str, Fault)] = &[
    gives_up_in!("transient.status_408"),
    gives_up_in!("transient.status_429"),
    gives_up_in!("transient.status_500"),
    gives_up_in!("transient.status_502"),
    gives_up_in!("transient.status_503"),
    gives_up_in!("transient.status_504"),
    copies!("transient.rest", |past| pieces(past, 2)),
    copies!("transient.always", |past| pieces(past, 1)),
    ignores_retry_after!("transient.after_seconds"),
    ignores_retry_after!("transient.after_seconds_429"),
    ignores_retry_after!("transient.after_date"),
    retries!("fatal.status_403"),
    retries!("fatal.status_404"),
    retries!("fatal.status_405"),
    retries!("fatal.status_410"),
    retries!("fatal.status_451"),
    copies!("page.after_head", |past| pieces(past, 1)),
    copies!("page.rest", |past| pieces(past, 2)),
    copies!("page.rest.until_close", |past| pieces(past, 2)),
    copies!("head.not_allowed", |_past| Vec::new()),
    copies!("head.no_length", |_past| Vec::new()),
    copies!("head.other_length", |past| first(past, 10_000)),
];
