//! Connections that break.

use bits_proto::field::PacketType;

use super::once;
use crate::Level::{Must, Robustness};
use crate::client::entry::Entry;
use crate::client::message::{Ending, Reply, Request};
use crate::client::scenario::BodyAction;
use crate::client::scenario::Expect::Finishes;
use crate::client::upload::{Scenario, Upload};

/// Returns true for a fragment with the last byte.
fn is_last(request: &Request) -> bool {
    request.range().is_some_and(|range| range.end() == range.total())
}

/// Stores the part of a fragment that has arrived.
fn store_part(server: &mut Upload, request: &Request) -> Reply {
    server.ordinary(request);
    Reply::reset()
}

/// Reads half of the body of the first fragment.
fn half(server: &mut Upload, request: &Request) -> BodyAction {
    let is_first = request.is(PacketType::Fragment) && server.of(PacketType::Fragment).count() == 1;
    match usize::try_from(request.length / 2) {
        Ok(length) if is_first => BodyAction::ReadPart(length),
        _ => BodyAction::Read,
    }
}

pub(super) const CASES: &[Entry] = &[
    Entry::upload(
        "connection.create_lost",
        Must,
        &["R3.1.5.2.1-10"],
        "Send Create-Session again if its connection ends without a response.",
        once!(Finishes, 42_001, CreateSession 1, |server, _request| {
            server.max_sessions += 1;
            Reply::lost()
        }),
    ),
    Entry::upload(
        "connection.create_ack_lost",
        Must,
        &["R3.1.5.2.1-10"],
        "Create another session if the Ack of the first one was lost.",
        once!(Finishes, 42_002, CreateSession 1, |server, request| {
            server.max_sessions += 1;
            server.ordinary(request);
            Reply::reset()
        }),
    ),
    Entry::upload(
        "connection.reset_before_body",
        Robustness,
        &["R3.1.5.2.1-10"],
        "Send a Fragment again whose connection is reset before the body arrives.",
        once!(Finishes, 42_003, Fragment 1, |_server, _request| Reply::reset()).on_head(
            |server, request| {
                let is_first = server.of(PacketType::Fragment).count() == 1;
                match request.is(PacketType::Fragment) && is_first {
                    true => BodyAction::ReadPart(0),
                    false => BodyAction::Read,
                }
            },
        ),
    ),
    Entry::upload(
        "connection.reset_in_body",
        Robustness,
        &["R3.1.5.2.1-10", "R2.2.7.2-2"],
        "Send a Fragment again whose connection is reset within the body, and follow the offset of its Ack.",
        once!(Finishes, 42_004, Fragment 1, |server, request| store_part(server, request))
            .on_head(half),
    ),
    Entry::upload(
        "connection.reset_in_body.resynchronised",
        Must,
        &["R2.2.7.2-2", "R3.1.5.2.4-2"],
        "Continue at the offset of a 416 after a part of a Fragment was received.",
        Scenario::new(Finishes, 42_005, |server: &mut Upload, request| {
            if server.is_nth(request, PacketType::Fragment, 1) {
                return store_part(server, request);
            }
            if server.is_nth(request, PacketType::Fragment, 2) {
                return server.out_of_sync(request);
            }
            server.ordinary(request)
        })
        .on_head(half)
        .check(|server| server.continues_after_416()),
    ),
    Entry::upload(
        "connection.ack_lost",
        Must,
        &["R3.1.5.2.1-10", "R2.2.7.2-2"],
        "Send a Fragment again whose Ack was lost, and continue at the offset of the next Ack.",
        once!(Finishes, 42_006, Fragment 1, |server, request| {
            server.ordinary(request);
            Reply::lost()
        }),
    ),
    Entry::upload(
        "connection.ack_lost.resynchronised",
        Must,
        &["R2.2.7.2-2", "R3.1.5.2.4-2"],
        "Continue at the offset of a 416 for a Fragment that the server already has.",
        Scenario::new(Finishes, 42_007, |server: &mut Upload, request| {
            if server.is_nth(request, PacketType::Fragment, 1) {
                server.ordinary(request);
                return Reply::lost();
            }
            if server.is_nth(request, PacketType::Fragment, 2) {
                return server.out_of_sync(request);
            }
            server.ordinary(request)
        })
        .check(|server| server.continues_after_416()),
    ),
    Entry::upload(
        "connection.last_ack_lost",
        Must,
        &["R3.1.5.2.1-10", "R2.2.7.2-2"],
        "Send the last Fragment again if its Ack was lost, and close the session after the next Ack.",
        Scenario::new(Finishes, 42_008, |server: &mut Upload, request| {
            let reply = server.ordinary(request);
            match is_last(request) && server.deviates_once() {
                true => Reply::reset(),
                false => reply,
            }
        }),
    ),
    Entry::upload(
        "connection.head_cut",
        Must,
        &["RFC9112-8"],
        "Discard a response whose connection ends within its head.",
        once!(Finishes, 42_009, Fragment 1, |server, request| {
            let reply = server.ordinary(request);
            Reply { sent: Some(reply.head().len() - 10), ..reply }.ending(Ending::Close)
        }),
    ),
    Entry::upload(
        "connection.idle_closed",
        Must,
        &["RFC9112-9.5"],
        "Open a new connection if the server has closed an idle one, without Connection: close.",
        Scenario::new(Finishes, 42_010, |server: &mut Upload, request| {
            server.ordinary(request).ending(Ending::CloseSilently)
        }),
    ),
    Entry::upload(
        "connection.silent",
        Robustness,
        &["R3.1.5.2.1-10"],
        "Retry if no response arrives within a time limit.",
        once!(Recovers, 42_013, Fragment 1, |server, request| {
            server.ordinary(request);
            Reply::silence()
        }),
    ),
    Entry::upload(
        "connection.not_http",
        Robustness,
        &["RFC9112-3"],
        "Treat a response that is not HTTP as a failure.",
        once!(Ends, 42_012, Fragment 1, |_server, _request| Reply {
            before: "SSH-2.0-OpenSSH_9.2p1\r\n",
            ..Reply::lost()
        }),
    ),
];
