//! Entities that are open for reading.

use std::fs::File;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::disk::read_at;
use super::folders::Folders;
use super::snapshot::Snapshot;
use crate::inline_io::DiskSpeed;
use crate::storage::{Entity, Metadata, Result, StorageError};

/// Maximum number of bytes that one call reads, which bounds the memory.
const MAX_READ: usize = 1 << 20;

/// A file that is open for reading.
#[derive(Debug)]
pub(in crate::storage) struct FileEntity {
    file: Arc<File>,
    snapshot: Snapshot,
    metadata: Metadata,
    speed: Arc<DiskSpeed>,
}

impl FileEntity {
    pub(in crate::storage) fn new(file: File, snapshot: Snapshot, folders: &Folders) -> Self {
        let (metadata, speed) = (snapshot.metadata(), Arc::clone(&folders.speed));
        Self { file: Arc::new(file), snapshot, metadata, speed }
    }
}

#[async_trait]
impl Entity for FileEntity {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Fails if the file was changed in place.
    async fn read(&mut self, offset: u64, length: usize) -> Result<Bytes> {
        let left = self.metadata.length.saturating_sub(offset);
        let length = usize::try_from(left).map_or(length, |left| left.min(length)).min(MAX_READ);
        if length == 0 {
            return Ok(Bytes::new());
        }
        let (file, snapshot) = (Arc::clone(&self.file), self.snapshot);
        let read = move || {
            let bytes = read_at(&file, offset, length)?;
            if bytes.len() < length || !snapshot.is_current(&file)? {
                return Err(StorageError::Lost(Some("the file was changed".into())));
            }
            Ok(bytes.into())
        };
        self.speed.run(read).await.map_err(StorageError::other)?
    }
}
