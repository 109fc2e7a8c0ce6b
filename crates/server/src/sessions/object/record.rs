//! Stored form of records and versions.

use bytes::Bytes;
use object_store::UpdateVersion;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::{Result, SessionRecord, SessionStoreError, Version};

/// Content of an object.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored<R> {
    /// Makes contents unique: stores derive the version of an object from its content.
    nonce: Uuid,
    record: R,
}

impl Stored<SessionRecord> {
    pub(super) fn encode(record: &SessionRecord) -> Result<Bytes> {
        let stored = Stored { nonce: Uuid::new_v4(), record };
        let content = serde_json::to_vec(&stored).map_err(SessionStoreError::unavailable)?;
        Ok(content.into())
    }

    pub(super) fn decode(id: Uuid, content: &[u8]) -> Result<SessionRecord> {
        let stored: Self = serde_json::from_slice(content)
            .map_err(|error| SessionStoreError::Record { id, error: error.into() })?;
        Ok(stored.record)
    }
}

pub(super) fn write_version(version: &UpdateVersion) -> Result<Version> {
    let text = serde_json::to_string(&(&version.e_tag, &version.version));
    text.map(|text| Version(text.into())).map_err(SessionStoreError::unavailable)
}

pub(super) fn read_version(version: &Version) -> Result<UpdateVersion> {
    let (e_tag, version) =
        serde_json::from_str(&version.0).map_err(SessionStoreError::unavailable)?;
    Ok(UpdateVersion { e_tag, version })
}
