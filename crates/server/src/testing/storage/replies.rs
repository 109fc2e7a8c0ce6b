//! Replies of server applications, kept for the client.

use bytes::Bytes;

use super::checks::{complete, ensure_bytes, ensure_published, key, read};
use super::{StorageCase, Storages};
use crate::BoxError;
use crate::storage::{Discarded, ReplyWriter, Storage, StorageError};
use crate::testing::Upload;
use crate::testing::suite::{Outcome, cases, ensure};

pub(super) const CASES: &[StorageCase] = cases! {
    a_reply_appears_when_it_is_complete:
        "A reply can be read on any node once it is finished, and not before.";
    a_reply_replaces_that_of_an_earlier_attempt:
        "The reply of a later attempt replaces the earlier one completely.";
    an_overtaken_reply_does_not_count:
        "A reply that is finished under an older token does not replace the reply of a later one.";
    the_entity_is_discarded_without_the_reply:
        "A discarded entity cannot be published, and the reply remains.";
    the_reply_is_discarded_without_the_entity:
        "A discarded reply is gone, and the entity can be published.";
    a_server_application_finds_the_files:
        "Paths, if there are any, name the complete entity, and a reply that the application creates.";
};

async fn a_reply_appears_when_it_is_complete(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let key = key("reply")?;
    let other = &*storages.open().await?;
    let mut upload = complete(storage, &key, b"entity").await?;
    ensure_no_reply(storage, &upload).await?;
    let mut reply = begin(storage, &mut upload, b"rep").await?;
    ensure_no_reply(storage, &upload).await?;
    reply.write(Bytes::from_static(b"ly")).await?;
    ensure_no_reply(other, &upload).await?;
    reply.finish().await?;
    ensure_reply(storage, &upload, b"reply").await?;
    ensure_reply(other, &upload, b"reply").await?;
    storage.publish(upload.publication()).await?;
    ensure_reply(other, &upload, b"reply").await?;
    upload.remove(storage).await?;
    ensure_no_reply(storage, &upload).await?;
    ensure_published(storage, &key, b"entity").await
}

async fn a_reply_replaces_that_of_an_earlier_attempt(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let key = key("reply")?;
    let mut upload = complete(storage, &key, b"entity").await?;
    // An attempt that is abandoned, a long one, an empty one, and a short one.
    drop(begin(storage, &mut upload, b"abandoned").await?);
    ensure_no_reply(storage, &upload).await?;
    for bytes in [&b"a long reply"[..], b"", b"short"] {
        begin(storage, &mut upload, bytes).await?.finish().await?;
        ensure_reply(storage, &upload, bytes).await?;
    }
    drop(begin(storage, &mut upload, b"abandoned").await?);
    ensure_reply(storage, &upload, b"short").await
}

async fn an_overtaken_reply_does_not_count(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let key = key("overtaken")?;
    let other = &*storages.open().await?;
    let mut upload = complete(storage, &key, b"entity").await?;
    let mut stalled = begin(storage, &mut upload, b"stalled ").await?;
    begin(other, &mut upload, b"reply").await?.finish().await?;
    let _ = stalled.write(Bytes::from_static(b"reply")).await;
    ensure_reply(storage, &upload, b"reply").await?;
    let _ = stalled.finish().await;
    ensure_reply(other, &upload, b"reply").await
}

async fn the_entity_is_discarded_without_the_reply(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let key = key("entity")?;
    let mut upload = complete(storage, &key, b"entity").await?;
    begin(storage, &mut upload, b"reply").await?.finish().await?;
    for _ in 0..2 {
        discard(storage, &mut upload, Discarded::ENTITY).await?;
        ensure_reply(storage, &upload, b"reply").await?;
    }
    let published = storage.publish(upload.publication()).await;
    let is_lost = matches!(published, Err(StorageError::Lost(_)));
    ensure!(is_lost, "publication after discarding: expected `Lost`, got {published:?}");
    discard(storage, &mut upload, Discarded::REPLY).await?;
    ensure_no_reply(storage, &upload).await
}

async fn the_reply_is_discarded_without_the_entity(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let key = key("reply")?;
    let mut upload = complete(storage, &key, b"entity").await?;
    discard(storage, &mut upload, Discarded::REPLY).await?;
    begin(storage, &mut upload, b"reply").await?.finish().await?;
    for _ in 0..2 {
        discard(storage, &mut upload, Discarded::REPLY).await?;
        ensure_no_reply(storage, &upload).await?;
    }
    begin(storage, &mut upload, b"another").await?.finish().await?;
    ensure_reply(storage, &upload, b"another").await?;
    discard(storage, &mut upload, Discarded::REPLY).await?;
    storage.publish(upload.publication()).await?;
    discard(storage, &mut upload, Discarded::ALL).await?;
    ensure_published(storage, &key, b"entity").await
}

async fn a_server_application_finds_the_files(storages: Storages) -> Outcome {
    let storage = &*storages.open().await?;
    let key = key("server")?;
    let mut upload = complete(storage, &key, b"entity").await?;
    let token = upload.token();
    let mut writer = upload.writer(storage, token, upload.acknowledged()).await?;
    writer.write(Bytes::from_static(b"surplus")).await?;
    writer.flush().await?;
    drop(writer);
    let token = upload.token();
    let paths = storage.paths(token, &upload.staged(), upload.acknowledged()).await?;
    if let Some(paths) = paths {
        ensure_bytes("file of the entity", &std::fs::read(&paths.entity)?, b"entity")?;
        ensure!(!paths.reply.exists(), "there is a file before the application creates it");
        std::fs::write(&paths.reply, "reply")?;
        ensure_reply(storage, &upload, b"reply").await?;
        discard(storage, &mut upload, Discarded::REPLY).await?;
        ensure_no_reply(storage, &upload).await?;
    }
    storage.publish(upload.publication()).await?;
    ensure_published(storage, &key, b"entity").await
}

/// Opens a reply under a new token and writes bytes.
async fn begin(
    storage: &dyn Storage,
    upload: &mut Upload,
    bytes: &'static [u8],
) -> Result<Box<dyn ReplyWriter>, BoxError> {
    let mut reply = storage.write_reply(upload.token()).await?;
    reply.write(Bytes::from_static(bytes)).await?;
    Ok(reply)
}

async fn discard(storage: &dyn Storage, upload: &mut Upload, what: Discarded) -> Outcome {
    let token = upload.token();
    Ok(storage.discard(token, &upload.staged(), what).await?)
}

async fn ensure_reply(storage: &dyn Storage, upload: &Upload, expected: &[u8]) -> Outcome {
    let mut reply = storage.open_reply(upload.session_id()).await?.ok_or("there is no reply")?;
    ensure!(reply.metadata().length == expected.len() as u64, "wrong length of the reply");
    ensure_bytes("reply", &read(&mut *reply).await?, expected)
}

async fn ensure_no_reply(storage: &dyn Storage, upload: &Upload) -> Outcome {
    let reply = storage.open_reply(upload.session_id()).await?;
    ensure!(reply.is_none(), "there is a reply");
    Ok(())
}
