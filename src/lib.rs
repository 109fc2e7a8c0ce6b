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
mod digits;
pub mod error;
pub mod field;
pub mod guide;
pub mod head;
mod letters;
pub mod limits;
pub mod message;
pub mod observer;
pub mod sequence;
pub mod server;
mod sink;
#[cfg(feature = "serde")]
mod stored;
mod text;
#[cfg(feature = "serde")]
mod told;

pub use self::error::Error;
