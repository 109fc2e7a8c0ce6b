//! Sessions as a server drives them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bits_proto::field::{ContentRange, SessionId};
use bits_proto::message::{CreateSession, Fragment, Request};
use bits_proto::server::{
    Access, Policy, Record, RequestContext, SessionLimits, Sessions, SessionsResponse, Step,
    WorkToken,
};
use bytes::Bytes;
use uuid::Uuid;

use crate::storage::{
    Entity, Journal, Publish, Result, Staged, Storage, StorageError, Write, Writer,
};
use crate::testing::suite::{Outcome, ensure, ensure_eq};
use crate::{BoxError, Key};

/// Time between two requests. All work of the first one has timed out when the second one arrives.
const REQUEST_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// A session with acknowledged bytes.
pub(super) struct Upload {
    tokens: Tokens,
    key: Key,
    total: u64,
    acknowledged: u64,
    saved: Arc<Mutex<Saved>>,
}

/// Part of the record of a session.
struct Saved {
    /// Number of the latest token.
    latest: u32,
    staged: Staged,
}

impl Upload {
    /// Begins a session for an entity with `total` bytes.
    pub(super) async fn begin(
        storage: &dyn Storage,
        key: &Key,
        total: u64,
    ) -> Result<Self, BoxError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        let tokens = Tokens::new(random)?;
        let staged = storage.begin(tokens.session, key).await?;
        let saved = Arc::new(Mutex::new(Saved { latest: 0, staged }));
        Ok(Self { tokens, key: key.clone(), total, acknowledged: 0, saved })
    }

    pub(super) fn session(&self) -> Uuid {
        self.tokens.session
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Returns the description of the acknowledged bytes.
    pub(super) fn staged(&self) -> Staged {
        locked(&self.saved).staged.clone()
    }

    /// Issues a work token, which takes over the session.
    pub(super) fn token(&mut self) -> Result<WorkToken, BoxError> {
        let token = self.tokens.next()?;
        locked(&self.saved).latest = token.number();
        Ok(token)
    }

    /// Opens the staged entity for writing after the acknowledged bytes.
    pub(super) async fn writer(
        &self,
        storage: &dyn Storage,
        token: WorkToken,
    ) -> Result<Box<dyn Writer>> {
        self.writer_at(storage, token, self.acknowledged).await
    }

    pub(super) async fn writer_at(
        &self,
        storage: &dyn Storage,
        token: WorkToken,
        offset: u64,
    ) -> Result<Box<dyn Writer>> {
        let journal = SavedJournal { token, saved: Arc::clone(&self.saved) };
        let write = Write::new(token, offset, self.total, self.staged(), Box::new(journal));
        storage.write(write).await
    }

    /// Acknowledges bytes that were flushed. The description passes through its stored form.
    pub(super) fn acknowledge(&mut self, flushed: &Staged, bytes: usize) -> Outcome {
        locked(&self.saved).staged = serde_json::from_str(&serde_json::to_string(flushed)?)?;
        self.acknowledged += bytes as u64;
        Ok(())
    }

    /// Stores bytes in one request and acknowledges them.
    pub(super) async fn send(&mut self, storage: &dyn Storage, bytes: &[u8]) -> Outcome {
        let token = self.token()?;
        let mut writer = self.writer(storage, token).await?;
        writer.write(Bytes::copy_from_slice(bytes)).await?;
        let flushed = writer.flush().await?;
        self.acknowledge(&flushed, bytes.len())
    }

    /// Returns an order to publish the entity under a new token.
    pub(super) fn publication(&mut self) -> Result<Publish, BoxError> {
        Ok(Publish::new(self.token()?, self.staged(), self.total, self.key.clone()))
    }

    /// Publishes the entity in a new request. It must not exist yet.
    pub(super) async fn publish(&mut self, storage: &dyn Storage) -> Outcome {
        let publication = self.publication()?;
        storage.publish(publication).await?;
        Ok(())
    }

    /// Deletes what remains of the session.
    pub(super) async fn remove(&self, storage: &dyn Storage) -> Result<()> {
        storage.remove(self.session(), Some(&self.staged())).await
    }
}

/// Uploads an entity in one session and returns the session.
pub(super) async fn upload(
    storage: &dyn Storage,
    key: &Key,
    bytes: &[u8],
    replaces: bool,
) -> Result<Upload, BoxError> {
    let mut upload = complete(storage, key, bytes).await?;
    let publication = upload.publication()?.with_replaces(replaces);
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

/// Stores the description of staged bytes, unless a later token was issued.
struct SavedJournal {
    token: WorkToken,
    saved: Arc<Mutex<Saved>>,
}

#[async_trait]
impl Journal for SavedJournal {
    async fn save(&self, staged: &Staged) -> Result<()> {
        let mut saved = locked(&self.saved);
        if saved.latest != self.token.number() {
            return Err(StorageError::Stale);
        }
        saved.staged = staged.clone();
        Ok(())
    }
}

fn locked(saved: &Mutex<Saved>) -> MutexGuard<'_, Saved> {
    saved.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Issues the work tokens of one session.
struct Tokens {
    table: Sessions<'static, BTreeMap<Uuid, Record>>,
    session: Uuid,
    now: Duration,
}

impl Tokens {
    fn new(random: [u8; 16]) -> Result<Self, BoxError> {
        let mut policy = Policy::DEFAULT;
        policy.session_timeout = Duration::from_secs(u64::from(u32::MAX));
        let table = Sessions::new(BTreeMap::new(), policy, SessionLimits::default());
        let mut tokens = Self { table, session: Uuid::nil(), now: Duration::ZERO };
        let _ = tokens.request(&CreateSession::default().into(), random);
        let session = tokens.table.store().keys().next().copied();
        tokens.session = session.ok_or("no session was created")?;
        Ok(tokens)
    }

    fn request(
        &mut self,
        request: &Request<'_>,
        random: [u8; 16],
    ) -> Step<SessionsResponse<'static>> {
        self.now += REQUEST_INTERVAL;
        let context = RequestContext::new("/", Access::Granted, self.now);
        let Ok(step) = self.table.handle_request(request, &context, || random);
        step
    }

    /// Takes over the session with a fragment.
    fn next(&mut self) -> Result<WorkToken, BoxError> {
        let range = ContentRange::new(0, 0, 1)?;
        let fragment = Fragment::new(SessionId::from(self.session), range);
        let step = self.request(&fragment.into(), [0; 16]);
        step.token().ok_or_else(|| "no work token was issued".into())
    }
}
