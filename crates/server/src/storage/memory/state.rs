//! Staged and published bytes, and their limit.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use bits_proto::server::WorkToken;
use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use super::entity::BytesEntity;
use crate::Key;
use crate::storage::{Discarded, MIN_TIME_STEP, Metadata, Publish, Result, StorageError};

/// All bytes of a storage.
pub(super) struct State {
    pub(super) max_bytes: u64,
    /// Number of bytes of all entities and replies, also of replies that are being written.
    used: u64,
    sessions: HashMap<Uuid, Staging>,
    entities: HashMap<Key, BytesEntity>,
}

/// Data of a session.
pub(super) struct Staging {
    /// Number of the latest work token.
    latest: u32,
    bytes: BytesMut,
    is_published: bool,
    reply: Option<Bytes>,
    changed: Instant,
}

impl State {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self { max_bytes, used: 0, sessions: HashMap::new(), entities: HashMap::new() }
    }

    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// Reserves space for bytes.
    pub(super) fn reserve(&mut self, bytes: usize) -> Result<()> {
        let used = self.used.saturating_add(bytes as u64);
        if used > self.max_bytes {
            return Err(StorageError::Full(None));
        }
        self.used = used;
        Ok(())
    }

    /// Returns the space of bytes that are gone.
    pub(super) fn release(&mut self, bytes: usize) {
        self.used -= bytes as u64;
    }

    pub(super) fn begin(&mut self, session: Uuid) -> Result<()> {
        if self.sessions.contains_key(&session) {
            return Err(StorageError::other("a session with this id exists"));
        }
        let staging = Staging {
            latest: 0,
            bytes: BytesMut::new(),
            is_published: false,
            reply: None,
            changed: Instant::now(),
        };
        self.sessions.insert(session, staging);
        Ok(())
    }

    /// Returns the data of a session for its latest work token.
    fn staging(&mut self, token: WorkToken) -> Result<&mut Staging> {
        let staging = self.sessions.get_mut(&token.session_id());
        let staging = staging.ok_or(StorageError::Lost(None))?;
        if token.number() < staging.latest {
            return Err(StorageError::Stale);
        }
        staging.latest = token.number();
        staging.changed = Instant::now();
        Ok(staging)
    }

    /// Checks that a token is the latest one of an existing session.
    pub(super) fn check(&mut self, token: WorkToken) -> Result<()> {
        self.staging(token).map(drop)
    }

    /// Removes staged bytes from `length` on. They were not acknowledged.
    pub(super) fn truncate(&mut self, token: WorkToken, length: u64) -> Result<()> {
        let staging = self.staging(token)?;
        let surplus = (staging.bytes.len() as u64).checked_sub(length);
        let surplus = surplus.ok_or(StorageError::Lost(None))? as usize;
        staging.bytes.truncate(staging.bytes.len() - surplus);
        self.release(surplus);
        Ok(())
    }

    /// Writes staged bytes at `offset`.
    pub(super) fn write(&mut self, token: WorkToken, offset: u64, bytes: &Bytes) -> Result<()> {
        self.truncate(token, offset)?;
        self.reserve(bytes.len())?;
        self.staging(token)?.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Returns a copy of staged bytes.
    pub(super) fn read(&mut self, token: WorkToken, offset: u64, end: u64) -> Result<Bytes> {
        let staged = &self.staging(token)?.bytes;
        let range = usize::try_from(offset).ok().zip(usize::try_from(end).ok());
        let bytes = range.and_then(|(offset, end)| staged.get(offset..end));
        bytes.map(Bytes::copy_from_slice).ok_or(StorageError::Lost(None))
    }

    /// Publishes the staged bytes of a session, and returns their tag: the id of the session, since a session
    /// publishes once.
    pub(super) fn publish(&mut self, publish: &Publish) -> Result<String> {
        let tag = publish.token.session_id().to_string();
        if self.staging(publish.token)?.is_published {
            return Ok(tag);
        }
        self.truncate(publish.token, publish.total)?;
        let replaced = self.entities.get(&publish.key).map(|entity| entity.metadata.clone());
        if replaced.is_some() && !publish.replaces {
            return Err(StorageError::Exists);
        }
        let staging = self.staging(publish.token)?;
        staging.is_published = true;
        let bytes = std::mem::take(&mut staging.bytes).freeze();
        let earliest = replaced.and_then(|replaced| replaced.modified.checked_add(MIN_TIME_STEP));
        let now = SystemTime::now();
        let modified = earliest.map_or(now, |earliest| earliest.max(now));
        let metadata = Metadata::new(bytes.len() as u64, modified).with_tag(Some(tag.clone()));
        self.take(&publish.key);
        self.entities.insert(publish.key.clone(), BytesEntity { bytes, metadata });
        Ok(tag)
    }

    pub(super) fn published(&self, key: &Key) -> Option<&BytesEntity> {
        self.entities.get(key)
    }

    /// Removes a published entity and returns its bytes.
    pub(super) fn take(&mut self, key: &Key) -> Option<Bytes> {
        let BytesEntity { bytes, .. } = self.entities.remove(key)?;
        self.release(bytes.len());
        Some(bytes)
    }

    pub(super) fn reply(&self, session: Uuid) -> Option<Bytes> {
        self.sessions.get(&session)?.reply.clone()
    }

    /// Replaces the reply of a session. The space of the new one is reserved already.
    pub(super) fn set_reply(&mut self, token: WorkToken, reply: Bytes) -> Result<()> {
        let replaced = self.staging(token)?.reply.replace(reply);
        self.release(replaced.map_or(0, |replaced| replaced.len()));
        Ok(())
    }

    pub(super) fn discard(&mut self, token: WorkToken, what: Discarded) -> Result<()> {
        let staging = match self.staging(token) {
            Err(StorageError::Lost(_)) => return Ok(()),
            staging => staging?,
        };
        let mut discarded = 0;
        if what.entity {
            discarded += std::mem::take(&mut staging.bytes).len();
        }
        if what.reply {
            discarded += staging.reply.take().map_or(0, |reply| reply.len());
        }
        self.release(discarded);
        Ok(())
    }

    pub(super) fn remove(&mut self, session: Uuid) {
        if let Some(Staging { bytes, reply, .. }) = self.sessions.remove(&session) {
            self.release(bytes.len() + reply.map_or(0, |reply| reply.len()));
        }
    }

    pub(super) fn sessions(&self, min_age: Duration) -> Vec<Uuid> {
        let is_old = |staging: &Staging| staging.changed.elapsed() >= min_age;
        self.sessions.iter().filter(|(_, staging)| is_old(staging)).map(|(id, _)| *id).collect()
    }
}
