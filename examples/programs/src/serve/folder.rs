//! The sessions, each in a file of its own, with all of them in memory.
//!
//! Whatever changes is written before it counts: a new file takes the place of the old one, so that
//! a crash leaves one of them. Names are made of the ids that the server issued, never of anything
//! that a client sent.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use bits_proto::server::{Record, Session, State, Store};
use cap_std::fs::Dir;
use uuid::Uuid;

/// What belongs to a session, by the extension of its file.
pub const RECORD: &str = "json";
const NEW: &str = "new";
const DAMAGED: &str = "damaged";

/// The bytes of an entity.
pub const ENTITY: &str = "entity";
/// The reply of a server application.
pub const REPLY: &str = "reply";
/// Stands there since before an entity was put at its destination.
pub const PLACED: &str = "placed";

/// The name of a session's file.
pub fn file_name(id: Uuid, extension: &str) -> String {
    format!("{id}.{extension}")
}

/// The folder of sessions.
#[derive(Debug)]
pub struct Folder {
    dir: Arc<Dir>,
    records: HashMap<Uuid, Record>,
    /// Whether files are on the disk before they count.
    syncs: bool,
}

/// What was found in a folder, beside sessions.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The names that damaged records have now.
    pub damaged: Vec<String>,
    /// How many files belonged to no session, or were written half, and are removed.
    pub removed: usize,
}

impl Folder {
    /// Takes up the sessions that the last process left, and tidies up behind it.
    ///
    /// A record that cannot be read is set aside under another name. Its entity goes: nobody can
    /// say how much of it counts.
    pub fn open(dir: Arc<Dir>, syncs: bool) -> io::Result<(Self, Found)> {
        let mut folder = Self { dir, records: HashMap::new(), syncs };
        let mut found = Found::default();
        let mut others = Vec::new();
        for entry in folder.dir.entries()? {
            let name = entry?.file_name();
            // What is not named as the server names files is not the server's.
            let Some((id, extension)) = name.to_str().and_then(parsed) else { continue };
            if extension == RECORD {
                found.damaged.extend(folder.load(id)?);
            } else {
                others.push((id, extension.to_owned()));
            }
        }
        for (id, extension) in others {
            let is_orphan = match &*extension {
                NEW => true,
                ENTITY | REPLY | PLACED => !folder.records.contains_key(&id),
                _ => false,
            };
            if is_orphan {
                remove(&folder.dir, &file_name(id, &extension))?;
                found.removed += 1;
            }
        }
        Ok((folder, found))
    }

    /// Reads one record, or sets it aside and says how it is called then.
    fn load(&mut self, id: Uuid) -> io::Result<Option<String>> {
        let name = file_name(id, RECORD);
        let record = serde_json::from_slice::<Record>(&self.dir.read(&name)?);
        match record {
            Ok(mut record) if record.session.id() == id => {
                // Nobody else works on it; what the last process had begun is undone.
                record.session.recover();
                self.records.insert(id, record);
                Ok(None)
            }
            _ => {
                let aside = file_name(id, DAMAGED);
                self.dir.rename(&name, &self.dir, &aside)?;
                Ok(Some(aside))
            }
        }
    }

    /// The session of this id.
    pub fn get(&self, id: Uuid) -> Option<&Record> {
        self.records.get(&id)
    }

    /// How many sessions there are.
    pub fn len(&self) -> usize {
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

/// The id and the extension in a file's name.
fn parsed(name: &str) -> Option<(Uuid, &str)> {
    let (id, extension) = name.split_once('.')?;
    let parsed = Uuid::try_parse(id).ok()?;
    // A GUID has several spellings, and the server writes one.
    (parsed.to_string() == id).then_some((parsed, extension))
}

/// Removes a file. What is gone already counts as removed.
pub fn remove(dir: &Dir, name: &str) -> io::Result<()> {
    match dir.remove_file(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Brings the names in a folder to the disk, where a system can.
pub fn sync_dir(dir: &Dir) -> io::Result<()> {
    if cfg!(unix) { dir.open(".")?.sync_all() } else { Ok(()) }
}

/// Whether a change is to be written down. Bytes count only when they are reported as stored: that
/// a fragment began to come in, or was given up, is nothing that another process has to know.
fn is_to_be_saved(old: &Record, new: &Record) -> bool {
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
        if is_to_be_saved(old, &new) {
            self.save(&new)?;
        }
        self.records.insert(id, new);
        Ok(Some(changed))
    }

    fn remove(&mut self, id: Uuid) -> io::Result<()> {
        remove(&self.dir, &file_name(id, RECORD))?;
        self.records.remove(&id);
        // Only now: without it the entity would count as lost.
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
}
