//! The tests of the library that need no program, no allocator of their own and no minutes: one crate, so
//! that what they share is built once.

mod support;
#[cfg(feature = "std")]
mod world;

mod backend;
mod client;
mod deviation;
mod display;
mod error;
mod field;
mod http1;
mod message;
mod observer;
mod requirements;
mod serialize;
mod server;
mod state_machine;
