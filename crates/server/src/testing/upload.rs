//! Sessions as a server drives them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bits_proto::server::WorkToken;
use bytes::Bytes;
use uuid::Uuid;

use super::WorkTokens;
use crate::storage::{Journal, Publish, Result, Staged, Storage, StorageError, Write, Writer};
use crate::{BoxError, Key};

/// One session on a storage, driven as a server does it: for tests of a storage in addition to the
/// [suite](super::storage).
///
/// # Example
///
/// A request that stalls does not change what a later one has written:
///
/// ```
/// use bits_server::storage::{Entity, MemoryStorage, Storage};
/// use bits_server::testing::Upload;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), bits_server::BoxError> {
/// let storage = MemoryStorage::new();
/// let key = "report.zip".parse()?;
/// let mut upload = Upload::begin(&storage, &key, 6).await?;
/// let stalled = upload.token();
/// let mut writer = upload.writer(&storage, stalled, 0).await?;
/// upload.send(&storage, b"entity").await?;
/// let _ = writer.write("late".into()).await;
/// storage.publish(upload.publication()).await?;
/// assert_eq!(storage.get(&key).as_deref(), Some(&b"entity"[..]));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Upload {
    tokens: WorkTokens,
    key: Key,
    total: u64,
    acknowledged: u64,
    saved: Arc<Mutex<Saved>>,
}

/// Part of the record of a session.
#[derive(Debug)]
struct Saved {
    /// Number of the latest token.
    latest: u32,
    staged: Staged,
}

impl Upload {
    /// Begins a session for an entity with `total` bytes.
    ///
    /// # Errors
    ///
    /// An error of the storage.
    pub async fn begin(storage: &dyn Storage, key: &Key, total: u64) -> Result<Self> {
        let tokens = WorkTokens::new();
        let staged = storage.begin(tokens.session_id(), key).await?;
        let saved = Arc::new(Mutex::new(Saved { latest: 0, staged }));
        Ok(Self { tokens, key: key.clone(), total, acknowledged: 0, saved })
    }

    /// Returns the id of the session.
    #[must_use]
    pub const fn session_id(&self) -> Uuid {
        self.tokens.session_id()
    }

    /// Returns the number of acknowledged bytes.
    #[must_use]
    pub const fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Returns the description of the acknowledged bytes.
    #[must_use]
    pub fn staged(&self) -> Staged {
        locked(&self.saved).staged.clone()
    }

    /// Issues a work token, which takes over the session.
    pub fn token(&mut self) -> WorkToken {
        let token = self.tokens.issue();
        locked(&self.saved).latest = token.number();
        token
    }

    /// Opens the staged entity for writing at an offset: the number of acknowledged bytes, unless a test
    /// simulates a fault.
    ///
    /// # Errors
    ///
    /// An error of the storage.
    pub async fn writer(
        &self,
        storage: &dyn Storage,
        token: WorkToken,
        offset: u64,
    ) -> Result<Box<dyn Writer>> {
        let journal = SavedJournal { token, saved: Arc::clone(&self.saved) };
        let write = Write::new(token, offset, self.total, self.staged(), Box::new(journal));
        storage.write(write).await
    }

    /// Acknowledges bytes that were flushed. The description passes through its stored form.
    ///
    /// # Errors
    ///
    /// The description cannot be stored.
    pub fn acknowledge(&mut self, flushed: &Staged, bytes: usize) -> Result<(), BoxError> {
        locked(&self.saved).staged = serde_json::from_str(&serde_json::to_string(flushed)?)?;
        self.acknowledged += bytes as u64;
        Ok(())
    }

    /// Stores bytes in one request and acknowledges them.
    ///
    /// # Errors
    ///
    /// An error of the storage.
    pub async fn send(&mut self, storage: &dyn Storage, bytes: &[u8]) -> Result<(), BoxError> {
        let token = self.token();
        let mut writer = self.writer(storage, token, self.acknowledged).await?;
        writer.write(Bytes::copy_from_slice(bytes)).await?;
        let flushed = writer.flush().await?;
        self.acknowledge(&flushed, bytes.len())
    }

    /// Issues a work token to publish the entity. It does not replace another one.
    pub fn publication(&mut self) -> Publish {
        Publish::new(self.token(), self.staged(), self.total, self.key.clone())
    }

    /// Deletes what remains of the session.
    ///
    /// # Errors
    ///
    /// An error of the storage.
    pub async fn remove(&self, storage: &dyn Storage) -> Result<()> {
        storage.remove(self.session_id(), Some(&self.staged())).await
    }
}

/// Stores the description of staged bytes, unless a later token was issued.
struct SavedJournal {
    token: WorkToken,
    saved: Arc<Mutex<Saved>>,
}

#[async_trait]
impl Journal for SavedJournal {
    async fn save(&self, staged: &Staged) -> Result<()> {
        let mut saved = locked(&self.saved);
        if saved.latest != self.token.number() {
            return Err(StorageError::Stale);
        }
        saved.staged = staged.clone();
        Ok(())
    }
}

fn locked(saved: &Mutex<Saved>) -> MutexGuard<'_, Saved> {
    saved.lock().unwrap_or_else(PoisonError::into_inner)
}
