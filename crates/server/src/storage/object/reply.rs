//! Replies of the server application.

use async_trait::async_trait;
use bits_proto::server::WorkToken;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt, PutMultipartOptions, PutPayload};
use uuid::Uuid;

use super::super::{Entity, ReplyWriter, Result, StorageError};
use super::ObjectStorage;
use super::budget::Memory;
use super::buffer::{Buffer, payload};
use super::entity;
use super::error::failed;
use super::layout::MIN_PART;

/// End of the name of an object that states that the reply was discarded.
const DISCARDED: &str = ".discarded";

/// Opens a reply for writing.
pub(super) async fn write(
    storage: &ObjectStorage,
    token: WorkToken,
) -> Result<Box<dyn ReplyWriter>> {
    let session = token.session_id();
    storage.marker(session).await?.ok_or(StorageError::Stale)?;
    let memory = storage.budget.acquire(MIN_PART).await;
    let memory = memory.ok_or_else(|| StorageError::other("the storage is closed"))?;
    Ok(Box::new(ObjectReply {
        storage: storage.clone(),
        path: path(storage, token, ""),
        buffer: Buffer::default(),
        upload: None,
        _memory: memory,
    }))
}

/// Opens the reply of the latest request that completed one.
pub(super) async fn open(
    storage: &ObjectStorage,
    session: Uuid,
) -> Result<Option<Box<dyn Entity>>> {
    let objects = storage.list(&storage.replies_path(session)).await?;
    let latest = objects.into_iter().map(|meta| meta.location).max();
    match latest {
        Some(path) if !path.as_ref().ends_with(DISCARDED) => {
            entity::open(&storage.store, path).await
        }
        _ => Ok(None),
    }
}

/// Discards the reply. The request that does so, and later ones, count as later than a reply that a stalled
/// request completes now.
pub(super) async fn discard(storage: &ObjectStorage, token: WorkToken) -> Result<()> {
    let session = token.session_id();
    let kept = path(storage, token, DISCARDED);
    if storage.marker(session).await?.is_some() {
        storage.store.put(&kept, PutPayload::default()).await.map_err(failed)?;
    }
    let objects = storage.list(&storage.replies_path(session)).await?;
    let paths = objects.into_iter().map(|meta| meta.location);
    storage.delete_all(paths.filter(|path| *path != kept).collect()).await
}

/// Returns a path that is greater than those of earlier requests.
fn path(storage: &ObjectStorage, token: WorkToken, suffix: &str) -> Path {
    let name = format!("{:08x}{suffix}", token.number());
    storage.replies_path(token.session_id()).join(name)
}

/// A reply that is being written. A reply shorter than 5 MiB is one object, a longer one a multipart upload.
struct ObjectReply {
    storage: ObjectStorage,
    path: Path,
    buffer: Buffer,
    upload: Option<Box<dyn MultipartUpload>>,
    _memory: Memory,
}

impl ObjectReply {
    async fn put_part(&mut self) -> Result<()> {
        let upload = match &mut self.upload {
            Some(upload) => upload,
            None => {
                let options = PutMultipartOptions::default();
                let created = self.storage.store.put_multipart_opts(&self.path, options).await;
                self.upload.insert(created.map_err(failed)?)
            }
        };
        upload.put_part(payload(self.buffer.take().0)).await.map_err(failed)
    }
}

#[async_trait]
impl ReplyWriter for ObjectReply {
    async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        let part = usize::try_from(MIN_PART).unwrap_or(usize::MAX);
        while !bytes.is_empty() {
            let room = part - self.buffer.length();
            self.buffer.push(bytes.split_to(room.min(bytes.len())));
            if self.buffer.length() == part {
                self.put_part().await?;
            }
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<()> {
        if self.upload.is_some() && self.buffer.length() > 0 {
            self.put_part().await?;
        }
        if let Some(upload) = &mut self.upload {
            upload.complete().await.map_err(failed)?;
        } else {
            let payload = payload(self.buffer.take().0);
            self.storage.store.put(&self.path, payload).await.map_err(failed)?;
        }
        Ok(())
    }
}
