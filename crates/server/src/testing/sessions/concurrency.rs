//! Cases for concurrent changes and for several handles.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::super::suite::{Outcome, cases, ensure, ensure_eq};
use super::records::{
    expect, expect_count, expect_expired, full, insert, load, numbered, owned, record, remove,
    replace,
};
use super::{StoreCase, Stores};
use crate::BoxError;
use crate::sessions::SessionStore;

pub(super) const CASES: &[StoreCase] = cases! {
    one_of_concurrent_inserts_wins: "Exactly one of several concurrent insertions of an id succeeds.";
    one_of_concurrent_replaces_wins:
        "Exactly one of several concurrent replacements of a version succeeds, and its record is stored.";
    concurrent_increments_are_not_lost:
        "Each of many concurrent changes that are repeated until they succeed is stored.";
    replace_and_remove_exclude_each_other:
        "Of a concurrent replacement and removal of a version, exactly one succeeds.";
    sessions_are_kept: "Sessions are there for another handle, or after the store was opened again.";
    versions_are_kept: "Another handle, or a store that was opened again, rejects stale versions.";
};

/// Number of concurrent tasks.
const TASKS: u64 = 8;

/// Repetitions, because not every attempt is concurrent.
const ROUNDS: u8 = 8;

/// Runs tasks concurrently and returns their results in the order of their numbers.
async fn concurrently<T: Send + 'static, F>(task: impl Fn(u64) -> F) -> Result<Vec<T>, BoxError>
where
    F: Future<Output = Result<T, BoxError>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for number in 0..TASKS {
        let task = task(number);
        tasks.spawn(async move { task.await.map(|result| (number, result)) });
    }
    let mut results = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        results.push(joined??);
    }
    results.sort_by_key(|(number, _)| *number);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

/// Returns handles for concurrent tasks: several, unless the store is exclusive.
async fn handles(stores: &Stores) -> Result<[Arc<dyn SessionStore>; 2], BoxError> {
    let one = stores.open().await?;
    let other = if one.is_exclusive() { Arc::clone(&one) } else { stores.open().await? };
    Ok([one, other])
}

/// Returns the handle of a task.
fn handle(handles: &[Arc<dyn SessionStore>; 2], number: u64) -> Arc<dyn SessionStore> {
    Arc::clone(if number.is_multiple_of(2) { &handles[0] } else { &handles[1] })
}

/// Opens another handle. An exclusive store is closed first.
async fn another(
    stores: &Stores,
    store: Arc<dyn SessionStore>,
) -> Result<(Option<Arc<dyn SessionStore>>, Arc<dyn SessionStore>), BoxError> {
    let first = Some(store).filter(|store| !store.is_exclusive());
    Ok((first, stores.open().await?))
}

async fn one_of_concurrent_inserts_wins(stores: Stores) -> Outcome {
    let handles = handles(&stores).await?;
    for round in 0..ROUNDS {
        let record = record(round)?;
        let inserted = concurrently(|number| {
            let (store, record) = (handle(&handles, number), numbered(&record, number));
            async move { Ok(store.insert(&record).await?.then_some(record)) }
        });
        let winners: Vec<_> = inserted.await?.into_iter().flatten().collect();
        ensure!(winners.len() == 1, "{} of {TASKS} inserts returned true", winners.len());
        expect(&*handles[1], &winners[0], "after concurrent inserts").await?;
    }
    Ok(())
}

async fn one_of_concurrent_replaces_wins(stores: Stores) -> Outcome {
    let handles = handles(&stores).await?;
    let record = record(1)?;
    let mut version = insert(&*handles[0], &record).await?;
    for _ in 0..ROUNDS {
        let replaced = concurrently(|number| {
            let (store, record) = (handle(&handles, number), numbered(&record, number));
            let expected = version.clone();
            async move { Ok(store.replace(&expected, &record).await?.map(|new| (record, new))) }
        });
        let winners: Vec<_> = replaced.await?.into_iter().flatten().collect();
        ensure!(winners.len() == 1, "{} of {TASKS} replaces succeeded", winners.len());
        let found = expect(&*handles[1], &winners[0].0, "after concurrent replaces").await?;
        ensure_eq!(found, winners[0].1, "version after concurrent replaces");
        version = found;
    }
    Ok(())
}

async fn concurrent_increments_are_not_lost(stores: Stores) -> Outcome {
    const EACH: u64 = 8;
    let handles = handles(&stores).await?;
    let record = numbered(&record(1)?, 0);
    insert(&*handles[0], &record).await?;
    let incremented = concurrently(|number| {
        let (store, id) = (handle(&handles, number), record.id());
        async move {
            let mut done = 0;
            for _ in 0..=TASKS * EACH {
                let found = load(&*store, id).await?;
                let sum = found.record.data.as_u64().unwrap_or_default() + 1;
                let new = numbered(&found.record, sum);
                done += u64::from(store.replace(&found.version, &new).await?.is_some());
                if done == EACH {
                    return Ok(());
                }
            }
            // A replacement fails only because another one succeeds.
            Err(format!("more than {} replaces failed", TASKS * EACH).into())
        }
    });
    incremented.await?;
    expect(&*handles[1], &numbered(&record, TASKS * EACH), "after all increments").await?;
    Ok(())
}

async fn replace_and_remove_exclude_each_other(stores: Stores) -> Outcome {
    let handles = handles(&stores).await?;
    for round in 0..ROUNDS {
        let record = owned(round, "a")?;
        let version = insert(&*handles[0], &record).await?;
        let changed = concurrently(|number| {
            let (store, expected) = (handle(&handles, number), version.clone());
            let record = numbered(&record, number);
            async move {
                if number % 4 == 0 {
                    // A second removal returns `true` as well, because the session does not exist.
                    Ok((store.remove(record.id(), &expected).await?, None))
                } else {
                    Ok((false, store.replace(&expected, &record).await?.map(|_| record)))
                }
            }
        });
        let changed = changed.await?;
        let is_removed = changed.iter().any(|(is_removed, _)| *is_removed);
        let replaced: Vec<_> = changed.into_iter().filter_map(|(_, replaced)| replaced).collect();
        let successes = usize::from(is_removed) + replaced.len();
        ensure!(successes == 1, "{successes} changes of one version succeeded");
        match replaced.first() {
            Some(record) => drop(expect(&*handles[1], record, "after the replace").await?),
            None => ensure_eq!(handles[1].load(record.id()).await?, None, "load after the remove"),
        }
    }
    Ok(())
}

async fn sessions_are_kept(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let (kept, removed, replaced) = (full(1)?, record(2)?, owned(3, "a")?);
    insert(&*store, &kept).await?;
    let version = insert(&*store, &removed).await?;
    remove(&*store, removed.id(), &version).await?;
    let version = insert(&*store, &replaced).await?;
    let replaced = numbered(&replaced, 1);
    replace(&*store, &version, &replaced).await?;
    let (_first, store) = another(&stores, store).await?;
    expect(&*store, &kept, "in another handle").await?;
    expect(&*store, &replaced, "in another handle").await?;
    ensure_eq!(store.load(removed.id()).await?, None, "load of a removed session");
    ensure!(!store.insert(&kept).await?, "insert of an existing id returned true");
    expect_count(&*store, None, 2).await?;
    expect_count(&*store, Some("a"), 1).await?;
    expect_expired(&*store, Duration::MAX, [kept.id(), replaced.id()]).await
}

async fn versions_are_kept(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let record = record(1)?;
    let first = insert(&*store, &record).await?;
    let second = replace(&*store, &first, &numbered(&record, 1)).await?;
    let (former, store) = another(&stores, store).await?;
    let rejected = store.replace(&first, &record).await?;
    ensure_eq!(rejected, None, "replace with a stale version of another handle");
    ensure!(!store.remove(record.id(), &first).await?, "remove with a stale version returned true");
    let found = load(&*store, record.id()).await?;
    let third = replace(&*store, &found.version, &numbered(&record, 2)).await?;
    ensure!(![&first, &second].contains(&&third), "a version is used twice: {third:?}");
    let former = former.as_deref().unwrap_or(&*store);
    let rejected = former.replace(&second, &record).await?;
    ensure_eq!(rejected, None, "replace with a version from before another handle's change");
    replace(former, &third, &numbered(&record, 3)).await?;
    expect(&*store, &numbered(&record, 3), "after a replace by another handle").await?;
    Ok(())
}
