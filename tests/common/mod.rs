//! What several test files share: the vectors, reading whatever comes, and values to choose from.
#![allow(dead_code, unused_macros, reason = "each test file uses a part of it")]

pub mod read;
pub mod strategies;
pub mod vectors;
