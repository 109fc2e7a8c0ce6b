//! Storages.

mod faults;
mod files;
mod files_paths;
mod folders;
#[cfg(target_os = "linux")]
mod full;
mod keys;
mod memory;
mod pace;
mod shared;
mod stalls;
