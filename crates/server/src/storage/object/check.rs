//! Check at start.

use std::fmt::Display;

use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};

use super::super::{Result, StorageError};
use super::ObjectStorage;

/// Content of the object that is written.
const CONTENT: &[u8] = b"This object checks that the bucket is writable. It can be deleted.";

/// Publishes, finds, reads and deletes an object.
pub(super) async fn check(storage: &ObjectStorage) -> Result<()> {
    let path = storage.probe_path();
    let describe = |step: &str, error: &dyn Display| {
        let store = &storage.store;
        let advice = "check the name of the bucket, its region or endpoint, and the credentials";
        StorageError::other(format!("{store}: cannot {step} {path}: {error}; {advice}"))
    };
    publish(storage, &path).await.map_err(|error| describe("write", &error))?;
    let found = storage.list(&path.parent().unwrap_or_default()).await;
    let found = found.map_err(|error| describe("list", &error))?;
    if !found.iter().any(|meta| meta.location == path) {
        return Err(describe("list", &"a new object is missing in the list"));
    }
    let read = storage.store.get(&path).await.map_err(|error| describe("read", &error))?;
    let bytes = read.bytes().await.map_err(|error| describe("read", &error))?;
    if bytes != CONTENT {
        return Err(describe("read", &"its content differs from what was written"));
    }
    storage.store.delete(&path).await.map_err(|error| describe("delete", &error))
}

async fn publish(storage: &ObjectStorage, path: &Path) -> object_store::Result<()> {
    let multipart = &storage.multipart;
    let upload = multipart.create_multipart(path).await?;
    let part = multipart.put_part(path, &upload, 0, PutPayload::from_static(CONTENT)).await?;
    multipart.complete_multipart(path, &upload, vec![part]).await?;
    Ok(())
}
