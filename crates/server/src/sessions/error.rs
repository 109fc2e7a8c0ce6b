//! Errors of session stores.

use thiserror::Error;
use uuid::Uuid;

use crate::BoxError;

/// Errors of a session store.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SessionStoreError {
    /// The store cannot be reached, or failed.
    #[error("session store is unavailable")]
    Unavailable(#[source] BoxError),
    /// A stored record is invalid.
    #[error("record of session {id} is invalid; it can be deleted")]
    Record {
        /// The session.
        id: Uuid,
        /// The reason.
        #[source]
        error: BoxError,
    },
}

impl SessionStoreError {
    /// Creates an error of the variant [`Unavailable`](Self::Unavailable).
    pub fn unavailable(error: impl Into<BoxError>) -> Self {
        Self::Unavailable(error.into())
    }
}
