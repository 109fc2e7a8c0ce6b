//! A store of sessions in a folder: one file per session, and a copy of all of them in memory.
//!
//! Every change that matters after a restart is written before it takes effect. A new file replaces
//! the old one atomically, so a crash leaves one of the two. File names consist of session ids that
//! the server issued, never of data from a client.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use bits_proto::server::{Record, Session, State, Store};
use cap_std::fs::Dir;
use uuid::Uuid;

/// Extension of the file with a session's record.
pub const RECORD: &str = "json";
/// Extension of a record that is being written.
const NEW: &str = "new";
/// Extension of a record that cannot be parsed.
const DAMAGED: &str = "damaged";
/// Extension of the file with the bytes of an entity.
pub const ENTITY: &str = "entity";
/// Extension of the file with the reply of a server application.
pub const REPLY: &str = "reply";
/// Extension of the file with a reply that is being received.
pub const PARTIAL: &str = "partial";
/// Extension of an empty file that is created before an entity is published.
pub const PLACED: &str = "placed";

/// Returns the name of a file of a session.
pub fn file_name(id: Uuid, extension: &str) -> String {
    format!("{id}.{extension}")
}

/// A folder of sessions.
#[derive(Debug)]
pub struct Folder {
    dir: Arc<Dir>,
    records: HashMap<Uuid, Record>,
    /// Flushes files to the disk before a change takes effect.
    syncs: bool,
}

/// Other files that were found when a folder was opened.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// New names of damaged records.
    pub damaged: Vec<String>,
    /// Number of removed files that were incomplete or belonged to no session.
    pub removed: usize,
}

impl Folder {
    /// Loads the sessions of the previous process and removes its leftover files.
    ///
    /// A record that cannot be parsed is renamed. The other files of its session are removed, as the
    /// number of valid bytes is unknown.
    pub fn open(dir: Arc<Dir>, syncs: bool) -> io::Result<(Self, Found)> {
        let mut folder = Self { dir, records: HashMap::new(), syncs };
        let mut found = Found::default();
        let mut others = Vec::new();
        for entry in folder.dir.entries()? {
            let name = entry?.file_name();
            // Files with other names do not belong to the server.
            let Some((id, extension)) = name.to_str().and_then(parse_file_name) else { continue };
            if extension == RECORD {
                found.damaged.extend(folder.load(id)?);
            } else {
                others.push((id, extension.to_owned()));
            }
        }
        for (id, extension) in others {
            let is_orphan = match &*extension {
                NEW => true,
                ENTITY | REPLY | PARTIAL | PLACED => !folder.records.contains_key(&id),
                _ => false,
            };
            if is_orphan {
                remove(&folder.dir, &file_name(id, &extension))?;
                found.removed += 1;
            }
        }
        Ok((folder, found))
    }

    /// Loads one record. Returns its new name if it is damaged.
    fn load(&mut self, id: Uuid) -> io::Result<Option<String>> {
        let name = file_name(id, RECORD);
        let record = serde_json::from_slice::<Record>(&self.dir.read(&name)?);
        match record {
            Ok(mut record) if record.session.id() == id => {
                // The requests of the previous process are gone, and with them their work.
                record.session.recover();
                self.records.insert(id, record);
                Ok(None)
            }
            _ => {
                let damaged = file_name(id, DAMAGED);
                self.dir.rename(&name, &self.dir, &damaged)?;
                Ok(Some(damaged))
            }
        }
    }

    /// Returns the session with this id.
    pub fn get(&self, id: Uuid) -> Option<&Record> {
        self.records.get(&id)
    }

    /// Returns the number of sessions.
    pub fn session_count(&self) -> usize {
        self.records.len()
    }

    fn save(&self, record: &Record) -> io::Result<()> {
        let id = record.session.id();
        let new = file_name(id, NEW);
        let mut file = self.dir.create(&new)?;
        file.write_all(&serde_json::to_vec(record)?)?;
        if self.syncs {
            file.sync_all()?;
        }
        drop(file);
        self.dir.rename(&new, &self.dir, file_name(id, RECORD))?;
        if self.syncs { sync_dir(&self.dir) } else { Ok(()) }
    }
}

/// Parses a file name into id and extension.
fn parse_file_name(name: &str) -> Option<(Uuid, &str)> {
    let (id, extension) = name.split_once('.')?;
    let parsed = Uuid::try_parse(id).ok()?;
    // A GUID has several spellings, of which the server writes one.
    (parsed.to_string() == id).then_some((parsed, extension))
}

/// Removes a file, if it exists.
pub fn remove(dir: &Dir, name: &str) -> io::Result<()> {
    match dir.remove_file(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Flushes the names in a folder to the disk, on systems that support it.
pub fn sync_dir(dir: &Dir) -> io::Result<()> {
    if cfg!(unix) { dir.open(".")?.sync_all() } else { Ok(()) }
}

/// Returns `true` if a change must be written. The start or the abort of a fragment need not be.
/// After a restart, only bytes that were reported as stored matter, and their requests are gone, so
/// a work token may be issued again.
fn needs_save(old: &Record, new: &Record) -> bool {
    let (old, new) = (&old.session, &new.session);
    let receives = |session: &Session| {
        matches!(session.state(), State::Receiving | State::Storing)
            .then(|| (session.received(), session.expires_at()))
    };
    old != new && (receives(new).is_none() || receives(old) != receives(new))
}

impl Store for Folder {
    type Error = io::Error;

    fn insert(&mut self, record: Record) -> io::Result<bool> {
        let id = record.session.id();
        if self.records.contains_key(&id) {
            return Ok(false);
        }
        self.save(&record)?;
        self.records.insert(id, record);
        Ok(true)
    }

    fn update<T>(
        &mut self,
        id: Uuid,
        mut change: impl FnMut(&mut Record) -> T,
    ) -> io::Result<Option<T>> {
        let Some(old) = self.records.get(&id) else { return Ok(None) };
        let mut new = old.clone();
        let changed = change(&mut new);
        if needs_save(old, &new) {
            self.save(&new)?;
        }
        self.records.insert(id, new);
        Ok(Some(changed))
    }

    fn remove(&mut self, id: Uuid) -> io::Result<()> {
        remove(&self.dir, &file_name(id, RECORD))?;
        self.records.remove(&id);
        // Last, because without this mark the entity of an existing record would count as lost.
        remove(&self.dir, &file_name(id, PLACED))
    }

    fn count(&self, principal: Option<&str>) -> io::Result<usize> {
        let Ok(count) = self.records.count(principal);
        Ok(count)
    }

    fn expired(&self, now: Duration) -> io::Result<Vec<Uuid>> {
        let Ok(expired) = self.records.expired(now);
        Ok(expired)
    }

    fn next_timeout(&self) -> io::Result<Option<Duration>> {
        let Ok(timeout) = self.records.next_timeout();
        Ok(timeout)
    }
}
