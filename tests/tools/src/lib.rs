//! Test code that several packages of this workspace share.

pub mod program;
pub mod vectors;
