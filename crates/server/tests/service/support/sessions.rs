//! A store of sessions that tests can freeze.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bits_server::sessions::{
    MemorySessions, Result, SessionRecord, SessionStore, SessionStoreError, Version, Versioned,
};
use tokio::sync::watch;
use uuid::Uuid;

/// The sessions of one node: several nodes share a store.
#[derive(Clone)]
pub struct NodeSessions {
    pub store: Arc<MemorySessions>,
    frozen: watch::Sender<bool>,
    is_exclusive: Arc<AtomicBool>,
    is_unreachable: Arc<AtomicBool>,
    is_read_only: Arc<AtomicBool>,
    is_unreadable: Arc<AtomicBool>,
    is_full: Arc<AtomicBool>,
    changes: Arc<AtomicUsize>,
    /// Number of changes until one whose response is lost.
    until_lost: Arc<AtomicUsize>,
}

impl NodeSessions {
    pub fn new(store: Arc<MemorySessions>) -> Self {
        Self {
            store,
            frozen: watch::Sender::new(false),
            is_exclusive: Arc::default(),
            is_unreachable: Arc::default(),
            is_read_only: Arc::default(),
            is_unreadable: Arc::default(),
            is_full: Arc::default(),
            changes: Arc::default(),
            until_lost: Arc::new(AtomicUsize::new(usize::MAX)),
        }
    }

    /// Loses the response of one change after `changes` others: it is made, and the store reports a failure.
    pub fn lose_response_after(&self, changes: usize) {
        self.until_lost.store(changes, Ordering::SeqCst);
    }

    /// Returns `true` if the response was lost.
    pub fn has_lost_response(&self) -> bool {
        self.until_lost.load(Ordering::SeqCst) == usize::MAX
    }

    fn response<T>(&self, response: T) -> Result<T> {
        // After zero the number is the largest one, so that nothing else is lost.
        let next = |left: usize| (left < usize::MAX).then(|| left.wrapping_sub(1));
        match self.until_lost.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next) {
            Ok(0) => Err(SessionStoreError::unavailable("connection reset")),
            _ => Ok(response),
        }
    }

    /// Freezes the node: it cannot change a session until it thaws.
    pub fn freeze(&self) {
        self.frozen.send_replace(true);
    }

    pub fn thaw(&self) {
        self.frozen.send_replace(false);
    }

    pub fn set_exclusive(&self) {
        self.is_exclusive.store(true, Ordering::SeqCst);
    }

    pub fn set_unreachable(&self, is_unreachable: bool) {
        self.is_unreachable.store(is_unreachable, Ordering::SeqCst);
    }

    /// Lets records be found, but not read.
    pub fn set_unreadable(&self) {
        self.is_unreadable.store(true, Ordering::SeqCst);
    }

    /// Lets all changes of records fail.
    pub fn set_read_only(&self, is_read_only: bool) {
        self.is_read_only.store(is_read_only, Ordering::SeqCst);
    }

    /// Lets all changes and new records fail for lack of space.
    pub fn set_full(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::SeqCst);
    }

    fn check_space(&self) -> Result<()> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(SessionStoreError::Full("no space left".into()));
        }
        Ok(())
    }

    /// Returns the number of attempts to change a record.
    pub fn changes(&self) -> usize {
        self.changes.load(Ordering::SeqCst)
    }

    /// Returns the only session.
    pub async fn only(&self) -> SessionRecord {
        let ids = self.store.expired(Duration::MAX, 2).await.unwrap();
        let [id] = ids[..] else { panic!("{ids:?}") };
        self.store.load(id).await.unwrap().unwrap().record
    }

    async fn wait(&self) -> Result<()> {
        self.frozen.subscribe().wait_for(|is_frozen| !is_frozen).await.unwrap();
        if self.is_unreachable.load(Ordering::SeqCst) {
            return Err(SessionStoreError::unavailable("connection refused"));
        }
        Ok(())
    }
}

#[async_trait]
impl SessionStore for NodeSessions {
    async fn check(&self) -> Result<()> {
        self.wait().await?;
        self.store.check().await
    }

    async fn insert(&self, record: &SessionRecord) -> Result<bool> {
        self.wait().await?;
        self.check_space()?;
        self.response(self.store.insert(record).await?)
    }

    async fn load(&self, id: Uuid) -> Result<Option<Versioned>> {
        self.wait().await?;
        if self.is_unreadable.load(Ordering::SeqCst) {
            return Err(SessionStoreError::unavailable("input/output error"));
        }
        self.store.load(id).await
    }

    async fn replace(&self, expected: &Version, record: &SessionRecord) -> Result<Option<Version>> {
        self.wait().await?;
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.check_space()?;
        if self.is_read_only.load(Ordering::SeqCst) {
            return Err(SessionStoreError::unavailable("read-only replica"));
        }
        self.response(self.store.replace(expected, record).await?)
    }

    async fn remove(&self, id: Uuid, expected: &Version) -> Result<bool> {
        self.wait().await?;
        self.response(self.store.remove(id, expected).await?)
    }

    async fn count(&self, principal: Option<&str>) -> Result<usize> {
        self.wait().await?;
        self.store.count(principal).await
    }

    async fn expired(&self, now: Duration, max: usize) -> Result<Vec<Uuid>> {
        self.wait().await?;
        self.store.expired(now, max).await
    }

    fn is_exclusive(&self) -> bool {
        self.is_exclusive.load(Ordering::SeqCst)
    }
}
