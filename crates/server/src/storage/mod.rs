//! Storage of entities: bytes that are being uploaded, and published entities.
//!
//! A [`Storage`] keeps *staged* bytes by session, and *published* entities by [`Key`]. Publication makes
//! an entity visible completely and in one step.
//!
//! # Staging
//!
//! The storage describes the staged bytes of a session in a [`Staged`] value. The service stores this value
//! in the record of the session, in the same compare-and-swap that acknowledges the bytes. So the value always
//! describes exactly the acknowledged bytes, and any node can continue a session. What a request wrote but
//! could not report is not described, so it does not belong to the entity.
//!
//! # Fencing
//!
//! A request can stall for any time and then continue, while a later request has taken over its session. Every
//! operation on staged bytes names the [`WorkToken`] of its request; a later request has a greater
//! [`number`](WorkToken::number). An operation with an older token must not change bytes that were
//! acknowledged or published: it either fails with [`StorageError::Stale`] or changes nothing that counts.

mod error;
#[cfg(feature = "file")]
mod file;
mod memory;
#[cfg(feature = "object")]
mod object;
#[cfg(feature = "file")]
mod shared;
mod shared_pointer;

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bits_proto::server::WorkToken;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::error::StorageError;
#[cfg(feature = "file")]
pub use self::file::{FileStorage, FileStorageOptions};
pub use self::memory::MemoryStorage;
#[cfg(feature = "object")]
pub use self::object::ObjectStorage;
#[cfg(feature = "file")]
pub use self::shared::SharedFileStorage;
use crate::Key;

/// Result of an operation of a storage.
pub type Result<T, E = StorageError> = std::result::Result<T, E>;

/// A storage of staged and published entities.
///
/// [`testing`](crate::testing) checks implementations.
#[async_trait]
pub trait Storage: Send + Sync + 'static {
    /// Checks at start that the storage works: that it exists, is writable, and supports what publication
    /// needs.
    ///
    /// # Errors
    ///
    /// The reason, with the path or URL and what to do.
    async fn check(&self) -> Result<()>;

    /// Returns the metadata of a published entity, or `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`StorageError::Denied`] if no entity can be published with this key.
    async fn metadata(&self, key: &Key) -> Result<Option<Metadata>>;

    /// Opens a published entity, or returns `None` if there is none. The version that was opened remains
    /// readable while another one is published, or reads fail.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    async fn open(&self, key: &Key) -> Result<Option<Box<dyn Entity>>>;

    /// Begins the staging of a session whose entity will be published as `key`. It is called once, before the
    /// client learns the id of the session. A write for a session that was never begun, or that has been
    /// removed, fails.
    ///
    /// # Errors
    ///
    /// [`StorageError::Denied`] if no entity can be published with this key.
    async fn begin(&self, session: Uuid, key: &Key) -> Result<Staged>;

    /// Opens the staged entity for writing at `write.offset`, which is the number of acknowledged bytes.
    ///
    /// # Errors
    ///
    /// [`StorageError::Lost`] if acknowledged bytes are missing. A storage may detect this only in
    /// [`publish`](Self::publish).
    async fn write(&self, write: Write) -> Result<Box<dyn Writer>>;

    /// Returns the amounts of bytes and time after which the service calls [`Writer::flush`] within a fragment. It
    /// also does so at the end of a fragment, and when the connection breaks.
    fn flush_limits(&self) -> FlushLimits {
        FlushLimits::default()
    }

    /// Publishes the staged entity with `publish.total` bytes. It is repeated after a crash, so it succeeds if
    /// this session has published the entity already. Staged bytes remain until [`remove`](Self::remove), or are
    /// gone if they became the published entity.
    ///
    /// # Errors
    ///
    /// [`StorageError::Exists`] if another entity has this key and `publish.replaces` is not set;
    /// [`StorageError::Lost`] if acknowledged bytes are missing.
    async fn publish(&self, publish: Publish) -> Result<Published>;

    /// Returns `true` if [`open_staged`](Self::open_staged) can open entities before they are published, which
    /// notification by value requires.
    fn can_read_staged(&self) -> bool {
        true
    }

    /// Opens the staged entity, of which `total` bytes are acknowledged, for reading. All bytes of the entity
    /// are acknowledged, and none are written afterwards.
    ///
    /// # Errors
    ///
    /// [`StorageError::Lost`] if acknowledged bytes are missing.
    async fn open_staged(
        &self,
        token: WorkToken,
        staged: &Staged,
        total: u64,
    ) -> Result<Box<dyn Entity>>;

    /// Opens a new reply of the session for writing, which replaces that of an earlier attempt when
    /// [`ReplyWriter::finish`] is called. The entity is complete, so no bytes of it are written afterwards.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    async fn write_reply(&self, token: WorkToken) -> Result<Box<dyn ReplyWriter>>;

    /// Opens the complete reply of a session, or returns `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    async fn open_reply(&self, session: Uuid) -> Result<Option<Box<dyn Entity>>>;

    /// Deletes the staged entity, the reply, or both. Operations with older tokens fail from here on. A session
    /// whose entity was discarded ends: later tokens only discard.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    async fn discard(&self, token: WorkToken, staged: &Staged, what: Discarded) -> Result<()>;

    /// Deletes everything that remains of a session that has ended. `staged` is known if the record of the
    /// session is.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    async fn remove(&self, session: Uuid, staged: Option<&Staged>) -> Result<()>;

    /// Returns sessions with data that is not published, for the removal of data whose session is gone. Leaves
    /// out sessions that began, or were written to, less than `min_age` ago: their record may not be stored yet.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    async fn sessions(&self, min_age: Duration) -> Result<Vec<Uuid>>;

    /// Returns the paths of the staged entity, of which `total` bytes are acknowledged, and of the reply on this
    /// machine, for notification by reference. Returns `None` if the storage has no files.
    ///
    /// # Errors
    ///
    /// [`StorageError::Lost`] if acknowledged bytes are missing.
    async fn paths(
        &self,
        token: WorkToken,
        staged: &Staged,
        total: u64,
    ) -> Result<Option<StagedPaths>> {
        let _ = (token, staged, total);
        Ok(None)
    }
}

/// Metadata of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// Length in bytes.
    pub length: u64,
    /// Time of publication. A later version of an entity has a later time, by [`MIN_TIME_STEP`].
    pub modified: SystemTime,
    /// Opaque strong entity tag, without quotes, if every change of the bytes changes it.
    pub tag: Option<String>,
}

impl Metadata {
    /// Creates metadata without a tag.
    #[must_use]
    pub const fn new(length: u64, modified: SystemTime) -> Self {
        Self { length, modified, tag: None }
    }

    /// Sets the [`tag`](Self::tag).
    #[must_use]
    pub fn with_tag(mut self, tag: Option<String>) -> Self {
        self.tag = tag;
        self
    }
}

/// An entity that is open for reading.
#[async_trait]
pub trait Entity: Send + Sync {
    /// Returns the metadata of the version that was opened.
    fn metadata(&self) -> &Metadata;

    /// Reads at most `length` bytes at `offset`, and at least one unless the entity ends there.
    ///
    /// # Errors
    ///
    /// [`StorageError::Lost`] if the version that was opened is gone.
    async fn read(&mut self, offset: u64, length: usize) -> Result<Bytes>;
}

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

/// An entity to publish.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Publish {
    /// The right of the request to publish.
    pub token: WorkToken,
    /// Description of the staged bytes.
    pub staged: Staged,
    /// Length of the entity.
    pub total: u64,
    /// The name of the entity.
    pub key: Key,
    /// Replaces an entity with this key.
    pub replaces: bool,
}

impl Publish {
    /// Creates a value that replaces no entity.
    #[must_use]
    pub const fn new(token: WorkToken, staged: Staged, total: u64, key: Key) -> Self {
        Self { token, staged, total, key, replaces: false }
    }

    /// Sets [`replaces`](Self::replaces).
    #[must_use]
    pub const fn with_replaces(mut self, replaces: bool) -> Self {
        self.replaces = replaces;
        self
    }
}

/// A published entity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// The [tag](Metadata::tag) of the entity, if it is known without a further request.
    pub tag: Option<String>,
}

impl Published {
    /// Creates a value with a tag.
    #[must_use]
    pub const fn new(tag: Option<String>) -> Self {
        Self { tag }
    }
}

/// Data to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Discarded {
    /// The staged entity.
    pub entity: bool,
    /// The reply.
    pub reply: bool,
}

impl Discarded {
    /// Selects the staged entity.
    pub const ENTITY: Self = Self { entity: true, reply: false };
    /// Selects the reply.
    pub const REPLY: Self = Self { entity: false, reply: true };
    /// Selects the staged entity and the reply.
    pub const ALL: Self = Self { entity: true, reply: true };
}

/// Files of a session, for notification by reference.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StagedPaths {
    /// The staged entity.
    pub entity: std::path::PathBuf,
    /// The reply, which the server application creates.
    pub reply: std::path::PathBuf,
}

impl StagedPaths {
    /// Creates a value from its parts.
    #[must_use]
    pub const fn new(entity: std::path::PathBuf, reply: std::path::PathBuf) -> Self {
        Self { entity, reply }
    }
}

/// Age from which data of a session without a record is removed.
pub const MIN_ORPHAN_AGE: Duration = Duration::from_secs(60);

/// Minimum difference between the modification times of two versions of an entity. Dates in HTTP are whole
/// seconds, and Windows detects a changed entity by its date only.
pub const MIN_TIME_STEP: Duration = Duration::from_secs(1);
