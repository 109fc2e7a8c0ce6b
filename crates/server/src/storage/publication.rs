//! Publication and removal of staged entities.

use std::path::PathBuf;

use bits_proto::server::WorkToken;

#[cfg(doc)]
use super::Metadata;
use super::Staged;
use crate::Key;

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
    pub entity: PathBuf,
    /// The reply, which the server application creates.
    pub reply: PathBuf,
}

impl StagedPaths {
    /// Creates a value from its parts.
    #[must_use]
    pub const fn new(entity: PathBuf, reply: PathBuf) -> Self {
        Self { entity, reply }
    }
}
