//! What several test files share: the vectors, reading whatever comes, and values to choose from.
#![allow(dead_code, unused_macros, reason = "each test file uses a part of it")]

pub mod complete;
pub mod inputs;
pub mod read;
pub mod strategies;
pub mod values;
pub mod vectors;
