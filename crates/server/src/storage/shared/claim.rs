//! Claims: a work token that publishes, notifies or discards moves all files out of reach of earlier tokens.
//!
//! The folder of parts is renamed so that its name contains the number of the token. Earlier tokens then do not
//! find it. An earlier token may have looked up the folder just before, and use it just afterwards. So the names
//! of the files that count contain the number as well: the link or rename of a stalled publication finds no
//! file.

use std::io;

use bits_proto::server::WorkToken;
use uuid::Uuid;

use super::parts::{PARTS, concatenate, names, remove_all};
use crate::Key;
use crate::storage::file::{FileEntity, Folders, Snapshot, remove, sync_dir};
use crate::storage::{Discarded, Result, StorageError};

/// Prefix of the folder of parts after a token has claimed it.
const CLAIMED: &str = "claimed-";
/// Prefix of an assembled entity.
const WHOLE: &str = "whole-";
/// Prefix of an entity that is being assembled.
const NEW: &str = "new-";
/// Prefix of a complete reply.
const REPLY: &str = "reply-";
/// Prefix of a reply that is being written.
const PARTIAL_REPLY: &str = "partial-reply-";
/// An empty file that is created before the entity is published.
const MARK: &str = "published";

/// Number of times that a folder is listed until a claim counts as missing.
const MAX_LISTS: usize = 10;

/// The files of a session, claimed by a work token.
pub(super) struct Claim<'f> {
    folders: &'f Folders,
    token: WorkToken,
    /// Path of the claimed folder, relative to the folder of staged data.
    path: String,
}

impl<'f> Claim<'f> {
    /// Claims the files of a session.
    ///
    /// # Errors
    ///
    /// [`StorageError::Stale`] if a later token has claimed them; [`StorageError::Lost`] if there are none.
    pub(super) fn new(folders: &'f Folders, token: WorkToken) -> Result<Self> {
        let claim = Self::existing(folders, token);
        loop {
            let (name, owner) = owner(folders, token.session_id())?;
            if owner > Some(token.number()) {
                return Err(StorageError::Stale);
            }
            if owner == Some(token.number()) {
                break;
            }
            let found = format!("{}/{name}", token.session_id());
            match folders.staging.rename(found, &folders.staging, &claim.path) {
                // An earlier token has renamed the folder just now. Look for its new name.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                renamed => break renamed?,
            }
        }
        claim.take_over()?;
        Ok(claim)
    }

    /// Returns a claim that was made before. Its operations fail if a later token has claimed the files.
    pub(super) fn existing(folders: &'f Folders, token: WorkToken) -> Self {
        let path = format!("{}/{}", token.session_id(), numbered(CLAIMED, token.number()));
        Self { folders, token, path }
    }

    /// Renames the entity that an earlier token has assembled.
    fn take_over(&self) -> Result<()> {
        let folder = self.folders.staging.open_dir(&self.path).map_err(stale)?;
        for name in names(&folder)? {
            if parse(WHOLE, &name).is_none_or(|number| number >= self.token.number()) {
                continue;
            }
            match folder.rename(name, &folder, numbered(WHOLE, self.token.number())) {
                // The earlier token has published it just now.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                renamed => renamed?,
            }
        }
        Ok(())
    }

    fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    fn whole(&self) -> String {
        self.file(&numbered(WHOLE, self.token.number()))
    }

    /// Returns the path of the reply of this token.
    pub(super) fn reply(&self) -> String {
        self.file(&numbered(REPLY, self.token.number()))
    }

    fn partial_reply(&self) -> String {
        self.file(&numbered(PARTIAL_REPLY, self.token.number()))
    }

    /// Renames a file. A file that is missing was claimed by a later token.
    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let staging = &self.folders.staging;
        staging.rename(from, staging, to).map_err(stale)
    }

    /// Flushes the names in the claimed folder to the disk, if that is enabled.
    fn sync(&self) -> Result<()> {
        if self.folders.syncs {
            sync_dir(&self.folders.staging.open_dir(&self.path).map_err(stale)?)?;
        }
        Ok(())
    }

    /// Assembles the entity and returns its path.
    pub(super) fn assemble(&self, total: u64) -> Result<String> {
        let whole = self.whole();
        match self.folders.staging.metadata(&whole) {
            Ok(found) if found.len() == total => return Ok(whole),
            Ok(found) => {
                let message = format!("the entity has {} instead of {total} bytes", found.len());
                return Err(StorageError::Lost(Some(message.into())));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let folder = self.folders.staging.open_dir(&self.path).map_err(stale)?;
        let new = numbered(NEW, self.token.number());
        concatenate(&folder, &new, total)?;
        self.rename(&self.file(&new), &whole)?;
        self.sync()?;
        // A later token that did not find the entity assembles it from the parts.
        if !self.folders.staging.exists(&whole) {
            return Err(StorageError::Stale);
        }
        remove_all(&folder)?;
        Ok(whole)
    }

    /// Publishes the entity.
    ///
    /// This may be repeated after a crash, so it must detect that the entity is already published. It then finds
    /// a mark, which is created before the assembled entity leaves the folder, and no assembled entity.
    pub(super) fn publish(&self, total: u64, key: &Key, replaces: bool) -> Result<()> {
        let mark = self.file(MARK);
        if self.folders.staging.exists(&mark) && !self.folders.staging.exists(self.whole()) {
            return Ok(());
        }
        let whole = self.assemble(total)?;
        self.folders.staging.create(&mark).map_err(stale)?;
        self.sync()?;
        self.folders.publish(&whole, key, replaces).map_err(|error| match error {
            StorageError::Lost(_) => StorageError::Stale,
            error => error,
        })
    }

    /// Creates an empty, incomplete reply.
    pub(super) fn create_reply(&self) -> Result<std::fs::File> {
        let reply = self.folders.staging.create(self.partial_reply()).map_err(stale)?;
        Ok(reply.into_std())
    }

    /// Makes the reply that was written the reply of the session.
    pub(super) fn finish_reply(&self) -> Result<()> {
        self.rename(&self.partial_reply(), &self.reply())?;
        self.sync()
    }

    /// Deletes data. The claimed folder remains, so that earlier tokens do not claim the files.
    pub(super) fn discard(&self, what: Discarded) -> Result<()> {
        let folder = self.folders.staging.open_dir(&self.path).map_err(stale)?;
        let remove_numbered = |prefix| -> Result<()> {
            let is_own = |name: &String| {
                parse(prefix, name).is_some_and(|number| number <= self.token.number())
            };
            names(&folder)?
                .iter()
                .filter(|name| is_own(name))
                .try_for_each(|name| Ok(remove(&folder, name)?))
        };
        if what.entity {
            // The mark first: without an entity it means that the entity was published.
            remove(&folder, MARK)?;
            remove_numbered(WHOLE)?;
            remove_numbered(NEW)?;
            remove_all(&folder)?;
        }
        if what.reply {
            remove_numbered(REPLY)?;
            remove_numbered(PARTIAL_REPLY)?;
        }
        Ok(())
    }
}

/// Opens the reply of the latest token that has finished one.
pub(super) fn open_reply(folders: &Folders, session: Uuid) -> Result<Option<FileEntity>> {
    loop {
        let (name, _) = match owner(folders, session) {
            Err(StorageError::Lost(_)) => return Ok(None),
            found => found?,
        };
        let path = format!("{session}/{name}");
        let Ok(folder) = folders.staging.open_dir(&path) else { continue };
        let numbers = names(&folder)?;
        let numbers = numbers.iter().filter_map(|name| parse(REPLY, name));
        let Some(last) = numbers.max() else { return Ok(None) };
        match Snapshot::open(&folder, &numbered(REPLY, last)) {
            // A later reply has replaced it, or it was discarded.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => {
                let (file, snapshot) = opened?;
                return Ok(Some(FileEntity::new(file, snapshot, folders)));
            }
        }
    }
}

/// Returns the error for a missing folder of parts.
pub(super) fn missing(folders: &Folders, token: WorkToken, error: io::Error) -> StorageError {
    match owner(folders, token.session_id()) {
        Ok((_, owner)) if owner > Some(token.number()) => StorageError::Stale,
        Ok(_) => StorageError::other("the entity is complete"),
        Err(_) => error.into(),
    }
}

/// Returns the name of the folder of parts, and the number of the token that has claimed it.
fn owner(folders: &Folders, session: Uuid) -> Result<(String, Option<u32>)> {
    let folder = folders.staging.open_dir(session.to_string())?;
    // A list that is read while the folder is renamed may contain neither name.
    for _ in 0..MAX_LISTS {
        let found = names(&folder)?.into_iter().find_map(|name| match &*name {
            PARTS => Some((name, None)),
            _ => parse(CLAIMED, &name).map(|owner| (name, Some(owner))),
        });
        if let Some(found) = found {
            return Ok(found);
        }
    }
    Err(StorageError::Lost(Some("the folder of parts is missing".into())))
}

/// Parses a name that consists of a prefix and a number.
fn parse(prefix: &str, name: &str) -> Option<u32> {
    name.strip_prefix(prefix)?.parse().ok()
}

fn numbered(prefix: &str, number: u32) -> String {
    format!("{prefix}{number:010}")
}

/// Converts an error of an access to a claimed folder. If the folder is missing, a later token has claimed it.
fn stale(error: io::Error) -> StorageError {
    match error.kind() {
        io::ErrorKind::NotFound => StorageError::Stale,
        _ => error.into(),
    }
}
