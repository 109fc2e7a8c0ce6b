//! What is on disk, so that no writer who comes too late can spoil it.
//!
//! A request that stands still loses its turn, and another one takes over, in this process or on
//! another machine. The first may wake up at any time, and what it writes then has to be nothing
//! to anybody. So no two turns write to the same file, and what a turn takes away is out of reach
//! for those before it:
//!
//! ```text
//! NAME                              an entity, whole
//! .sessions/ID/parts/FIRST-TURN     what one turn stored, from this offset on
//! .sessions/ID/turn-TURN            the parts, once they belong to a turn that ends the session
//! .sessions/ID/turn-TURN/whole      the entity, put together of them
//! ```
//!
//! Which bytes count needs no list. Every turn begins at the offset up to which bytes counted, so
//! what counts from one offset on is in the part of the last turn that began there, up to the next
//! offset at which a turn began. A part may be longer than that: those bytes did not count.
//!
//! It rests on what POSIX says of `rename` and `link`, which NFS keeps to: they happen at once for
//! all who look, and `link` replaces nothing.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use bits_proto::server::WorkToken;
use tokio::fs::{self, File, OpenOptions};
use tokio::task::spawn_blocking;
use uuid::Uuid;

/// The part that counts from each offset on, with its turn.
type Parts = BTreeMap<u64, (u32, PathBuf)>;

/// Where whole entities lie, and in a folder of its own whatever belongs to sessions.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

/// What is in a session's folder.
const PARTS: &str = "parts";
const CLAIM: &str = "turn-";
const WHOLE: &str = "whole";

/// The longest name of a destination, in bytes.
const MAX_NAME: usize = 128;

impl Folder {
    /// A folder, which is made if there is none.
    pub async fn open(root: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(root.join(".sessions")).await?;
        Ok(Self { root })
    }

    /// The file that a target names: one segment of letters, digits, `-`, `_` and `.`, with a
    /// letter or digit first. All else is nobody's to write to, so nothing has to be decoded, and
    /// the names that mean something to a file system or to this folder are not among them.
    ///
    /// The program `serve` takes whole paths.
    pub fn destination(&self, target: &str) -> Option<PathBuf> {
        let name = target.strip_prefix('/')?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_safe = name.len() <= MAX_NAME
            && name.bytes().all(is_plain)
            && name.bytes().next()?.is_ascii_alphanumeric();
        is_safe.then(|| self.root.join(name))
    }

    fn session(&self, id: Uuid) -> PathBuf {
        self.root.join(".sessions").join(id.to_string())
    }

    /// Makes room for a new session. Nobody else makes its folder, so that who comes when the
    /// session has ended finds none.
    pub async fn begin(&self, id: Uuid) -> io::Result<()> {
        fs::create_dir_all(self.session(id).join(PARTS)).await
    }

    /// A file for what a turn stores from this offset on.
    pub async fn part(&self, turn: WorkToken, first: u64) -> io::Result<File> {
        let name = format!("{first:020}-{:010}", turn.number());
        let path = self.session(turn.session_id()).join(PARTS).join(name);
        // A number comes again only from a store that forgot what it had confirmed.
        let again = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => io::Error::other(error),
            _ => error,
        };
        OpenOptions::new().write(true).create_new(true).open(path).await.map_err(again)
    }

    /// Puts the entity together, for [`place`](Self::place). The turn has to be asked for in
    /// between: if it is still held, whoever takes over comes later, and finds this done.
    pub async fn assemble(&self, turn: WorkToken, total: u64) -> io::Result<PathBuf> {
        let folder = self.claim(turn).await?;
        let whole = folder.join(WHOLE);
        if fs::try_exists(&whole).await? {
            return Ok(whole);
        }
        let new = folder.join("new");
        let (parts, to) = (parts(&folder).await?, new.clone());
        spawn_blocking(move || concatenate(&parts, &to, total)).await??;
        fs::rename(new, &whole).await?;
        Ok(whole)
    }

    /// Puts the whole entity at its destination. One that is there already, because an earlier
    /// turn came that far, counts as placed; anything else there stays.
    pub async fn place(&self, whole: &Path, destination: &Path) -> io::Result<()> {
        match fs::hard_link(whole, destination).await {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let is_ours = same_file::is_same_file(whole, destination)?;
                if is_ours { Ok(()) } else { Err(error) }
            }
            placed => placed,
        }
    }

    /// Deletes what there is of a session, out of the reach of those who still write.
    pub async fn discard(&self, turn: WorkToken) -> io::Result<()> {
        match self.claim(turn).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => self.forget(turn.session_id()).await,
        }
    }

    /// Deletes the folder of a session that is over.
    pub async fn forget(&self, id: Uuid) -> io::Result<()> {
        match fs::remove_dir_all(self.session(id)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// All sessions that have a folder.
    pub async fn sessions(&self) -> io::Result<Vec<Uuid>> {
        let names = names(&self.root.join(".sessions")).await?;
        Ok(names.iter().filter_map(|name| Uuid::try_parse(name).ok()).collect())
    }

    /// Takes the parts for a turn that ends the session, from where earlier turns have them. Who
    /// had them before does not find them any more; who finds a later turn's leaves them alone.
    async fn claim(&self, turn: WorkToken) -> io::Result<PathBuf> {
        let session = self.session(turn.session_id());
        let mine = session.join(format!("{CLAIM}{:010}", turn.number()));
        loop {
            let held = names(&session).await?.into_iter().find_map(|name| match &*name {
                PARTS => Some((name, None)),
                _ => name.strip_prefix(CLAIM)?.parse().ok().map(|held_by| (name, Some(held_by))),
            });
            let (name, held_by) = held.ok_or(io::ErrorKind::NotFound)?;
            if held_by >= Some(turn.number()) {
                return if held_by == Some(turn.number()) { Ok(mine) } else { Err(late()) };
            }
            match fs::rename(session.join(name), &mine).await {
                // An earlier turn, which wakes up just now, was faster: it has them for nothing.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                claimed => return claimed.map(|()| mine),
            }
        }
    }
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::WouldBlock, "another turn has taken over")
}

/// Writes what counts of each part into one file. The system may do that without reading it.
fn concatenate(parts: &Parts, to: &Path, total: u64) -> io::Result<()> {
    let mut entity = std::fs::File::create(to)?;
    let mut offset = 0;
    let ends = parts.keys().skip(1).copied().chain([total]);
    for ((first, (_, path)), end) in parts.iter().zip(ends) {
        if *first != offset {
            break;
        }
        let part = std::fs::File::open(path)?;
        offset += io::copy(&mut part.take(end.saturating_sub(offset)), &mut entity)?;
    }
    if offset != total {
        return Err(io::Error::new(io::ErrorKind::NotFound, "bytes that were stored are gone"));
    }
    entity.sync_all()
}

async fn parts(folder: &Path) -> io::Result<Parts> {
    let mut parts = BTreeMap::new();
    for name in names(folder).await? {
        let Some((first, turn)) = name.split_once('-') else { continue };
        let (Ok(first), Ok(turn)) = (first.parse(), turn.parse()) else { continue };
        let part = (turn, folder.join(&name));
        let last = parts.entry(first).or_insert_with(|| part.clone());
        if last.0 < turn {
            *last = part;
        }
    }
    Ok(parts)
}

async fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut entries = fs::read_dir(folder).await?;
    let mut names = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        names.extend(entry.file_name().into_string());
    }
    Ok(names)
}
