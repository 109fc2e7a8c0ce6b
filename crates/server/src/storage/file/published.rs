//! Published entities.

use std::fs::FileTimes;
use std::io;
use std::sync::PoisonError;
use std::time::SystemTime;

use cap_std::fs::{Dir, OpenOptions};

use super::disk::{remove, sync_dir};
use super::entity::FileEntity;
use super::folders::Folders;
use super::snapshot::Snapshot;
use crate::Key;
use crate::storage::{MIN_TIME_STEP, Metadata, Result, StorageError};

impl Folders {
    /// Returns the metadata of a published entity.
    pub(in crate::storage) fn metadata(&self, key: &Key) -> Result<Option<Metadata>> {
        if !self.has_entity(key)? {
            return Ok(None);
        }
        match Snapshot::open(&self.root, key.as_str()) {
            Ok((_, snapshot)) => Ok(Some(snapshot.metadata())),
            // Removed meanwhile.
            Err(_) if !self.has_entity(key)? => Ok(None),
            // A name that is no readable file, such as a link out of the root, cannot be replaced.
            Err(error) => Err(denied(error)),
        }
    }

    /// Opens a published entity for reading. Only regular files are opened, as opening a pipe may block
    /// forever.
    pub(in crate::storage) fn open_published(&self, key: &Key) -> Result<Option<FileEntity>> {
        match Snapshot::open(&self.root, key.as_str()) {
            Ok((file, snapshot)) => Ok(Some(FileEntity::new(file, snapshot, self))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns `true` if there is a file with the name of an entity.
    ///
    /// # Errors
    ///
    /// [`StorageError::IsFolder`] or [`StorageError::Denied`] if no entity can be published with this key.
    pub(in crate::storage) fn has_entity(&self, key: &Key) -> Result<bool> {
        let Some(folder) = self.folder(key)? else { return Ok(false) };
        match folder.symlink_metadata(key.name()) {
            Ok(found) if found.is_dir() => Err(StorageError::IsFolder),
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(denied(error)),
        }
    }

    /// Opens the folder of an entity. Returns `None` if it does not exist and can be created.
    fn folder(&self, key: &Key) -> Result<Option<Dir>> {
        let path = if key.folder().is_empty() { "." } else { key.folder() };
        match self.root.open_dir(path) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if self.creates_folders && error.kind() == io::ErrorKind::NotFound => {
                self.check_creatable(path)?;
                Ok(None)
            }
            Err(error) => Err(denied(error)),
        }
    }

    /// Checks that a folder that does not exist can be created: its nearest parent is a folder.
    fn check_creatable(&self, path: &str) -> Result<()> {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        for end in ends {
            let ancestor = &path[..end];
            match self.root.symlink_metadata(ancestor) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                // A link to a folder can be followed, a dangling link cannot.
                Ok(_) if self.root.is_dir(ancestor) => {}
                Ok(_) => return Err(StorageError::Denied(None)),
                Err(error) => return Err(denied(error)),
            }
        }
        Ok(())
    }

    /// Opens the folder of an entity, and creates it if that is enabled.
    fn create_folder(&self, key: &Key) -> Result<Dir> {
        if let Some(folder) = self.folder(key)? {
            return Ok(folder);
        }
        self.root.create_dir_all(key.folder()).map_err(denied)?;
        if self.syncs {
            sync_dir(&self.root)?;
            for (end, _) in key.folder().match_indices('/') {
                sync_dir(&self.root.open_dir(&key.folder()[..end])?)?;
            }
        }
        self.root.open_dir(key.folder()).map_err(denied)
    }

    /// Publishes a complete staged file: it appears at its name completely and in one step, and its staged name
    /// disappears. Succeeds if an earlier attempt was interrupted after publication.
    pub(in crate::storage) fn publish(
        &self,
        staged: &str,
        key: &Key,
        replaces: bool,
    ) -> Result<()> {
        let folder = self.create_folder(key)?;
        if folder.symlink_metadata(key.name()).is_ok_and(|found| found.is_dir()) {
            return Err(StorageError::IsFolder);
        }
        if replaces {
            let _replacing = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
            self.set_date(staged, &folder, key.name())?;
            self.staging.rename(staged, &folder, key.name())?;
        } else {
            self.set_date(staged, &folder, key.name())?;
            // A link never replaces a file, so only one of several entities with one key is published.
            match self.staging.hard_link(staged, &folder, key.name()) {
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists
                        && self.is_linked(staged, &folder, key.name()) => {}
                linked => linked?,
            }
            if self.syncs {
                sync_dir(&folder)?;
            }
            remove(&self.staging, staged)?;
        }
        if self.syncs { Ok(sync_dir(&folder)?) } else { Ok(()) }
    }

    /// Sets the date of an entity to the current time, and to a later one than that of the file it replaces.
    fn set_date(&self, staged: &str, folder: &Dir, name: &str) -> Result<()> {
        if self.is_linked(staged, folder, name) {
            return Ok(());
        }
        let mut date = SystemTime::now();
        if let Ok(replaced) = folder.symlink_metadata(name) {
            let earliest = replaced.modified()?.into_std().checked_add(MIN_TIME_STEP);
            date = earliest.map_or(date, |earliest| earliest.max(date));
        }
        let file = self.staging.open_with(staged, OpenOptions::new().write(true))?.into_std();
        file.set_times(FileTimes::new().set_modified(date))?;
        if self.syncs { Ok(file.sync_all()?) } else { Ok(()) }
    }

    /// Returns `true` if an earlier attempt created the link but did not remove the other name.
    fn is_linked(&self, staged: &str, folder: &Dir, name: &str) -> bool {
        let published = folder.symlink_metadata(name);
        let staged = self.staging.symlink_metadata(staged);
        matches!((staged, published), (Ok(one), Ok(other)) if is_same(&one, &other))
    }
}

/// Converts an error of an access to the folder of entities. "Not found" would mean lost bytes.
fn denied(error: io::Error) -> StorageError {
    StorageError::Denied(Some(error.into()))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(unix)]
fn is_same(one: &cap_std::fs::Metadata, other: &cap_std::fs::Metadata) -> bool {
    use cap_std::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Returns `false`: without file numbers, the file at the destination counts as a different one.
#[cfg(not(unix))]
fn is_same(_: &cap_std::fs::Metadata, _: &cap_std::fs::Metadata) -> bool {
    false
}
