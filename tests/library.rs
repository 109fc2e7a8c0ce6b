//! Tests of the library that need no example program, no allocator and only seconds. They are one crate, so that
//! shared code is compiled once.

mod support;
#[cfg(feature = "std")]
mod world;

mod backend;
mod client;
mod deviation;
mod deviation_set;
mod display;
#[cfg(feature = "std")]
mod download;
mod error;
mod error_order;
mod field;
mod http1;
#[cfg(feature = "std")]
mod layers;
mod message;
mod observer;
mod requirements;
mod serialize;
mod server;
mod state_machine;
