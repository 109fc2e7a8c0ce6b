//! Folders of this process: locked, with files that are replaced atomically.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use fs4::{FileExt, TryLockError};

/// Name of the file that is locked.
const LOCK: &str = "lock";

/// Opens a folder, and creates it with its parents if necessary. Only the user of this process has access to
/// a folder that is created.
pub(crate) fn open(path: &Path) -> io::Result<Dir> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)?;
    Dir::open_ambient_dir(path, ambient_authority())
}

/// Locks a folder against other processes while the returned file is open. The lock of a killed process is
/// released.
pub(crate) fn lock(dir: &Dir) -> io::Result<File> {
    let mut options = private();
    let file = dir.open_with(LOCK, options.write(true).create(true))?.into_std();
    match FileExt::try_lock(&file) {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(io::Error::new(io::ErrorKind::ResourceBusy, "another server uses this folder"))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Replaces a file atomically. `new` is the name of the file while it is written. With `fsync`, the change
/// survives a crash of the machine.
pub(crate) fn replace(
    dir: &Dir,
    name: &str,
    new: &str,
    contents: &[u8],
    fsync: bool,
) -> io::Result<()> {
    let mut file = dir.open_with(new, private().write(true).create(true).truncate(true))?;
    file.write_all(contents)?;
    if fsync {
        file.sync_all()?;
    }
    drop(file);
    dir.rename(new, dir, name)?;
    if fsync { sync(dir) } else { Ok(()) }
}

/// Removes a file, if it exists.
pub(crate) fn remove(dir: &Dir, name: &str) -> io::Result<()> {
    match dir.remove_file(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Flushes the names in a folder to the disk, on systems that support it.
pub(crate) fn sync(dir: &Dir) -> io::Result<()> {
    if cfg!(unix) { dir.open(".")?.sync_all() } else { Ok(()) }
}

/// Returns options that create files for the user of this process only.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    cap_std::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
