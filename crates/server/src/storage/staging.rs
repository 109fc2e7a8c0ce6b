//! Staged bytes and replies that are open for writing.

use std::time::Duration;

use async_trait::async_trait;
use bits_proto::server::WorkToken;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::Result;
#[cfg(doc)]
use super::StorageError;

/// Description of the acknowledged bytes of a session. Only the storage interprets it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Staged(pub serde_json::Value);

/// Access to staged bytes.
#[non_exhaustive]
pub struct Write {
    /// The right of the request to write.
    pub token: WorkToken,
    /// Offset of the next byte: the number of acknowledged bytes.
    pub offset: u64,
    /// Length of the entity.
    pub total: u64,
    /// Description of the acknowledged bytes.
    pub staged: Staged,
    /// Stores a new description before the bytes that it prepares for are written.
    pub journal: Box<dyn Journal>,
}

impl Write {
    /// Creates a value from its parts.
    #[must_use]
    pub fn new(
        token: WorkToken,
        offset: u64,
        total: u64,
        staged: Staged,
        journal: Box<dyn Journal>,
    ) -> Self {
        Self { token, offset, total, staged, journal }
    }
}

/// Stores the description of staged bytes in the record of their session.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Stores a description without acknowledging bytes, for example before a number is used that no other
    /// request may use.
    ///
    /// # Errors
    ///
    /// [`StorageError::Stale`] if a later request has taken over.
    async fn save(&self, staged: &Staged) -> Result<()>;
}

/// Limits of the bytes that a crash of the server may lose, so that the client sends them again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushLimits {
    /// Maximum number of bytes.
    pub bytes: u64,
    /// Maximum time since the first of them was received.
    pub time: Duration,
}

impl FlushLimits {
    /// Creates limits.
    #[must_use]
    pub const fn new(bytes: u64, time: Duration) -> Self {
        Self { bytes, time }
    }
}

/// 1 MiB and 2 seconds, for storages in which a flush is cheap.
impl Default for FlushLimits {
    fn default() -> Self {
        Self::new(1 << 20, Duration::from_secs(2))
    }
}

/// A staged entity that is open for writing.
///
/// It is not used any more after an error, or after a call that was cancelled: the operation may still run.
#[async_trait]
pub trait Writer: Send {
    /// Writes bytes. They may be buffered; the buffer is bounded.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    async fn write(&mut self, bytes: Bytes) -> Result<()>;

    /// Makes all bytes that were written durable, as far as the storage promises it, and returns the
    /// description of the session's staged bytes including them. The bytes are acknowledged afterwards, before
    /// the next call of [`write`](Self::write).
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    async fn flush(&mut self) -> Result<Staged>;
}

/// A reply that is open for writing.
#[async_trait]
pub trait ReplyWriter: Send {
    /// Writes bytes. They may be buffered; the buffer is bounded.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    async fn write(&mut self, bytes: Bytes) -> Result<()>;

    /// Makes the bytes that were written the reply of the session.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    async fn finish(self: Box<Self>) -> Result<()>;
}
