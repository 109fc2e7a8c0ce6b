//! Servers of entities and sessions that tests of several packages start.

pub mod azure;
pub mod redis;
pub mod s3;
