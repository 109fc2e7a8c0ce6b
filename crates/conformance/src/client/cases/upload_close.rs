//! The end of uploads.

use bits_proto::field::PacketType;

use super::{always, once};
use crate::Level::{Must, Robustness};
use crate::client::entry::{Entry, fail};
use crate::client::message::Reply;
use crate::client::scenario::Expect::Finishes;
use crate::client::upload::{Scenario, Upload};

pub(super) const CASES: &[Entry] = &[
    Entry::upload(
        "close.sent",
        Must,
        &["R2.2.8-1"],
        "Report success after Close-Session only: the server does not publish the file before.",
        Scenario::new(Finishes, 47_001, Upload::ordinary),
    ),
    Entry::upload(
        "close.lost",
        Must,
        &["R3.1.5.2.1-10"],
        "Send Close-Session again if its connection ends without a response.",
        once!(Finishes, 47_002, CloseSession 1, |_server, _request| Reply::lost()),
    ),
    Entry::upload(
        "close.ack_lost",
        Robustness,
        &["R3.1.5.2.1-5"],
        "Treat an unknown session as a success if an earlier Close-Session may have arrived.",
        once!(Finishes, 47_003, CloseSession 1, |server, request| {
            server.ordinary(request);
            Reply::lost()
        }),
    ),
    Entry::upload(
        "close.refused",
        Must,
        &["R3.1.5.2.1-2", "R3.1.5.2.5-1"],
        "Report a failure if Close-Session is refused, although all bytes were acknowledged.",
        always!(GivesUp, 47_004, CloseSession, |_server, _request| Reply::refusal(
            403,
            "0x80070005"
        )),
    ),
    Entry::upload(
        "close.no_content",
        Robustness,
        &["R2.2.9.2-1"],
        "Accept an Ack for Close-Session with the status 204.",
        once!(Finishes, 47_005, CloseSession 1, |server, request| {
            server.ordinary(request).status(204)
        }),
    ),
    Entry::upload(
        "close.once",
        Must,
        &["R2.2.8-1"],
        "Send nothing for a session after the Ack for its Close-Session.",
        Scenario::new(Finishes, 47_006, Upload::ordinary).check(|server| {
            let is_close = |it: &&crate::client::message::Request| it.is(PacketType::CloseSession);
            let mut later = server.requests.iter().skip_while(|it| !is_close(it)).skip(1);
            match later.next() {
                None => Ok(()),
                Some(request) => fail(format!(
                    "client sends {} {} after Close-Session",
                    request.method,
                    request.field("BITS-Packet-Type").unwrap_or_default()
                )),
            }
        }),
    ),
];
