//! Files of the server: sessions, entities and replies.
//!
//! No path contains data from a client. Files of a session are named after the GUID that the server
//! issued, and there is one destination.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use bits_proto::server::{Discard, HostError, Record};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::http::PIECE;

/// The folder of the server.
pub struct Storage {
    folder: PathBuf,
}

impl Storage {
    pub fn new(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.into() })
    }

    /// Returns the path of the published entity.
    pub fn destination(&self) -> PathBuf {
        self.folder.join("entity")
    }

    fn entity(&self, session: Uuid) -> PathBuf {
        self.folder.join(format!("{session}.part"))
    }

    pub fn reply(&self, session: Uuid) -> PathBuf {
        self.folder.join(format!("{session}.reply"))
    }

    /// Returns the path of a mark that is created before an entity is published.
    fn mark(&self, session: Uuid) -> PathBuf {
        self.folder.join(format!("{session}.placed"))
    }

    fn sessions(&self) -> PathBuf {
        self.folder.join("sessions.json")
    }

    /// Stores bytes of an entity. They survive a crash of the process. A server that must survive a
    /// power failure calls `sync_data` before it reports them as stored.
    pub fn store(&self, session: Uuid, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(false).open(self.entity(session))?;
        if file.metadata()?.len() < offset {
            return Err(io::Error::new(io::ErrorKind::NotFound, "stored bytes are missing"));
        }
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    /// Publishes an entity: it appears at its destination completely and in one step.
    ///
    /// The step may be repeated after a crash. Then the entity is already published, which a mark
    /// indicates.
    pub fn commit(&self, session: Uuid, is_empty: bool) -> io::Result<()> {
        let entity = self.entity(session);
        if is_empty {
            // An empty entity has no file yet.
            File::create(&entity)?;
        }
        let mark = self.mark(session);
        if !entity.exists() {
            return fs::metadata(mark).map(drop);
        }
        File::create(mark)?;
        fs::rename(entity, self.destination())
    }

    /// Deletes the files of a session.
    pub fn discard(&self, discard: &Discard) -> io::Result<()> {
        let session = discard.token.session_id();
        let entity = discard.entity.then(|| self.entity(session));
        let reply = discard.reply.then(|| self.reply(session));
        for path in entity.into_iter().chain(reply) {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                // Missing files count as deleted.
                _ => {}
            }
        }
        Ok(())
    }

    /// Acts as the server application: writes a reply with the hash of the entity.
    pub fn write_reply(&self, session: Uuid) -> io::Result<()> {
        let digest = match File::open(self.entity(session)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => sha256(io::empty()),
            opened => sha256(opened?),
        }?;
        fs::write(self.reply(session), reply_to(&digest))
    }

    /// Stores the sessions.
    pub fn save(&self, sessions: &BTreeMap<Uuid, Record>) -> io::Result<()> {
        replace(&self.sessions(), &serde_json::to_vec(sessions)?)
    }

    /// Loads the sessions.
    pub fn load(&self) -> io::Result<BTreeMap<Uuid, Record>> {
        Ok(serde_json::from_slice(&fs::read(self.sessions())?)?)
    }
}

/// Converts an error of an operation on the files of a session. A missing file means that stored
/// bytes are lost.
pub fn host_error(error: &io::Error) -> HostError {
    match error.kind() {
        // To the client, a file size limit is no different from a full disk.
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            HostError::DiskFull
        }
        io::ErrorKind::PermissionDenied => HostError::AccessDenied,
        io::ErrorKind::AlreadyExists => HostError::DestinationExists,
        io::ErrorKind::NotFound => HostError::EntityLost,
        _ => HostError::Other,
    }
}

/// Returns the reply to an entity with this hash.
pub fn reply_to(digest: &str) -> String {
    format!("received sha256 {digest}\n")
}

/// Replaces a file atomically: a crash leaves the old or the new file.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, bytes)?;
    fs::rename(new, path)
}

/// Returns the SHA-256 of the input in hexadecimal.
pub fn sha256(mut input: impl io::Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut piece = Vec::new();
    loop {
        piece.clear();
        if input.by_ref().take(PIECE).read_to_end(&mut piece)? == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(&piece);
    }
}
