//! Begin and end of a session.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use bits_proto::server::WorkToken;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{
    Attributes, Error, ObjectMeta, ObjectStoreExt, PutMultipartOptions, PutPayload,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::{Discarded, Result, Staged, StorageError};
use super::ObjectStorage;
use super::entity::{modified, session_attribute};
use super::error::{failed, is_missing};
use super::layout::Layout;
use super::names::claim_session;
use super::reply;
use crate::Key;

/// Content of the object that exists while a session may be written to.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Marker {
    upload: String,
    apart: bool,
    key: Key,
}

impl ObjectStorage {
    pub(super) async fn begin_upload(&self, session: Uuid, key: &Key) -> Result<Staged> {
        let mut marker = Marker { upload: String::new(), apart: self.apart, key: key.clone() };
        marker.upload = self.create_upload(session, &self.target(session, &marker)?).await?;
        // Azure, which has no upload ids, discards the blocks of all others when a blob is written.
        marker.apart |= marker.upload.is_empty();
        let content = serde_json::to_vec(&marker).map_err(StorageError::other)?;
        let put = self.store.put(&self.marker_path(session), PutPayload::from(content)).await;
        if let Err(error) = put {
            self.abort_upload(session, &marker).await?;
            return Err(failed(error));
        }
        Layout::new(marker.upload, marker.apart).to_staged()
    }

    /// Creates an upload that names its session, if the store keeps attributes.
    async fn create_upload(&self, session: Uuid, target: &Path) -> Result<String> {
        let mut attributes = Attributes::new();
        attributes.insert(session_attribute(), session.to_string().into());
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        match self.multipart.create_multipart_opts(target, options).await {
            Err(Error::NotSupported { .. } | Error::NotImplemented { .. }) => {
                self.multipart.create_multipart(target).await.map_err(failed)
            }
            created => created.map_err(failed),
        }
    }

    /// Returns the path of the object that the upload of a session creates.
    pub(super) fn target(&self, session: Uuid, marker: &Marker) -> Result<Path> {
        let path = self.entity_path(&marker.key)?;
        Ok(if marker.apart { self.assembled_path(session) } else { path })
    }

    /// Returns the marker of a session, or `None` if the session was never begun or has ended.
    pub(super) async fn marker(&self, session: Uuid) -> Result<Option<Marker>> {
        let found = match self.store.get(&self.marker_path(session)).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let bytes = found.bytes().await.map_err(failed)?;
        serde_json::from_slice(&bytes).map(Some).map_err(StorageError::other)
    }

    pub(super) async fn discard_data(&self, token: WorkToken, what: Discarded) -> Result<()> {
        let session = token.session_id();
        if what.entity {
            self.abort(session).await?;
            let replies = self.replies_path(session);
            let objects = self.list(&self.session_path(session)).await?;
            let paths = objects.into_iter().map(|meta| meta.location);
            self.delete_all(paths.filter(|path| !path.prefix_matches(&replies)).collect()).await?;
        }
        if what.reply {
            reply::discard(self, token).await?;
        }
        Ok(())
    }

    pub(super) async fn remove_data(&self, session: Uuid, has_claims: bool) -> Result<()> {
        self.abort(session).await?;
        let objects = self.list(&self.session_path(session)).await?;
        let mut paths: Vec<_> = objects.into_iter().map(|meta| meta.location).collect();
        if has_claims {
            let claims = self.list(&self.claims_path()).await?;
            let claims = claims.into_iter().map(|meta| meta.location);
            paths.extend(claims.filter(|path| claim_session(path) == Some(session)));
        }
        self.delete_all(paths).await
    }

    /// Aborts the upload of a session unless it was completed, and deletes the marker. A request that finds the
    /// marker later than this has completed an upload that is listed afterwards.
    async fn abort(&self, session: Uuid) -> Result<()> {
        let Some(marker) = self.marker(session).await? else { return Ok(()) };
        self.abort_upload(session, &marker).await?;
        self.delete_all(vec![self.marker_path(session)]).await
    }

    async fn abort_upload(&self, session: Uuid, marker: &Marker) -> Result<()> {
        let target = self.target(session, marker)?;
        match self.multipart.abort_multipart(&target, &marker.upload).await {
            Err(error) if !is_missing(&error) => Err(failed(error)),
            _ => Ok(()),
        }
    }

    pub(super) async fn list_sessions(&self, min_age: Duration) -> Result<Vec<Uuid>> {
        let mut newest: HashMap<Uuid, SystemTime> = HashMap::new();
        let mut add = |session: Option<Uuid>, meta: &ObjectMeta| {
            if let Some(session) = session {
                let time = newest.entry(session).or_insert(SystemTime::UNIX_EPOCH);
                *time = modified(meta).max(*time);
            }
        };
        let folder = self.sessions_path();
        for meta in self.list(&folder).await? {
            let name = meta.location.prefix_match(&folder).and_then(|mut parts| parts.next());
            add(name.and_then(|name| name.as_ref().parse().ok()), &meta);
        }
        for meta in self.list(&self.claims_path()).await? {
            add(claim_session(&meta.location), &meta);
        }
        let now = SystemTime::now();
        let is_old = |time: &SystemTime| now.duration_since(*time).is_ok_and(|age| age >= min_age);
        Ok(newest.iter().filter(|(_, time)| is_old(time)).map(|(session, _)| *session).collect())
    }

    pub(super) async fn list(&self, folder: &Path) -> Result<Vec<ObjectMeta>> {
        self.store.list(Some(folder)).try_collect().await.map_err(failed)
    }

    /// Deletes objects. Missing objects count as deleted.
    pub(super) async fn delete_all(&self, paths: Vec<Path>) -> Result<()> {
        let mut deleted = self.store.delete_stream(stream::iter(paths).map(Ok).boxed());
        while let Some(result) = deleted.next().await {
            match result {
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }
}
