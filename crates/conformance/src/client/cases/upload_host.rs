//! Servers that name another host for the session.

use std::time::Duration;

use bits_proto::field::PacketType;

use crate::Level::{Must, Should};
use crate::client::entry::{Entry, Outcome, fail};
use crate::client::message::{Origin, Reply, Request};
use crate::client::scenario::Expect::{Finishes, NoSuccess};
use crate::client::scenario::Needs;
use crate::client::upload::{Scenario, Upload};

/// Names the other host in the Ack for the first Create-Session.
fn assign(server: &mut Upload, request: &Request, timeout: Option<u32>) -> Reply {
    let reply = server.ordinary(request);
    let is_first = server.of(PacketType::CreateSession).count() == 1;
    let host =
        server.setup.host.clone().filter(|_| request.is(PacketType::CreateSession) && is_first);
    let Some(host) = host else { return reply };
    let reply = reply.field("BITS-Host-Id", host);
    match timeout {
        Some(seconds) => reply.field("BITS-Host-Id-Fallback-Timeout", seconds.to_string()),
        None => reply,
    }
}

/// Returns the packets after Create-Session.
fn later(server: &Upload) -> impl Iterator<Item = &Request> {
    let is_create = |it: &&Request| it.is(PacketType::CreateSession);
    server.requests.iter().skip_while(move |it| !is_create(it)).skip(1)
}

fn is_at_host(server: &Upload) -> Outcome {
    match later(server).find(|it| it.packet().is_some() && it.origin != Origin::Host) {
        None => Ok(()),
        Some(_) => {
            fail("client sends packets to the origin server instead of the host in BITS-Host-Id")
        }
    }
}

/// Requires that the origin server receives no packet before the fallback timeout.
fn waits(server: &Upload) -> Outcome {
    let start = server.of(PacketType::CreateSession).next().map(|it| it.at);
    let back = later(server).find(|it| it.origin == Origin::Main).map(|it| it.at);
    match (start, back) {
        (Some(start), Some(back)) if back - start < Duration::from_millis(900) => {
            fail("client returns to the origin server before the fallback timeout")
        }
        _ => Ok(()),
    }
}

pub(super) const CASES: &[Entry] = &[
    Entry::upload(
        "host.followed",
        Must,
        &["R2.2.3.2-5", "R3.1.5.2.2-3"],
        "Send all packets after Create-Session to the host in BITS-Host-Id, at the same port and path.",
        Scenario::new(Finishes, 49_001, |server: &mut Upload, request| {
            assign(server, request, Some(60))
        })
        .needs(Needs::Host)
        .check(is_at_host),
    ),
    Entry::upload(
        "host.field",
        Must,
        &["R2.2.3.2-7"],
        "Send the host in BITS-Host-Id, with the port of the URL, as the header field Host.",
        Scenario::new(Finishes, 49_002, |server: &mut Upload, request| {
            assign(server, request, Some(60))
        })
        .needs(Needs::Host)
        .check(|server| {
            let host = server.setup.host.as_deref().unwrap_or_default();
            let port = server.setup.origin.rsplit(':').next().unwrap_or_default();
            let expected = format!("{host}:{port}");
            let is_wrong =
                |it: &&Request| it.origin == Origin::Host && it.field("Host") != Some(&expected);
            match later(server).find(is_wrong) {
                None => Ok(()),
                Some(it) => fail(format!(
                    "client sends Host: {} instead of {expected}",
                    it.field("Host").unwrap_or_default()
                )),
            }
        }),
    ),
    Entry::upload(
        "host.ping",
        Should,
        &["R3.1.5.2.2-4"],
        "Send a Ping to the host in BITS-Host-Id before the first Fragment.",
        Scenario::new(Finishes, 49_003, |server: &mut Upload, request| {
            assign(server, request, Some(60))
        })
        .needs(Needs::Host)
        .check(|server| match later(server).next() {
            Some(first) if first.is(PacketType::Ping) && first.origin == Origin::Host => Ok(()),
            _ => fail("client sends no Ping to the host in BITS-Host-Id"),
        }),
    ),
    Entry::upload(
        "host.fallback",
        Must,
        &["R2.2.3.2-9", "R3.1.6.3-1"],
        "Return to the origin server if the host in BITS-Host-Id is unreachable for the fallback timeout.",
        Scenario::new(Finishes, 49_004, |server: &mut Upload, request| {
            server.has_host = false;
            assign(server, request, Some(1))
        })
        .needs(Needs::Host)
        .check(waits),
    ),
    Entry::upload(
        "host.fallback.lost_session",
        Must,
        &["R3.1.6.3-1", "R3.1.5.2.1-5"],
        "Start over with Create-Session if the origin server does not know the session of an unreachable host.",
        Scenario::new(Finishes, 49_005, |server: &mut Upload, request| {
            server.has_host = false;
            let reply = assign(server, request, Some(1));
            if request.is(PacketType::CreateSession) && server.max_sessions == 1 {
                server.forget();
            }
            reply
        })
        .needs(Needs::Host),
    ),
    Entry::upload(
        "host.no_fallback",
        Must,
        &["R2.2.3.2-9", "R3.1.6.3-1"],
        "Do not return to the origin server without BITS-Host-Id-Fallback-Timeout.",
        Scenario::new(NoSuccess, 49_006, |server: &mut Upload, request| {
            server.has_host = false;
            assign(server, request, None)
        })
        .needs(Needs::Host)
        .check(|server| {
            let is_upload = |it: &&Request| !it.is(PacketType::CancelSession);
            match later(server).filter(is_upload).count() {
                0 => Ok(()),
                count => fail(format!("client sends {count} packets to the origin server")),
            }
        }),
    ),
];
