//! Errors of session stores.

use bits_proto::message::Refusal;
use bits_proto::server::{HostError, Policy};
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
    /// No space is left for a record. The client is refused as by a full storage.
    #[error("session store is full")]
    Full(#[source] BoxError),
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

    /// Returns the refusal of a request for which the store failed.
    pub(crate) fn refusal(&self, policy: &Policy<'_>) -> Refusal<'static> {
        match self {
            Self::Full(_) => HostError::DiskFull.refusal(policy),
            Self::Unavailable(_) | Self::Record { .. } => Refusal::unavailable(),
        }
    }
}
