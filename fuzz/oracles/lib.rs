//! The oracles with what they share with the tests, as a library for the targets.

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "mod.rs"]
pub mod oracles;
#[path = "../../tests/common/watch.rs"]
mod watch;
#[path = "../../tests/world/mod.rs"]
mod world;
