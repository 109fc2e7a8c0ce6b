//! Stores of sessions.

mod equivalence;
mod faults;
mod faulty;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "file")]
mod file_crashes;
mod limits;
mod memory;
mod records;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redis")]
mod redis_responses;
