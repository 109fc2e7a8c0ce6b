//! Entities that are assembled apart from their destination.

use std::time::Duration;

use object_store::CopyOptions;
use object_store::path::Path;
use uuid::Uuid;

use super::super::{Entity, Result, Staged, StorageError};
use super::ObjectStorage;
use super::entity;
use super::error::lost_if_missing;
use super::layout::Layout;

/// Interval of the checks of a copy that is made in the background, and their maximum number.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
const MAX_POLLS: usize = 300;

impl ObjectStorage {
    /// Opens an entity before it is published.
    pub(super) async fn open_assembled(
        &self,
        session: Uuid,
        staged: &Staged,
        total: u64,
    ) -> Result<Box<dyn Entity>> {
        let layout = Layout::parse(staged)?;
        if !layout.apart {
            let reason = "entities in this object storage cannot be read before they are published; \
                          set assemble_apart";
            return Err(StorageError::other(reason));
        }
        if layout.length() != total {
            let reason = format!("{} of {total} bytes are stored", layout.length());
            return Err(StorageError::Lost(Some(reason.into())));
        }
        let path = self.assemble(session, &layout).await?;
        entity::open(&self.store, path).await?.ok_or(StorageError::Lost(None))
    }

    /// Copies an entity to its destination.
    pub(super) async fn copy_assembled(
        &self,
        session: Uuid,
        layout: &Layout,
        total: u64,
        destination: &Path,
    ) -> Result<()> {
        let path = self.assemble(session, layout).await?;
        // A stalled request may have assembled the entity after it was discarded.
        if self.marker(session).await?.is_none() {
            self.delete_assembled(session, layout).await?;
            return Err(StorageError::Lost(None));
        }
        let copied = self.store.copy_opts(&path, destination, CopyOptions::default()).await;
        copied.map_err(lost_if_missing)?;
        self.wait_for_copy(total, destination).await
    }

    /// Waits until a copy is complete. Azure may copy in the background; the copy is empty until then.
    async fn wait_for_copy(&self, total: u64, destination: &Path) -> Result<()> {
        for _ in 0..MAX_POLLS {
            let found = entity::head(self.store.as_ref(), destination).await?;
            if total == 0 || found.is_none_or(|found| found.meta.size > 0) {
                return Ok(());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Err(StorageError::other(format!("{destination}: the copy is not complete yet")))
    }

    /// Deletes an entity that was copied. A stalled request that copied it later would replace a later version.
    pub(super) async fn delete_assembled(&self, session: Uuid, layout: &Layout) -> Result<()> {
        let path = layout.apart.then(|| self.assembled_path(session));
        self.delete_all(path.into_iter().collect()).await
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
