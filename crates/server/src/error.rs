//! Errors of the embedder's code, and those at the start of a server.

use thiserror::Error;

#[cfg(doc)]
use crate::Builder;
use crate::sessions::SessionStoreError;
use crate::storage::StorageError;

/// An error of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Reasons why a server cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// [`Builder::storage`] was not called.
    #[error("no storage: call Builder::storage")]
    MissingStorage,
    /// [`Builder::sessions`] was not called.
    #[error("no session store: call Builder::sessions")]
    MissingSessions,
    /// The storage does not work.
    #[error("storage cannot be used")]
    Storage(#[source] StorageError),
    /// The session store does not work.
    #[error(transparent)]
    Sessions(SessionStoreError),
    /// The storage cannot read entities before they are published, which
    /// [`Builder::reply`] and notification by value require.
    #[error(
        "storage cannot read uploads before they are published, as replies and notification by value require"
    )]
    UnreadableStaging,
    /// The settings of the server application are invalid.
    #[cfg(feature = "notify")]
    #[error("notification of {url} is not possible")]
    Notify {
        /// The URL.
        url: String,
        /// The reason.
        #[source]
        reason: crate::BoxError,
    },
    /// The public URL is invalid.
    #[error(
        "public URL {url:?}: expected an http or https URL without a query, such as https://host/upload"
    )]
    PublicUrl {
        /// The URL.
        url: String,
    },
}
