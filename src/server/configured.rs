//! Serialized forms of the parts of a policy.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::SessionHostBuf;
use crate::error::Error;
use crate::field::HostIdFallbackTimeout;

/// A limit; the maximum value means unlimited and is serialized as `null`.
pub(super) mod limit {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::server) fn serialize<S: Serializer>(
        limit: &u64,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Some(*limit).filter(|limit| *limit != u64::MAX).serialize(serializer)
    }

    pub(in crate::server) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<u64, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(u64::MAX))
    }
}

/// Serialized form of a [`SessionHostBuf`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Host {
    host_id: String,
    /// In seconds.
    #[serde(default)]
    fallback_timeout: Option<u32>,
}

impl From<SessionHostBuf> for Host {
    fn from(host: SessionHostBuf) -> Self {
        let fallback_timeout = host.fallback_timeout.map(|timeout| timeout.0);
        Self { host_id: host.host_id, fallback_timeout }
    }
}

impl TryFrom<Host> for SessionHostBuf {
    type Error = Error;

    fn try_from(host: Host) -> Result<Self, Error> {
        Self::new(host.host_id, host.fallback_timeout.map(HostIdFallbackTimeout))
    }
}
