//! Access to a storage through a shared pointer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bits_proto::server::WorkToken;
use uuid::Uuid;

use super::{
    Discarded, Entity, Metadata, Publish, Published, ReplyWriter, Result, Staged, StagedPaths,
    Storage, Write, Writer,
};
use crate::Key;

/// Gives a server a storage that the embedder also keeps, for example to read published entities.
#[async_trait]
impl<S: Storage + ?Sized> Storage for Arc<S> {
    async fn check(&self) -> Result<()> {
        (**self).check().await
    }

    async fn metadata(&self, key: &Key) -> Result<Option<Metadata>> {
        (**self).metadata(key).await
    }

    async fn open(&self, key: &Key) -> Result<Option<Box<dyn Entity>>> {
        (**self).open(key).await
    }

    async fn begin(&self, session: Uuid, key: &Key) -> Result<Staged> {
        (**self).begin(session, key).await
    }

    async fn write(&self, write: Write) -> Result<Box<dyn Writer>> {
        (**self).write(write).await
    }

    async fn publish(&self, publish: Publish) -> Result<Published> {
        (**self).publish(publish).await
    }

    fn can_read_staged(&self) -> bool {
        (**self).can_read_staged()
    }

    fn flush_limits(&self) -> super::FlushLimits {
        (**self).flush_limits()
    }

    async fn open_staged(
        &self,
        token: WorkToken,
        staged: &Staged,
        total: u64,
    ) -> Result<Box<dyn Entity>> {
        (**self).open_staged(token, staged, total).await
    }

    async fn write_reply(&self, token: WorkToken) -> Result<Box<dyn ReplyWriter>> {
        (**self).write_reply(token).await
    }

    async fn open_reply(&self, session: Uuid) -> Result<Option<Box<dyn Entity>>> {
        (**self).open_reply(session).await
    }

    async fn discard(&self, token: WorkToken, staged: &Staged, what: Discarded) -> Result<()> {
        (**self).discard(token, staged, what).await
    }

    async fn remove(&self, session: Uuid, staged: Option<&Staged>) -> Result<()> {
        (**self).remove(session, staged).await
    }

    async fn sessions(&self, min_age: Duration) -> Result<Vec<Uuid>> {
        (**self).sessions(min_age).await
    }

    async fn paths(
        &self,
        token: WorkToken,
        staged: &Staged,
        total: u64,
    ) -> Result<Option<StagedPaths>> {
        (**self).paths(token, staged, total).await
    }
}
