//! Entities that are assembled apart from their destination.

use object_store::path::Path;
use object_store::{CopyOptions, ObjectStoreExt};
use uuid::Uuid;

use super::super::{Entity, Result, Staged, StorageError};
use super::ObjectStorage;
use super::entity;
use super::error::lost_if_missing;
use super::layout::Layout;

impl ObjectStorage {
    /// Opens an entity before it is published.
    pub(super) async fn open_assembled(
        &self,
        session: Uuid,
        staged: &Staged,
        total: u64,
    ) -> Result<Box<dyn Entity>> {
        let layout = Layout::parse(staged)?;
        if layout.length() != total {
            let reason = format!("{} of {total} bytes are stored", layout.length());
            return Err(StorageError::Lost(Some(reason.into())));
        }
        let path = self.assemble(session, &layout).await?;
        entity::open(&self.store, path).await?.ok_or(StorageError::Lost(None))
    }

    /// Copies an entity to its destination, and deletes it. Returns the tag of the copy if it is known.
    pub(super) async fn copy_assembled(
        &self,
        session: Uuid,
        layout: &Layout,
        destination: &Path,
    ) -> Result<Option<String>> {
        let path = self.assemble(session, layout).await?;
        let copied = self.store.copy_opts(&path, destination, CopyOptions::default()).await;
        copied.map_err(lost_if_missing)?;
        // A stalled request that copies the entity later would replace a later version.
        self.store.delete(&path).await.map_err(lost_if_missing)?;
        Ok(None)
    }

    /// Completes the upload, unless it is complete already, and returns the path of the entity.
    async fn assemble(&self, session: Uuid, layout: &Layout) -> Result<Path> {
        let path = self.assembled_path(session);
        let is_complete = entity::head(self.store.as_ref(), &path).await?.is_some();
        if is_complete {
            return Ok(path);
        }
        if let Err(error) = self.complete(session, layout, &path).await {
            // The response may be lost, or another request may have completed the upload.
            entity::head(self.store.as_ref(), &path).await?.ok_or(error)?;
        }
        Ok(path)
    }
}
