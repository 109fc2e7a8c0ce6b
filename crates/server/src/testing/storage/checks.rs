//! Steps and checks of the cases.

use crate::storage::{Entity, Result, Storage};
use crate::testing::Upload;
use crate::testing::suite::{Outcome, ensure, ensure_eq};
use crate::{BoxError, Key};

/// Uploads an entity in one session and returns the session.
pub(super) async fn upload(
    storage: &dyn Storage,
    key: &Key,
    bytes: &[u8],
    replaces: bool,
) -> Result<Upload, BoxError> {
    let mut upload = complete(storage, key, bytes).await?;
    let publication = upload.publication().with_replaces(replaces);
    storage.publish(publication).await?;
    Ok(upload)
}

/// Uploads all bytes of an entity without publishing it.
pub(super) async fn complete(
    storage: &dyn Storage,
    key: &Key,
    bytes: &[u8],
) -> Result<Upload, BoxError> {
    let mut upload = Upload::begin(storage, key, bytes.len() as u64).await?;
    if !bytes.is_empty() {
        upload.send(storage, bytes).await?;
    }
    Ok(upload)
}

/// Reads all bytes of an entity.
pub(super) async fn read(entity: &mut dyn Entity) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let piece = entity.read(bytes.len() as u64, 100_000).await?;
        if piece.is_empty() {
            return Ok(bytes);
        }
        bytes.extend_from_slice(&piece);
    }
}

/// Checks the bytes and the length of a published entity.
pub(super) async fn ensure_published(storage: &dyn Storage, key: &Key, expected: &[u8]) -> Outcome {
    let entity = storage.open(key).await?;
    let mut entity = entity.ok_or_else(|| format!("{key}: there is no published entity"))?;
    ensure_eq!(entity.metadata().length, expected.len() as u64, "length of {key}");
    ensure_bytes(key.as_str(), &read(&mut *entity).await?, expected)
}

/// Checks that no entity is published with this key.
pub(super) async fn ensure_absent(storage: &dyn Storage, key: &Key) -> Outcome {
    ensure!(storage.open(key).await?.is_none(), "{key}: an entity is published");
    ensure!(storage.metadata(key).await?.is_none(), "{key}: there is metadata");
    Ok(())
}

/// Checks that bytes are equal. Reports the first difference instead of all bytes.
pub(super) fn ensure_bytes(what: &str, actual: &[u8], expected: &[u8]) -> Outcome {
    let differs = actual.iter().zip(expected).position(|(actual, expected)| actual != expected);
    if let Some(offset) = differs {
        return Err(format!("{what}: wrong byte at offset {offset}").into());
    }
    ensure_eq!(actual.len(), expected.len(), "{what}: number of bytes");
    Ok(())
}

/// Returns the key for an entity of a case.
pub(super) fn key(name: &str) -> Result<Key, BoxError> {
    let mut random = [0; 8];
    getrandom::fill(&mut random)?;
    // A storage that lives as long as the process may be used several times.
    Ok(format!("{name}-{:016x}", u64::from_ne_bytes(random)).parse()?)
}

/// Returns bytes without a pattern that repeats.
pub(super) fn content(seed: u32, length: usize) -> Vec<u8> {
    let mut state = u64::from(seed) << 1 | 1;
    let next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}
