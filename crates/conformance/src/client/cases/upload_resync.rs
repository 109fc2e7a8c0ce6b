//! Offsets of servers that have received more or fewer bytes than the client assumes.

use bits_proto::field::PacketType;

use super::{always, once};
use crate::Level::{Must, Robustness};
use crate::client::entry::{Entry, fail};
use crate::client::message::Reply;
use crate::client::scenario::Expect::Finishes;
use crate::client::upload::{Scenario, Upload};

/// The maximum number of fragments in a few seconds without progress.
const MAX_FRAGMENTS: usize = 50;

pub(super) const CASES: &[Entry] = &[
    Entry::upload(
        "resync.behind",
        Must,
        &["R2.2.7.2-2", "R3.1.5.2.4-2"],
        "Go back to the offset of a 416, if the server has lost bytes that it had acknowledged.",
        Scenario::new(Finishes, 45_101, |server: &mut Upload, request| {
            if server.is_nth(request, PacketType::Fragment, 2) {
                if let Some(session) = server.sessions.last_mut() {
                    session.bytes.truncate(1000);
                }
                return server.out_of_sync(request);
            }
            server.ordinary(request)
        })
        .check(|server| server.continues_after_416()),
    ),
    Entry::upload(
        "resync.start",
        Must,
        &["R2.2.7.2-2", "R3.1.5.2.4-2"],
        "Go back to offset 0 in the same session after a 416 with the offset 0.",
        Scenario::new(Finishes, 45_102, |server: &mut Upload, request| {
            if server.is_nth(request, PacketType::Fragment, 2) {
                if let Some(session) = server.sessions.last_mut() {
                    session.bytes.clear();
                }
                return server.out_of_sync(request);
            }
            server.ordinary(request)
        })
        .check(|server| server.continues_after_416()),
    ),
    Entry::upload(
        "resync.needless",
        Robustness,
        &["R2.2.7.2-2"],
        "Send a Fragment again after a 416 with the offset at which it started.",
        once!(Finishes, 45_103, Fragment 1, |server, request| server.out_of_sync(request))
            .check(|server| server.continues_after_416()),
    ),
    Entry::upload(
        "resync.with_error",
        Robustness,
        &["R2.2.7.2-2", "R2.2.7.2-8"],
        "Continue at the offset of a 416 whatever its error code is.",
        once!(Finishes, 45_104, Fragment 1, |server, request| {
            server.out_of_sync(request).change("BITS-Error-Code", |_| "0x8020001D".into())
        }),
    ),
    Entry::upload(
        "resync.without_packet_type",
        Robustness,
        &["R2.2.7.2-2"],
        "Continue at the offset of a 416 without BITS-Packet-Type.",
        once!(Finishes, 45_105, Fragment 1, |server, request| {
            server.out_of_sync(request).without("BITS-Packet-Type")
        }),
    ),
    Entry::upload(
        "resync.beyond_total",
        Must,
        &["R3.1.5.2.4-2"],
        "Do not trust a 416 whose offset is beyond the length of the file.",
        once!(Ends, 45_106, Fragment 1, |_server, _request| {
            Reply::refusal(416, "0x80070057").field("BITS-Received-Content-Range", "99999999")
        })
        .check(Upload::repeats_first),
    ),
    Entry::upload(
        "resync.without_offset",
        Must,
        &["R2.2.7.2-4", "R3.1.5.2.4-1"],
        "Do not skip the bytes of a Fragment after a 416 without an offset.",
        once!(Ends, 45_107, Fragment 1, |_server, _request| Reply::refusal(416, "0x80070057"))
            .check(Upload::repeats_first),
    ),
    Entry::upload(
        "resync.unreadable",
        Must,
        &["R3.1.5.2.4-1"],
        "Do not trust a 416 whose offset is not a number.",
        once!(Ends, 45_108, Fragment 1, |_server, _request| {
            Reply::refusal(416, "0x80070057").field("BITS-Received-Content-Range", "bytes=0-99")
        })
        .check(Upload::repeats_first),
    ),
    Entry::upload(
        "resync.forever",
        Robustness,
        &["R3.1.5.2.4-2"],
        "Wait between tries, or give up, if the offset of each 416 stays the same.",
        always!(NoSuccess, 45_109, Fragment, |server, request| server.out_of_sync(request)).check(
            |server| match server.of(PacketType::Fragment).count() {
                0..=MAX_FRAGMENTS => Ok(()),
                count => fail(format!("client sends {count} Fragment packets without progress")),
            },
        ),
    ),
];
