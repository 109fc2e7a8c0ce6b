//! A server for BITS uploads and downloads as a tower service.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod error;
#[cfg(feature = "file")]
mod folder;
mod key;
pub mod sessions;
pub mod storage;
pub mod testing;

pub use self::error::BoxError;
pub use self::key::{InvalidKey, Key};
