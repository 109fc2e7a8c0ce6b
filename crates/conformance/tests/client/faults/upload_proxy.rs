//! Faults with the pages of proxies, and with redirects.

use super::{claims, reads, succeeds};
use crate::double::Fault;

pub const FAULTS: &[(&str, Fault)] = &[
    claims!("proxy.login.create", |past, _it| past.length == 50_001),
    reads!(
        "proxy.login.fragment",
        |past, sent, it| past.length == 50_002 && it.get("BITS-Packet-Type").is_none() => {
            let end = sent.range().map_or(0, |range| range[1] + 1);
            it.set("BITS-Packet-Type", "Ack");
            it.set("BITS-Received-Content-Range", &end.to_string());
        }
    ),
    reads!(
        "proxy.login.close",
        |past, _sent, it| past.length == 50_003 && it.get("BITS-Packet-Type").is_none()
            => it.set("BITS-Packet-Type", "Ack")
    ),
    succeeds!("proxy.login.always", 50_004),
    succeeds!("proxy.login.redirect", 50_005),
    claims!("redirect.same_server", |past, it| past.length == 50_006 && it.status == 308),
    claims!("redirect.fragment", |past, it| past.length == 50_007 && it.status == 307),
    succeeds!("redirect.loop", 50_008),
    claims!("redirect.to_get", |past, it| past.length == 50_009 && it.status == 303),
];
