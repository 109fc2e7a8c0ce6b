//! Options of storages in folders.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::FileStorage;
use super::folders::Folders;
use crate::storage::SharedFileStorage;

/// Options of [`FileStorage`] and [`SharedFileStorage`].
///
/// # Example
///
/// ```
/// use bits_server::storage::FileStorage;
///
/// # let folder = tempfile::tempdir()?;
/// let uploads = folder.path().join("uploads");
/// let storage = FileStorage::options().fsync(true).create_folders(false).open(uploads)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct FileStorageOptions {
    pub(super) staging: Option<PathBuf>,
    pub(super) fsync: bool,
    pub(super) create_folders: bool,
}

impl Default for FileStorageOptions {
    fn default() -> Self {
        Self { staging: None, fsync: false, create_folders: true }
    }
}

impl FileStorageOptions {
    /// Sets the folder for staged data. It must be outside of the folder of entities and on the same file
    /// system. By default it is beside that folder: `.uploads.bits-staging` for `uploads`.
    pub fn staging(mut self, path: impl Into<PathBuf>) -> Self {
        self.staging = Some(path.into());
        self
    }

    /// Flushes bytes to the disk before they are acknowledged, so that they survive a power failure. By
    /// default they survive the end of the process only.
    pub const fn fsync(mut self, fsync: bool) -> Self {
        self.fsync = fsync;
        self
    }

    /// Creates the folders that a key names. Default: true. With false, an entity in a folder that does not exist
    /// is denied, as on IIS.
    pub const fn create_folders(mut self, create_folders: bool) -> Self {
        self.create_folders = create_folders;
        self
    }

    /// Opens a folder of entities for this process. The folder is created if its parent exists.
    ///
    /// # Errors
    ///
    /// The reason, with the path: a folder cannot be opened or created, another process uses the folder of
    /// staged data, or both folders are not on one file system that supports hard links.
    pub fn open(self, root: impl AsRef<Path>) -> io::Result<FileStorage> {
        Ok(FileStorage::new(Folders::open(root.as_ref(), &self, true)?))
    }

    /// Opens a folder of entities that other processes or machines use at the same time. The folder is created
    /// if its parent exists.
    ///
    /// # Errors
    ///
    /// The reason, with the path: a folder cannot be opened or created, or both folders are not on one file
    /// system that supports hard links.
    pub fn open_shared(self, root: impl AsRef<Path>) -> io::Result<SharedFileStorage> {
        Ok(SharedFileStorage::new(Arc::new(Folders::open(root.as_ref(), &self, false)?)))
    }
}
