//! Tests of `server`.

mod acceptance;
mod answers;
mod decisions;
mod memory_store;
mod persist;
mod policy;
mod random;
mod sessions;
mod states;
mod store;
mod time;
mod work;
