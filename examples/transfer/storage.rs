//! What the server keeps on disk: sessions, the bytes of entities, replies.
//!
//! No path is made of anything that a client sent: what belongs to a session is named by the GUID
//! that the server issued, and there is one destination.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use bits_proto::server::{Discard, Record};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::http::PIECE;

#[path = "host_error.rs"]
mod host_error;

pub use host_error::host_error;

/// A folder of the server's own.
pub struct Storage {
    folder: PathBuf,
}

impl Storage {
    pub fn new(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.into() })
    }

    /// Where the entity goes in the end.
    pub fn destination(&self) -> PathBuf {
        self.folder.join("entity")
    }

    fn entity(&self, session: Uuid) -> PathBuf {
        self.folder.join(format!("{session}.part"))
    }

    pub fn reply(&self, session: Uuid) -> PathBuf {
        self.folder.join(format!("{session}.reply"))
    }

    /// Stands there since before the entity of a session was moved.
    fn mark(&self, session: Uuid) -> PathBuf {
        self.folder.join(format!("{session}.placed"))
    }

    fn sessions(&self) -> PathBuf {
        self.folder.join("sessions.json")
    }

    /// Stores bytes of an entity. They survive the end of the process; a server that promises to
    /// survive a loss of power calls `sync_data` before it reports them as stored.
    pub fn store(&self, session: Uuid, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(false).open(self.entity(session))?;
        if file.metadata()?.len() < offset {
            return Err(io::Error::new(io::ErrorKind::NotFound, "bytes that were stored are gone"));
        }
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    /// Puts an entity at its destination, in one step for whoever looks at it.
    ///
    /// It may be asked for again after a crash: then it is there already, which a mark shows.
    pub fn commit(&self, session: Uuid, is_empty: bool) -> io::Result<()> {
        let entity = self.entity(session);
        if is_empty {
            // Nothing was ever stored of it.
            File::create(&entity)?;
        }
        let mark = self.mark(session);
        if !entity.exists() {
            return fs::metadata(mark).map(drop);
        }
        File::create(mark)?;
        fs::rename(entity, self.destination())
    }

    /// Deletes what is left of a session.
    pub fn discard(&self, discard: &Discard) -> io::Result<()> {
        let session = discard.token.session_id();
        let entity = discard.entity.then(|| self.entity(session));
        let reply = discard.reply.then(|| self.reply(session));
        for path in entity.into_iter().chain(reply) {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                // What is gone already counts as deleted.
                _ => {}
            }
        }
        Ok(())
    }

    /// The server application: its reply to an entity says what it received.
    pub fn write_reply(&self, session: Uuid) -> io::Result<()> {
        let digest = match File::open(self.entity(session)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => sha256(io::empty()),
            opened => sha256(opened?),
        }?;
        fs::write(self.reply(session), reply_to(&digest))
    }

    /// Keeps the sessions as they are now.
    pub fn save(&self, sessions: &BTreeMap<Uuid, Record>) -> io::Result<()> {
        replace(&self.sessions(), &serde_json::to_vec(sessions)?)
    }

    /// The sessions as they were kept. What was damaged is an error, and no session.
    pub fn load(&self) -> io::Result<BTreeMap<Uuid, Record>> {
        Ok(serde_json::from_slice(&fs::read(self.sessions())?)?)
    }
}

/// The reply to an entity.
pub fn reply_to(digest: &str) -> String {
    format!("received sha256 {digest}\n")
}

/// Writes a file so that a crash leaves the old one or the new one.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, bytes)?;
    fs::rename(new, path)
}

/// The SHA-256 of everything there is to read, in hexadecimal.
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
