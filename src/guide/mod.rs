//! Guides: embedding the crate in a server or client, HTTP stacks, clusters.

#[cfg(feature = "std")]
#[doc = include_str!("../../docs/EMBEDDING.md")]
pub mod embedding {}

#[doc = include_str!("stacks.md")]
pub mod stacks {}

#[cfg(feature = "alloc")]
#[doc = include_str!("machines.md")]
pub mod machines {}
