//! Entities in a folder that several processes or machines share.

mod claim;
mod parts;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bits_proto::server::WorkToken;
use uuid::Uuid;

use self::claim::Claim;
use super::file::{
    FileEntity, FileReplyWriter, FileStorageOptions, FileWriter, Folders, Snapshot, blocking,
};
use super::{
    Discarded, Entity, Metadata, Publish, Published, ReplyWriter, Result, Staged, StagedPaths,
    Storage, StorageError, Write, Writer,
};
use crate::Key;

/// A storage in a folder that several processes or machines use at the same time, for example over NFS.
///
/// The folder contains the published entities, with their keys as paths. Staged data is in another folder:
///
/// ```text
/// uploads/machine-7/today.zip                             a published entity
/// .uploads.bits-staging/SESSION/parts/FIRST-TOKEN         bytes stored under one token, from offset FIRST on
/// .uploads.bits-staging/SESSION/claimed-TOKEN             the parts, claimed by a token
/// .uploads.bits-staging/SESSION/claimed-TOKEN/whole-TOKEN the entity, assembled from the parts
/// .uploads.bits-staging/SESSION/claimed-TOKEN/reply-TOKEN the reply of a server application
/// ```
///
/// No two work tokens write to one file. A token that publishes, notifies or discards moves all files out of
/// reach of earlier tokens. This relies on `rename` and `link` of POSIX, which are atomic also on NFS.
///
/// Publication copies the bytes once, on the server of the file system if that is possible. If one process uses
/// the folder, [`FileStorage`](super::FileStorage) publishes without a copy.
///
/// Times of entities that two nodes replace at the same moment may differ by less than a second.
///
/// # Example
///
/// ```
/// use bits_server::storage::SharedFileStorage;
///
/// # let folder = tempfile::tempdir()?;
/// # let uploads = folder.path().join("uploads");
/// let storage = SharedFileStorage::options().fsync(true).open_shared(uploads)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SharedFileStorage {
    folders: Arc<Folders>,
}

impl SharedFileStorage {
    /// Opens a folder with default options. It is created if its parent exists.
    ///
    /// # Errors
    ///
    /// As for [`FileStorageOptions::open_shared`].
    pub fn open(root: impl AsRef<Path>) -> io::Result<Self> {
        Self::options().open_shared(root)
    }

    /// Returns the default options.
    pub fn options() -> FileStorageOptions {
        FileStorageOptions::default()
    }

    pub(super) fn new(folders: Arc<Folders>) -> Self {
        Self { folders }
    }

    /// Calls a function that accesses files.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Folders>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let folders = Arc::clone(&self.folders);
        blocking(move || work(&folders)).await
    }
}

#[async_trait]
impl Storage for SharedFileStorage {
    async fn check(&self) -> Result<()> {
        self.run(|folders| folders.check().map_err(StorageError::other)).await
    }

    async fn metadata(&self, key: &Key) -> Result<Option<Metadata>> {
        let key = key.clone();
        self.run(move |folders| folders.metadata(&key)).await
    }

    async fn open(&self, key: &Key) -> Result<Option<Box<dyn Entity>>> {
        let key = key.clone();
        let entity = self.run(move |folders| folders.open_published(&key)).await?;
        Ok(entity.map(|entity| Box::new(entity) as Box<dyn Entity>))
    }

    async fn begin(&self, session: Uuid, key: &Key) -> Result<Staged> {
        let key = key.clone();
        self.run(move |folders| {
            folders.has_entity(&key)?;
            folders.begin_session(session)?;
            parts::create_folder(folders, session)
        })
        .await?;
        Ok(Staged::default())
    }

    async fn write(&self, write: Write) -> Result<Box<dyn Writer>> {
        let Write { token, offset, .. } = write;
        let open = move |folders: &Arc<Folders>| {
            let part = parts::create(folders, token, offset)?;
            Ok(FileWriter::new(part, 0, folders, None))
        };
        Ok(Box::new(self.run(open).await?))
    }

    async fn publish(&self, publish: Publish) -> Result<Published> {
        self.run(move |folders| {
            let claim = Claim::new(folders, publish.token)?;
            claim.publish(publish.total, &publish.key, publish.replaces)
        })
        .await?;
        Ok(Published::default())
    }

    async fn open_staged(
        &self,
        token: WorkToken,
        _: &Staged,
        total: u64,
    ) -> Result<Box<dyn Entity>> {
        let open = move |folders: &Arc<Folders>| {
            let whole = Claim::new(folders, token)?.assemble(total)?;
            let (file, snapshot) = Snapshot::open(&folders.staging, &whole)?;
            Ok(FileEntity::new(file, snapshot, folders))
        };
        Ok(Box::new(self.run(open).await?))
    }

    async fn write_reply(&self, token: WorkToken) -> Result<Box<dyn ReplyWriter>> {
        let open = move |folders: &Arc<Folders>| {
            let claim = Claim::new(folders, token)?;
            let writer = FileWriter::new(claim.create_reply()?, 0, folders, None);
            let folders = Arc::clone(folders);
            let finish = move || Claim::existing(&folders, token).finish_reply();
            Ok(FileReplyWriter::new(writer, Box::new(finish)))
        };
        Ok(Box::new(self.run(open).await?))
    }

    async fn open_reply(&self, session: Uuid) -> Result<Option<Box<dyn Entity>>> {
        let reply = self.run(move |folders| claim::open_reply(folders, session)).await?;
        Ok(reply.map(|reply| Box::new(reply) as Box<dyn Entity>))
    }

    async fn discard(&self, token: WorkToken, _: &Staged, what: Discarded) -> Result<()> {
        self.run(move |folders| match Claim::new(folders, token) {
            // A session without a folder has no data.
            Err(StorageError::Lost(_)) => Ok(()),
            claim => claim?.discard(what),
        })
        .await
    }

    async fn remove(&self, session: Uuid, _: Option<&Staged>) -> Result<()> {
        self.run(move |folders| Ok(folders.remove_session(session)?)).await
    }

    async fn sessions(&self, min_age: Duration) -> Result<Vec<Uuid>> {
        self.run(move |folders| Ok(folders.sessions(min_age)?)).await
    }

    async fn paths(&self, token: WorkToken, _: &Staged, total: u64) -> Result<Option<StagedPaths>> {
        let find = move |folders: &Arc<Folders>| {
            let claim = Claim::new(folders, token)?;
            let (entity, reply) = (claim.assemble(total)?, claim.reply());
            let path = |name| folders.staging_path.join(name);
            Ok(Some(StagedPaths::new(path(entity), path(reply))))
        };
        self.run(find).await
    }
}
