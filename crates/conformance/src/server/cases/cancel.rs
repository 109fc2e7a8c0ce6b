//! Cancel-Session.

use crate::Level::{Must, Robustness};
use crate::server::answer::SESSION_NOT_FOUND;
use crate::server::entry::{Entry, Outcome};
use crate::server::test::Test;
use crate::server::variant::{Base, Edit, Expect, Variant};

const ENDED: &[&str] = &["R3.2.5.2.3-8", "R3.2.5.2.3-9", "R3.2.5.2.8-1"];

pub(super) const CASES: &[Entry] = &[
    Entry::new(
        "cancel.acknowledged",
        Must,
        &["R3.2.5.2.8-3"],
        "Answer Cancel-Session of an open session with 200.",
        |test| {
            Box::pin(async move {
                let mut session = test.session(67).await?;
                session.accept(0..22).await?;
                session.cancel().await?.success()
            })
        },
    ),
    Entry::new(
        "cancel.discards",
        Must,
        &["R3.2.5.2.8-1"],
        "Delete what was received when a session is cancelled.",
        |test| {
            Box::pin(async move {
                let mut session = test.session(68).await?;
                session.accept(0..23).await?;
                session.cancel().await?;
                test.is_absent(&session.path).await
            })
        },
    ),
    Entry::new(
        "cancel.new_session",
        Must,
        &["R2.2.10-1", "R3.2.5.2.8-1"],
        "Accept another upload to the URL of a cancelled session.",
        |test| Box::pin(new_session(test)),
    ),
    Entry::new(
        "cancel.before_fragments",
        Must,
        &["R3.2.5.2.8-3"],
        "Answer Cancel-Session of a session without fragments with 200.",
        |test| {
            Box::pin(async move {
                let mut session = test.session(69).await?;
                session.cancel().await?.success()
            })
        },
    ),
    Entry::new(
        "cancel.again",
        Must,
        ENDED,
        "Refuse a second Cancel-Session with 500 and 0x8020001F.",
        |test| Box::pin(after_cancel(test, "Cancel-Session")),
    ),
    Entry::new(
        "cancel.then_close",
        Must,
        ENDED,
        "Refuse Close-Session after Cancel-Session with 500 and 0x8020001F, and publish nothing.",
        |test| Box::pin(after_cancel(test, "Close-Session")),
    ),
    Entry::new(
        "cancel.then_fragment",
        Must,
        ENDED,
        "Refuse a fragment after Cancel-Session with 500 and 0x8020001F.",
        |test| {
            Box::pin(async move {
                let mut session = test.session(71).await?;
                session.accept(0..24).await?;
                session.cancel().await?;
                session.fragment(24..71).await?.refused_with(SESSION_NOT_FOUND)
            })
        },
    ),
    Entry::variant(
        "cancel.body",
        Must,
        &["R2.2.10.3-1", "R3.2.5.2.3-3"],
        "Refuse Cancel-Session with a body.",
        Variant {
            base: Base::Cancel,
            edits: &[Edit::Set("Content-Length", "6"), Edit::Body(b"cancel")],
            expect: Expect::Refused,
        },
    ),
    Entry::variant(
        "cancel.length.missing",
        Robustness,
        &["R3.2.5.2.3-6", "RFC9112-6.3"],
        "Answer Cancel-Session without Content-Length at once; do not wait for a body.",
        Variant {
            base: Base::Cancel,
            edits: &[Edit::Remove("Content-Length")],
            expect: Expect::Answered,
        },
    ),
];

/// Sends a packet after the end of the session.
async fn after_cancel(test: &mut Test, kind: &str) -> Outcome {
    let mut session = test.session(70).await?;
    session.accept(0..35).await?;
    session.cancel().await?;
    let packet = session.packet(kind);
    session.exchange(&packet).await?.refused_with(SESSION_NOT_FOUND)
}

async fn new_session(test: &mut Test) -> Outcome {
    let mut cancelled = test.session(72).await?;
    cancelled.accept(0..36).await?;
    cancelled.cancel().await?;
    let mut session = test.session_at(cancelled.path, 72).await?;
    test.complete(&mut session).await
}
