//! Errors of the embedder's code.

/// An error of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
