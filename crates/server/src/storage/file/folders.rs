//! The folder of published entities and the folder of staged data.
//!
//! Entities are opened through a [`Dir`], which prevents symbolic links from leading out of the folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File};
use uuid::Uuid;

use super::FileStorageOptions;
use super::disk::{remove, sync_dir, with_path};
use crate::inline_io::DiskSpeed;
use crate::storage::{Result, StorageError};

/// Folders of a storage.
#[derive(Debug)]
pub(in crate::storage) struct Folders {
    pub(super) root: Dir,
    /// Staged data: one folder for each session, with the id as its name.
    pub(in crate::storage) staging: Dir,
    /// Absolute path for server applications that access the files.
    pub(in crate::storage) staging_path: PathBuf,
    pub(in crate::storage) syncs: bool,
    pub(super) creates_folders: bool,
    /// Locked while an entity is replaced.
    pub(super) replacing: Mutex<()>,
    pub(super) speed: Arc<DiskSpeed>,
    _lock: Option<File>,
}

impl Folders {
    /// Opens both folders, and creates them if necessary.
    pub(super) fn open(
        root: &Path,
        options: &FileStorageOptions,
        is_exclusive: bool,
    ) -> io::Result<Self> {
        let root_path = open_root(root).map_err(with_path(root, "cannot open the folder: "))?;
        let path = match &options.staging {
            Some(staging) => std::path::absolute(staging)?,
            None => default_staging(&root_path)?,
        };
        let explain = |what| with_path(&path, what);
        // Checked before the folder is created, and again with all links followed.
        check_outside(&path, &root_path).map_err(explain(""))?;
        fs::create_dir_all(&path).map_err(explain("cannot create the folder of staged data: "))?;
        let staging_path = fs::canonicalize(&path).map_err(explain(""))?;
        check_outside(&staging_path, &root_path).map_err(explain(""))?;
        let open = |path| Dir::open_ambient_dir(path, ambient_authority());
        let root = open(&root_path).map_err(with_path(&root_path, ""))?;
        let staging = open(&staging_path).map_err(explain(""))?;
        let lock = if is_exclusive { lock(&staging).map_err(explain(""))? } else { None };
        let folders = Self {
            root,
            staging,
            staging_path,
            syncs: options.fsync,
            creates_folders: options.create_folders,
            replacing: Mutex::default(),
            speed: Arc::default(),
            _lock: lock,
        };
        folders.check()?;
        Ok(folders)
    }

    /// Checks that files can be linked from one folder into the other, by trying it. Device numbers do not
    /// suffice, for example with bind mounts.
    pub(in crate::storage) fn check(&self) -> io::Result<()> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        // A random name, so that no upload is affected.
        let name = format!(".bits-probe-{}", Uuid::from_bytes(random));
        let explain = with_path(
            &self.staging_path,
            "the folder of staged data and the folder of entities must be writable and on one file system that \
             supports hard links; set another folder of staged data: ",
        );
        let link = || {
            self.staging.create(&name)?;
            let linked = self.staging.hard_link(&name, &self.root, &name);
            let linked = linked.and_then(|()| remove(&self.root, &name));
            remove(&self.staging, &name)?;
            linked
        };
        link().map_err(explain)
    }

    /// Creates the folder of a session.
    pub(in crate::storage) fn begin_session(&self, session: Uuid) -> Result<()> {
        // `Exists` would mean an entity.
        self.staging.create_dir(session.to_string()).map_err(StorageError::other)?;
        if self.syncs { Ok(sync_dir(&self.staging)?) } else { Ok(()) }
    }

    /// Returns the sessions with staged data that did not change for a time.
    pub(in crate::storage) fn sessions(&self, min_age: Duration) -> io::Result<Vec<Uuid>> {
        let now = SystemTime::now();
        let mut sessions = Vec::new();
        for entry in self.staging.entries()? {
            let name = entry?.file_name();
            // Other names do not belong to the storage.
            let Some(session) = name.to_str().and_then(parse_session) else { continue };
            match self.last_change(session) {
                // A time in the future means that the clock has changed.
                Ok(changed) if now.duration_since(changed).unwrap_or_default() < min_age => {}
                // Removed meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                changed => {
                    changed?;
                    sessions.push(session);
                }
            }
        }
        Ok(sessions)
    }

    /// Returns the last modification time of the folder of a session and of the files in it.
    fn last_change(&self, session: Uuid) -> io::Result<SystemTime> {
        let folder = self.staging.open_dir(session.to_string())?;
        let mut last = folder.dir_metadata()?.modified()?.into_std();
        for entry in folder.entries()? {
            last = last.max(entry?.metadata()?.modified()?.into_std());
        }
        Ok(last)
    }

    /// Deletes the folder of a session.
    pub(in crate::storage) fn remove_session(&self, session: Uuid) -> io::Result<()> {
        match self.staging.remove_dir_all(session.to_string()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Returns the absolute path of a folder, which is created if its parent exists.
fn open_root(root: &Path) -> io::Result<PathBuf> {
    match fs::create_dir(root) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::canonicalize(root),
    }
}

/// Returns a hidden folder beside the root, which is most likely on the same file system.
fn default_staging(root: &Path) -> io::Result<PathBuf> {
    let name = root.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| {
        let error = io::ErrorKind::InvalidInput.into();
        with_path(root, "the folder has no parent; set a folder of staged data: ")(error)
    })?;
    Ok(root.with_file_name(format!(".{name}.bits-staging")))
}

/// Checks that clients cannot download staged data.
fn check_outside(staging: &Path, root: &Path) -> io::Result<()> {
    if staging.starts_with(root) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the folder of staged data must be outside of the folder of entities",
        ));
    }
    Ok(())
}

/// Locks the folder against other processes while the returned file is open. The lock of a killed process is
/// released.
#[cfg(unix)]
fn lock(dir: &Dir) -> io::Result<Option<File>> {
    use rustix::fs::{FlockOperation, flock};
    use rustix::io::Errno;
    // The handle of a `Dir` may be opened with O_PATH, which cannot be locked.
    let folder = dir.open(".")?;
    match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(folder)),
        Err(Errno::WOULDBLOCK) => {
            Err(io::Error::other("another server uses this folder of staged data"))
        }
        Err(error) => Err(error.into()),
    }
}

/// Does nothing: folders cannot be locked here. Do not start two servers with one folder.
#[cfg(not(unix))]
fn lock(_: &Dir) -> io::Result<Option<File>> {
    Ok(None)
}

/// Parses the name of a session's folder. A GUID has several spellings, of which the storage writes one.
fn parse_session(name: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(name).ok()?;
    (id.to_string() == name).then_some(id)
}
