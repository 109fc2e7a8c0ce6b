//! The oracles as a library for the fuzz targets. The package in `fuzz/` uses this file as its library, so that
//! the oracles can share code with the tests.

pub mod oracles;
mod support;
mod world;
