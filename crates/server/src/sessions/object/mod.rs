//! Sessions in an object store.

mod index;
mod record;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion};
use uuid::Uuid;

use self::index::Index;
use self::record::{Stored, read_version, write_version};
use super::{Result, SessionRecord, SessionStore, SessionStoreError, Version, Versioned};

/// Age of the list of sessions up to which [`SessionStore::count`] uses it.
const MAX_COUNT_AGE: Duration = Duration::from_secs(3);

/// A [`SessionStore`] in a bucket of S3, Google Cloud Storage or Azure, or in
/// [memory](object_store::memory::InMemory), so that a cluster needs nothing but a bucket.
///
/// Each session is one object, and every change is a conditional write. The store must support conditional
/// writes, which [`check`](SessionStore::check) tests. `LocalFileSystem`
/// does not support them.
///
/// # Cost
///
/// | operation | requests |
/// |---|---|
/// | insert | 1 PUT |
/// | load | 1 GET |
/// | replace | 1 PUT, and 1 GET if it is rejected |
/// | remove | 1 PUT now, and a part of a bulk DELETE later |
/// | count | 1 LIST for each 1000 sessions, and 1 GET for each new session, at most every 3 seconds |
/// | expired | 1 LIST for each 1000 sessions, and 1 GET for each session that another node has changed since the last call |
///
/// A fragment loads the record once and replaces it at least twice: when the work begins, and when the bytes
/// are acknowledged.
///
/// # Removal
///
/// A removed session becomes an empty object, since stores cannot delete an object on condition.
/// [`expired`](SessionStore::expired) deletes such objects after a minute.
///
/// # Example
///
/// ```
/// use bits_server::sessions::{ObjectSessions, SessionStore};
/// use object_store::memory::InMemory;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), bits_server::sessions::SessionStoreError> {
/// let sessions = ObjectSessions::new(InMemory::new()).prefix("logs/");
/// sessions.check().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ObjectSessions {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    index: Index,
}

impl ObjectSessions {
    /// Creates a store in a bucket.
    #[must_use]
    pub fn new<S: ObjectStore>(store: S) -> Self {
        Self::from_shared(Arc::new(store))
    }

    /// Creates a store in a bucket that is shared.
    #[must_use]
    pub fn from_shared(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, prefix: Path::default(), index: Index::default() }
    }

    /// Sets the folder of all objects. The default is the root of the bucket. It can be that of an
    /// [`ObjectStorage`](crate::storage::ObjectStorage), whose entities have other names.
    #[must_use]
    pub fn prefix(mut self, prefix: impl AsRef<str>) -> Self {
        self.prefix = Path::from(prefix.as_ref());
        self
    }

    fn folder(&self) -> Path {
        self.prefix.clone().join(".bits").join("sessions")
    }

    fn path(&self, id: Uuid) -> Path {
        self.folder().join(id.to_string())
    }

    /// Returns the content of an object and its version, or `None` if it does not exist.
    async fn get(&self, path: &Path) -> Result<Option<(Bytes, UpdateVersion)>> {
        let found = match self.store.get(path).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(SessionStoreError::unavailable(error)),
        };
        let version =
            UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
        let bytes = found.bytes().await.map_err(SessionStoreError::unavailable)?;
        Ok(Some((bytes, version)))
    }

    /// Writes an object on a condition. Returns the new version, or the object that violates the condition.
    async fn put(
        &self,
        path: &Path,
        content: Bytes,
        mode: PutMode,
    ) -> Result<std::result::Result<UpdateVersion, Option<(Bytes, UpdateVersion)>>> {
        let payload = PutPayload::from(content.clone());
        match self.store.put_opts(path, payload, mode.into()).await {
            Ok(result) => Ok(Ok(result.into())),
            Err(error) if !is_condition(&error) => Err(SessionStoreError::unavailable(error)),
            // If the response was lost and the client of the store repeated the request, the object is
            // the one that was written. Contents are unique.
            Err(_) => Ok(match self.get(path).await? {
                Some((found, version)) if found == content && !content.is_empty() => Ok(version),
                found => Err(found),
            }),
        }
    }
}

/// Returns `true` if the condition of a write was false.
const fn is_condition(error: &Error) -> bool {
    matches!(
        error,
        Error::AlreadyExists { .. }
            | Error::Precondition { .. }
            | Error::NotModified { .. }
            | Error::NotFound { .. }
    )
}

#[async_trait]
impl SessionStore for ObjectSessions {
    async fn check(&self) -> Result<()> {
        let path = self.prefix.clone().join(".bits").join("check").join(Uuid::new_v4().to_string());
        let checked = self.check_conditions(&path).await;
        let deleted = self.store.delete(&path).await;
        checked?;
        deleted.map_err(|error| self.describe(&error))
    }

    async fn insert(&self, record: &SessionRecord) -> Result<bool> {
        let path = self.path(record.id());
        let content = Stored::encode(record)?;
        let version = match self.put(&path, content.clone(), PutMode::Create).await? {
            Ok(version) => version,
            // The id of a session that was removed is free again.
            Err(Some((found, version))) if found.is_empty() => {
                match self.put(&path, content, PutMode::Update(version)).await? {
                    Ok(version) => version,
                    Err(_) => return Ok(false),
                }
            }
            Err(_) => return Ok(false),
        };
        self.index.put(record, version.e_tag);
        Ok(true)
    }

    async fn load(&self, id: Uuid) -> Result<Option<Versioned>> {
        let Some((content, version)) = self.get(&self.path(id)).await? else { return Ok(None) };
        if content.is_empty() {
            return Ok(None);
        }
        let record = Stored::decode(id, &content)?;
        Ok(Some(Versioned::new(record, write_version(&version)?)))
    }

    async fn replace(&self, expected: &Version, record: &SessionRecord) -> Result<Option<Version>> {
        let path = self.path(record.id());
        let mode = PutMode::Update(read_version(expected)?);
        match self.put(&path, Stored::encode(record)?, mode).await? {
            Ok(version) => {
                self.index.put(record, version.e_tag.clone());
                write_version(&version).map(Some)
            }
            Err(_) => Ok(None),
        }
    }

    async fn remove(&self, id: Uuid, expected: &Version) -> Result<bool> {
        let mode = PutMode::Update(read_version(expected)?);
        let removed = match self.put(&self.path(id), Bytes::new(), mode).await? {
            Ok(_) => true,
            Err(found) => found.is_none_or(|(content, _)| content.is_empty()),
        };
        if removed {
            self.index.remove(id);
        }
        Ok(removed)
    }

    async fn count(&self, principal: Option<&str>) -> Result<usize> {
        self.refresh(MAX_COUNT_AGE).await?;
        Ok(self.index.count(principal))
    }

    async fn expired(&self, now: Duration, max: usize) -> Result<Vec<Uuid>> {
        self.refresh(Duration::ZERO).await?;
        Ok(self.index.expired(now, max))
    }
}

impl ObjectSessions {
    /// Tests that writes are conditional.
    async fn check_conditions(&self, path: &Path) -> Result<()> {
        let put = async |mode: PutMode| {
            let payload = PutPayload::from(Uuid::new_v4().as_bytes().to_vec());
            self.store.put_opts(path, payload, mode.into()).await
        };
        let first = put(PutMode::Create).await.map_err(|error| self.describe(&error))?;
        let first = UpdateVersion::from(first);
        let update = PutMode::Update(first.clone());
        put(update).await.map_err(|error| self.describe(&error))?;
        for (mode, name) in
            [(PutMode::Create, "If-None-Match"), (PutMode::Update(first), "If-Match")]
        {
            match put(mode).await {
                Err(error) if is_condition(&error) => {}
                Err(error) => return Err(self.describe(&error)),
                Ok(_) => {
                    let reason = format!("the store ignored the condition {name} of a write");
                    return Err(self.describe(&reason));
                }
            }
        }
        Ok(())
    }

    fn describe(&self, error: &dyn std::fmt::Display) -> SessionStoreError {
        let store = &self.store;
        SessionStoreError::unavailable(format!(
            "{store}: sessions need conditional writes: {error}; check the name of the bucket, its endpoint and \
             the credentials, and for S3 the option aws_conditional_put=etag"
        ))
    }
}
