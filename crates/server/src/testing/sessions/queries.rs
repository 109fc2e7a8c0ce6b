//! Cases for counts and expired sessions.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::suite::{Outcome, cases, ensure};
use super::records::{
    expect_count, expect_expired, expiring, insert, load, numbered, owned, record, remove, replace,
};
use super::{StoreCase, Stores};

pub(super) const CASES: &[StoreCase] = cases! {
    count_follows_changes: "The number of sessions changes with insertion and removal only.";
    count_is_by_principal: "The number of sessions of a principal changes with its sessions only.";
    principals_are_exact: "Principals with any characters are counted, and each one separately.";
    rejected_changes_are_not_counted: "A change that was rejected does not change the number of sessions.";
    expired_includes_its_boundary:
        "A session whose timeout is `now` has expired; one whose timeout is later has not.";
    expired_is_never_early: "A session whose timeout is one nanosecond after `now` has not expired.";
    expired_respects_its_maximum:
        "At most `max` sessions are returned, and all of them to a caller that removes each one.";
    expired_follows_replace: "Replacement moves the timeout of a session in both directions.";
    expired_accepts_any_time: "The query accepts all times and maximum values.";
};

const NOW: Duration = Duration::from_secs(1_700_000_000);
const MILLISECOND: Duration = Duration::from_millis(1);

async fn count_follows_changes(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    expect_count(&*store, None, 0).await?;
    let (one, other) = (owned(1, "a")?, record(2)?);
    let version = insert(&*store, &one).await?;
    expect_count(&*store, None, 1).await?;
    let other_version = insert(&*store, &other).await?;
    expect_count(&*store, None, 2).await?;
    let version = replace(&*store, &version, &numbered(&one, 1)).await?;
    expect_count(&*store, None, 2).await?;
    remove(&*store, one.id(), &version).await?;
    expect_count(&*store, None, 1).await?;
    remove(&*store, other.id(), &other_version).await?;
    expect_count(&*store, None, 0).await
}

async fn count_is_by_principal(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let records = [owned(1, "a")?, owned(2, "a")?, owned(3, "b")?, record(4)?];
    for record in &records {
        insert(&*store, record).await?;
    }
    expect_count(&*store, Some("a"), 2).await?;
    expect_count(&*store, Some("b"), 1).await?;
    expect_count(&*store, Some("c"), 0).await?;
    expect_count(&*store, None, 4).await?;
    let version = load(&*store, records[0].id()).await?.version;
    let version = replace(&*store, &version, &numbered(&records[0], 1)).await?;
    expect_count(&*store, Some("a"), 2).await?;
    remove(&*store, records[0].id(), &version).await?;
    expect_count(&*store, Some("a"), 1).await?;
    expect_count(&*store, Some("b"), 1).await?;
    let version = load(&*store, records[1].id()).await?.version;
    remove(&*store, records[1].id(), &version).await?;
    expect_count(&*store, Some("a"), 0).await?;
    expect_count(&*store, None, 2).await
}

async fn principals_are_exact(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let long = "\u{e9}".repeat(2000);
    let longer = format!("{long}x");
    let principals = [
        "",
        " ",
        "a",
        "A",
        "a ",
        "a/b",
        "a:b",
        "a\\b",
        "a\0b",
        "a\nb",
        "a\r\nb",
        "../a",
        ".",
        "..",
        "*",
        "a*",
        "[a]",
        "?",
        "{a}",
        "%61",
        "a%00b",
        "\u{e9}",
        "e\u{301}",
        "\u{1f600}",
        "\u{202e}a",
        "None",
        "null",
        "\"a\"",
        "'a'",
        "a;b",
        "DOMAIN\\user",
        "user@example.org",
        &long,
        &longer,
    ];
    for (number, principal) in (0..).zip(principals) {
        insert(&*store, &owned(number, principal)?).await?;
    }
    // A second session of each other one.
    for (number, principal) in (100..).zip(principals.iter().step_by(2)) {
        insert(&*store, &owned(number, principal)?).await?;
    }
    for (index, principal) in principals.iter().enumerate() {
        expect_count(&*store, Some(principal), if index % 2 == 0 { 2 } else { 1 }).await?;
    }
    expect_count(&*store, Some("b"), 0).await
}

async fn rejected_changes_are_not_counted(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let record = owned(1, "a")?;
    let stale = insert(&*store, &record).await?;
    store.insert(&owned(1, "b")?).await?;
    replace(&*store, &stale, &numbered(&record, 1)).await?;
    store.replace(&stale, &numbered(&record, 2)).await?;
    store.replace(&stale, &owned(2, "a")?).await?;
    store.remove(record.id(), &stale).await?;
    store.remove(owned(2, "a")?.id(), &stale).await?;
    expect_count(&*store, Some("a"), 1).await?;
    expect_count(&*store, Some("b"), 0).await?;
    expect_count(&*store, None, 1).await
}

async fn expired_includes_its_boundary(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    expect_expired(&*store, NOW, []).await?;
    let times = [NOW - MILLISECOND, NOW, NOW + MILLISECOND];
    let mut records = Vec::new();
    for (number, time) in (0..).zip(times) {
        let record = expiring(number, time)?;
        insert(&*store, &record).await?;
        records.push(record.id());
    }
    expect_expired(&*store, NOW - 2 * MILLISECOND, []).await?;
    for (index, time) in times.into_iter().enumerate() {
        expect_expired(&*store, time, records[..=index].iter().copied()).await?;
    }
    Ok(())
}

async fn expired_is_never_early(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let nanosecond = Duration::from_nanos(1);
    let mut ids = Vec::new();
    for (number, nanoseconds) in (0..).zip([1, 999, 1001, 999_999]) {
        let timeout = NOW + nanosecond * nanoseconds;
        let record = expiring(number, timeout)?;
        insert(&*store, &record).await?;
        let expired = store.expired(timeout - nanosecond, usize::MAX).await?;
        ensure!(
            !expired.contains(&record.id()),
            "expired at {:?}: {timeout:?}",
            timeout - nanosecond
        );
        ids.push(record.id());
    }
    expect_expired(&*store, NOW + MILLISECOND, ids).await
}

async fn expired_respects_its_maximum(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let mut remaining = BTreeSet::new();
    for number in 0..8 {
        // Several have equal timeouts.
        let record = expiring(number, NOW - MILLISECOND * u32::from(number / 3))?;
        insert(&*store, &record).await?;
        remaining.insert(record.id());
    }
    expect_expired(&*store, NOW, remaining.iter().copied()).await?;
    ensure!(store.expired(NOW, 0).await?.is_empty(), "more than 0 sessions returned");
    while !remaining.is_empty() {
        let expired = store.expired(NOW, 3).await?;
        let expected = remaining.len().min(3);
        ensure!(expired.len() == expected, "expected {expected} sessions, got {}", expired.len());
        for id in expired {
            ensure!(remaining.remove(&id), "session {id} is returned after its removal");
            let version = load(&*store, id).await?.version;
            remove(&*store, id, &version).await?;
        }
        expect_expired(&*store, NOW, remaining.iter().copied()).await?;
    }
    Ok(())
}

async fn expired_follows_replace(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let at = |number: u8, seconds: u64| expiring(number, Duration::from_secs(seconds));
    let (one, other) = (at(1, 100)?, at(2, 200)?);
    let version = insert(&*store, &one).await?;
    insert(&*store, &other).await?;
    expect_expired(&*store, Duration::from_secs(150), [one.id()]).await?;
    let version = replace(&*store, &version, &at(1, 300)?).await?;
    expect_expired(&*store, Duration::from_secs(250), [other.id()]).await?;
    expect_expired(&*store, Duration::from_secs(300), [one.id(), other.id()]).await?;
    let version = replace(&*store, &version, &at(1, 50)?).await?;
    expect_expired(&*store, Duration::from_secs(50), [one.id()]).await?;
    remove(&*store, one.id(), &version).await?;
    expect_expired(&*store, Duration::from_secs(250), [other.id()]).await
}

async fn expired_accepts_any_time(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let records = [expiring(1, Duration::ZERO)?, expiring(2, NOW)?, expiring(3, Duration::MAX)?];
    for record in &records {
        insert(&*store, record).await?;
    }
    expect_expired(&*store, Duration::ZERO, [records[0].id()]).await?;
    expect_expired(&*store, NOW, [records[0].id(), records[1].id()]).await?;
    expect_expired(&*store, Duration::MAX, records.iter().map(|it| it.id())).await
}
