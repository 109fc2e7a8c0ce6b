//! Resumable BITS uploads and downloads.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
