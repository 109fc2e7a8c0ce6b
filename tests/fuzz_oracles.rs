//! The oracles as a library, which the fuzz targets call: the package in `fuzz/` names this file, so that
//! the oracles are part of the tests and share code with them.

pub mod oracles;
mod support;
mod world;
