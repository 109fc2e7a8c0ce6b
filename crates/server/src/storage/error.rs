//! Errors of storages.

use std::io;

use bits_proto::server::HostError;
use thiserror::Error;

use crate::BoxError;

/// Errors of a storage.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StorageError {
    /// Another entity has the key.
    #[error("an entity with this name exists")]
    Exists,
    /// The key is that of a folder.
    #[error("the name is that of a folder")]
    IsFolder,
    /// Access is denied.
    #[error("access denied")]
    Denied(#[source] Option<BoxError>),
    /// No space is left, or a quota or size limit is exceeded.
    #[error("storage is full")]
    Full(#[source] Option<BoxError>),
    /// Acknowledged bytes are missing.
    #[error("stored bytes are missing")]
    Lost(#[source] Option<BoxError>),
    /// A later request of the session has taken over.
    #[error("a later request of the session has taken over")]
    Stale,
    /// Any other failure. The client retries.
    #[error(transparent)]
    Other(BoxError),
}

impl StorageError {
    /// Creates an error of the variant [`Other`](Self::Other).
    pub fn other(error: impl Into<BoxError>) -> Self {
        Self::Other(error.into())
    }

    /// Returns the error to report to the session.
    #[must_use]
    pub const fn host_error(&self) -> HostError {
        match self {
            Self::Exists => HostError::DestinationExists,
            Self::IsFolder => HostError::DestinationIsFolder,
            Self::Denied(_) => HostError::AccessDenied,
            Self::Full(_) => HostError::DiskFull,
            Self::Lost(_) => HostError::EntityLost,
            Self::Stale | Self::Other(_) => HostError::Other,
        }
    }

    /// Returns `true` if the client chose a name that it cannot have, and the storage works.
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(self, Self::Exists | Self::IsFolder | Self::Denied(_))
    }
}

/// Converts an error of an operation on staged files. A missing file means that stored bytes are lost.
impl From<io::Error> for StorageError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // To the client, a file size limit is no different from a full disk.
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Self::Full(Some(error.into())),
            io::ErrorKind::PermissionDenied => Self::Denied(Some(error.into())),
            io::ErrorKind::AlreadyExists => Self::Exists,
            io::ErrorKind::NotFound => Self::Lost(Some(error.into())),
            _ => Self::Other(error.into()),
        }
    }
}
