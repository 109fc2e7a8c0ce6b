//! Entities in a folder.

mod disk;
mod entity;
mod fencing;
mod folders;
mod options;
mod published;
mod snapshot;
mod writer;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bits_proto::server::WorkToken;
use cap_std::fs::{Dir, OpenOptions};
use uuid::Uuid;

use self::fencing::{Fences, Guard};
pub use self::options::FileStorageOptions;
pub(super) use self::{
    disk::{blocking, remove, sync_dir},
    entity::FileEntity,
    folders::Folders,
    snapshot::Snapshot,
    writer::{FileReplyWriter, FileWriter},
};
use super::{
    Discarded, Entity, Metadata, Publish, Published, ReplyWriter, Result, Staged, StagedPaths,
    Storage, StorageError, Write, Writer,
};
use crate::Key;

/// Staged bytes of the entity.
const ENTITY: &str = "entity";
/// The complete reply.
const REPLY: &str = "reply";
/// A reply that is being written.
const PARTIAL_REPLY: &str = "reply.partial";
/// An empty file that is created before the entity is published.
const MARK: &str = "published";

/// A storage in a folder that only this process uses.
///
/// The folder contains the published entities, with their keys as paths. Other programs can read, move and
/// delete them. An entity appears completely and in one step. Staged data is in another folder, which is
/// hidden and locked:
///
/// ```text
/// uploads/machine-7/today.zip                a published entity
/// .uploads.bits-staging/SESSION/entity       staged bytes
/// .uploads.bits-staging/SESSION/reply        the reply of a server application
/// ```
///
/// Symbolic links never lead out of the folder. Several processes or machines use a folder with
/// [`SharedFileStorage`](super::SharedFileStorage).
///
/// # Example
///
/// ```
/// use bits_server::storage::FileStorage;
///
/// # let folder = tempfile::tempdir()?;
/// # let uploads = folder.path().join("uploads");
/// let storage = FileStorage::open(uploads)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FileStorage {
    files: Arc<Files>,
}

#[derive(Debug)]
struct Files {
    folders: Folders,
    fences: Fences,
}

impl FileStorage {
    /// Opens a folder with default options. It is created if its parent exists.
    ///
    /// # Errors
    ///
    /// As for [`FileStorageOptions::open`].
    pub fn open(root: impl AsRef<Path>) -> io::Result<Self> {
        Self::options().open(root)
    }

    /// Returns the default options.
    pub fn options() -> FileStorageOptions {
        FileStorageOptions::default()
    }

    fn new(folders: Folders) -> Self {
        Self { files: Arc::new(Files { folders, fences: Fences::default() }) }
    }

    /// Calls a function that accesses files.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Files) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let files = Arc::clone(&self.files);
        blocking(move || work(&files)).await
    }

    /// Calls a function that accesses the files of a session, unless a later request has taken over.
    async fn run_guarded<T: Send + 'static>(
        &self,
        token: WorkToken,
        work: impl FnOnce(&Folders, &Guard) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run(move |files| {
            let guard = files.fences.guard(token);
            guard.run(|| work(&files.folders, &guard))
        })
        .await
    }
}

#[async_trait]
impl Storage for FileStorage {
    async fn check(&self) -> Result<()> {
        self.run(|files| files.folders.check().map_err(StorageError::other)).await
    }

    async fn metadata(&self, key: &Key) -> Result<Option<Metadata>> {
        let key = key.clone();
        self.run(move |files| files.folders.metadata(&key)).await
    }

    async fn open(&self, key: &Key) -> Result<Option<Box<dyn Entity>>> {
        let key = key.clone();
        let entity = self.run(move |files| files.folders.open_published(&key)).await?;
        Ok(entity.map(|entity| Box::new(entity) as Box<dyn Entity>))
    }

    async fn begin(&self, session: Uuid, key: &Key) -> Result<Staged> {
        let key = key.clone();
        self.run(move |files| begin(&files.folders, session, &key)).await?;
        Ok(Staged::default())
    }

    async fn write(&self, write: Write) -> Result<Box<dyn Writer>> {
        let Write { token, offset, .. } = write;
        let open = move |folders: &Folders, guard: &Guard| {
            let file = open_entity(&session_dir(folders, token.session_id())?, offset)?;
            Ok(FileWriter::new(file, offset, folders, Some(guard.clone())))
        };
        Ok(Box::new(self.run_guarded(token, open).await?))
    }

    async fn publish(&self, publish: Publish) -> Result<Published> {
        let token = publish.token;
        self.run_guarded(token, move |folders, _| place(folders, &publish)).await?;
        Ok(Published::default())
    }

    async fn open_staged(
        &self,
        token: WorkToken,
        _: &Staged,
        total: u64,
    ) -> Result<Box<dyn Entity>> {
        let open = move |folders: &Folders, _: &Guard| {
            let dir = session_dir(folders, token.session_id())?;
            open_entity(&dir, total)?;
            let (file, snapshot) = Snapshot::open(&dir, ENTITY)?;
            Ok(FileEntity::new(file, snapshot, folders))
        };
        Ok(Box::new(self.run_guarded(token, open).await?))
    }

    async fn write_reply(&self, token: WorkToken) -> Result<Box<dyn ReplyWriter>> {
        let open = move |folders: &Folders, guard: &Guard| {
            let dir = session_dir(folders, token.session_id())?;
            let file = dir.create(PARTIAL_REPLY)?.into_std();
            let writer = FileWriter::new(file, 0, folders, Some(guard.clone()));
            let (guard, syncs) = (guard.clone(), folders.syncs);
            let finish = move || {
                guard.run(|| {
                    dir.rename(PARTIAL_REPLY, &dir, REPLY)?;
                    if syncs { Ok(sync_dir(&dir)?) } else { Ok(()) }
                })
            };
            Ok(FileReplyWriter::new(writer, Box::new(finish)))
        };
        Ok(Box::new(self.run_guarded(token, open).await?))
    }

    async fn open_reply(&self, session: Uuid) -> Result<Option<Box<dyn Entity>>> {
        let open = move |files: &Files| match Snapshot::open(
            &files.folders.staging,
            &format!("{session}/{REPLY}"),
        ) {
            Ok((file, snapshot)) => Ok(Some(FileEntity::new(file, snapshot, &files.folders))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        };
        let reply = self.run(open).await?;
        Ok(reply.map(|reply| Box::new(reply) as Box<dyn Entity>))
    }

    async fn discard(&self, token: WorkToken, _: &Staged, what: Discarded) -> Result<()> {
        self.run_guarded(token, move |folders, _| discard(folders, token, what)).await
    }

    async fn remove(&self, session: Uuid, _: Option<&Staged>) -> Result<()> {
        self.run(move |files| {
            files.fences.remove(session, || Ok(files.folders.remove_session(session)?))
        })
        .await
    }

    async fn sessions(&self, min_age: Duration) -> Result<Vec<Uuid>> {
        self.run(move |files| {
            let is_gone = |session: &Uuid| !files.folders.staging.exists(session.to_string());
            files.fences.idle().into_iter().filter(is_gone).for_each(|session| {
                files.fences.forget(session);
            });
            Ok(files.folders.sessions(min_age)?)
        })
        .await
    }

    async fn paths(&self, token: WorkToken, _: &Staged, total: u64) -> Result<Option<StagedPaths>> {
        let find = move |folders: &Folders, _: &Guard| {
            open_entity(&session_dir(folders, token.session_id())?, total)?;
            let path = folders.staging_path.join(token.session_id().to_string());
            Ok(Some(StagedPaths::new(path.join(ENTITY), path.join(REPLY))))
        };
        self.run_guarded(token, find).await
    }
}

/// Opens the folder of a session.
fn session_dir(folders: &Folders, session: Uuid) -> io::Result<Dir> {
    folders.staging.open_dir(session.to_string())
}

fn begin(folders: &Folders, session: Uuid, key: &Key) -> Result<()> {
    folders.has_entity(key)?;
    folders.begin_session(session)?;
    let dir = session_dir(folders, session)?;
    dir.create(ENTITY)?;
    if folders.syncs { Ok(sync_dir(&dir)?) } else { Ok(()) }
}

/// Opens the staged bytes for writing after the acknowledged ones. Further bytes were not acknowledged and are
/// removed.
fn open_entity(dir: &Dir, acknowledged: u64) -> Result<std::fs::File> {
    let file = dir.open_with(ENTITY, OpenOptions::new().write(true))?.into_std();
    let length = file.metadata()?.len();
    if length < acknowledged {
        let message = format!("{length} of {acknowledged} bytes are left");
        return Err(StorageError::Lost(Some(message.into())));
    }
    if length > acknowledged {
        file.set_len(acknowledged)?;
    }
    Ok(file)
}

/// Publishes an entity.
///
/// This may be repeated after a crash, so it must detect that the entity is already published. It then finds a
/// mark, which is created before the entity leaves the folder of the session, and no entity.
fn place(folders: &Folders, publish: &Publish) -> Result<()> {
    let session = publish.token.session_id();
    let dir = session_dir(folders, session)?;
    if dir.exists(MARK) && !dir.exists(ENTITY) {
        return Ok(());
    }
    let entity = open_entity(&dir, publish.total)?;
    dir.create(MARK)?;
    if folders.syncs {
        entity.sync_all()?;
        sync_dir(&dir)?;
    }
    folders.publish(&format!("{session}/{ENTITY}"), &publish.key, publish.replaces)
}

/// Deletes staged data. A session without a folder has none.
fn discard(folders: &Folders, token: WorkToken, what: Discarded) -> Result<()> {
    let dir = match session_dir(folders, token.session_id()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        dir => dir?,
    };
    if what.entity {
        // The mark first: without an entity it means that the entity was published.
        remove(&dir, MARK)?;
        remove(&dir, ENTITY)?;
    }
    if what.reply {
        remove(&dir, PARTIAL_REPLY)?;
        remove(&dir, REPLY)?;
    }
    Ok(())
}
