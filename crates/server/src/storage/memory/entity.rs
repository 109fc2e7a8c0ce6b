//! Entities that are open for reading.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use async_trait::async_trait;
use bits_proto::server::WorkToken;
use bytes::Bytes;

use super::locked;
use super::state::State;
use crate::storage::{Entity, Metadata, Result};

/// A published entity, or a reply.
#[derive(Clone)]
pub(super) struct BytesEntity {
    pub(super) bytes: Bytes,
    pub(super) metadata: Metadata,
}

impl BytesEntity {
    pub(super) fn reply(bytes: Bytes) -> Self {
        Self { metadata: Metadata::new(bytes.len() as u64, SystemTime::now()), bytes }
    }
}

#[async_trait]
impl Entity for BytesEntity {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    async fn read(&mut self, offset: u64, length: usize) -> Result<Bytes> {
        let size = self.bytes.len();
        let first = usize::try_from(offset).map_or(size, |offset| offset.min(size));
        Ok(self.bytes.slice(first..first.saturating_add(length).min(size)))
    }
}

/// The staged bytes of a session.
pub(super) struct StagedEntity {
    state: Arc<Mutex<State>>,
    token: WorkToken,
    metadata: Metadata,
}

impl StagedEntity {
    pub(super) fn new(state: Arc<Mutex<State>>, token: WorkToken, total: u64) -> Self {
        Self { state, token, metadata: Metadata::new(total, SystemTime::now()) }
    }
}

#[async_trait]
impl Entity for StagedEntity {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    async fn read(&mut self, offset: u64, length: usize) -> Result<Bytes> {
        let total = self.metadata.length;
        let first = offset.min(total);
        let end = first.saturating_add(length as u64).min(total);
        locked(&self.state).read(self.token, first, end)
    }
}
