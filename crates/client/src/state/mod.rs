//! Stored states, from which another process continues a transfer.

mod dir;
mod file;

pub use dir::StateDir;
pub(crate) use file::{IN_USE, Loaded, StateFile, Stored, with_suffix};
