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
    gives_up_in!("retry.status_408"),
    gives_up_in!("retry.status_429"),
    gives_up_in!("retry.status_500"),
    gives_up_in!("retry.status_502"),
    gives_up_in!("retry.status_503"),
    gives_up_in!("retry.status_504"),
    copies!("retry.rest", |past| pieces(past, 2)),
    copies!("retry.always", |past| pieces(past, 1)),
    ignores_retry_after!("retry.after_seconds"),
    ignores_retry_after!("retry.after_seconds_429"),
    ignores_retry_after!("retry.after_date"),
    retries!("refusal.status_403"),
    retries!("refusal.status_404"),
    retries!("refusal.status_405"),
    retries!("refusal.status_410"),
    retries!("refusal.status_451"),
    copies!("page.after_head", |past| pieces(past, 1)),
    copies!("page.rest", |past| pieces(past, 2)),
    copies!("page.rest.until_close", |past| pieces(past, 2)),
    copies!("head.not_allowed", |_past| Vec::new()),
    copies!("head.no_length", |_past| Vec::new()),
    copies!("head.other_length", |past| first(past, 10_000)),
];
