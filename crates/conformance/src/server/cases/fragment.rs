//! The order of fragments: gaps, repeats, overlaps.

use crate::Level::{Must, Security};
use crate::server::answer::INVALID_ARGUMENT;
use crate::server::entry::{Entry, Outcome, Stop};
use crate::server::test::Test;

/// An offset beyond 32 bits.
const FAR: u64 = 1 << 32;

pub(super) const CASES: &[Entry] = &[
    Entry::new(
        "fragment.gap.first",
        Must,
        &["R3.2.5.2.6-1"],
        "Refuse a first fragment that does not start at 0 with 416 and BITS-Received-Content-Range: 0.",
        |test| Box::pin(gap(test, 0, 1)),
    ),
    Entry::new(
        "fragment.gap.middle",
        Must,
        &["R3.2.5.2.6-1"],
        "Refuse a fragment that leaves a gap with 416 and the offset that you expect.",
        |test| Box::pin(gap(test, 12, 20)),
    ),
    Entry::new(
        "fragment.gap.one_byte",
        Must,
        &["R3.2.5.2.6-1"],
        "Refuse a fragment that leaves a gap of a single byte with 416.",
        |test| Box::pin(gap(test, 15, 16)),
    ),
    Entry::new(
        "fragment.gap.last",
        Must,
        &["R3.2.5.2.6-1"],
        "Refuse the last fragment with 416 if bytes before it are missing; it does not complete the entity.",
        |test| Box::pin(gap(test, 18, 35)),
    ),
    Entry::new(
        "fragment.gap.beyond_4_gib",
        Must,
        &["R3.2.5.2.6-1"],
        "Keep offsets in 64 bits: a fragment at 4 GiB is no fragment at 0.",
        |test| Box::pin(beyond_4_gib(test)),
    ),
    Entry::new(
        "fragment.gap.alias",
        Must,
        &["R3.2.5.2.6-1"],
        "Keep offsets in 64 bits: a fragment at 4 GiB + 10 does not continue 10 bytes.",
        |test| Box::pin(alias(test)),
    ),
    Entry::new(
        "fragment.gap.alias_36_bits",
        Must,
        &["R3.2.5.2.6-1"],
        "Keep offsets in 64 bits: a fragment at 64 GiB + 11 does not continue 11 bytes.",
        |test| Box::pin(far_fragment(test, 11, (1 << 36) + 11)),
    ),
    Entry::new(
        "fragment.total.beyond_4_gib",
        Must,
        &["R2.2.6.1-3"],
        "Accept the first fragment of an entity of more than 4 GiB.",
        |test| Box::pin(large_total(test)),
    ),
    Entry::new(
        "fragment.gap.stores_nothing",
        Must,
        &["R3.2.5.2.6-1"],
        "Discard the bytes of a fragment that leaves a gap.",
        |test| Box::pin(gap_stores_nothing(test)),
    ),
    Entry::new(
        "fragment.repeat",
        Must,
        &["R2.2.7.2-2", "R3.2.5.2.6-1"],
        "Answer a repeated fragment with the offset that you expect, and do not store its bytes again.",
        |test| Box::pin(repeat(test, 14, 28)),
    ),
    Entry::new(
        "fragment.repeat.last",
        Must,
        &["R2.2.7.2-2", "R3.2.5.2.6-1"],
        "Answer a repeated last fragment with the length of the entity: its Ack may have been lost.",
        |test| Box::pin(repeat(test, 29, 29)),
    ),
    Entry::new(
        "fragment.repeat.earlier",
        Must,
        &["R2.2.7.2-2", "R3.2.5.2.6-1"],
        "Answer a fragment of the beginning with the offset that you expect, and keep what you have.",
        |test| Box::pin(repeat_earlier(test)),
    ),
    Entry::new(
        "fragment.repeat.other_bytes",
        Security,
        &["R2.2.7.2-2"],
        "Never change acknowledged bytes, even if a repeated fragment has others.",
        |test| Box::pin(other_bytes(test, 0..16, 16)),
    ),
    Entry::new(
        "fragment.overlap",
        Must,
        &["R2.2.7.2-2", "R3.2.5.2.6-1"],
        "Store each byte of overlapping fragments once: skip the received ones, or answer 416.",
        |test| Box::pin(overlap(test, 17, 9..25, 34)),
    ),
    Entry::new(
        "fragment.overlap.one_byte",
        Must,
        &["R2.2.7.2-2", "R3.2.5.2.6-1"],
        "Store the byte at the edge of two fragments once.",
        |test| Box::pin(overlap(test, 19, 18..26, 38)),
    ),
    Entry::new(
        "fragment.overlap.whole",
        Must,
        &["R2.2.7.2-2", "R3.2.5.2.6-1"],
        "Store each byte once when a fragment contains everything received and more.",
        |test| Box::pin(overlap(test, 21, 0..30, 42)),
    ),
    Entry::new(
        "fragment.overlap.last",
        Must,
        &["R2.2.7.2-2", "R3.2.5.2.6-1"],
        "Complete the entity once when the last fragment overlaps received bytes.",
        |test| Box::pin(overlap(test, 22, 11..33, 33)),
    ),
    Entry::new(
        "fragment.overlap.other_bytes",
        Security,
        &["R2.2.7.2-2"],
        "Keep acknowledged bytes when an overlapping fragment has others in their place.",
        |test| Box::pin(other_bytes(test, 5..24, 24)),
    ),
    Entry::new(
        "fragment.after_complete",
        Must,
        &["R2.2.6.1-3", "R3.2.5.2.6-2"],
        "Refuse a fragment beyond the end of a complete entity.",
        |test| Box::pin(after_complete(test)),
    ),
    Entry::new(
        "fragment.total.changes",
        Must,
        &["R2.2.6.1-3", "R3.2.5.2.3-3"],
        "Refuse a fragment whose total length differs from that of the first fragment.",
        |test| Box::pin(total(test, "bytes 13-25/40", 13..26)),
    ),
    Entry::new(
        "fragment.total.shrinks",
        Must,
        &["R2.2.6.1-3", "R3.2.5.2.3-3"],
        "Refuse a fragment with a smaller total length, which would complete a part of the entity.",
        |test| Box::pin(total(test, "bytes 13-25/26", 13..26)),
    ),
    Entry::new(
        "fragment.total.below_received",
        Must,
        &["R2.2.6.1-3", "R3.2.5.2.3-3"],
        "Refuse a fragment whose total length is less than the number of received bytes.",
        |test| Box::pin(total(test, "bytes 0-8/9", 0..9)),
    ),
    Entry::new(
        "fragment.resume",
        Must,
        &["R3.1.5.2.4-2", "R3.2.5.2.6-1"],
        "Accept the fragment at the offset for which a 416 asks; otherwise the upload never ends.",
        |test| Box::pin(resume(test)),
    ),
];

/// Leaves a gap between the received bytes and a fragment.
async fn gap(test: &mut Test, received: u64, start: u64) -> Outcome {
    let mut session = test.session(36).await?;
    if received > 0 {
        session.accept(0..received).await?;
    }
    session.fragment(start..36).await?.out_of_step(received)
}

/// Sends a fragment of one byte far behind the received bytes.
async fn far_fragment(test: &mut Test, received: u64, start: u64) -> Outcome {
    let mut session = test.session(start + 10).await?;
    session.fragment(0..received).await?.unless_limited()?.accepted(received)?;
    session.fragment(start..start + 1).await?.out_of_step(received)
}

async fn alias(test: &mut Test) -> Outcome {
    far_fragment(test, 10, FAR + 10).await
}

async fn beyond_4_gib(test: &mut Test) -> Outcome {
    let mut session = test.session(FAR + 20).await?;
    session.fragment(FAR..FAR + 10).await?.unless_limited()?.out_of_step(0)
}

async fn large_total(test: &mut Test) -> Outcome {
    let mut session = test.session(FAR + 30).await?;
    session.fragment(0..12).await?.unless_limited()?.accepted(12)
}

async fn gap_stores_nothing(test: &mut Test) -> Outcome {
    let mut session = test.session(37).await?;
    session.accept(0..10).await?;
    let wrong = session.fragment_of(session.content.other(), 20..37);
    session.exchange(&wrong).await?.refused()?;
    session.accept(10..24).await?;
    test.complete(&mut session).await
}

/// Repeats the first fragment of this length.
async fn repeat(test: &mut Test, length: u64, total: u64) -> Outcome {
    let mut session = test.session(total).await?;
    session.accept(0..length).await?;
    session.fragment(0..length).await?.accepted_or_out_of_step(length, length)?;
    test.complete(&mut session).await
}

async fn repeat_earlier(test: &mut Test) -> Outcome {
    let mut session = test.session(39).await?;
    session.accept(0..8).await?;
    session.accept(8..26).await?;
    session.fragment(0..8).await?.accepted_or_out_of_step(26, 26)?;
    test.complete(&mut session).await
}

/// Sends other bytes for a range that was received, at least in part.
async fn other_bytes(test: &mut Test, range: std::ops::Range<u64>, total: u64) -> Outcome {
    let mut session = test.session(total).await?;
    session.accept(0..16).await?;
    let other = session.fragment_of(session.content.other(), range.clone());
    let mut expected = session.content.all();
    let answer = session.exchange(&other).await?;
    session.next = answer.received.unwrap_or(16);
    if answer.is_success() {
        // The bytes behind the received ones are new.
        let new = session.content.other().bytes(16..range.end);
        expected.splice(16..16 + new.len(), new);
    }
    session.finish().await?;
    match test.published(&session.path).await? {
        Some(bytes) if bytes == expected => Ok(()),
        _ => Err(Stop::Loss("expected the acknowledged bytes; others are published".into())),
    }
}

/// Sends a fragment that overlaps the received bytes.
async fn overlap(
    test: &mut Test,
    received: u64,
    range: std::ops::Range<u64>,
    total: u64,
) -> Outcome {
    let mut session = test.session(total).await?;
    session.accept(0..received).await?;
    let end = range.end;
    session.fragment(range).await?.accepted_or_out_of_step(end, received)?;
    test.complete(&mut session).await
}

async fn after_complete(test: &mut Test) -> Outcome {
    let mut session = test.session(43).await?;
    session.accept(0..43).await?;
    let beyond = session.fragment_packet(0..1).set("Content-Range", "bytes 43-43/43");
    session.exchange(&beyond).await?.refused()?;
    test.complete(&mut session).await
}

/// Sends a second fragment with another total length.
async fn total(test: &mut Test, value: &str, range: std::ops::Range<u64>) -> Outcome {
    let mut session = test.session(45).await?;
    session.accept(0..13).await?;
    let packet = session.fragment_packet(range).set("Content-Range", value);
    let answer = session.exchange(&packet).await?;
    answer.refused()?;
    if answer.status == 400 && answer.code.is_some() {
        answer.refused_with(INVALID_ARGUMENT)?;
    }
    test.complete(&mut session).await
}

async fn resume(test: &mut Test) -> Outcome {
    let mut session = test.session(47).await?;
    session.accept(0..10).await?;
    let answer = session.fragment(30..47).await?;
    answer.out_of_step(10)?;
    session.accept(10..47).await?;
    test.complete(&mut session).await
}
