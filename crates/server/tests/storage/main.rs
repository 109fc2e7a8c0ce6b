//! Storages.

mod folders;
mod memory;
