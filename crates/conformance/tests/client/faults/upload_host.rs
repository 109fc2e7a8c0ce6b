//! Faults with the host in BITS-Host-Id.

use super::upload_connection::stops;
use super::{gives_up, sends};
use crate::double::{Fault, History, Sent};

/// Sends a request to the origin server.
fn return_to_origin(past: &History, sent: &mut Sent) {
    if let Some(first) = past.exchanges.first() {
        sent.authority.clone_from(&first.sent.authority);
    }
}

pub const FAULTS: &[(&str, Fault)] = &[
    sends!(
        "host.followed",
        |past, sent| past.length == 49_001 && sent.is("Close-Session") => return_to_origin(past, sent)
    ),
    sends!(
        "host.field",
        |past, sent| past.length == 49_002 => {
            let origin = past.exchanges.first().map(|it| it.sent.authority.clone());
            sent.set("Host", &origin.unwrap_or_else(|| sent.authority.clone()));
        }
    ),
    sends!(
        "host.ping",
        |past, sent| past.length == 49_003 && sent.is("Ping") => return_to_origin(past, sent)
    ),
    stops!("host.fallback", 49_004),
    gives_up!("host.fallback.lost_session", |past, it| past.length == 49_005 && it.status == 500),
    sends!(
        "host.no_fallback",
        |past, sent| past.length == 49_006 => return_to_origin(past, sent)
    ),
];
