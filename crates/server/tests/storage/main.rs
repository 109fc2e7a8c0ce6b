//! Storages.

mod memory;
