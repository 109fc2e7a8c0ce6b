#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![warn(unreachable_pub)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod backend;
pub mod client;
pub mod deviation;
pub mod error;
pub mod field;
pub mod guide;
pub mod http1;
pub mod limits;
pub mod message;
pub mod observer;
#[cfg(feature = "serde")]
mod persist;
#[cfg(feature = "serde")]
mod serialize;
pub mod server;
pub mod state_machine;
mod util;

pub use self::error::Error;
