//! Faults after transient failures.

use super::{gives_up, reads};
use crate::double::Fault;

/// Gives up after a refusal, with a file of this length.
macro_rules! fatal {
    ($id:literal, $length:expr) => {
        gives_up!($id, |past, it| past.length == $length && it.status >= 400)
    };
}
/// Ignores Retry-After, with a file of this length.
macro_rules! ignores_retry_after {
    ($id:literal, $length:expr) => {
        reads!(
            $id,
            |past, _sent, it| past.length == $length && it.get("Retry-After").is_some()
                => it.set("Retry-After", "")
        )
    };
}

pub const FAULTS: &[(&str, Fault)] = &[
    fatal!("retry.status_500", 43_001),
    fatal!("retry.status_502", 43_002),
    fatal!("retry.status_503", 43_003),
    fatal!("retry.status_504", 43_004),
    fatal!("retry.status_408", 43_005),
    fatal!("retry.status_409", 43_006),
    fatal!("retry.status_429", 43_007),
    fatal!("retry.error_code", 43_008),
    fatal!("retry.until_close", 43_009),
    fatal!("retry.application", 43_010),
    fatal!("retry.before_body", 43_011),
    fatal!("retry.create", 43_012),
    fatal!("retry.close", 43_013),
    gives_up!("retry.twice", |past, it| {
        let failures = past.responses().filter(|it| it.status == 502);
        past.length == 43_014 && it.status == 502 && failures.count() == 2
    }),
    ignores_retry_after!("retry.after_seconds", 43_015),
    ignores_retry_after!("retry.after_seconds_429", 43_016),
    ignores_retry_after!("retry.after_date", 43_017),
    fatal!("retry.after_unreadable", 43_018),
    fatal!("retry.after_past", 43_019),
];
