//! Storages.

mod faults;
mod files;
mod files_paths;
mod folders;
#[cfg(target_os = "linux")]
mod full;
mod inline_io;
mod keys;
mod memory;
mod shared;
mod stalls;
