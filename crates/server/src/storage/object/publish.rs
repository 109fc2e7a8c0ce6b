//! Publication.

use std::time::{Duration, SystemTime};

use object_store::path::Path;
use object_store::{Error, ObjectStoreExt, PutPayload, PutResult};
use uuid::Uuid;

use super::super::{Publish, Published, Result, StorageError};
use super::ObjectStorage;
use super::buffer::payload;
use super::entity::{self, Found, modified, strong_tag};
use super::error::{failed, is_missing, lost_if_missing};
use super::layout::Layout;

/// Number of attempts to complete an upload whose parts a stalled request replaces.
const ATTEMPTS: usize = 4;

/// Minimum time between two versions of an entity.
const MIN_VERSION_TIME: Duration = Duration::from_secs(1);

impl ObjectStorage {
    pub(super) async fn publish_entity(&self, publish: &Publish) -> Result<Published> {
        let layout = Layout::parse(&publish.staged)?;
        if layout.length() != publish.total || !layout.tail.is_empty() {
            let reason = format!("{} of {} bytes are stored", layout.length(), publish.total);
            return Err(StorageError::Lost(Some(reason.into())));
        }
        let destination = self.entity_path(&publish.key)?;
        let found = entity::head(self.store.as_ref(), &destination).await?;
        if let Some(found) = &found {
            if self.is_published(publish, &layout, found).await? {
                self.delete_assembled(publish.token.session_id(), &layout).await?;
                return Ok(published(found.meta.e_tag.as_deref()));
            }
            if !publish.replaces {
                return Err(StorageError::Exists);
            }
        }
        self.publish_over(publish, &layout, &destination, found).await
    }

    /// Publishes the entity in the place of the version that was found.
    async fn publish_over(
        &self,
        publish: &Publish,
        layout: &Layout,
        destination: &Path,
        found: Option<Found>,
    ) -> Result<Published> {
        let claim = match publish.replaces {
            true => None,
            false => Some(self.claim(publish.token, &publish.key).await?),
        };
        if !is_marked(layout) {
            let tag = found.as_ref().and_then(|found| found.meta.e_tag.as_deref());
            self.record_attempt(publish.token.session_id(), tag).await?;
        }
        if let Some(found) = found {
            wait_for_next_version(modified(&found.meta)).await;
        }
        let session = publish.token.session_id();
        let placed = if layout.apart {
            self.copy_assembled(session, layout, publish.total, destination).await.map(|()| None)
        } else {
            self.complete(session, layout, destination).await.map(|result| result.e_tag)
        };
        let tag = match placed {
            Ok(tag) => tag,
            // The response may be lost, or an earlier request may have published the entity.
            Err(error) => match entity::head(self.store.as_ref(), destination).await? {
                Some(found) if self.is_published(publish, layout, &found).await? => {
                    found.meta.e_tag
                }
                _ => return Err(error),
            },
        };
        self.delete_assembled(session, layout).await?;
        self.delete_all(claim.into_iter().collect()).await?;
        Ok(published(tag.as_deref()))
    }

    /// Completes the upload of a session.
    pub(super) async fn complete(
        &self,
        session: Uuid,
        layout: &Layout,
        target: &Path,
    ) -> Result<PutResult> {
        let mut layout = layout.clone();
        let mut attempt = 1;
        loop {
            let parts = layout.part_ids();
            match self.multipart.complete_multipart(target, &layout.upload, parts).await {
                Ok(result) => return Ok(result),
                Err(error) if is_missing(&error) => return Err(lost_if_missing(error)),
                Err(error) if !is_part_invalid(&error) => return Err(failed(error)),
                Err(error) if layout.copies.is_empty() || attempt == ATTEMPTS => {
                    return Err(StorageError::Lost(Some(error.into())));
                }
                Err(_) => self.repair(session, &mut layout, target).await?,
            }
            attempt += 1;
        }
    }

    /// Uploads parts again whose numbers a stalled request has used too.
    async fn repair(&self, session: Uuid, layout: &mut Layout, target: &Path) -> Result<()> {
        for (number, pieces) in &layout.copies {
            let Some(part) = layout.parts.get_mut(*number) else { continue };
            let memory = self.budget.acquire(part.0).await;
            let payload = payload(self.read_pieces(session, pieces).await?);
            let put = self.multipart.put_part(target, &layout.upload, *number, payload).await;
            part.1 = put.map_err(lost_if_missing)?.content_id.into();
            drop(memory);
        }
        Ok(())
    }

    /// Returns `true` if this session has published the entity that was found.
    async fn is_published(
        &self,
        publish: &Publish,
        layout: &Layout,
        found: &Found,
    ) -> Result<bool> {
        if found.meta.size != publish.total {
            return Ok(false);
        }
        let session = publish.token.session_id();
        if is_marked(layout) {
            return Ok(found.session == Some(session));
        }
        let previous = match self.store.get(&self.attempt_path(session)).await {
            Ok(result) => result.bytes().await.map_err(failed)?,
            Err(Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(failed(error)),
        };
        Ok(found.meta.e_tag.as_deref().unwrap_or_default().as_bytes() != previous)
    }

    /// Records the version that a publication replaces, for stores without attributes of uploads: another one
    /// of the right length is the one of this session afterwards.
    async fn record_attempt(&self, session: Uuid, previous: Option<&str>) -> Result<()> {
        let content = PutPayload::from(previous.unwrap_or_default().as_bytes().to_vec());
        self.store.put(&self.attempt_path(session), content).await.map_err(failed)?;
        Ok(())
    }

    fn attempt_path(&self, session: Uuid) -> Path {
        self.session_path(session).join("publishing")
    }
}

/// Returns `true` if the upload gives the entity an attribute that names its session. Azure, which has no
/// such attributes, has no upload ids either.
fn is_marked(layout: &Layout) -> bool {
    !layout.upload.is_empty()
}

/// Returns `true` if a part is missing or was replaced.
fn is_part_invalid(error: &Error) -> bool {
    let text = error.to_string();
    ["InvalidPart", "InvalidBlockList", "InvalidBlobOrBlock"].iter().any(|code| text.contains(code))
}

fn published(tag: Option<&str>) -> Published {
    Published::new(tag.and_then(strong_tag))
}

/// Waits until a new version has a later time of modification, in whole seconds.
async fn wait_for_next_version(previous: SystemTime) {
    let age = SystemTime::now().duration_since(previous).unwrap_or_default();
    if let Some(delay) = MIN_VERSION_TIME.checked_sub(age) {
        // A clock that is behind that of the store must not delay the publication for long.
        tokio::time::sleep(delay).await;
    }
}
