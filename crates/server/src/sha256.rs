//! SHA-256 of complete entities.

use std::fmt::Write as _;

use bits_proto::server::WorkToken;
use sha2::{Digest as _, Sha256};

use crate::Key;
use crate::driver::DriverError;
use crate::sessions::SessionRecord;
use crate::storage::{Entity, StorageError};
use crate::work::{Renewal, Work};

/// Number of bytes that are read at once.
const BLOCK: usize = 256 * 1024;

impl Work<'_, '_> {
    /// Returns the SHA-256 of a complete entity, before it is published. It is recorded in the session, as the
    /// staged bytes may be gone when the publication is repeated.
    pub(crate) async fn sha256_staged(
        &self,
        token: WorkToken,
        record: &SessionRecord,
        length: u64,
    ) -> Result<Option<Box<str>>, StorageError> {
        let storage = &self.inner.storage;
        if !self.inner.has_sha256 || record.sha256.is_some() || !storage.can_read_staged() {
            return Ok(record.sha256.clone());
        }
        // An empty entity may never have been staged.
        let digest = if length == 0 {
            hexadecimal(Sha256::new())?
        } else {
            digest(storage.open_staged(token, &record.staged, length).await?, length).await?
        };
        let amend = |record: &mut SessionRecord| record.sha256 = Some(digest.clone());
        let handle = self.handle().map_err(|_| StorageError::Stale)?;
        let recorded = handle.change_with(self.policy(), amend, |sessions| {
            Ok(Renewal::Work.renew(sessions, token)?)
        });
        match recorded.await {
            Ok(_) => Ok(Some(digest)),
            Err(DriverError::Event(_)) => Err(StorageError::Stale),
            Err(error) => Err(StorageError::other(error)),
        }
    }

    /// Returns the SHA-256 of an entity that was just published, if its storage could not read it before.
    /// `None` if another upload has replaced it.
    pub(crate) async fn sha256_published(
        &self,
        key: &Key,
        tag: Option<&str>,
        length: u64,
    ) -> Result<Option<Box<str>>, StorageError> {
        if !self.inner.has_sha256 {
            return Ok(None);
        }
        let Some(entity) = self.inner.storage.open(key).await? else { return Ok(None) };
        let metadata = entity.metadata();
        let is_other = metadata.length != length || tag.is_some() && metadata.tag.as_deref() != tag;
        if is_other { Ok(None) } else { digest(entity, length).await.map(Some) }
    }
}

async fn digest(mut entity: Box<dyn Entity>, length: u64) -> Result<Box<str>, StorageError> {
    let mut digest = Sha256::new();
    let mut offset = 0;
    while offset < length {
        let block = entity.read(offset, BLOCK).await?;
        if block.is_empty() {
            return Err(StorageError::Lost(None));
        }
        offset += block.len() as u64;
        digest.update(&block);
    }
    hexadecimal(digest)
}

fn hexadecimal(digest: Sha256) -> Result<Box<str>, StorageError> {
    let mut text = String::with_capacity(64);
    for byte in digest.finalize() {
        write!(text, "{byte:02x}").map_err(StorageError::other)?;
    }
    Ok(text.into())
}
