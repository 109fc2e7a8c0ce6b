//! Files of the server: sessions, staged bytes and published entities.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use bits_proto::server::{HostError, Record, StoreBytes, WorkToken};
use uuid::Uuid;

/// Files below one folder:
///
/// ```text
/// sessions.json                 the session table
/// published/NAME                complete entities
/// staging/SESSION/OFFSET-NUMBER the bytes that one work token has stored
/// staging/SESSION/whole         the entity, assembled for publication
/// ```
pub struct Storage {
    folder: PathBuf,
}

impl Storage {
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder.join("published"))?;
        fs::create_dir_all(folder.join("staging"))?;
        Ok(Self { folder: folder.into() })
    }

    pub fn destination(&self, name: &str) -> PathBuf {
        self.folder.join("published").join(name)
    }

    fn session(&self, id: Uuid) -> PathBuf {
        self.folder.join("staging").join(id.to_string())
    }

    pub fn load(&self) -> io::Result<BTreeMap<Uuid, Record>> {
        match fs::read(self.folder.join("sessions.json")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            bytes => Ok(serde_json::from_slice(&bytes?)?),
        }
    }

    pub fn save(&self, records: &BTreeMap<Uuid, Record>) -> io::Result<()> {
        let new = self.folder.join("sessions.json.new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(records)?)?;
        file.sync_data()?;
        fs::rename(new, self.folder.join("sessions.json"))
    }

    /// Creates the folder of a new session. It is created here only, so a request that resumes after
    /// its session has ended finds no folder and cannot store bytes.
    pub fn create(&self, id: Uuid) -> io::Result<()> {
        fs::create_dir(self.session(id))
    }

    /// Appends to the file of this work token. No other request writes to that file.
    pub fn append(
        &self,
        part: &mut Option<File>,
        bytes: &StoreBytes,
        piece: &[u8],
    ) -> io::Result<()> {
        let file = match part {
            Some(file) => file,
            None => {
                let name = format!("{}-{}", bytes.offset, bytes.token.number());
                part.insert(File::create_new(self.session(bytes.token.session_id()).join(name))?)
            }
        };
        file.write_all(piece)?;
        file.sync_data()
    }

    /// Assembles the entity. For each offset it uses the file with the highest token number, up to
    /// the next offset: later bytes of a file were never acknowledged.
    pub fn assemble(&self, token: WorkToken, total: u64) -> io::Result<PathBuf> {
        let folder = self.session(token.session_id());
        let whole = folder.join("whole");
        if whole.exists() {
            return Ok(whole); // from an earlier commit
        }
        let mut parts = BTreeMap::new();
        for entry in fs::read_dir(&folder)? {
            let name = entry?.file_name();
            let numbers = name.to_str().and_then(|name| name.split_once('-'));
            let Some((offset, number)) = numbers else { continue };
            let (Ok(offset), Ok(number)) = (offset.parse::<u64>(), number.parse::<u32>()) else {
                continue;
            };
            let highest = parts.entry(offset).or_insert(number);
            *highest = number.max(*highest);
        }
        let copy = folder.join(format!("{}.copy", token.number()));
        let (mut to, mut length) = (File::create_new(&copy)?, 0);
        let ends = parts.keys().skip(1).copied().chain([total]);
        for ((offset, number), end) in parts.iter().zip(ends) {
            let from = File::open(folder.join(format!("{offset}-{number}")))?;
            length += io::copy(&mut from.take(end - offset), &mut to)?;
        }
        if length != total {
            return Err(io::Error::new(io::ErrorKind::NotFound, "acknowledged bytes are missing"));
        }
        to.sync_all()?;
        // Two requests may assemble at once: `hard_link` replaces nothing, so the first one wins.
        match fs::hard_link(&copy, &whole) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            linked => linked?,
        }
        fs::remove_file(copy)?;
        Ok(whole)
    }

    /// Publishes the entity in one step, without replacing another file.
    pub fn publish(&self, whole: &Path, name: &str) -> io::Result<()> {
        let destination = self.destination(name);
        match fs::hard_link(whole, &destination) {
            // A commit that was repeated after a crash finds its own entity, which is a success.
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists
                    && is_same_file(whole, &destination)? => {}
            linked => linked?,
        }
        sync_folder(&self.folder.join("published"))
    }

    pub fn delete(&self, id: Uuid) -> io::Result<()> {
        match fs::remove_dir_all(self.session(id)) {
            // It may have been deleted before a crash.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            deleted => deleted,
        }
    }

    /// Deletes the folders of sessions that no longer exist.
    pub fn delete_orphans(&self, records: &BTreeMap<Uuid, Record>) -> io::Result<()> {
        for entry in fs::read_dir(self.folder.join("staging"))? {
            let name = entry?.file_name();
            let id = name.to_str().and_then(|name| Uuid::parse_str(name).ok());
            if let Some(id) = id.filter(|id| !records.contains_key(id)) {
                self.delete(id)?;
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn is_same_file(one: &Path, other: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let (one, other) = (fs::metadata(one)?, fs::metadata(other)?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

/// Returns `false`: the standard library cannot compare files here. A commit that is repeated after
/// a crash is refused.
#[cfg(not(unix))]
fn is_same_file(_: &Path, _: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Flushes a new name in the folder to the disk.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Converts an error of the file system into the error to report.
pub fn host_error(error: &io::Error) -> HostError {
    match error.kind() {
        io::ErrorKind::StorageFull => HostError::DiskFull,
        io::ErrorKind::PermissionDenied => HostError::AccessDenied,
        io::ErrorKind::AlreadyExists => HostError::DestinationExists,
        io::ErrorKind::NotFound => HostError::EntityLost,
        _ => HostError::Other,
    }
}
