//! Programs that some tests run and that may be missing.

use std::env;
use std::path::{Path, PathBuf};

/// Returns the path of a program, or `None` if it is not installed, except in CI.
pub fn find(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH").unwrap_or_default();
    // Only the paths of administrators contain the folder of servers.
    let folders = env::split_paths(&folders).chain([Path::new("/usr/sbin").to_path_buf()]);
    let found = folders.map(|folder| folder.join(program)).find(|path| path.is_file());
    assert!(found.is_some() || env::var_os("CI").is_none(), "{program} is missing");
    if found.is_none() {
        eprintln!("skipped: {program} is missing");
    }
    found
}
