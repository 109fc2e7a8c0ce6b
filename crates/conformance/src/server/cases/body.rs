//! Bodies of fragments that arrive late, in part, or not at all.

use std::time::Duration;

use crate::Level::{Must, Robustness, Security};
use crate::server::connection::Connection;
use crate::server::entry::{Entry, Outcome, Stop};
use crate::server::session::Session;
use crate::server::test::Test;

pub(super) const CASES: &[Entry] = &[
    Entry::new(
        "body.aborted",
        Must,
        &["R2.2.7.2-2", "R2.2.6.3-1"],
        "Count only the bytes that arrived when a connection ends inside a fragment.",
        |test| Box::pin(aborted(test, 9)),
    ),
    Entry::new(
        "body.never_arrives",
        Must,
        &["R2.2.7.2-2", "R2.2.6.3-1"],
        "Count no byte of a fragment whose body never arrives.",
        |test| Box::pin(aborted(test, 0)),
    ),
    Entry::new(
        "body.last_byte_missing",
        Must,
        &["R2.2.7.2-2", "R2.2.6.3-1"],
        "Do not complete an entity whose last byte did not arrive.",
        |test| Box::pin(last_byte_missing(test)),
    ),
    Entry::new(
        "body.lost_ack",
        Must,
        &["R2.2.7.2-2", "R3.2.5.2.6-1"],
        "Answer a fragment that arrives again because its Ack was lost; store it once.",
        |test| Box::pin(lost_ack(test)),
    ),
    Entry::new(
        "body.lost_last_ack",
        Must,
        &["R2.2.7.2-2", "R3.2.5.2.6-1"],
        "Answer the last fragment that arrives again because its Ack was lost; complete the entity once.",
        |test| Box::pin(lost_last_ack(test)),
    ),
    Entry::new(
        "body.slow",
        Robustness,
        &["R2.2.6.3-1"],
        "Accept a body that arrives byte by byte.",
        |test| Box::pin(slow(test)),
    ),
    Entry::new(
        "body.after_head",
        Robustness,
        &["R2.2.6.3-1"],
        "Accept a body that arrives in another segment than its head.",
        |test| Box::pin(after_head(test)),
    ),
    Entry::new(
        "body.stalled",
        Robustness,
        &["R3.2.5.2.3-8"],
        "Accept a repeated fragment when the connection of an earlier request for it stalls and ends.",
        |test| Box::pin(stalled(test)),
    ),
    Entry::new(
        "body.overtaken",
        Security,
        &["R2.2.7.2-2"],
        "Discard the bytes of a stalled request that a later one has overtaken.",
        |test| Box::pin(overtaken(test)),
    ),
    Entry::new(
        "body.huge_claim",
        Robustness,
        &["R2.2.6-2"],
        "Allocate nothing for a Content-Length before the bytes arrive.",
        |test| Box::pin(huge_claim(test)),
    ),
];

/// Ends the connection inside the second fragment.
async fn aborted(test: &mut Test, arrived: u64) -> Outcome {
    let mut session = test.session(140 + arrived).await?;
    session.accept(0..10).await?;
    let packet = session.fragment_packet(10..30);
    session.connection.begin(&packet).await?;
    session.connection.write(&session.content.bytes(10..10 + arrived)).await?;
    session.reconnect().await?;
    let answer = session.settled(30..50).await?;
    let offset = answer.received.unwrap_or_default();
    if answer.status != 416 || !(10..=10 + arrived).contains(&offset) {
        let last = 10 + arrived;
        return answer.fail_at_gap(&format!("416 with an offset from 10 to {last}"), last);
    }
    session.next = offset;
    test.complete(&mut session).await
}

async fn last_byte_missing(test: &mut Test) -> Outcome {
    let mut session = test.session(51).await?;
    let packet = session.fragment_packet(0..51);
    session.connection.begin(&packet).await?;
    session.connection.write(&session.content.bytes(0..50)).await?;
    session.reconnect().await?;
    let answer = session.settled(50..51).await?;
    match answer.status {
        416 if answer.received < Some(51) => session.next = answer.received.unwrap_or_default(),
        _ => answer.accepted(51)?,
    }
    test.complete(&mut session).await
}

async fn lost_ack(test: &mut Test) -> Outcome {
    let mut session = test.session(52).await?;
    let packet = session.fragment_packet(0..26);
    session.connection.send(&packet).await?;
    session.reconnect().await?;
    session.settled(0..26).await?.accepted_or_out_of_step(26, 26)?;
    test.complete(&mut session).await
}

async fn lost_last_ack(test: &mut Test) -> Outcome {
    let mut session = test.session(53).await?;
    session.accept(0..26).await?;
    let packet = session.fragment_packet(26..53);
    session.connection.send(&packet).await?;
    session.reconnect().await?;
    session.settled(26..53).await?.accepted_or_out_of_step(53, 53)?;
    test.complete(&mut session).await
}

async fn slow(test: &mut Test) -> Outcome {
    let mut session = test.session(12).await?;
    let packet = session.fragment_packet(0..12);
    session.connection.begin(&packet).await?;
    for byte in &packet.body {
        session.connection.write(&[*byte]).await?;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    session.connection.answer().await?.accepted(12)?;
    session.next = 12;
    test.complete(&mut session).await
}

async fn after_head(test: &mut Test) -> Outcome {
    let mut session = test.session(54).await?;
    let packet = session.fragment_packet(0..54);
    session.connection.begin(&packet).await?;
    tokio::time::sleep(Duration::from_millis(50)).await;
    session.connection.write(&packet.body).await?;
    session.connection.answer().await?.accepted(54)?;
    session.next = 54;
    test.complete(&mut session).await
}

/// Leaves a request with half of its body on its connection.
async fn stall(test: &Test, session: &mut Session) -> Result<Connection, Stop> {
    let packet = session.fragment_packet(0..20);
    session.connection.begin(&packet).await?;
    session.connection.write(&session.content.bytes(0..8)).await?;
    let connection = test.connect().await?;
    Ok(std::mem::replace(&mut session.connection, connection))
}

async fn stalled(test: &mut Test) -> Outcome {
    let mut session = test.session(55).await?;
    let dead = stall(test, &mut session).await?;
    let mut answer = session.settled(0..20).await?;
    dead.close().await;
    if answer.is_busy() {
        answer = session.settled(0..20).await?;
    }
    match answer.status {
        416 => session.next = answer.received.unwrap_or_default(),
        _ => answer.accepted(20)?,
    }
    test.complete(&mut session).await
}

async fn overtaken(test: &mut Test) -> Outcome {
    let mut session = test.session(56).await?;
    let mut slow = stall(test, &mut session).await?;
    let answer = session.settled(0..20).await?;
    if !answer.is_success() {
        return Err(Stop::NotApplicable("server lets no request overtake a stalled one".into()));
    }
    session.send_rest().await?;
    slow.write(&session.content.other().bytes(8..20)).await?;
    // The response shows that the server is done with the request.
    let _ = slow.answer_or_end().await;
    test.complete(&mut session).await
}

async fn huge_claim(test: &mut Test) -> Outcome {
    let mut session = test.session(1 << 40).await?;
    let packet = session.packet("Fragment").set("Content-Length", (1_u64 << 40).to_string());
    let range = format!("bytes 0-{}/{}", (1_u64 << 40) - 1, 1_u64 << 40);
    session.connection.begin(&packet.add("Content-Range", range)).await?;
    session.connection.write(&session.content.bytes(0..100)).await?;
    session.reconnect().await?;
    let ping = session.packet("Ping");
    session.exchange(&ping).await?.success()
}
