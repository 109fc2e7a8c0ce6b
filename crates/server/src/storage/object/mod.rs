//! Entities in an object store.

mod apart;
mod budget;
mod buffer;
mod check;
mod claim;
mod cleanup;
mod entity;
mod error;
mod layout;
mod names;
mod publish;
mod reply;
mod writer;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bits_proto::server::WorkToken;
use object_store::ObjectStore;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use uuid::Uuid;

use self::budget::Budget;
use self::writer::EntityWriter;
use super::{
    Discarded, Entity, FlushLimits, Metadata, Publish, Published, ReplyWriter, Result, Staged,
    Storage, Write, Writer,
};
use crate::Key;

/// Default limit of the bytes that writers buffer.
const DEFAULT_BUFFER: usize = 256 << 20;

/// A [`Storage`] in a bucket of S3, Google Cloud Storage or Azure, or in
/// [memory](object_store::memory::InMemory).
///
/// An entity is uploaded as a multipart upload of its destination, and completing the upload publishes it.
/// Any node can continue any session, because everything that a request needs is in the store and in the record
/// of the session.
///
/// # Staging
///
/// Stores require parts of at least 5 MiB, and fragments may be shorter. A flush writes the bytes since the
/// last part as a part if they are long enough, or if they end the entity. Otherwise it writes them as an object
/// of a *tail*; a later request reads the tail once and makes it a part together with its own bytes. So each
/// byte is written at most twice and read at most once. Fragments shorter than 1/32 of a part are the exception:
/// 32 of them are joined into one object.
///
/// Within a fragment, the service flushes every 16 MiB or 15 seconds.
///
/// Parts have 8 MiB, or 1/2000 of the entity if that is longer, and a flush may end one at half of that size.
///
/// # Cost
///
/// Average number of requests per fragment of a long entity, besides those of the session store:
///
/// | length of fragments | PUT | GET | DELETE | part numbers to reserve |
/// |---|---|---|---|---|
/// | 1 MiB | 1 | 1.8 | 0.2 | 0.2 |
/// | 4 MiB | 1 | 1.5 | 0.5 | 0.5 |
/// | 13 MiB | 2 | 1 | 0 | 2 |
///
/// Each part number to reserve costs one more replacement of the record in the session store. A session also
/// costs 2 PUT to begin; 2 PUT, 2 HEAD, 1 LIST and 1 DELETE to publish (1 PUT and 1 HEAD if entities are
/// replaced); 1 GET, 1 LIST and 3 DELETE to end. Reading an entity costs 1 HEAD, and 1 GET for each 16 MiB.
///
/// # Memory
///
/// All writers together buffer at most [256 MiB](Self::max_buffer), and one writer at most one part. When many
/// clients upload at once, each writer has an equal share and writes shorter objects of the tail.
///
/// # Consistency
///
/// * A part number is reserved in the record of the session before the part is uploaded. If a request stalls
///   in between, the next one uses the number too, and keeps a copy of the bytes in the tail. S3, Google
///   Cloud Storage and Azure verify each part when the upload is completed, so a part that was replaced by the
///   stalled request is detected, and is uploaded again from the copy.
///   [`InMemory`](object_store::memory::InMemory) does not verify parts.
/// * A multipart upload is completed once. So a request that stalls before it completes an upload cannot
///   replace a later version of the entity, or an entity that was processed and deleted.
/// * An entity that must not replace another is protected from other BITS servers by a *claim*: a small object
///   that is written before the destination is examined. It is not protected from writers outside of BITS,
///   which can create the destination while the upload is completed.
/// * Two sessions that replace the same entity at the same time both succeed, and the last one counts.
/// * On Azure, entities are always [assembled apart](Self::assemble_apart), because an upload cannot be aborted
///   there. Azure deletes the staged bytes of a session that was cancelled after a week.
/// * An entity that is assembled apart is copied to its destination and then deleted. A request that stalls
///   exactly between the two can copy the entity once more, over a version of another session that was
///   published in this time.
/// * Times of modification are those of the store, whose clock may have a resolution of one second. A version
///   that replaces another is published at least one second after it.
///
/// # Bucket
///
/// Objects outside of entities are in the folder `.bits` of the prefix; no entity can have a key in it. Data of
/// sessions that ended is deleted. Add a lifecycle rule that aborts incomplete multipart uploads after a time
/// that exceeds the timeout of sessions, for example seven days: uploads of a node that crashed while a session
/// began are not listed anywhere else.
///
/// # Example
///
/// ```
/// use bits_server::storage::ObjectStorage;
/// use object_store::memory::InMemory;
///
/// let storage = ObjectStorage::new(InMemory::new()).prefix("logs/").max_buffer(64 << 20);
/// ```
#[derive(Clone)]
pub struct ObjectStorage {
    store: Arc<dyn ObjectStore>,
    multipart: Arc<dyn MultipartStore>,
    prefix: Path,
    budget: Arc<Budget>,
    apart: bool,
}

impl ObjectStorage {
    /// Creates a storage in a bucket.
    #[must_use]
    pub fn new<S: ObjectStore + MultipartStore>(store: S) -> Self {
        let store = Arc::new(store);
        Self::from_shared(Arc::<S>::clone(&store), store)
    }

    /// Creates a storage in a bucket that is shared. Both arguments are the same store.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use bits_server::storage::ObjectStorage;
    /// use object_store::memory::InMemory;
    ///
    /// let store = Arc::new(InMemory::new());
    /// let storage = ObjectStorage::from_shared(store.clone(), store);
    /// ```
    #[must_use]
    pub fn from_shared(store: Arc<dyn ObjectStore>, multipart: Arc<dyn MultipartStore>) -> Self {
        let budget = Budget::new(DEFAULT_BUFFER);
        Self { store, multipart, prefix: Path::default(), budget, apart: false }
    }

    /// Sets the folder of all objects. The default is the root of the bucket.
    #[must_use]
    pub fn prefix(mut self, prefix: impl AsRef<str>) -> Self {
        self.prefix = Path::from(prefix.as_ref());
        self
    }

    /// Sets the maximum number of bytes that all writers together buffer. The default is 256 MiB. Values below the
    /// size of a part (8 MiB, or 1/2000 of the longest entity) count as one part of 8 MiB.
    #[must_use]
    pub fn max_buffer(mut self, bytes: usize) -> Self {
        let min = usize::try_from(layout::part_size(0)).unwrap_or(usize::MAX);
        self.budget = Budget::new(bytes.max(min));
        self
    }

    /// Assembles entities in the folder of their session, and publishes them by a copy within the store. The
    /// default is to assemble them at their destination, which needs no copy.
    ///
    /// Replies and notification by value require this, because the parts of an upload cannot be read before it
    /// is complete. S3 copies entities up to 5 GB. On Azure, entities are always assembled apart.
    #[must_use]
    pub const fn assemble_apart(mut self, apart: bool) -> Self {
        self.apart = apart;
        self
    }

    /// Returns the maximum number of bytes that were buffered at once since the storage was created.
    #[must_use]
    pub fn peak_buffered(&self) -> usize {
        self.budget.peak()
    }
}

impl fmt::Debug for ObjectStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectStorage")
            .field("store", &self.store)
            .field("prefix", &self.prefix)
            .field("apart", &self.apart)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Storage for ObjectStorage {
    async fn check(&self) -> Result<()> {
        check::check(self).await
    }

    async fn metadata(&self, key: &Key) -> Result<Option<Metadata>> {
        let found = entity::head(self.store.as_ref(), &self.entity_path(key)?).await?;
        Ok(found.map(|found| entity::metadata(&found.meta)))
    }

    async fn open(&self, key: &Key) -> Result<Option<Box<dyn Entity>>> {
        entity::open(&self.store, self.entity_path(key)?).await
    }

    async fn begin(&self, session: Uuid, key: &Key) -> Result<Staged> {
        self.begin_upload(session, key).await
    }

    async fn write(&self, write: Write) -> Result<Box<dyn Writer>> {
        Ok(Box::new(EntityWriter::open(self.clone(), write).await?))
    }

    fn flush_limits(&self) -> FlushLimits {
        // Each flush costs requests.
        FlushLimits::new(16 << 20, Duration::from_secs(15))
    }

    async fn publish(&self, publish: Publish) -> Result<Published> {
        self.publish_entity(&publish).await
    }

    fn can_read_staged(&self) -> bool {
        self.apart
    }

    async fn open_staged(
        &self,
        token: WorkToken,
        staged: &Staged,
        total: u64,
    ) -> Result<Box<dyn Entity>> {
        self.open_assembled(token.session_id(), staged, total).await
    }

    async fn write_reply(&self, token: WorkToken) -> Result<Box<dyn ReplyWriter>> {
        reply::write(self, token).await
    }

    async fn open_reply(&self, session: Uuid) -> Result<Option<Box<dyn Entity>>> {
        reply::open(self, session).await
    }

    async fn discard(&self, token: WorkToken, _: &Staged, what: Discarded) -> Result<()> {
        self.discard_data(token, what).await
    }

    async fn remove(&self, session: Uuid, staged: Option<&Staged>) -> Result<()> {
        // Publication deletes its claim, unless the node crashed.
        self.remove_data(session, staged.is_none()).await
    }

    async fn sessions(&self, min_age: Duration) -> Result<Vec<Uuid>> {
        self.list_sessions(min_age).await
    }
}
