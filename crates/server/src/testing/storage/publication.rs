//! Publication: an entity appears completely, in one step, and only one session wins.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::checks::{
    complete, content, ensure_absent, ensure_bytes, ensure_published, key, read, upload,
};
use super::{StorageCase, Storages};
use crate::storage::{Discarded, MIN_TIME_STEP, Metadata, Storage, StorageError};
use crate::testing::suite::{Outcome, cases, ensure, ensure_eq};
use crate::{BoxError, Key};

pub(super) const CASES: &[StorageCase] = cases! {
    a_repeated_publication_succeeds:
        "A publication succeeds again after a crash between publication and report.";
    an_existing_entity_is_not_replaced:
        "A publication that must not replace fails with `Exists`, and both sessions keep their bytes.";
    one_of_several_sessions_publishes:
        "If sessions publish the same key at the same time, one succeeds and the others get `Exists`.";
    one_of_several_replacements_remains:
        "If sessions replace the same key at the same time, all succeed and one entity remains, complete.";
    readers_never_mix_versions:
        "A reader of a replaced version gets the bytes of that version, or an error.";
    metadata_describes_the_published_entity:
        "Metadata has the length of the entity, and is the same as that of the open entity.";
    a_replacement_changes_time_and_tag:
        "A replacement has a time that is later by at least one second, and another tag.";
    entities_are_readable_at_any_offset:
        "A read returns bytes from any offset, and none at or after the end.";
};

/// Number of sessions that compete.
const SESSIONS: usize = 4;

async fn a_repeated_publication_succeeds(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let other = &*storages.open().await?;
    for replaces in [false, true] {
        let key = key("repeated")?;
        if replaces {
            upload(storage, &key, b"replaced", false).await?.remove(storage).await?;
        }
        let mut upload = complete(storage, &key, b"entity").await?;
        let publication = upload.publication().with_replaces(replaces);
        storage.publish(publication.clone()).await?;
        storage.publish(publication).await.map_err(repeated)?;
        for storage in [storage, other] {
            let publication = upload.publication().with_replaces(replaces);
            storage.publish(publication).await.map_err(repeated)?;
            ensure_published(storage, &key, b"entity").await?;
        }
        upload.remove(other).await?;
        ensure_published(storage, &key, b"entity").await?;
    }
    Ok(())
}

fn repeated(error: StorageError) -> BoxError {
    format!("repeated publication: {error:?}").into()
}

async fn an_existing_entity_is_not_replaced(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let key = key("existing")?;
    let mut winner = upload(storage, &key, b"first", false).await?;
    let mut loser = complete(storage, &key, b"second").await?;
    let mut discarded = complete(storage, &key, b"third").await?;
    for session in [&mut loser, &mut discarded] {
        let published = storage.publish(session.publication()).await;
        ensure!(
            matches!(published, Err(StorageError::Exists)),
            "expected `Exists`, got {published:?}"
        );
        ensure_published(storage, &key, b"first").await?;
    }
    storage.publish(winner.publication()).await.map_err(repeated)?;
    winner.remove(storage).await?;
    let token = discarded.token();
    storage.discard(token, &discarded.staged(), Discarded::ENTITY).await?;
    discarded.remove(storage).await?;
    ensure_published(storage, &key, b"first").await?;
    // The bytes of the other one are still there.
    storage.publish(loser.publication().with_replaces(true)).await?;
    ensure_published(storage, &key, b"second").await
}

async fn one_of_several_sessions_publishes(storages: Storages) -> Outcome {
    for round in 0..5 {
        let key = key("race")?;
        let results = compete(&storages, &key, false).await?;
        let winners = results.iter().filter(|(_, result)| result.is_ok()).collect::<Vec<_>>();
        ensure_eq!(winners.len(), 1, "number of sessions that published, in round {round}");
        for (_, result) in &results {
            ensure!(
                matches!(result, Ok(()) | Err(StorageError::Exists)),
                "expected `Exists`, got {result:?}"
            );
        }
        ensure_published(&*storages.open().await?, &key, &winners[0].0).await?;
    }
    Ok(())
}

async fn one_of_several_replacements_remains(storages: Storages) -> Outcome {
    let storage = storages.open().await?;
    for _ in 0..5 {
        let key = key("replacements")?;
        upload(&*storage, &key, b"replaced", false).await?;
        let results = compete(&storages, &key, true).await?;
        for (_, result) in &results {
            ensure!(result.is_ok(), "a replacement failed: {result:?}");
        }
        let mut entity = storage.open(&key).await?.ok_or("the entity is gone")?;
        let bytes = read(&mut *entity).await?;
        let is_complete = results.iter().any(|(uploaded, _)| *uploaded == bytes);
        ensure!(is_complete, "the entity is not one of those that were published");
    }
    Ok(())
}

/// Publishes one key from several sessions and nodes. Returns the bytes and the result of each.
async fn compete(
    storages: &Storages,
    key: &Key,
    replaces: bool,
) -> Result<Vec<(Vec<u8>, Result<(), StorageError>)>, BoxError> {
    let mut publications = JoinSet::new();
    for number in 0..SESSIONS {
        let storage = storages.open().await?;
        let bytes = content(number as u32, 1000 + number);
        let mut upload = complete(&*storage, key, &bytes).await?;
        let publication = upload.publication().with_replaces(replaces);
        publications.spawn(async move {
            let published = storage.publish(publication).await.map(drop);
            upload.remove(&*storage).await.map(|()| (bytes, published))
        });
    }
    let mut results = Vec::new();
    while let Some(result) = publications.join_next().await {
        results.push(result??);
    }
    Ok(results)
}

async fn readers_never_mix_versions(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let key = key("versions")?;
    let (old, new) = (content(1, 300_000), content(2, 400_000));
    upload(storage, &key, &old, false).await?.remove(storage).await?;
    let mut reader = storage.open(&key).await?.ok_or("no entity")?;
    let metadata = reader.metadata().clone();
    let first = reader.read(0, 1000).await?;
    ensure!(!first.is_empty() && old.starts_with(&first), "wrong bytes before the replacement");
    upload(storage, &key, &new, true).await?.remove(storage).await?;
    let mut offset = 0;
    while offset < metadata.length {
        // An error is as good: the response ends early, and the client starts over.
        let Ok(bytes) = reader.read(offset, 70_000).await else { break };
        ensure!(!bytes.is_empty(), "the replaced version ends at {offset}");
        let expected = &old[offset as usize..][..bytes.len()];
        ensure_bytes("reader of the replaced version", &bytes, expected)?;
        offset += bytes.len() as u64;
    }
    ensure_eq!(*reader.metadata(), metadata, "metadata of the open version");
    ensure_published(storage, &key, &new).await
}

async fn metadata_describes_the_published_entity(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    for length in [0, 1, 100_000] {
        let key = key("metadata")?;
        ensure_absent(storage, &key).await?;
        upload(storage, &key, &content(1, length), false).await?.remove(storage).await?;
        let metadata = metadata(storage, &key).await?;
        ensure_eq!(metadata.length, length as u64, "length");
        let open = storage.open(&key).await?.ok_or("no entity")?;
        ensure_eq!(*open.metadata(), metadata, "metadata of the open entity");
        let tag = metadata.tag.unwrap_or_default();
        let is_etag = |byte: u8| byte == 0x21 || (0x23..=0x7E).contains(&byte) || byte >= 0x80;
        ensure!(tag.bytes().all(is_etag), "{tag:?} is not valid in an entity tag");
    }
    Ok(())
}

async fn metadata(storage: &dyn Storage, key: &Key) -> Result<Metadata, BoxError> {
    let metadata = storage.metadata(key).await?;
    metadata.ok_or_else(|| format!("{key}: there is no metadata").into())
}

async fn a_replacement_changes_time_and_tag(storages: Storages) -> Outcome {
    let storage: Arc<dyn Storage> = storages.open().await?;
    let key = key("replacement")?;
    let mut versions = Vec::new();
    // The same length, so that it does not change.
    for (number, bytes) in [b"one", b"two", b"one"].into_iter().enumerate() {
        upload(&*storage, &key, bytes, number > 0).await?.remove(&*storage).await?;
        versions.push(metadata(&*storage, &key).await?);
    }
    for (older, newer) in versions.iter().zip(&versions[1..]) {
        let step = newer.modified.duration_since(older.modified).unwrap_or_default();
        ensure!(step >= MIN_TIME_STEP, "the time of a replacement is later by only {step:?}");
        let has_other_tag = newer.tag.is_none() || newer.tag != older.tag;
        ensure!(has_other_tag, "a replacement has the same tag: {:?}", newer.tag);
    }
    Ok(())
}

async fn entities_are_readable_at_any_offset(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let key = key("offsets")?;
    let bytes = content(3, 10_000);
    upload(storage, &key, &bytes, false).await?;
    let mut entity = storage.open(&key).await?.ok_or("no entity")?;
    for (offset, length) in
        [(9_999, 1), (5_000, 100), (0, 1), (1, 9_999), (9_000, 5_000), (0, 20_000)]
    {
        let piece = entity.read(offset as u64, length).await?;
        let what = format!("{length} bytes at {offset}");
        ensure!(!piece.is_empty() && piece.len() <= length, "{what}: got {} bytes", piece.len());
        ensure!(bytes[offset..].starts_with(&piece), "{what}: wrong bytes");
    }
    for offset in [10_000, 10_001, u64::MAX] {
        let piece = entity.read(offset, 10).await?;
        ensure!(piece.is_empty(), "bytes after the end, at {offset}: {piece:?}");
    }
    Ok(())
}
