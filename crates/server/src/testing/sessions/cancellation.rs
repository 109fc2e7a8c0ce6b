//! Cases for operations whose futures are dropped before they finish.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::super::suite::{Outcome, cases, ensure, ensure_eq};
use super::records::{expect, expect_count, expect_expired, insert, load, numbered, owned};
use super::{StoreCase, Stores};
use crate::BoxError;
use crate::sessions::{SessionRecord, SessionStore};

pub(super) const CASES: &[StoreCase] = cases! {
    a_dropped_insert_is_complete_or_absent:
        "If an insertion is cancelled, the session exists completely or not at all, and can be used.";
    a_dropped_replace_is_complete_or_absent:
        "If a replacement is cancelled, the record is either the old or the new one, and can be replaced.";
    a_dropped_remove_is_complete_or_absent:
        "If a removal is cancelled, the session exists completely or not at all, and can be removed.";
    dropped_queries_have_no_effect: "The store can be used after queries that were cancelled.";
};

/// Limit of the number of polls that an operation may need.
const MAX_POLLS: u8 = 64;

/// Limit of the attempts to change a session. The cancelled operation makes at most one of them fail.
const MAX_ATTEMPTS: usize = 3;

/// Polls a future at most `polls` times and drops it. Returns its result if it finished.
async fn interrupted<T>(polls: u8, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut remaining = polls;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => {
            remaining = remaining.saturating_sub(1);
            if remaining == 0 { Poll::Ready(None) } else { Poll::Pending }
        }
    })
    .await
}

/// Changes a record as a caller does after an unknown result, and checks that the change lasts.
async fn use_session(store: &dyn SessionStore, record: &SessionRecord) -> Outcome {
    for _ in 0..MAX_ATTEMPTS {
        let found = load(store, record.id()).await?;
        if store.replace(&found.version, record).await?.is_some() {
            expect(store, record, "after a replace").await?;
            return Ok(());
        }
    }
    Err(format!("replace failed {MAX_ATTEMPTS} times").into())
}

/// Checks that no session is left, also in the indexes.
async fn expect_empty(store: &dyn SessionStore) -> Outcome {
    expect_count(store, None, 0).await?;
    expect_count(store, Some("a"), 0).await?;
    expect_expired(store, Duration::MAX, []).await
}

/// Removes a session as a caller does after an unknown result.
async fn remove_session(store: &dyn SessionStore, record: &SessionRecord) -> Outcome {
    for _ in 0..MAX_ATTEMPTS {
        let Some(found) = store.load(record.id()).await? else { return Ok(()) };
        store.remove(record.id(), &found.version).await?;
    }
    Err(format!("the session exists after {MAX_ATTEMPTS} removals").into())
}

async fn a_dropped_insert_is_complete_or_absent(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let record = owned(1, "a")?;
    for polls in 1..=MAX_POLLS {
        let result = interrupted(polls, store.insert(&record)).await.transpose()?;
        if let Some(found) = store.load(record.id()).await? {
            ensure_eq!(found.record, record, "session after {polls} polls of an insert");
        }
        // Waits for the cancelled insertion, or precedes it.
        store.insert(&record).await?;
        use_session(&*store, &numbered(&record, polls.into())).await?;
        expect_count(&*store, Some("a"), 1).await?;
        remove_session(&*store, &record).await?;
        expect_empty(&*store).await?;
        if result.is_some() {
            return Ok(());
        }
    }
    Err(format!("insert needs more than {MAX_POLLS} polls").into())
}

async fn a_dropped_replace_is_complete_or_absent(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let record = owned(1, "a")?;
    insert(&*store, &record).await?;
    for polls in 1..=MAX_POLLS {
        let old = load(&*store, record.id()).await?;
        let new = numbered(&record, u64::from(polls) << 8);
        let result = interrupted(polls, store.replace(&old.version, &new)).await.transpose()?;
        let found = load(&*store, record.id()).await?;
        let is_valid = [&old.record, &new].contains(&&found.record);
        ensure!(is_valid, "record after {polls} polls of a replace: {:?}", found.record);
        let is_changed = found.version != old.version;
        ensure_eq!(is_changed, found.record == new, "version changed after {polls} polls");
        use_session(&*store, &numbered(&record, polls.into())).await?;
        if result.is_some() {
            return Ok(());
        }
    }
    Err(format!("replace needs more than {MAX_POLLS} polls").into())
}

async fn a_dropped_remove_is_complete_or_absent(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let record = owned(1, "a")?;
    for polls in 1..=MAX_POLLS {
        let version = insert(&*store, &record).await?;
        let result = interrupted(polls, store.remove(record.id(), &version)).await.transpose()?;
        if let Some(found) = store.load(record.id()).await? {
            ensure_eq!(found.record, record, "session after {polls} polls of a remove");
        }
        remove_session(&*store, &record).await?;
        expect_empty(&*store).await?;
        if result.is_some() {
            return Ok(());
        }
    }
    Err(format!("remove needs more than {MAX_POLLS} polls").into())
}

async fn dropped_queries_have_no_effect(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let record = owned(1, "a")?;
    insert(&*store, &record).await?;
    for polls in 1..=MAX_POLLS {
        let (all, id) = (Duration::MAX, record.id());
        let loaded = interrupted(polls, store.load(id)).await.transpose()?;
        let counted = interrupted(polls, store.count(None)).await.transpose()?;
        let expired = interrupted(polls, store.expired(all, 1)).await.transpose()?;
        use_session(&*store, &numbered(&record, polls.into())).await?;
        if loaded.is_some() && counted.is_some() && expired.is_some() {
            return Ok::<_, BoxError>(());
        }
    }
    Err(format!("queries need more than {MAX_POLLS} polls").into())
}
