//! Ping.

use crate::Level::{Must, Robustness};
use crate::server::entry::Entry;
use crate::server::variant::{Base, Edit, Expect, Variant};

const UNKNOWN: &str = "{00000000-0000-4000-8000-000000000000}";

pub(super) const CASES: &[Entry] = &[
    Entry::new(
        "ping.answered",
        Must,
        &["R3.2.5.2.5-1"],
        "Answer Ping with 200 and BITS-Packet-Type: Ack, because clients ping before they resume.",
        |test| {
            Box::pin(async move {
                let answer = test.exchange(&test.ping()).await?;
                answer.success()?;
                if answer.field("BITS-Packet-Type").is_none() {
                    return answer.fail("BITS-Packet-Type: Ack");
                }
                Ok(())
            })
        },
    ),
    Entry::variant(
        "ping.unknown_session",
        Robustness,
        &["R3.2.5.2.5-1", "R3.2.5.2.3-8"],
        "Answer a Ping with an unknown session id: clients ping before they know whether their session still exists.",
        Variant {
            base: Base::Ping,
            edits: &[Edit::Add("BITS-Session-Id", UNKNOWN)],
            expect: Expect::Accepted,
        },
    ),
    Entry::new(
        "ping.unknown_path",
        Robustness,
        &["R3.2.5.2.5-1"],
        "Answer Ping for an entity that does not exist yet, because it precedes the upload.",
        |test| {
            Box::pin(async move {
                let path = format!("{}.new", test.new_path());
                test.exchange(&test.packet("Ping", &path)).await?.success()
            })
        },
    ),
    Entry::new(
        "ping.during_upload",
        Must,
        &["R3.2.5.2.5-1"],
        "Answer Ping while an upload is open, without an effect on its session.",
        |test| {
            Box::pin(async move {
                let mut session = test.session(23).await?;
                session.accept(0..11).await?;
                let ping = session.packet("Ping");
                session.exchange(&ping).await?.success()?;
                test.complete(&mut session).await
            })
        },
    ),
    Entry::variant(
        "ping.body",
        Must,
        &["R2.2.4.3-1", "R3.2.5.2.3-3"],
        "Refuse a Ping with a body, which a packet without a body cannot have.",
        Variant {
            base: Base::Ping,
            edits: &[Edit::Set("Content-Length", "5"), Edit::Body(b"12345")],
            expect: Expect::Refused,
        },
    ),
];
