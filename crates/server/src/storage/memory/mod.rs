//! Entities in memory.

mod entity;
mod state;
mod writer;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bits_proto::server::WorkToken;
use bytes::Bytes;
use uuid::Uuid;

use self::entity::{BytesEntity, StagedEntity};
use self::state::State;
use self::writer::{BytesReplyWriter, EntityWriter};
use super::{
    Discarded, Entity, Metadata, Publish, Published, ReplyWriter, Result, Staged, Storage, Write,
    Writer,
};
use crate::Key;

/// A storage in memory, for tests and for small entities that the application consumes at once.
///
/// Clones access the same entities. All bytes are lost when the last clone is dropped.
///
/// # Example
///
/// ```
/// use bits_server::storage::MemoryStorage;
///
/// let storage = MemoryStorage::new().with_max_bytes(64 << 20);
/// assert_eq!(storage.get(&"reports/today.zip".parse()?), None);
/// # Ok::<(), bits_server::InvalidKey>(())
/// ```
#[derive(Clone)]
pub struct MemoryStorage {
    state: Arc<Mutex<State>>,
}

impl MemoryStorage {
    /// Default of the maximum number of bytes: 1 GiB.
    pub const DEFAULT_MAX_BYTES: u64 = 1 << 30;

    /// Creates an empty storage for at most [`DEFAULT_MAX_BYTES`](Self::DEFAULT_MAX_BYTES).
    #[must_use]
    pub fn new() -> Self {
        Self { state: Arc::new(Mutex::new(State::new(Self::DEFAULT_MAX_BYTES))) }
    }

    /// Sets the maximum number of bytes of all entities and replies, staged and published. When it is
    /// exceeded, writes fail with [`StorageError::Full`](super::StorageError::Full).
    #[must_use]
    pub fn with_max_bytes(self, max_bytes: u64) -> Self {
        self.state().max_bytes = max_bytes;
        self
    }

    /// Returns the bytes of a published entity.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Bytes> {
        self.state().published(key).map(|entity| entity.bytes.clone())
    }

    /// Removes a published entity and returns its bytes.
    #[must_use]
    pub fn take(&self, key: &Key) -> Option<Bytes> {
        self.state().take(key)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

/// Locks the state. No method panics between two changes that belong together.
fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for MemoryStorage {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("MemoryStorage")
            .field("max_bytes", &state.max_bytes)
            .field("used_bytes", &state.used())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Storage for MemoryStorage {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn metadata(&self, key: &Key) -> Result<Option<Metadata>> {
        Ok(self.state().published(key).map(|entity| entity.metadata.clone()))
    }

    async fn open(&self, key: &Key) -> Result<Option<Box<dyn Entity>>> {
        let entity = self.state().published(key).cloned();
        Ok(entity.map(|entity| Box::new(entity) as Box<dyn Entity>))
    }

    async fn begin(&self, session: Uuid, _: &Key) -> Result<Staged> {
        self.state().begin(session)?;
        Ok(Staged::default())
    }

    async fn write(&self, write: Write) -> Result<Box<dyn Writer>> {
        self.state().truncate(write.token, write.offset)?;
        Ok(Box::new(EntityWriter::new(Arc::clone(&self.state), write.token, write.offset)))
    }

    async fn publish(&self, publish: Publish) -> Result<Published> {
        self.state().publish(&publish).map(|tag| Published::new(Some(tag)))
    }

    async fn open_staged(
        &self,
        token: WorkToken,
        _: &Staged,
        total: u64,
    ) -> Result<Box<dyn Entity>> {
        self.state().truncate(token, total)?;
        Ok(Box::new(StagedEntity::new(Arc::clone(&self.state), token, total)))
    }

    async fn write_reply(&self, token: WorkToken) -> Result<Box<dyn ReplyWriter>> {
        self.state().check(token)?;
        Ok(Box::new(BytesReplyWriter::new(Arc::clone(&self.state), token)))
    }

    async fn open_reply(&self, session: Uuid) -> Result<Option<Box<dyn Entity>>> {
        let reply = self.state().reply(session);
        Ok(reply.map(|reply| Box::new(BytesEntity::reply(reply)) as Box<dyn Entity>))
    }

    async fn discard(&self, token: WorkToken, _: &Staged, what: Discarded) -> Result<()> {
        self.state().discard(token, what)
    }

    async fn remove(&self, session: Uuid, _: Option<&Staged>) -> Result<()> {
        self.state().remove(session);
        Ok(())
    }

    async fn sessions(&self, min_age: Duration) -> Result<Vec<Uuid>> {
        Ok(self.state().sessions(min_age))
    }
}
