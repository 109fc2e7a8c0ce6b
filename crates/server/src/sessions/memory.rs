//! Sessions in memory.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use super::table::Records;
use super::{Result, SessionRecord, SessionStore, Version, Versioned};

/// Sessions in the memory of this process. They end with the process: clients start their uploads over.
///
/// # Example
///
/// ```
/// use bits_server::sessions::{MemorySessions, SessionStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), bits_server::sessions::SessionStoreError> {
/// let sessions = MemorySessions::new();
/// assert_eq!(sessions.count(None).await?, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct MemorySessions(Mutex<Records>);

impl MemorySessions {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Locks the table. No operation panics or waits while it holds the lock.
    fn table(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SessionStore for MemorySessions {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn insert(&self, record: &SessionRecord) -> Result<bool> {
        let mut table = self.table();
        let is_new = table.version(record.id()).is_none();
        if is_new {
            table.put(record.clone());
        }
        Ok(is_new)
    }

    async fn load(&self, id: Uuid) -> Result<Option<Versioned>> {
        Ok(self.table().get(id))
    }

    async fn replace(&self, expected: &Version, record: &SessionRecord) -> Result<Option<Version>> {
        let mut table = self.table();
        let is_current = table.version(record.id()).as_ref() == Some(expected);
        Ok(is_current.then(|| table.put(record.clone())))
    }

    async fn remove(&self, id: Uuid, expected: &Version) -> Result<bool> {
        let mut table = self.table();
        let is_current = table.version(id).is_none_or(|version| version == *expected);
        if is_current {
            table.remove(id);
        }
        Ok(is_current)
    }

    async fn count(&self, principal: Option<&str>) -> Result<usize> {
        Ok(self.table().count(principal))
    }

    async fn expired(&self, now: Duration, max: usize) -> Result<Vec<Uuid>> {
        Ok(self.table().expired(now, max))
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}
