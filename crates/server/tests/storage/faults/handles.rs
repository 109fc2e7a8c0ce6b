//! Entities and writers with a fault.

use async_trait::async_trait;
use bits_proto::server::WorkToken;
use bits_server::Key;
use bits_server::storage::{
    Entity, Journal, Metadata, ReplyWriter, Result, Staged, Storage as _, StorageError, Write,
    Writer,
};
use bytes::Bytes;

use super::Fault;
use super::storage::Faulty;

/// Maximum length of a piece that is written completely with [`Fault::ShortensPieces`].
const MAX_PIECE: usize = 1_000_000;

pub struct FaultyEntity {
    pub storage: Faulty,
    pub key: Key,
    pub metadata: Metadata,
    pub inner: Box<dyn Entity>,
}

#[async_trait]
impl Entity for FaultyEntity {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    async fn read(&mut self, offset: u64, length: usize) -> Result<Bytes> {
        if self.storage.has(Fault::FailsAfterTheEnd) && offset > self.metadata.length {
            return Err(StorageError::other("invalid offset"));
        }
        if self.storage.has(Fault::ReadsLatestVersion) {
            let latest = self.storage.inner.open(&self.key).await?;
            self.inner = latest.ok_or(StorageError::Lost(None))?;
        }
        self.inner.read(offset, length).await
    }
}

pub struct FaultyWriter {
    storage: Faulty,
    inner: Box<dyn Writer>,
    token: WorkToken,
    offset: u64,
    buffer: Vec<u8>,
    is_flushed: bool,
}

/// Stores nothing: a storage in memory does not use it.
struct NoJournal;

#[async_trait]
impl Journal for NoJournal {
    async fn save(&self, _: &Staged) -> Result<()> {
        Ok(())
    }
}

impl FaultyWriter {
    pub fn new(storage: Faulty, inner: Box<dyn Writer>, token: WorkToken, offset: u64) -> Self {
        Self { storage, inner, token, offset, buffer: Vec::new(), is_flushed: false }
    }

    pub fn order(token: WorkToken, offset: u64) -> Write {
        Write::new(token, offset, 0, Staged::default(), Box::new(NoJournal))
    }

    async fn write_now(&mut self, bytes: Bytes, fault: Fault) -> Result<()> {
        let token = self.storage.token(self.token, fault);
        if token != self.token {
            self.inner = self.storage.inner.write(Self::order(token, self.offset)).await?;
        }
        self.inner.write(bytes.clone()).await?;
        let mut shared = self.storage.shared();
        let written = shared.written.entry(token.session_id()).or_default();
        written.truncate(self.offset as usize);
        written.extend_from_slice(&bytes);
        self.offset += bytes.len() as u64;
        Ok(())
    }
}

#[async_trait]
impl Writer for FaultyWriter {
    async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        match self.storage.fault {
            Fault::ShortensPieces => bytes.truncate(MAX_PIECE),
            Fault::StopsAfterFlush if self.is_flushed => return Ok(()),
            Fault::FlushesLate => {
                self.buffer.extend_from_slice(&bytes);
                return Ok(());
            }
            _ => {}
        }
        self.write_now(bytes, Fault::WritesLate).await
    }

    async fn flush(&mut self) -> Result<Staged> {
        self.is_flushed = true;
        if !self.buffer.is_empty() {
            let bytes = std::mem::take(&mut self.buffer).into();
            self.write_now(bytes, Fault::FlushesLate).await?;
        }
        Ok(Staged::default())
    }
}

pub struct FaultyReplyWriter {
    pub storage: Faulty,
    pub token: WorkToken,
    pub bytes: Vec<u8>,
}

impl FaultyReplyWriter {
    async fn store(&self) -> Result<()> {
        let token = self.storage.token(self.token, Fault::RepliesLate);
        let mut inner = self.storage.inner.write_reply(token).await?;
        inner.write(Bytes::copy_from_slice(&self.bytes)).await?;
        inner.finish().await
    }
}

#[async_trait]
impl ReplyWriter for FaultyReplyWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.bytes.extend_from_slice(&bytes);
        if self.storage.has(Fault::RepliesAtOnce) { self.store().await } else { Ok(()) }
    }

    async fn finish(self: Box<Self>) -> Result<()> {
        let reply = self.storage.inner.open_reply(self.token.session_id()).await?;
        if self.storage.has(Fault::KeepsFirstReply) && reply.is_some() {
            return Ok(());
        }
        self.store().await
    }
}
