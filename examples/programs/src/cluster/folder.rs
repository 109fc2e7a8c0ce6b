//! Files on disk, fenced with one staging file per work token.
//!
//! A request that stalls loses its work token to another one, in this process or on another
//! machine. It may resume at any time, and its late writes must not change bytes that were
//! acknowledged or published. Embedding rule "fencing": no two work tokens write to the same file,
//! and a token that publishes or discards the entity moves all files out of reach of earlier ones:
//!
//! ```text
//! NAME                              a published entity
//! .sessions/ID/parts/FIRST-TOKEN    bytes stored under one token, beginning at offset FIRST
//! .sessions/ID/claimed-TOKEN        the parts, claimed by a token to publish or discard them
//! .sessions/ID/claimed-TOKEN/whole  the entity, assembled from the parts
//! ```
//!
//! No list of the acknowledged bytes is necessary. Every token starts at the acknowledged offset.
//! So the bytes from one such offset to the next are in the part of the last token that started
//! there. Further bytes of a part were never acknowledged.
//!
//! This relies on POSIX `rename` and `link`, which are atomic also on NFS. `link` never replaces a
//! file.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use bits_proto::server::WorkToken;
use tokio::fs::{self, File, OpenOptions};
use tokio::task::spawn_blocking;
use uuid::Uuid;

/// The valid part at each offset, with the number of its work token.
type Parts = BTreeMap<u64, (u32, PathBuf)>;

/// A folder with published entities, and the folder `.sessions` with the files of sessions.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

/// Folder of a session's parts.
const PARTS: &str = "parts";
/// Prefix of that folder after a token has claimed it.
const CLAIM: &str = "claimed-";
/// Name of an assembled entity.
const WHOLE: &str = "whole";

/// Maximum length of a destination's name, in bytes.
const MAX_NAME: usize = 128;

impl Folder {
    /// Opens a folder, and creates it if necessary.
    pub async fn open(root: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(root.join(".sessions")).await?;
        Ok(Self { root })
    }

    /// Returns the path of the file that a request target names.
    ///
    /// The target must be one segment of ASCII letters, digits, `-`, `_` and `.`, and begin with a
    /// letter or digit. So nothing has to be decoded, and names with a special meaning such as `..`
    /// are excluded. The program `serve` accepts paths with several segments.
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

    /// Creates the folder of a new session. It is created here only, so a request that resumes after
    /// the end of the session does not find it.
    pub async fn create_session(&self, id: Uuid) -> io::Result<()> {
        fs::create_dir_all(self.session(id).join(PARTS)).await
    }

    /// Creates the file for the bytes that a work token stores from offset `first` on.
    pub async fn part(&self, token: WorkToken, first: u64) -> io::Result<File> {
        let name = format!("{first:020}-{:010}", token.number());
        let path = self.session(token.session_id()).join(PARTS).join(name);
        // A token is issued twice only by a store that lost a confirmed change. `AlreadyExists` would
        // be reported as an existing destination.
        let unexpected = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => io::Error::other(error),
            _ => error,
        };
        OpenOptions::new().write(true).create_new(true).open(path).await.map_err(unexpected)
    }

    /// Assembles the entity for [`publish`](Self::publish).
    ///
    /// The caller must renew the work token before it publishes the entity. If the token is still
    /// valid then, a request that takes over later finds the assembled entity.
    pub async fn assemble(&self, token: WorkToken, total: u64) -> io::Result<PathBuf> {
        let folder = self.claim(token).await?;
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

    /// Publishes an assembled entity at its destination.
    ///
    /// Embedding rule "publication": the link makes the entity visible completely and in one step.
    /// It succeeds if an earlier token published this entity already, and never replaces another
    /// file. The entity remains in the folder of the session until
    /// [`remove_session`](Self::remove_session), so a repeated attempt finds it.
    pub async fn publish(&self, whole: &Path, destination: &Path) -> io::Result<()> {
        match fs::hard_link(whole, destination).await {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let is_published = same_file::is_same_file(whole, destination)?;
                if is_published { Ok(()) } else { Err(error) }
            }
            linked => linked,
        }
    }

    /// Deletes the files of a session, after moving them out of reach of earlier tokens.
    pub async fn discard(&self, token: WorkToken) -> io::Result<()> {
        match self.claim(token).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => self.remove_session(token.session_id()).await,
        }
    }

    /// Deletes the folder of a session that has ended.
    pub async fn remove_session(&self, id: Uuid) -> io::Result<()> {
        match fs::remove_dir_all(self.session(id)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns the sessions that have a folder.
    pub async fn sessions(&self) -> io::Result<Vec<Uuid>> {
        let names = names(&self.root.join(".sessions")).await?;
        Ok(names.iter().filter_map(|name| Uuid::try_parse(name).ok()).collect())
    }

    /// Renames the folder of parts so that it belongs to this token, and returns its new path.
    ///
    /// Earlier tokens do not find the parts any more. Fails if a later token has claimed them.
    async fn claim(&self, token: WorkToken) -> io::Result<PathBuf> {
        let session = self.session(token.session_id());
        let claimed = session.join(format!("{CLAIM}{:010}", token.number()));
        loop {
            let found = names(&session).await?.into_iter().find_map(|name| match &*name {
                PARTS => Some((name, None)),
                _ => name.strip_prefix(CLAIM)?.parse().ok().map(|owner| (name, Some(owner))),
            });
            let (name, owner) = found.ok_or(io::ErrorKind::NotFound)?;
            if owner >= Some(token.number()) {
                let is_own = owner == Some(token.number());
                return if is_own { Ok(claimed) } else { Err(superseded()) };
            }
            match fs::rename(session.join(name), &claimed).await {
                // An earlier token has renamed the folder just now. Look for its new name.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                renamed => return renamed.map(|()| claimed),
            }
        }
    }
}

fn superseded() -> io::Error {
    io::Error::new(io::ErrorKind::WouldBlock, "a later request of the session has taken over")
}

/// Concatenates the valid bytes of all parts. `io::copy` lets the system copy them, if it can.
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
        return Err(io::Error::new(io::ErrorKind::NotFound, "stored bytes are missing"));
    }
    entity.sync_all()
}

async fn parts(folder: &Path) -> io::Result<Parts> {
    let mut parts = BTreeMap::new();
    for name in names(folder).await? {
        let Some((first, token)) = name.split_once('-') else { continue };
        let (Ok(first), Ok(token)) = (first.parse(), token.parse()) else { continue };
        let part = (token, folder.join(&name));
        let last = parts.entry(first).or_insert_with(|| part.clone());
        if last.0 < token {
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
