//! Stores of sessions.

mod faults;
mod faulty;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "file")]
mod file_crashes;
mod memory;
#[cfg(any(feature = "file", feature = "redis"))]
mod records;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redis")]
mod redis_server;
