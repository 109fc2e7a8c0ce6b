//! Claims: protection of an entity from being replaced by another BITS server.
//!
//! A request writes a claim for the key and then lists the claims. If there is no claim of another session,
//! and the destination is absent afterwards, no other session publishes this key until the claim is deleted:
//! it would see this claim. Otherwise the request withdraws its claim. Each request has a claim of its own,
//! so a stalled one can only delete its own claim.

use std::time::Duration;

use bits_proto::server::WorkToken;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};

use super::super::{Result, StorageError};
use super::ObjectStorage;
use super::entity;
use super::error::failed;
use super::names::{claim_session, random};
use crate::Key;

/// Number of attempts. Two sessions that claim a key at the same time both withdraw.
const ATTEMPTS: u32 = 8;

/// Maximum delay before the second attempt. It doubles with each attempt.
const MAX_DELAY_MS: u64 = 40;

impl ObjectStorage {
    /// Claims a key whose entity does not exist. Returns the claim, to be deleted after publication.
    pub(super) async fn claim(&self, token: WorkToken, key: &Key) -> Result<Path> {
        let claim = self.claim_path(key, token);
        for attempt in 0..ATTEMPTS {
            self.store.put(&claim, PutPayload::default()).await.map_err(failed)?;
            let claims = self.list(&self.key_claims_path(key)).await?;
            let is_own = |path| claim_session(path) == Some(token.session_id());
            let is_granted = claims.iter().all(|meta| is_own(&meta.location));
            let found = entity::head(self.store.as_ref(), &self.entity_path(key)?).await?;
            if is_granted && found.is_none() {
                return Ok(claim);
            }
            self.delete_all(vec![claim.clone()]).await?;
            if found.is_some() {
                return Err(StorageError::Exists);
            }
            let max = MAX_DELAY_MS << attempt;
            let delay = u64::from_le_bytes(random()) % max;
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        Err(StorageError::other("another session is publishing an entity with this name"))
    }
}
