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

mod entity;
mod error;
#[cfg(feature = "file")]
mod file;
mod memory;
#[cfg(feature = "object")]
mod object;
mod publication;
#[cfg(feature = "file")]
mod shared;
mod shared_pointer;
mod staging;

use std::time::Duration;

use async_trait::async_trait;
use bits_proto::server::WorkToken;
use uuid::Uuid;

pub use self::entity::{Entity, MIN_TIME_STEP, Metadata};
pub use self::error::StorageError;
#[cfg(feature = "file")]
pub use self::file::{FileStorage, FileStorageOptions};
pub use self::memory::MemoryStorage;
#[cfg(feature = "object")]
pub use self::object::ObjectStorage;
pub use self::publication::{Discarded, Publish, Published, StagedPaths};
#[cfg(feature = "file")]
pub use self::shared::SharedFileStorage;
pub use self::staging::{FlushLimits, Journal, ReplyWriter, Staged, Write, Writer};
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
    /// [`StorageError::IsFolder`] or [`StorageError::Denied`] if no entity can be published with this key.
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
    /// [`StorageError::IsFolder`] or [`StorageError::Denied`] if no entity can be published with this key.
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

/// Age from which data of a session without a record is removed.
pub const MIN_ORPHAN_AGE: Duration = Duration::from_secs(60);
