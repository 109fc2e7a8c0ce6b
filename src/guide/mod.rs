//! What is to be known beside the interface: how this crate goes with the world around it.

#[doc = include_str!("stacks.md")]
pub mod stacks {}

#[cfg(feature = "alloc")]
#[doc = include_str!("machines.md")]
pub mod machines {}
