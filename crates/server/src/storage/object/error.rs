//! Conversion of errors of a store.

use object_store::Error;

use super::super::StorageError;

/// Converts an error of an operation that does not depend on stored bytes.
pub(super) fn failed(error: Error) -> StorageError {
    match error {
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            StorageError::Denied(Some(error.into()))
        }
        error => StorageError::other(error),
    }
}

/// Converts an error of an operation that uses stored bytes: missing bytes are lost.
pub(super) fn lost_if_missing(error: Error) -> StorageError {
    if is_missing(&error) { StorageError::Lost(Some(error.into())) } else { failed(error) }
}

/// Returns `true` if the object or the multipart upload does not exist.
pub(super) const fn is_missing(error: &Error) -> bool {
    match error {
        Error::NotFound { .. } => true,
        // The store in memory has no error of its own for a missing upload, and never fails otherwise.
        Error::Generic { store, .. } => matches!(store.as_bytes(), b"InMemory"),
        _ => false,
    }
}
