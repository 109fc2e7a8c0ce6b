//! The folder in which the server publishes entities.

use std::fs;
use std::path::{Path, PathBuf};

/// The largest depth of folders that are searched for entities.
const MAX_DEPTH: usize = 6;

/// Returns the files of this name in the folders above the root, and in the temporary folder.
pub(super) fn find_outside(root: &Path, name: &str) -> Option<PathBuf> {
    // The real path: `..` of a symbolic link is another folder.
    let root = root.canonicalize().ok()?;
    let folders = root.ancestors().skip(1).map(Path::to_path_buf);
    let mut files = folders.chain([std::env::temp_dir()]).map(|folder| folder.join(name));
    files.find(|file| file.symlink_metadata().is_ok())
}

/// Removes the files below a folder whose names contain a text.
pub(super) fn remove(folder: &Path, text: &str) {
    remove_to_depth(folder, text, MAX_DEPTH);
}

fn remove_to_depth(folder: &Path, text: &str, depth: usize) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().contains(text);
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth > 0 => {
                remove_to_depth(&entry.path(), text, depth - 1);
                if is_ours {
                    // Fails if the folder has other files.
                    let _ = fs::remove_dir(entry.path());
                }
            }
            Ok(kind) if kind.is_file() && is_ours => {
                let _ = fs::remove_file(entry.path());
            }
            _ => {}
        }
    }
}
