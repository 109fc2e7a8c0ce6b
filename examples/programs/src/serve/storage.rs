//! Files of the server: the root with the published entities, and the folder of sessions.
//!
//! All paths below the root are opened through a [`Dir`], which prevents symbolic links from
//! leading out of it.

use std::fs;
use std::io::{self, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bits_proto::server::{Access, Discard};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, OpenOptions};
use uuid::Uuid;

use crate::serve::folder::{ENTITY, PARTIAL, PLACED, REPLY, file_name, remove, sync_dir};
use crate::serve::path::Destination;

/// The root and the folder of sessions.
pub struct Storage {
    root: Dir,
    sessions: Arc<Dir>,
    /// Absolute path for server applications that access the files.
    sessions_path: PathBuf,
    overwrites: bool,
    /// Locked while a file is replaced.
    replacing: Mutex<()>,
    syncs: bool,
    #[cfg(unix)]
    _lock: File,
    #[cfg(not(unix))]
    _lock: (),
}

impl Storage {
    /// Opens both folders. By default the folder of sessions is hidden, beside the root.
    pub fn open(
        root: &Path,
        sessions: Option<&Path>,
        overwrites: bool,
        syncs: bool,
    ) -> io::Result<Self> {
        let root_path =
            fs::canonicalize(root).map_err(|error| with_path(error, root, "cannot open root: "))?;
        let path = match sessions {
            Some(sessions) => std::path::absolute(sessions)?,
            None => default_sessions(&root_path)?,
        };
        let given = path.as_path();
        let explain = |what| move |error| with_path(error, given, what);
        // Checked before the folder is created, and again with all links followed.
        check_outside(&path, &root_path).map_err(explain(""))?;
        fs::create_dir_all(&path).map_err(explain(""))?;
        let sessions_path = fs::canonicalize(&path).map_err(explain(""))?;
        check_outside(&sessions_path, &root_path).map_err(explain(""))?;
        let open = |path| Dir::open_ambient_dir(path, ambient_authority());
        let root = open(&root_path).map_err(|error| with_path(error, &root_path, ""))?;
        let sessions = Arc::new(open(&sessions_path).map_err(explain(""))?);
        let lock = lock(&sessions).map_err(explain(""))?;
        check_file_system(&root, &sessions).map_err(explain(
            "the folder of sessions and the root must be writable and on one file system that \
             supports hard links: ",
        ))?;
        let replacing = Mutex::new(());
        Ok(Self { root, sessions, sessions_path, overwrites, replacing, syncs, _lock: lock })
    }

    /// Returns the folder of sessions.
    pub fn sessions(&self) -> Arc<Dir> {
        Arc::clone(&self.sessions)
    }

    /// Returns the access rights to a destination. Without an existing parent folder, access is
    /// denied, as clients cannot create folders.
    pub fn access(&self, destination: &Destination) -> Access {
        if !self.root.is_dir(destination.folder()) {
            return Access::Denied;
        }
        match self.root.symlink_metadata(destination.as_str()) {
            Ok(found) if found.is_dir() => Access::Denied,
            Ok(_) => Access::GrantedOverExisting,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Access::Granted,
            Err(_) => Access::Denied,
        }
    }

    /// Opens a published entity for reading. Returns the file and its length. Only regular files
    /// are opened, as opening a pipe may block forever.
    pub fn published(&self, destination: &Destination) -> io::Result<(File, u64)> {
        open_file(&self.root, destination.as_str())
    }

    /// Opens a session's entity for writing at `offset`.
    pub fn entity(&self, session: Uuid, offset: u64) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create(offset == 0);
        let mut file = self.sessions.open_with(file_name(session, ENTITY), &options)?;
        if file.metadata()?.len() < offset {
            return Err(io::Error::new(io::ErrorKind::NotFound, "stored bytes are missing"));
        }
        file.seek(SeekFrom::Start(offset))?;
        Ok(file)
    }

    /// Flushes the bytes of an entity to the disk, if that is enabled.
    pub fn sync(&self, entity: &File) -> io::Result<()> {
        if self.syncs { entity.sync_data() } else { Ok(()) }
    }

    /// Sets the length of a complete entity. An empty entity has no file yet, and after the last
    /// byte there may be bytes that were written but not reported.
    pub fn finish(&self, session: Uuid, total: u64) -> io::Result<()> {
        let entity = self.entity(session, total)?;
        if entity.metadata()?.len() > total {
            entity.set_len(total)?;
        }
        self.sync(&entity)
    }

    /// Publishes an entity: it appears at its destination completely and in one step.
    ///
    /// Embedding rule "publication": this step may be repeated after a crash, so it must detect
    /// that the entity is already published. It then finds a mark, which is created before the
    /// entity leaves the folder of sessions, and no entity. The session's record and its mark are
    /// removed later, when the session ends.
    pub fn commit(&self, session: Uuid, total: u64, destination: &Destination) -> io::Result<()> {
        let folder = self.root.open_dir(destination.folder());
        // Reported as denied access. "Not found" would mean that the stored bytes are lost.
        let folder = folder.map_err(|_| io::Error::from(io::ErrorKind::PermissionDenied))?;
        self.place(session, total, &folder, destination.name())
    }

    fn place(&self, session: Uuid, total: u64, folder: &Dir, name: &str) -> io::Result<()> {
        let (entity, mark) = (file_name(session, ENTITY), file_name(session, PLACED));
        if self.sessions.exists(&mark) && !self.sessions.exists(&entity) {
            return Ok(());
        }
        self.finish(session, total)?;
        self.sessions.create(&mark)?;
        if self.syncs {
            sync_dir(&self.sessions)?;
        }
        if self.overwrites {
            let _replacing = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
            self.advance_date(&entity, folder, name)?;
            self.sessions.rename(&entity, folder, name)?;
        } else {
            // A link never replaces a file, so only one of two entities for one destination wins.
            match self.sessions.hard_link(&entity, folder, name) {
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists
                        && self.is_linked(&entity, folder, name) => {}
                linked => linked?,
            }
            if self.syncs {
                sync_dir(folder)?;
            }
            remove(&self.sessions, &entity)?;
        }
        if self.syncs { sync_dir(folder) } else { Ok(()) }
    }

    /// Dates an entity at least one second after the file that it replaces. Dates in HTTP are whole
    /// seconds, and Windows detects a changed entity by its date only.
    fn advance_date(&self, entity: &str, folder: &Dir, name: &str) -> io::Result<()> {
        let Ok(replaced) = folder.metadata(name) else { return Ok(()) };
        let earliest = replaced.modified()?.into_std().checked_add(Duration::from_secs(1));
        let entity = self.sessions.open_with(entity, OpenOptions::new().write(true))?.into_std();
        let date = entity.metadata()?.modified()?;
        if let Some(earliest) = earliest.filter(|earliest| date < *earliest) {
            entity.set_modified(earliest)?;
        }
        if self.syncs { entity.sync_all() } else { Ok(()) }
    }

    /// Returns `true` if an earlier attempt created the link but did not remove the other name.
    fn is_linked(&self, entity: &str, folder: &Dir, name: &str) -> bool {
        let published = folder.symlink_metadata(name);
        let staged = self.sessions.symlink_metadata(entity);
        matches!((staged, published), (Ok(one), Ok(other)) if is_same(&one, &other))
    }

    /// Deletes the files of a session.
    pub fn discard(&self, discard: &Discard) -> io::Result<()> {
        let session = discard.token.session_id();
        if discard.entity {
            remove(&self.sessions, &file_name(session, ENTITY))?;
        }
        if discard.reply {
            self.remove_reply(session)?;
        }
        Ok(())
    }

    /// Opens a session's entity for reading. Returns the file and its length.
    pub fn stored(&self, session: Uuid) -> io::Result<(File, u64)> {
        open_file(&self.sessions, &file_name(session, ENTITY))
    }

    /// Opens a stored reply for reading. Returns the file and its length.
    pub fn reply(&self, session: Uuid) -> io::Result<(File, u64)> {
        open_file(&self.sessions, &file_name(session, REPLY))
    }

    /// Creates an empty, incomplete reply, which replaces that of an earlier attempt.
    pub fn create_reply(&self, session: Uuid) -> io::Result<File> {
        self.sessions.create(file_name(session, PARTIAL))
    }

    /// Makes a reply that was received completely the reply of the session.
    pub fn finish_reply(&self, session: Uuid) -> io::Result<()> {
        let (partial, reply) = (file_name(session, PARTIAL), file_name(session, REPLY));
        if self.syncs {
            self.sessions.open(&partial)?.sync_all()?;
        }
        self.sessions.rename(&partial, &self.sessions, &reply)?;
        if self.syncs { sync_dir(&self.sessions) } else { Ok(()) }
    }

    /// Deletes the reply of an earlier attempt, complete or not.
    pub fn remove_reply(&self, session: Uuid) -> io::Result<()> {
        remove(&self.sessions, &file_name(session, PARTIAL))?;
        remove(&self.sessions, &file_name(session, REPLY))
    }

    /// Returns the paths of the entity and of the reply, for a server application.
    pub fn paths(&self, session: Uuid) -> (PathBuf, PathBuf) {
        let path = |extension| self.sessions_path.join(file_name(session, extension));
        (path(ENTITY), path(REPLY))
    }
}

fn open_file(dir: &Dir, path: &str) -> io::Result<(File, u64)> {
    if !dir.metadata(path)?.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let file = dir.open(path)?;
    // From the open file, since another file may have replaced the one that was checked.
    let length = file.metadata()?.len();
    Ok((file, length))
}

fn with_path(error: io::Error, path: &Path, what: &str) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {what}{error}", path.display()))
}

/// Checks that clients cannot download the folder of sessions.
fn check_outside(sessions: &Path, root: &Path) -> io::Result<()> {
    if sessions.starts_with(root) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the folder of sessions must be outside the root",
        ));
    }
    Ok(())
}

/// Returns a hidden folder beside the root, which is most likely on the same file system.
fn default_sessions(root: &Path) -> io::Result<PathBuf> {
    let name = root.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| {
        let error = io::ErrorKind::InvalidInput.into();
        with_path(error, root, "the root has no parent folder; use --sessions to name a folder: ")
    })?;
    Ok(root.with_file_name(format!(".{name}.bits-sessions")))
}

/// Locks the folder against other servers while the returned file is open. The lock of a killed
/// process is released.
#[cfg(unix)]
fn lock(dir: &Dir) -> io::Result<File> {
    use rustix::fs::{FlockOperation, flock};
    use rustix::io::Errno;
    // The handle of a `Dir` may be opened with O_PATH, which cannot be locked.
    let folder = dir.open(".")?;
    match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(folder),
        Err(Errno::WOULDBLOCK) => {
            Err(io::Error::other("another server uses this folder of sessions"))
        }
        Err(error) => Err(error.into()),
    }
}

/// Does nothing: folders cannot be locked here. Do not start two servers with one folder.
#[cfg(not(unix))]
fn lock(_: &Dir) -> io::Result<()> {
    Ok(())
}

/// Checks that files can be linked from one folder into the other, by trying it. Device numbers
/// alone do not tell, for example with bind mounts.
fn check_file_system(root: &Dir, sessions: &Dir) -> io::Result<()> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    // A random name, so that no upload is affected.
    let name = format!(".bits-probe-{}", Uuid::from_bytes(random));
    sessions.create(&name)?;
    let linked = sessions.hard_link(&name, root, &name).and_then(|()| remove(root, &name));
    remove(sessions, &name)?;
    linked
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
