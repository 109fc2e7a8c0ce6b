//! Staging: bytes are acknowledged once, and published as they were acknowledged.

use std::time::Duration;

use bits_proto::server::WorkToken;
use bytes::Bytes;

use super::checks::{content, ensure_absent, ensure_bytes, ensure_published, key, read};
use super::{StorageCase, Storages};
use crate::storage::{Result, Storage, StorageError};
use crate::testing::Upload;
use crate::testing::suite::{Outcome, cases, ensure};

pub(super) const CASES: &[StorageCase] = cases! {
    an_upload_is_published_as_it_was_written:
        "A published entity has exactly the bytes that were acknowledged, and was absent before.";
    bytes_may_be_divided_in_any_way:
        "The division into writes, flushes and requests does not change the entity.";
    an_entity_may_be_empty:
        "An entity without bytes is published, although it was never opened for writing.";
    a_large_entity_in_odd_pieces_is_complete:
        "An entity of several MiB is complete, even if the sizes of its pieces fit no block size.";
    another_node_continues_an_upload:
        "The stored description of the acknowledged bytes suffices to continue on another node.";
    bytes_that_were_not_flushed_do_not_count:
        "Bytes that were written but not flushed do not belong to the entity.";
    bytes_that_were_not_acknowledged_do_not_count:
        "Bytes that were flushed but not acknowledged do not belong to the entity.";
    missing_bytes_are_reported_as_lost:
        "A publication or a write after missing bytes fails with `Lost`, and publishes nothing.";
    a_session_must_have_begun:
        "A write for a session that has not begun, or that was removed, fails.";
    a_staged_entity_is_readable:
        "A staged entity that can be read before publication has exactly the acknowledged bytes.";
};

async fn an_upload_is_published_as_it_was_written(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    storage.check().await?;
    let key = key("entity")?;
    let mut upload = Upload::begin(storage, &key, 10).await?;
    ensure_absent(storage, &key).await?;
    upload.send(storage, b"0123").await?;
    upload.send(storage, b"456789").await?;
    ensure_absent(storage, &key).await?;
    storage.publish(upload.publication()).await?;
    ensure_published(storage, &key, b"0123456789").await?;
    upload.remove(storage).await?;
    ensure_published(storage, &key, b"0123456789").await
}

async fn bytes_may_be_divided_in_any_way(storages: Storages) -> Outcome {
    const BYTES: &[u8] = b"abcde";
    let storage = &*storages.open().await?;
    // Bit n of `ends`: a piece ends after byte n. The last one always ends there.
    for (ends, pieces) in (0..1 << (BYTES.len() - 1)).flat_map(|ends| [(ends, 1), (ends, 0)]) {
        let key = key("divided")?;
        let mut upload = Upload::begin(storage, &key, BYTES.len() as u64).await?;
        let token = upload.token();
        let mut writer = upload.writer(storage, token, upload.acknowledged()).await?;
        let mut first = 0;
        for end in 1..=BYTES.len() {
            if end < BYTES.len() && ends >> (end - 1) & 1 == 0 {
                continue;
            }
            writer.write(Bytes::from_static(&BYTES[first..end])).await?;
            // Each piece is acknowledged, or only the last one.
            if pieces == 1 || end == BYTES.len() {
                let flushed = writer.flush().await?;
                upload.acknowledge(&flushed, end - upload.acknowledged() as usize)?;
            }
            first = end;
        }
        drop(writer);
        storage.publish(upload.publication()).await?;
        ensure_published(storage, &key, BYTES).await?;
        upload.remove(storage).await?;
    }
    Ok(())
}

async fn an_entity_may_be_empty(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let key = key("empty")?;
    let mut upload = Upload::begin(storage, &key, 0).await?;
    storage.publish(upload.publication()).await?;
    ensure_published(storage, &key, b"").await
}

async fn a_large_entity_in_odd_pieces_is_complete(storages: Storages) -> Outcome {
    const SIZES: [usize; 7] = [1, 65_537, 1_000_003, 4_096, 262_143, 3, 700_001];
    let storage = &*storages.open().await?;
    let key = key("large")?;
    let entity = content(1, 12 * 1024 * 1024 + 345);
    let mut rest = Bytes::copy_from_slice(&entity);
    let mut upload = Upload::begin(storage, &key, entity.len() as u64).await?;
    while !rest.is_empty() {
        // Each request writes all sizes and acknowledges every third piece, and the last one.
        let token = upload.token();
        let mut writer = upload.writer(storage, token, upload.acknowledged()).await?;
        let mut unacknowledged = 0;
        for (number, size) in SIZES.into_iter().enumerate() {
            let piece = rest.split_to(size.min(rest.len()));
            unacknowledged += piece.len();
            writer.write(piece).await?;
            if number % 3 == 0 {
                let flushed = writer.flush().await?;
                upload.acknowledge(&flushed, std::mem::take(&mut unacknowledged))?;
            }
        }
    }
    storage.publish(upload.publication()).await?;
    ensure_published(storage, &key, &entity).await
}

async fn another_node_continues_an_upload(storages: Storages) -> Outcome {
    let key = key("continued")?;
    let storage = storages.open().await?;
    let mut upload = Upload::begin(&*storage, &key, 9).await?;
    upload.send(&*storage, b"abc").await?;
    // A restart, if the storage can only be open once.
    drop(storage);
    let storage = storages.open().await?;
    let other = storages.open().await?;
    upload.send(&*storage, b"def").await?;
    upload.send(&*other, b"ghi").await?;
    storage.publish(upload.publication()).await?;
    ensure_published(&*other, &key, b"abcdefghi").await?;
    upload.remove(&*other).await?;
    ensure_published(&*storage, &key, b"abcdefghi").await
}

async fn bytes_that_were_not_flushed_do_not_count(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    abandon(storage, false).await
}

async fn bytes_that_were_not_acknowledged_do_not_count(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    abandon(storage, true).await
}

/// Writes bytes that are not acknowledged, before and after other bytes.
async fn abandon(storage: &dyn Storage, flushes: bool) -> Outcome {
    // More, as many, and fewer bytes than the next request writes.
    for surplus in [&b"XXXXXXXXXXXXXXX"[..], b"XXX", b"X"] {
        let key = key("abandoned")?;
        let mut upload = Upload::begin(storage, &key, 6).await?;
        for acknowledged in [&b"abc"[..], b"def", b""] {
            let token = upload.token();
            let mut writer = upload.writer(storage, token, upload.acknowledged()).await?;
            writer.write(Bytes::from_static(surplus)).await?;
            if flushes {
                writer.flush().await?;
            }
            drop(writer);
            if !acknowledged.is_empty() {
                upload.send(storage, acknowledged).await?;
            }
        }
        storage.publish(upload.publication()).await?;
        ensure_published(storage, &key, b"abcdef").await?;
        upload.remove(storage).await?;
    }
    Ok(())
}

async fn missing_bytes_are_reported_as_lost(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let key = key("lost")?;
    for acknowledged in [0, 5] {
        let mut upload = Upload::begin(storage, &key, 10).await?;
        if acknowledged > 0 {
            upload.send(storage, &b"01234"[..acknowledged]).await?;
        }
        let publication = upload.publication();
        let what = format!("publication with {acknowledged} of 10 bytes");
        ensure_lost(&what, storage.publish(publication).await)?;
        upload.remove(storage).await?;
        ensure_absent(storage, &key).await?;
    }
    let mut upload = Upload::begin(storage, &key, 10).await?;
    upload.send(storage, b"01234").await?;
    let token = upload.token();
    let written = write(&upload, storage, token, 9, b"9").await;
    let publication = upload.publication();
    let published = storage.publish(publication).await.map(drop);
    ensure_lost("publication after a write behind a gap", written.and(published))?;
    ensure_absent(storage, &key).await
}

fn ensure_lost<T>(what: &str, result: Result<T>) -> Outcome {
    match result {
        Err(StorageError::Lost(_)) => Ok(()),
        Err(error) => Err(format!("{what}: expected `Lost`, got {error:?}").into()),
        Ok(_) => Err(format!("{what}: expected `Lost`, got success").into()),
    }
}

/// Writes bytes at any offset and flushes them.
async fn write(
    upload: &Upload,
    storage: &dyn Storage,
    token: WorkToken,
    offset: u64,
    bytes: &'static [u8],
) -> Result<()> {
    let mut writer = upload.writer(storage, token, offset).await?;
    writer.write(Bytes::from_static(bytes)).await?;
    writer.flush().await.map(drop)
}

async fn a_session_must_have_begun(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let key = key("removed")?;
    let mut upload = Upload::begin(storage, &key, 6).await?;
    upload.send(storage, b"abc").await?;
    let token = upload.token();
    let stalled = upload.writer(storage, token, upload.acknowledged()).await;
    upload.remove(storage).await?;
    if let Ok(mut stalled) = stalled {
        let _ = stalled.write(Bytes::from_static(b"late")).await;
        let _ = stalled.flush().await;
    }
    let token = upload.token();
    for offset in [0, 3] {
        let written = write(&upload, storage, token, offset, b"def").await;
        ensure!(written.is_err(), "a write at {offset} succeeds after the session was removed");
    }
    // Late writes may leave data, which can be removed like that of any session without a record.
    upload.remove(storage).await?;
    let found = storage.sessions(Duration::ZERO).await?;
    ensure!(
        !found.contains(&upload.session_id()),
        "the data of a removed session cannot be removed"
    );
    Ok(())
}

async fn a_staged_entity_is_readable(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    if !storage.can_read_staged() {
        return Ok(());
    }
    let key = key("staged")?;
    let mut upload = Upload::begin(storage, &key, 6).await?;
    upload.send(storage, b"abc").await?;
    upload.send(storage, b"def").await?;
    let token = upload.token();
    let mut writer = upload.writer(storage, token, upload.acknowledged()).await?;
    writer.write(Bytes::from_static(b"surplus")).await?;
    writer.flush().await?;
    drop(writer);

    let token = upload.token();
    let mut staged = storage.open_staged(token, &upload.staged(), 6).await?;
    ensure!(staged.metadata().length == 6, "the length is not that of the entity");
    ensure_bytes("staged entity", &read(&mut *staged).await?, b"abcdef")?;
    let tail = staged.read(4, 100).await?;
    ensure!(!tail.is_empty() && b"ef".starts_with(&tail), "wrong bytes at offset 4: {tail:?}");
    drop(staged);
    let lost = storage.open_staged(upload.token(), &upload.staged(), 7).await;
    ensure_lost("staged entity with a missing byte", lost)?;
    storage.publish(upload.publication()).await?;
    ensure_published(storage, &key, b"abcdef").await
}
