//! Faults after refusals.

use super::{adds, reads};
use crate::double::{Fault, Received};

/// Turns a refusal into a transient failure.
fn make_transient(received: &mut Received) {
    received.status = 503;
    for name in ["BITS-Error", "BITS-Error-Code", "BITS-Error-Context"] {
        received.set(name, "");
    }
}

/// Retries after refusals, with a file of this length.
macro_rules! retries {
    ($id:literal, $length:expr) => {
        reads!(
            $id,
            |past, _sent, it| past.length == $length && it.status >= 400 => make_transient(it)
        )
    };
}
/// Treats a refusal of the application as one of the server, with a file of this length.
macro_rules! ignores_application {
    ($id:literal, $length:expr) => {
        reads!(
            $id,
            |past, _sent, it| past.length == $length && it.status >= 400 => {
                it.set("BITS-Error-Code", "");
                it.set("BITS-Error", "");
                it.set("BITS-Error-Context", "");
                // The double sends credentials only in response to a challenge.
                it.set("WWW-Authenticate", "Basic realm=\"server\"");
            }
        )
    };
}

pub const FAULTS: &[(&str, Fault)] = &[
    retries!("refusal.access_denied", 44_001),
    retries!("refusal.access_denied.page", 44_002),
    retries!("refusal.not_enabled", 44_003),
    retries!("refusal.not_found", 44_004),
    retries!("refusal.method", 44_005),
    retries!("refusal.invalid", 44_006),
    retries!("refusal.invalid.page", 44_007),
    retries!("refusal.too_large", 44_008),
    retries!("refusal.application", 44_009),
    ignores_application!("refusal.application.too_large", 44_010),
    ignores_application!("refusal.application.credentials", 44_011),
    adds!(
        "refusal.then_silence",
        |past, sent| past.length == 44_012 && sent.is("Fragment") => sent.packet("Close-Session")
    ),
    retries!("limit.shorter", 45_001),
    retries!("limit.shorter.before_body", 45_002),
    retries!("limit.lowered", 45_004),
    retries!("limit.lowered.status_404", 45_005),
    retries!("limit.never_enough", 45_003),
];
