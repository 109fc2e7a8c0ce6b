//! Test code that several packages of this workspace share.

pub mod core_sources;
pub mod installed;
pub mod interop;
pub mod markdown;
pub mod program;
pub mod vectors;
pub mod wait;
