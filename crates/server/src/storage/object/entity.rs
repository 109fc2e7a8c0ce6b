//! Reading of objects.

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{Attribute, Error, GetOptions, GetRange, ObjectMeta, ObjectStore};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::super::{Entity, Metadata, Result, StorageError};
use super::error::{failed, lost_if_missing};

/// Name of the attribute that names the session of an entity.
const SESSION: &str = "bits-session";

/// Length of the first request of a sequential reader. It doubles with each further one.
const MIN_WINDOW: u64 = 1 << 20;

/// Maximum length of a request.
const MAX_WINDOW: u64 = 16 << 20;

/// An object that was found.
pub(super) struct Found {
    pub(super) meta: ObjectMeta,
    /// The session that published it, if the store keeps attributes.
    pub(super) session: Option<Uuid>,
}

/// Returns the attribute that names the session of an entity.
pub(super) const fn session_attribute() -> Attribute {
    Attribute::Metadata(std::borrow::Cow::Borrowed(SESSION))
}

/// Examines an object.
pub(super) async fn head(store: &dyn ObjectStore, path: &Path) -> Result<Option<Found>> {
    let options = GetOptions { head: true, ..GetOptions::default() };
    match store.get_opts(path, options).await {
        Ok(result) => {
            let session = result.attributes.get(&session_attribute());
            let session = session.and_then(|text| text.as_ref().parse().ok());
            Ok(Some(Found { meta: result.meta, session }))
        }
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

pub(super) fn metadata(meta: &ObjectMeta) -> Metadata {
    Metadata::new(meta.size, modified(meta)).with_tag(meta.e_tag.as_deref().and_then(strong_tag))
}

pub(super) fn modified(meta: &ObjectMeta) -> SystemTime {
    meta.last_modified.into()
}

/// Returns the text of a strong entity tag without quotes.
pub(super) fn strong_tag(tag: &str) -> Option<String> {
    let is_weak = tag.starts_with("W/");
    let text = tag.trim_matches('"');
    (!is_weak && !text.is_empty()).then(|| text.to_owned())
}

/// Opens an object.
pub(super) async fn open(
    store: &Arc<dyn ObjectStore>,
    path: Path,
) -> Result<Option<Box<dyn Entity>>> {
    let found = head(store.as_ref(), &path).await?;
    Ok(found.map(|found| {
        let entity = ObjectEntity {
            store: Arc::clone(store),
            metadata: metadata(&found.meta),
            e_tag: found.meta.e_tag,
            path,
            position: 0,
            window: MIN_WINDOW,
            rest: Bytes::new(),
            stream: Mutex::new(None),
        };
        Box::new(entity) as Box<dyn Entity>
    }))
}

/// An open object. A sequential reader uses few requests: each one reads ahead, as far as the connection
/// buffers it.
struct ObjectEntity {
    store: Arc<dyn ObjectStore>,
    path: Path,
    metadata: Metadata,
    e_tag: Option<String>,
    /// Offset of the first byte of `rest`, which the rest of `stream` follows.
    position: u64,
    window: u64,
    rest: Bytes,
    /// The mutex is never locked: it makes the stream `Sync`.
    stream: Mutex<Option<BoxStream<'static, object_store::Result<Bytes>>>>,
}

impl ObjectEntity {
    /// Sends a request for the bytes from `offset` on.
    async fn request(&mut self, offset: u64, length: u64) -> Result<()> {
        let is_sequential = offset == self.position && offset > 0;
        let doubled = (self.window * 2).min(MAX_WINDOW);
        self.window = if is_sequential { doubled } else { MIN_WINDOW.max(length) };
        let end = offset.saturating_add(self.window).min(self.metadata.length);
        let options = GetOptions {
            if_match: self.e_tag.clone(),
            range: Some(GetRange::Bounded(offset..end)),
            ..GetOptions::default()
        };
        let result = match self.store.get_opts(&self.path, options).await {
            // A store that ignores the condition returns the tag of the other version.
            Ok(result) if result.meta.e_tag == self.e_tag => result,
            Ok(_) => return Err(StorageError::Lost(Some("entity was replaced".into()))),
            Err(error @ Error::Precondition { .. }) => {
                return Err(StorageError::Lost(Some(error.into())));
            }
            Err(error) => return Err(lost_if_missing(error)),
        };
        self.position = offset;
        self.rest = Bytes::new();
        *self.stream.get_mut() = Some(result.into_stream());
        Ok(())
    }

    /// Receives bytes until `rest` has some. Returns `false` at the end of the response.
    async fn receive(&mut self) -> Result<bool> {
        while self.rest.is_empty() {
            let Some(stream) = self.stream.get_mut() else { return Ok(false) };
            match stream.next().await {
                Some(Ok(bytes)) => self.rest = bytes,
                Some(Err(error)) => {
                    *self.stream.get_mut() = None;
                    return Err(lost_if_missing(error));
                }
                None => {
                    *self.stream.get_mut() = None;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

#[async_trait]
impl Entity for ObjectEntity {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    async fn read(&mut self, offset: u64, length: usize) -> Result<Bytes> {
        if offset >= self.metadata.length || length == 0 {
            return Ok(Bytes::new());
        }
        if offset != self.position || !self.receive().await? {
            self.request(offset, length as u64).await?;
            if !self.receive().await? {
                let reason = format!("response for offset {offset} has no bytes");
                return Err(StorageError::other(reason));
            }
        }
        let bytes = self.rest.split_to(length.min(self.rest.len()));
        self.position += bytes.len() as u64;
        Ok(bytes)
    }
}
