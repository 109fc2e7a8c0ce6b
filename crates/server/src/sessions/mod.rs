//! Stores of sessions.
//!
//! A [`SessionStore`] keeps one [`SessionRecord`] for each session. Several nodes can share a store: records
//! are changed by compare-and-swap, so no change is lost and no work token is issued twice.
//!
//! A request with a fragment loads the record once and replaces it at least twice: when its work begins, and
//! when its bytes are acknowledged. A long fragment acknowledges its bytes piece by piece.
//!
//! | store | sessions survive | nodes | cost of a fragment | choose it for |
//! |---|---|---|---|---|
//! | `MemorySessions` | nothing | one | none | tests; uploads that may start over |
//! | `FileSessions` | the end of the process | one | 2 files written and renamed | one server |
//! | `FileSessions` with `fsync` | a crash of the machine | one | also 4 flushes to the disk | one server whose acknowledged bytes must never be sent again |
//! | `RedisSessions` | as Redis is configured | several | 3 round trips | clusters; many short fragments |
//! | `ObjectSessions` | everything | several | 1 GET and 2 PUT | clusters that have nothing but a bucket |
//!
//! No store searches all sessions for a count or for expired sessions, except that `ObjectSessions` lists its
//! objects at intervals.

mod error;
#[cfg(feature = "file")]
mod file;
mod memory;
#[cfg(feature = "object")]
mod object;
#[cfg(feature = "redis")]
mod redis;
mod shared;
mod table;

use std::time::Duration;

use async_trait::async_trait;
use bits_proto::server::Record;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::error::SessionStoreError;
#[cfg(feature = "file")]
pub use self::file::{FileSessions, UnreadableRecord};
pub use self::memory::MemorySessions;
#[cfg(feature = "object")]
pub use self::object::ObjectSessions;
#[cfg(feature = "redis")]
pub use self::redis::RedisSessions;
use crate::Key;
use crate::storage::Staged;

/// Result of an operation of a store.
pub type Result<T> = std::result::Result<T, SessionStoreError>;

/// A store of sessions.
///
/// A change counts only if it cannot be lost any more: the server then acknowledges bytes to the client.
/// [`testing`](crate::testing) checks implementations.
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// Checks at start that the store is reachable.
    ///
    /// # Errors
    ///
    /// The reason, with the address and what to do.
    async fn check(&self) -> Result<()>;

    /// Inserts a new session. Returns `false` and changes nothing if a session with this id exists.
    ///
    /// # Errors
    ///
    /// [`SessionStoreError`]; it is unknown whether the session was inserted.
    async fn insert(&self, record: &SessionRecord) -> Result<bool>;

    /// Returns a session with its version, or `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// [`SessionStoreError`].
    async fn load(&self, id: Uuid) -> Result<Option<Versioned>>;

    /// Replaces a record if its version is still `expected`, and returns the new version. Returns `None` and
    /// changes nothing if the record has changed or does not exist.
    ///
    /// # Errors
    ///
    /// [`SessionStoreError`]; it is unknown whether the record was replaced.
    async fn replace(&self, expected: &Version, record: &SessionRecord) -> Result<Option<Version>>;

    /// Removes a session if its version is still `expected`. Returns `false` and changes nothing if the record
    /// has changed; returns `true` if it does not exist.
    ///
    /// # Errors
    ///
    /// [`SessionStoreError`].
    async fn remove(&self, id: Uuid, expected: &Version) -> Result<bool>;

    /// Returns the number of sessions, or of the sessions of one principal. May be out of date by a few seconds.
    ///
    /// # Errors
    ///
    /// [`SessionStoreError`].
    async fn count(&self, principal: Option<&str>) -> Result<usize>;

    /// Returns at most `max` sessions whose [`timeout`](Record::timeout) is not after `now`.
    ///
    /// # Errors
    ///
    /// [`SessionStoreError`].
    async fn expired(&self, now: Duration, max: usize) -> Result<Vec<Uuid>>;

    /// Returns `true` if this process is the only user of the store. The work of a process that stopped is
    /// then released at start, instead of after its timeout.
    fn is_exclusive(&self) -> bool {
        false
    }
}

/// A session with everything that the server stores about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SessionRecord {
    /// The session, its URL and its principal.
    pub record: Record,
    /// The name of the entity.
    pub key: Key,
    /// Description of the acknowledged bytes.
    pub staged: Staged,
    /// SHA-256 of the complete entity in hexadecimal digits, if it was calculated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Box<str>>,
    /// Data of the embedder.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub data: serde_json::Value,
}

impl SessionRecord {
    /// Creates a record without data.
    #[must_use]
    pub const fn new(record: Record, key: Key, staged: Staged) -> Self {
        Self { record, key, staged, sha256: None, data: serde_json::Value::Null }
    }

    /// Returns the id of the session.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.record.session.id()
    }
}

/// A record and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Versioned {
    /// The record.
    pub record: SessionRecord,
    /// Its version.
    pub version: Version,
}

impl Versioned {
    /// Creates a value from its parts.
    #[must_use]
    pub const fn new(record: SessionRecord, version: Version) -> Self {
        Self { record, version }
    }
}

/// The version of a record, which every change replaces by a different one. Only the store interprets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(pub Box<str>);
