//! Cases for insertion, replacement and removal.

use serde_json::json;

use super::super::suite::{Outcome, cases, ensure, ensure_eq};
use super::records::{expect, full, insert, load, numbered, owned, record, remove, replace};
use super::{StoreCase, Stores};

pub(super) const CASES: &[StoreCase] = cases! {
    check_succeeds: "A store that works passes its check.";
    insert_stores_a_session: "A session that was inserted can be loaded.";
    insert_keeps_an_existing_session:
        "Insertion of an existing id returns false and changes neither the record nor its version.";
    load_of_an_unknown_session_is_none: "A session that was never inserted does not exist.";
    load_returns_all_fields: "A record is loaded exactly as it was stored.";
    large_data_is_stored: "A record holds 64 KiB of the embedder's data.";
    replace_changes_the_record: "Replacement with the current version stores the new record.";
    replace_keeps_other_sessions: "Replacement of one session does not affect others.";
    replace_rejects_a_stale_version: "Replacement with a stale version returns None and changes nothing.";
    replace_of_a_missing_session_is_none: "A session that does not exist cannot be replaced.";
    versions_do_not_repeat:
        "A version is stale after every change, even if the record is then equal to an earlier one.";
    versions_end_with_the_session:
        "The version of a removed session is stale for a new session with this id.";
    remove_deletes_the_session: "Removal with the current version deletes the session.";
    remove_rejects_a_stale_version: "Removal with a stale version returns false and changes nothing.";
    remove_is_idempotent: "Removal of a session that does not exist returns true.";
};

async fn check_succeeds(stores: Stores) -> Outcome {
    Ok(stores.open().await?.check().await?)
}

async fn insert_stores_a_session(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let record = record(1)?;
    insert(&*store, &record).await?;
    expect(&*store, &record, "after insert").await?;
    Ok(())
}

async fn insert_keeps_an_existing_session(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let record = owned(1, "first")?;
    let version = insert(&*store, &record).await?;
    let other = numbered(&owned(1, "second")?, 7);
    ensure!(!store.insert(&other).await?, "insert of an existing id returned true");
    ensure!(!store.insert(&record).await?, "insert of an existing record returned true");
    let found = expect(&*store, &record, "after both inserts").await?;
    ensure_eq!(found, version, "version after a rejected insert");
    Ok(())
}

async fn load_of_an_unknown_session_is_none(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    insert(&*store, &record(1)?).await?;
    ensure_eq!(store.load(record(2)?.id()).await?, None, "load of an unknown session");
    Ok(())
}

async fn load_returns_all_fields(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let (inserted, plain) = (full(1)?, record(2)?);
    insert(&*store, &inserted).await?;
    let version = insert(&*store, &plain).await?;
    expect(&*store, &inserted, "after insert").await?;
    let mut replaced = full(2)?;
    replace(&*store, &version, &replaced).await?;
    let version = expect(&*store, &replaced, "after replace").await?;
    // Values that were present are absent again.
    replaced.record.reply_url = None;
    replaced.data = json!(null);
    replace(&*store, &version, &replaced).await?;
    expect(&*store, &replaced, "after removal of optional values").await?;
    Ok(())
}

async fn large_data_is_stored(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let mut record = record(1)?;
    record.data = "\u{e9}".repeat(32 << 10).into();
    insert(&*store, &record).await?;
    let found = load(&*store, record.id()).await?;
    ensure!(found.record == record, "64 KiB of data changed");
    Ok(())
}

async fn replace_changes_the_record(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let record = record(1)?;
    let mut version = insert(&*store, &record).await?;
    for number in 0..4 {
        let new = numbered(&record, number);
        version = replace(&*store, &version, &new).await?;
        let found = expect(&*store, &new, "after replace").await?;
        ensure_eq!(found, version, "version that load returns after replace");
    }
    Ok(())
}

async fn replace_keeps_other_sessions(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let (one, other) = (owned(1, "a")?, owned(2, "a")?);
    let version = insert(&*store, &one).await?;
    let other_version = insert(&*store, &other).await?;
    replace(&*store, &version, &numbered(&one, 1)).await?;
    let found = expect(&*store, &other, "after replace of another session").await?;
    ensure_eq!(found, other_version, "version of another session");
    Ok(())
}

async fn replace_rejects_a_stale_version(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let record = record(1)?;
    let first = insert(&*store, &record).await?;
    let current = numbered(&record, 1);
    let second = replace(&*store, &first, &current).await?;
    let rejected = store.replace(&first, &numbered(&record, 2)).await?;
    ensure_eq!(rejected, None, "replace with a stale version");
    let found = expect(&*store, &current, "after a rejected replace").await?;
    ensure_eq!(found, second, "version after a rejected replace");
    replace(&*store, &second, &numbered(&record, 3)).await?;
    Ok(())
}

async fn replace_of_a_missing_session_is_none(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let (record, unknown) = (record(1)?, record(2)?);
    let version = insert(&*store, &record).await?;
    let rejected = store.replace(&version, &unknown).await?;
    ensure_eq!(rejected, None, "replace of an unknown session");
    ensure_eq!(store.load(unknown.id()).await?, None, "load of an unknown session");
    remove(&*store, record.id(), &version).await?;
    let rejected = store.replace(&version, &record).await?;
    ensure_eq!(rejected, None, "replace of a removed session");
    ensure_eq!(store.load(record.id()).await?, None, "load of a removed session");
    Ok(())
}

async fn versions_do_not_repeat(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let (a, b) = (record(1)?, numbered(&record(1)?, 1));
    let first = insert(&*store, &a).await?;
    let second = replace(&*store, &first, &b).await?;
    let third = replace(&*store, &second, &a).await?;
    // A replacement by an equal record is a change too.
    let fourth = replace(&*store, &third, &a).await?;
    for (stale, name) in [(&first, "first"), (&second, "second"), (&third, "third")] {
        ensure!(*stale != fourth, "the {name} and the fourth version are equal: {fourth:?}");
        let rejected = store.replace(stale, &b).await?;
        ensure_eq!(rejected, None, "replace of the fourth record with the {name} version");
    }
    expect(&*store, &a, "after rejected replaces").await?;
    Ok(())
}

async fn versions_end_with_the_session(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let record = record(1)?;
    let first = insert(&*store, &record).await?;
    remove(&*store, record.id(), &first).await?;
    insert(&*store, &record).await?;
    let rejected = store.replace(&first, &numbered(&record, 1)).await?;
    ensure_eq!(rejected, None, "replace with the version of a removed session");
    let removed = store.remove(record.id(), &first).await?;
    ensure!(!removed, "remove with the version of a removed session returned true");
    expect(&*store, &record, "after rejected changes").await?;
    Ok(())
}

async fn remove_deletes_the_session(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let (one, other) = (owned(1, "a")?, owned(2, "a")?);
    let version = insert(&*store, &one).await?;
    insert(&*store, &other).await?;
    let version = replace(&*store, &version, &numbered(&one, 1)).await?;
    remove(&*store, one.id(), &version).await?;
    ensure_eq!(store.load(one.id()).await?, None, "load of a removed session");
    expect(&*store, &other, "after removal of another session").await?;
    Ok(())
}

async fn remove_rejects_a_stale_version(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let record = record(1)?;
    let first = insert(&*store, &record).await?;
    let current = numbered(&record, 1);
    let second = replace(&*store, &first, &current).await?;
    let removed = store.remove(record.id(), &first).await?;
    ensure!(!removed, "remove with a stale version returned true");
    let found = expect(&*store, &current, "after a rejected remove").await?;
    ensure_eq!(found, second, "version after a rejected remove");
    Ok(())
}

async fn remove_is_idempotent(stores: Stores) -> Outcome {
    let store = stores.open().await?;
    let (record, unknown) = (record(1)?, record(2)?);
    let version = insert(&*store, &record).await?;
    let removed = store.remove(unknown.id(), &version).await?;
    ensure!(removed, "remove of an unknown session returned false");
    expect(&*store, &record, "after remove of an unknown session").await?;
    remove(&*store, record.id(), &version).await?;
    let removed = store.remove(record.id(), &version).await?;
    ensure!(removed, "second remove of a session returned false");
    // The id is free again.
    insert(&*store, &record).await?;
    Ok(())
}
