//! Faults with credentials.

use super::{adds, gives_up, leak, reads};
use crate::double::Fault;

/// Gives up instead of sending credentials, with a file of this length.
macro_rules! refuses {
    ($id:literal, $length:expr) => {
        gives_up!($id, |past, it| past.length == $length && it.status == 401)
    };
}
/// Retries without credentials, with a file of this length.
macro_rules! retries {
    ($id:literal, $length:expr) => {
        reads!(
            $id,
            |past, _sent, it| past.length == $length && it.status >= 400 => it.status = 503
        )
    };
}

pub const FAULTS: &[(&str, Fault)] = &[
    refuses!("credentials.create", 48_001),
    refuses!("credentials.fragment", 48_002),
    refuses!("credentials.before_body", 48_003),
    refuses!("credentials.close", 48_004),
    retries!("credentials.refused", 48_005),
    retries!("credentials.unknown", 48_011),
    adds!(
        "credentials.redirect",
        |past, sent| past.length == 48_006 && past.exchanges.len() == 1 => {
            let location = past.last().and_then(|it| it.get("Location")).unwrap_or_default();
            leak(sent, location)
        }
    ),
    adds!(
        "credentials.reply",
        |past, sent| {
            let url = past.last().and_then(|it| it.get("BITS-Reply-URL"));
            past.length == 48_007 && sent.is("Fragment") && url.is_some()
        } => {
            let url = past.last().and_then(|it| it.get("BITS-Reply-URL")).unwrap_or_default();
            leak(sent, url)
        }
    ),
    retries!("anonymous.status_401", 48_008),
    retries!("anonymous.status_407.fragment", 48_010),
    retries!("anonymous.status_407", 48_009),
];
