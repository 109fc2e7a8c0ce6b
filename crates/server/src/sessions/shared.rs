//! Access to a store through a shared pointer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use super::{Result, SessionRecord, SessionStore, Version, Versioned};

/// Gives a server a store that the embedder also keeps, for example to report the number of sessions.
#[async_trait]
impl<S: SessionStore + ?Sized> SessionStore for Arc<S> {
    async fn check(&self) -> Result<()> {
        (**self).check().await
    }

    async fn insert(&self, record: &SessionRecord) -> Result<bool> {
        (**self).insert(record).await
    }

    async fn load(&self, id: Uuid) -> Result<Option<Versioned>> {
        (**self).load(id).await
    }

    async fn replace(&self, expected: &Version, record: &SessionRecord) -> Result<Option<Version>> {
        (**self).replace(expected, record).await
    }

    async fn remove(&self, id: Uuid, expected: &Version) -> Result<bool> {
        (**self).remove(id, expected).await
    }

    async fn count(&self, principal: Option<&str>) -> Result<usize> {
        (**self).count(principal).await
    }

    async fn expired(&self, now: Duration, max: usize) -> Result<Vec<Uuid>> {
        (**self).expired(now, max).await
    }

    fn is_exclusive(&self) -> bool {
        (**self).is_exclusive()
    }
}
