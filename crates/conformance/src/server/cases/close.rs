//! Close-Session.

use crate::Level::{Must, Robustness};
use crate::server::answer::SESSION_NOT_FOUND;
use crate::server::entry::{Entry, Outcome};
use crate::server::test::Test;
use crate::server::variant::{Base, Edit, Expect, Variant};

const ENDED: &[&str] = &["R3.2.5.2.3-8", "R3.2.5.2.3-9", "R3.2.5.2.7-2"];

pub(super) const CASES: &[Entry] = &[
    Entry::new(
        "close.publishes",
        Must,
        &["R3.2.5.2.7-1"],
        "Publish the entity at its URL before you answer Close-Session with 200.",
        |test| {
            Box::pin(async move {
                let mut session = test.session(62).await?;
                session.accept(0..62).await?;
                session.close().await?.success()?;
                test.has_content(&session.path, session.content).await
            })
        },
    ),
    Entry::new(
        "close.again",
        Must,
        ENDED,
        "Refuse a second Close-Session with 500 and 0x8020001F, by which clients know that it is done.",
        |test| Box::pin(after_close(test, "Close-Session")),
    ),
    Entry::new(
        "close.then_cancel",
        Must,
        ENDED,
        "Refuse Cancel-Session after Close-Session with 500 and 0x8020001F, and keep the entity.",
        |test| Box::pin(after_close(test, "Cancel-Session")),
    ),
    Entry::new(
        "close.then_fragment",
        Must,
        ENDED,
        "Refuse a fragment after Close-Session with 500 and 0x8020001F, and keep the entity.",
        |test| {
            Box::pin(async move {
                let mut session = test.session(64).await?;
                session.finish().await?;
                session.fragment(0..64).await?.refused_with(SESSION_NOT_FOUND)?;
                test.has_content(&session.path, session.content).await
            })
        },
    ),
    Entry::new(
        "close.incomplete",
        Robustness,
        &["R2.2.8-1", "R3.2.5.2.7-1"],
        "Publish nothing when a session is closed before its entity is complete.",
        |test| {
            Box::pin(async move {
                let mut session = test.session(165).await?;
                session.accept(0..21).await?;
                // The specification does not define the response.
                session.close().await?;
                test.is_absent(&session.path).await
            })
        },
    ),
    Entry::variant(
        "close.body",
        Must,
        &["R2.2.8.3-1", "R3.2.5.2.3-3"],
        "Refuse Close-Session with a body.",
        Variant {
            base: Base::Close,
            edits: &[Edit::Set("Content-Length", "4"), Edit::Body(b"body")],
            expect: Expect::Refused,
        },
    ),
    Entry::variant(
        "close.length.missing",
        Robustness,
        &["R3.2.5.2.3-6", "RFC9112-6.3"],
        "Answer Close-Session without Content-Length at once; do not wait for a body.",
        Variant {
            base: Base::Close,
            edits: &[Edit::Remove("Content-Length")],
            expect: Expect::Answered,
        },
    ),
    Entry::new(
        "close.lost_ack",
        Must,
        &["R3.2.5.2.7-1"],
        "Publish the entity even if the client does not wait for the Ack of Close-Session.",
        |test| Box::pin(lost_ack(test)),
    ),
];

/// Sends a packet after the end of the session.
async fn after_close(test: &mut Test, kind: &str) -> Outcome {
    let mut session = test.session(63).await?;
    session.finish().await?;
    let packet = session.packet(kind);
    session.exchange(&packet).await?.refused_with(SESSION_NOT_FOUND)?;
    test.has_content(&session.path, session.content).await
}

async fn lost_ack(test: &mut Test) -> Outcome {
    let mut session = test.session(66).await?;
    session.accept(0..66).await?;
    let packet = session.packet("Close-Session");
    session.connection.send(&packet).await?;
    session.reconnect().await?;
    // The repetition is answered when the first request is done: with success or as unknown.
    let answer = session.exchange_settled(&packet).await?;
    if !answer.is_success() {
        answer.refused_with(SESSION_NOT_FOUND)?;
    }
    test.has_content(&session.path, session.content).await
}
