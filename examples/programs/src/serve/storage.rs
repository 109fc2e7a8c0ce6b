//! What the server keeps on disk: the root with the entities that are whole, and the folder of
//! sessions beside it.
//!
//! All below the root goes through a [`Dir`], so that the system itself keeps symbolic links from
//! leading out of it.

use std::fs;
use std::io::{self, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bits_proto::server::{Access, Discard};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, OpenOptions};
use uuid::Uuid;

use crate::serve::folder::{ENTITY, PLACED, REPLY, file_name, remove, sync_dir};
use crate::serve::path::Destination;

/// The root and the folder of sessions.
pub struct Storage {
    root: Dir,
    sessions: Arc<Dir>,
    /// For a server application that is told of paths.
    sessions_path: PathBuf,
    overwrites: bool,
    syncs: bool,
    #[cfg(unix)]
    _lock: File,
    #[cfg(not(unix))]
    _lock: (),
}

impl Storage {
    /// Opens both folders. Without `sessions` they are in a hidden one beside the root.
    pub fn open(
        root: &Path,
        sessions: Option<&Path>,
        overwrites: bool,
        syncs: bool,
    ) -> io::Result<Self> {
        let root_path = fs::canonicalize(root).map_err(|error| explained(error, root, ""))?;
        let path = match sessions {
            Some(sessions) => std::path::absolute(sessions)?,
            None => beside(&root_path)?,
        };
        let told = path.as_path();
        let explain = |what| move |error| explained(error, told, what);
        // Before it is made, and with all links followed.
        check_outside(&path, &root_path).map_err(explain(""))?;
        fs::create_dir_all(&path).map_err(explain(""))?;
        let sessions_path = fs::canonicalize(&path).map_err(explain(""))?;
        check_outside(&sessions_path, &root_path).map_err(explain(""))?;
        let open = |path| Dir::open_ambient_dir(path, ambient_authority());
        let root = open(&root_path).map_err(|error| explained(error, &root_path, ""))?;
        let sessions = Arc::new(open(&sessions_path).map_err(explain(""))?);
        let lock = lock(&sessions).map_err(explain(""))?;
        check_file_system(&root, &sessions).map_err(explain(
            "it has to be on the file system of the root, both have to be writable, and the file \
             system has to know hard links: ",
        ))?;
        Ok(Self { root, sessions, sessions_path, overwrites, syncs, _lock: lock })
    }

    /// The folder of sessions.
    pub fn sessions(&self) -> Arc<Dir> {
        Arc::clone(&self.sessions)
    }

    /// Whether there may be an entity at a destination. Its folder has to be there: clients make no
    /// folders, and 403 is what they are told of a place that cannot be written to.
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

    /// An entity that is whole, for reading, with its length. Nothing but a plain file is one: to
    /// open anything else may wait for ever.
    pub fn whole(&self, destination: &Destination) -> io::Result<(File, u64)> {
        open_file(&self.root, destination.as_str())
    }

    /// The bytes of a session's entity, for writing from `offset` on.
    pub fn entity(&self, session: Uuid, offset: u64) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create(offset == 0);
        let mut file = self.sessions.open_with(file_name(session, ENTITY), &options)?;
        if file.metadata()?.len() < offset {
            return Err(io::Error::new(io::ErrorKind::NotFound, "bytes that were stored are gone"));
        }
        file.seek(SeekFrom::Start(offset))?;
        Ok(file)
    }

    /// Brings the bytes of an entity to the disk, if they have to be there before they count.
    pub fn sync(&self, entity: &File) -> io::Result<()> {
        if self.syncs { entity.sync_data() } else { Ok(()) }
    }

    /// Makes the entity as long as it is: one without bytes was never stored, and behind the last
    /// byte there may be some that were stored and not counted.
    pub fn finish(&self, session: Uuid, total: u64) -> io::Result<()> {
        let entity = self.entity(session, total)?;
        if entity.metadata()?.len() > total {
            entity.set_len(total)?;
        }
        self.sync(&entity)
    }

    /// Puts an entity at its destination, in one step for whoever looks at it.
    ///
    /// It may be asked for again after a crash: then it is there already, which a mark shows.
    pub fn commit(&self, session: Uuid, total: u64, destination: &Destination) -> io::Result<()> {
        let folder = self.root.open_dir(destination.folder());
        // Without its folder the destination cannot be written to; the bytes are not lost.
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
            self.sessions.rename(&entity, folder, name)?;
        } else {
            // A link never replaces anything, so of two entities for one destination one comes in.
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

    /// Whether a crash came between the link and the removal of the other name.
    fn is_linked(&self, entity: &str, folder: &Dir, name: &str) -> bool {
        let there = folder.symlink_metadata(name);
        let here = self.sessions.symlink_metadata(entity);
        matches!((here, there), (Ok(here), Ok(there)) if is_same(&here, &there))
    }

    /// Deletes what is left of a session.
    pub fn discard(&self, discard: &Discard) -> io::Result<()> {
        let session = discard.turn.session_id();
        if discard.entity {
            remove(&self.sessions, &file_name(session, ENTITY))?;
        }
        if discard.reply {
            remove(&self.sessions, &file_name(session, REPLY))?;
        }
        Ok(())
    }

    /// What a session has stored, for reading.
    pub fn stored(&self, session: Uuid) -> io::Result<(File, u64)> {
        open_file(&self.sessions, &file_name(session, ENTITY))
    }

    /// A reply that is kept, for reading.
    pub fn reply(&self, session: Uuid) -> io::Result<(File, u64)> {
        open_file(&self.sessions, &file_name(session, REPLY))
    }

    /// A new reply, in place of what an earlier attempt left.
    pub fn create_reply(&self, session: Uuid) -> io::Result<File> {
        self.sessions.create(file_name(session, REPLY))
    }

    /// Deletes what an earlier attempt left of a reply.
    pub fn remove_reply(&self, session: Uuid) -> io::Result<()> {
        remove(&self.sessions, &file_name(session, REPLY))
    }

    /// Where an application finds the entity and where it puts its reply.
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
    // Another may have taken its place meanwhile.
    let length = file.metadata()?.len();
    Ok((file, length))
}

fn explained(error: io::Error, path: &Path, what: &str) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {what}{error}", path.display()))
}

/// What lies in the root can be fetched.
fn check_outside(sessions: &Path, root: &Path) -> io::Result<()> {
    if sessions.starts_with(root) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it may not lie in the root"));
    }
    Ok(())
}

/// A hidden folder beside the root, and so most likely on its file system.
fn beside(root: &Path) -> io::Result<PathBuf> {
    let name = root.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| {
        let error = io::ErrorKind::InvalidInput.into();
        explained(error, root, "nothing is beside it, so --sessions has to name a folder: ")
    })?;
    Ok(root.with_file_name(format!(".{name}.bits-sessions")))
}

/// Keeps other servers away, which would undo what this one does, for as long as the file is open;
/// a process that is killed lets go of it.
#[cfg(unix)]
fn lock(dir: &Dir) -> io::Result<File> {
    use rustix::fs::{FlockOperation, flock};
    use rustix::io::Errno;
    // A `Dir` itself may be open for nothing but finding paths.
    let folder = dir.open(".")?;
    match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(folder),
        Err(Errno::WOULDBLOCK) => Err(io::Error::other("another server uses it")),
        Err(error) => Err(error.into()),
    }
}

/// Elsewhere folders cannot be locked; one server for each is up to whoever starts them.
#[cfg(not(unix))]
fn lock(_: &Dir) -> io::Result<()> {
    Ok(())
}

/// Whether an entity can go from one folder to the other in one step: that is tried, as no number
/// of a device tells all.
fn check_file_system(root: &Dir, sessions: &Dir) -> io::Result<()> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    // A name that nobody uploads to.
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

/// Elsewhere a file's number takes an open file; the destination counts as somebody else's.
#[cfg(not(unix))]
fn is_same(_: &cap_std::fs::Metadata, _: &cap_std::fs::Metadata) -> bool {
    false
}
