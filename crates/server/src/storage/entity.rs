//! Entities that are open for reading.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;

use super::Result;
#[cfg(doc)]
use super::StorageError;

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

/// Minimum difference between the modification times of two versions of an entity. Dates in HTTP are whole
/// seconds, and Windows detects a changed entity by its date only.
pub const MIN_TIME_STEP: Duration = Duration::from_secs(1);
