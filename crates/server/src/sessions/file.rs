//! Sessions in a folder.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use async_trait::async_trait;
use cap_std::fs::Dir;
use serde::{Deserialize, Serialize};
use tracing::warn;
use uuid::Uuid;

use super::table::Records;
use super::{Result, SessionRecord, SessionStore, SessionStoreError, Version, Versioned};
use crate::inline_io::DiskSpeed;
use crate::{folder, random};

/// Extension of a record.
const RECORD: &str = "json";
/// Extension of a record that is being written.
const NEW: &str = "new";
/// Extension of a record that cannot be parsed.
const DAMAGED: &str = "damaged";

/// Number of the format of records.
const FORMAT: u32 = 1;

/// Number of locks. Changes of sessions that share a lock wait for each other.
const LOCKS: usize = 64;

/// Sessions in a folder: one file per session, and a copy of all of them in memory.
///
/// Every change is written before it takes effect, and replaces the file of the session atomically. So the
/// sessions survive the end of the process at any time (`kill -9`), and with [`fsync`](Self::fsync) a crash
/// of the machine. A lock excludes other processes from the folder.
///
/// Only the user of the process has access to the files. While the disk is slow, and with
/// [`fsync`](Self::fsync), it is accessed on the blocking threads of the Tokio runtime. A change whose future is dropped is completed.
///
/// # Example
///
/// ```
/// use bits_server::sessions::{FileSessions, SessionStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().join("sessions");
/// let sessions = FileSessions::open(folder)?;
/// assert_eq!(sessions.count(None).await?, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FileSessions {
    shared: Arc<Shared>,
    unreadable: Vec<UnreadableRecord>,
    fsync: bool,
    speed: Arc<DiskSpeed>,
}

/// A file that contains no valid record.
///
/// The session of a damaged record does not exist. That of a record of a later version of this crate cannot be
/// loaded, and its staged data is kept: the later version can continue it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnreadableRecord {
    /// The session.
    pub id: Uuid,
    /// The file: renamed, so that it is reported once, unless a later version of this crate wrote it.
    pub path: PathBuf,
    /// The reason.
    pub reason: String,
}

#[derive(Debug)]
struct Shared {
    dir: Dir,
    path: PathBuf,
    table: Mutex<Records>,
    /// Sessions whose records were written by a later version, with the reasons.
    later: HashMap<Uuid, String>,
    /// Locked while a session changes. The table is locked only for moments, so that queries do not wait for
    /// the disk.
    locks: [Mutex<()>; LOCKS],
    /// Locks the folder.
    _lock: File,
}

/// A record as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored<R> {
    format: u32,
    session: R,
}

impl FileSessions {
    /// Opens a folder, which is created if it does not exist, and loads its sessions.
    ///
    /// A record that cannot be parsed is reported in the log and by [`unreadable`](Self::unreadable). It does
    /// not affect other sessions.
    ///
    /// # Errors
    ///
    /// [`SessionStoreError::Unavailable`] with the path, if another process uses the folder or if it cannot
    /// be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::load_all(path).map_err(|error| with_path(error, path))
    }

    /// Sets whether changes survive a crash of the machine, not only the end of the process. Each change then
    /// waits for the disk twice. The default is `false`.
    #[must_use]
    pub const fn fsync(mut self, fsync: bool) -> Self {
        self.fsync = fsync;
        self
    }

    /// Returns the files without a valid record that were found when the folder was opened.
    #[must_use]
    pub fn unreadable(&self) -> &[UnreadableRecord] {
        &self.unreadable
    }

    fn load_all(path: &Path) -> io::Result<Self> {
        let dir = folder::open(path)?;
        let lock = folder::lock(&dir)?;
        // Versions of the previous process, or of an earlier store in this process, are stale.
        let mut table = Records::with_versions_after(u64::from_ne_bytes(random::bytes()?));
        let mut unreadable = Vec::new();
        for entry in dir.entries()? {
            let name = entry?.file_name();
            // Files with other names do not belong to the store.
            let Some((id, extension)) = name.to_str().and_then(parse_file_name) else { continue };
            match extension {
                RECORD => match load(&dir, path, id)? {
                    Ok(record) => drop(table.put(record)),
                    Err(record) => unreadable.push(record),
                },
                NEW => folder::remove(&dir, &file_name(id, NEW))?,
                _ => {}
            }
        }
        for UnreadableRecord { id, path, reason } in &unreadable {
            warn!(session = %id, path = %path.display(), reason, "record of a session is unreadable");
        }
        let later = unreadable.iter().filter(|record| is_record(&record.path));
        let later = later.map(|record| (record.id, record.reason.clone())).collect();
        let shared = Shared {
            dir,
            path: path.into(),
            table: Mutex::new(table),
            later,
            locks: std::array::from_fn(|_| Mutex::default()),
            _lock: lock,
        };
        Ok(Self { shared: Arc::new(shared), unreadable, fsync: false, speed: Arc::default() })
    }

    /// Changes a session, while no other request changes it. The change is completed even if the returned
    /// future is dropped.
    async fn change<T: Send + 'static>(
        &self,
        id: Uuid,
        work: impl FnOnce(&Shared, bool) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let fsync = self.fsync;
        // A flush always waits for the disk.
        if let Some(permit) = self.speed.inline().filter(|_| !fsync)
            && let Some(_lock) = self.shared.try_lock(id)
        {
            return self.shared.explain(permit.run(|| work(&self.shared, fsync)));
        }
        let speed = Arc::clone(&self.speed);
        self.run(move |shared| {
            let _lock = shared.lock(id);
            if fsync { work(shared, fsync) } else { speed.measure(|| work(shared, fsync)) }
        })
        .await
    }

    /// Calls `work` on a thread for blocking operations. It is completed even if the returned future is
    /// dropped.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        let work = tokio::task::spawn_blocking(move || shared.explain(work(&shared)));
        work.await.map_err(SessionStoreError::unavailable)?
    }
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Records> {
        locked(&self.table)
    }

    /// Prevents other changes of this session.
    fn lock(&self, id: Uuid) -> MutexGuard<'_, ()> {
        locked(self.lock_of(id))
    }

    /// Prevents other changes of this session. Returns `None` if that would wait for another change.
    fn try_lock(&self, id: Uuid) -> Option<MutexGuard<'_, ()>> {
        match self.lock_of(id).try_lock() {
            Ok(lock) => Some(lock),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn lock_of(&self, id: Uuid) -> &Mutex<()> {
        // Ids are random.
        &self.locks[usize::from(id.as_bytes()[0]) % LOCKS]
    }

    /// Adds the path of the folder to an error.
    fn explain<T>(&self, result: io::Result<T>) -> Result<T> {
        result.map_err(|error| with_path(error, &self.path))
    }

    fn put(&self, record: SessionRecord, fsync: bool) -> io::Result<Version> {
        let id = record.id();
        let contents = serde_json::to_vec(&Stored { format: FORMAT, session: &record })?;
        folder::replace(&self.dir, &file_name(id, RECORD), &file_name(id, NEW), &contents, fsync)?;
        Ok(self.table().put(record))
    }

    fn insert(&self, record: SessionRecord, fsync: bool) -> io::Result<bool> {
        let id = record.id();
        let is_new = self.table().version(id).is_none() && !self.later.contains_key(&id);
        if is_new {
            self.put(record, fsync)?;
        }
        Ok(is_new)
    }

    fn replace(
        &self,
        expected: &Version,
        record: SessionRecord,
        fsync: bool,
    ) -> io::Result<Option<Version>> {
        let is_current = self.table().version(record.id()).as_ref() == Some(expected);
        is_current.then(|| self.put(record, fsync)).transpose()
    }

    fn remove(&self, id: Uuid, expected: &Version, fsync: bool) -> io::Result<bool> {
        match self.table().version(id) {
            None => return Ok(true),
            Some(version) if version != *expected => return Ok(false),
            Some(_) => {}
        }
        folder::remove(&self.dir, &file_name(id, RECORD))?;
        if fsync {
            folder::sync(&self.dir)?;
        }
        self.table().remove(id);
        Ok(true)
    }

    /// Checks that files can be written.
    fn check(&self, fsync: bool) -> io::Result<()> {
        // The name of no session, as the nil UUID is not random.
        let (name, new) = (file_name(Uuid::nil(), "check"), file_name(Uuid::nil(), NEW));
        folder::replace(&self.dir, &name, &new, b"", fsync)?;
        folder::remove(&self.dir, &name)
    }
}

#[async_trait]
impl SessionStore for FileSessions {
    async fn check(&self) -> Result<()> {
        let fsync = self.fsync;
        self.run(move |shared| shared.check(fsync)).await
    }

    async fn insert(&self, record: &SessionRecord) -> Result<bool> {
        let record = record.clone();
        self.change(record.id(), move |shared, fsync| shared.insert(record, fsync)).await
    }

    async fn load(&self, id: Uuid) -> Result<Option<Versioned>> {
        if let Some(reason) = self.shared.later.get(&id) {
            return Err(SessionStoreError::Record { id, error: reason.clone().into() });
        }
        Ok(self.shared.table().get(id))
    }

    async fn replace(&self, expected: &Version, record: &SessionRecord) -> Result<Option<Version>> {
        let (id, expected, record) = (record.id(), expected.clone(), record.clone());
        let replace = move |shared: &Shared, fsync| shared.replace(&expected, record, fsync);
        self.change(id, replace).await
    }

    async fn remove(&self, id: Uuid, expected: &Version) -> Result<bool> {
        let expected = expected.clone();
        self.change(id, move |shared, fsync| shared.remove(id, &expected, fsync)).await
    }

    async fn count(&self, principal: Option<&str>) -> Result<usize> {
        Ok(self.shared.table().count(principal))
    }

    async fn expired(&self, now: Duration, max: usize) -> Result<Vec<Uuid>> {
        Ok(self.shared.table().expired(now, max))
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}

/// Loads a record, or renames the file if it is damaged.
fn load(
    dir: &Dir,
    folder: &Path,
    id: Uuid,
) -> io::Result<std::result::Result<SessionRecord, UnreadableRecord>> {
    let name = file_name(id, RECORD);
    let contents = dir.read(&name)?;
    let unreadable = |name: &str, reason| UnreadableRecord { id, path: folder.join(name), reason };
    if let Some(format) = format_of(&contents).filter(|format| *format > FORMAT) {
        let reason =
            format!("format {format} of a later version; this version reads up to {FORMAT}");
        return Ok(Err(unreadable(&name, reason)));
    }
    let reason = match serde_json::from_slice::<Stored<SessionRecord>>(&contents) {
        Ok(stored) if stored.session.id() == id => return Ok(Ok(stored.session)),
        Ok(stored) => format!("contains session {}", stored.session.id()),
        Err(error) => error.to_string(),
    };
    let damaged = file_name(id, DAMAGED);
    dir.rename(&name, dir, &damaged)?;
    Ok(Err(unreadable(&damaged, reason)))
}

/// Returns the number of the format, also if the rest of the record is unknown.
fn format_of(contents: &[u8]) -> Option<u32> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    serde_json::from_slice::<Format>(contents).ok().map(|it| it.format)
}

/// Returns `true` for the file of a record, unless it was renamed.
fn is_record(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == RECORD)
}

fn file_name(id: Uuid, extension: &str) -> String {
    format!("{id}.{extension}")
}

/// Parses a file name into id and extension.
fn parse_file_name(name: &str) -> Option<(Uuid, &str)> {
    let (id, extension) = name.split_once('.')?;
    let parsed = Uuid::try_parse(id).ok()?;
    // A UUID has several spellings, of which the store writes one.
    (parsed.to_string() == id).then_some((parsed, extension))
}

/// No code panics while it holds a lock, and no value is left half changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with_path(error: io::Error, path: &Path) -> SessionStoreError {
    let message = format!("folder {}: {error}", path.display());
    let described = io::Error::new(error.kind(), message);
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            SessionStoreError::Full(described.into())
        }
        _ => SessionStoreError::unavailable(described),
    }
}
