//! Names of objects.

use std::fmt::Write;

use bits_proto::server::WorkToken;
use object_store::path::Path;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::super::{Result, StorageError};
use super::ObjectStorage;
use crate::Key;

/// Folder of the objects that are no entities.
const RESERVED: &str = ".bits";

impl ObjectStorage {
    /// Returns the path of an entity.
    pub(super) fn entity_path(&self, key: &Key) -> Result<Path> {
        if key.as_str().split('/').next() == Some(RESERVED) {
            let reason = format!("the folder {RESERVED} of the bucket is reserved");
            return Err(StorageError::Denied(Some(reason.into())));
        }
        let prefix = self.prefix.as_ref();
        let separator = if prefix.is_empty() { "" } else { "/" };
        // `Path::from` would replace characters that are valid in keys.
        Path::parse(format!("{prefix}{separator}{key}"))
            .map_err(|error| StorageError::Denied(Some(error.into())))
    }

    fn reserved(&self) -> Path {
        self.prefix.clone().join(RESERVED)
    }

    /// Returns the folder of the folders of all sessions.
    pub(super) fn sessions_path(&self) -> Path {
        self.reserved().join("staged")
    }

    /// Returns the folder of a session.
    pub(super) fn session_path(&self, session: Uuid) -> Path {
        self.sessions_path().join(session.to_string())
    }

    /// Returns the path of the object that exists while a session may be written to.
    pub(super) fn marker_path(&self, session: Uuid) -> Path {
        self.session_path(session).join("session")
    }

    /// Returns the path of an object of the tail.
    pub(super) fn piece_path(&self, session: Uuid, name: &str) -> Path {
        self.session_path(session).join("tail").join(name)
    }

    /// Returns the path of an entity that is assembled apart.
    pub(super) fn assembled_path(&self, session: Uuid) -> Path {
        self.session_path(session).join("entity")
    }

    /// Returns the folder of the replies of a session.
    pub(super) fn replies_path(&self, session: Uuid) -> Path {
        self.session_path(session).join("reply")
    }

    /// Returns the folder of all claims.
    pub(super) fn claims_path(&self) -> Path {
        self.reserved().join("claims")
    }

    /// Returns the folder of the claims of a key.
    pub(super) fn key_claims_path(&self, key: &Key) -> Path {
        self.claims_path().join(hash(key.as_str()))
    }

    /// Returns the path of the claim of a request.
    pub(super) fn claim_path(&self, key: &Key, token: WorkToken) -> Path {
        let name = format!("{}.{:08x}", token.session_id(), token.number());
        self.key_claims_path(key).join(name)
    }

    /// Returns the path that `check` writes to.
    pub(super) fn probe_path(&self) -> Path {
        self.reserved().join("check").join(Uuid::from_bytes(random()).to_string())
    }
}

/// Returns the session of a claim.
pub(super) fn claim_session(path: &Path) -> Option<Uuid> {
    path.filename()?.split('.').next()?.parse().ok()
}

/// Returns a name that no other object of the tail has.
pub(super) fn piece_name(token: WorkToken, offset: u64) -> Box<str> {
    let random = u32::from_le_bytes(random());
    format!("{:08x}-{offset:x}-{random:08x}", token.number()).into()
}

/// Returns a hash of a text as a name of fixed length.
pub(crate) fn hash(text: &str) -> String {
    let mut name = String::with_capacity(32);
    for byte in &Sha256::digest(text.as_bytes())[..16] {
        // Writing to a string does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// Returns random bytes; zeros if the system has none, since names contain other unique numbers.
pub(super) fn random<const N: usize>() -> [u8; N] {
    crate::random::bytes().unwrap_or([0; N])
}
