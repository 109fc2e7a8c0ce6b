//! A session as a server drives it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bits_proto::field::ContentRange;
use bits_proto::message::{CreateSession, Fragment};
use bits_proto::server::{Access, Policy, Session, WorkToken};
use bits_server::Key;
use bits_server::storage::{
    Journal, Publish, Published, Result, Staged, Storage, StorageError, Write, Writer,
};
use bytes::Bytes;
use uuid::Uuid;

/// Time between two requests. All work of the first one has timed out when the second one arrives.
const REQUEST_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// A session with acknowledged bytes.
pub(crate) struct Upload {
    session: Session,
    now: Duration,
    key: Key,
    total: u64,
    acknowledged: u64,
    record: Arc<Record>,
}

/// The part of the record of a session that the storage changes.
struct Record {
    state: Mutex<(u32, Staged)>,
    saves: Mutex<usize>,
}

impl Upload {
    pub(crate) async fn begin(storage: &dyn Storage, key: &str, total: u64) -> Self {
        let key: Key = key.parse().expect("a valid key");
        let policy = policy();
        let (request, access) = (CreateSession::default(), Access::Granted);
        let random = *Uuid::new_v4().as_bytes();
        let created = Session::create(&request, access, &policy, random, Duration::ZERO);
        let (session, _) = created.expect("a session");
        let staged = loop {
            // Tests with faults repeat what failed.
            match storage.begin(session.id(), &key).await {
                Ok(staged) => break staged,
                Err(StorageError::Other(error)) if error.to_string().contains("injected") => {}
                Err(error) => panic!("{error:?}"),
            }
        };
        let record = Arc::new(Record { state: Mutex::new((0, staged)), saves: Mutex::default() });
        Self { session, now: Duration::ZERO, key, total, acknowledged: 0, record }
    }

    pub(crate) const fn id(&self) -> Uuid {
        self.session.id()
    }

    pub(crate) fn acknowledged(&self) -> usize {
        usize::try_from(self.acknowledged).expect("a short entity")
    }

    pub(crate) fn staged(&self) -> Staged {
        self.record.state.lock().expect("a lock").1.clone()
    }

    /// Returns the number of times that the storage stored a description before it wrote, since the last call.
    pub(crate) fn take_saves(&self) -> usize {
        std::mem::take(&mut self.record.saves.lock().expect("a lock"))
    }

    /// Issues a work token, which takes over the session.
    pub(crate) fn token(&mut self) -> WorkToken {
        self.now += REQUEST_INTERVAL;
        let range = ContentRange::new(0, 0, 1).expect("a valid range");
        let fragment = Fragment::new(self.session.session_id(), range).into();
        let step = self.session.handle_request(&fragment, Access::Granted, &policy(), self.now);
        let token = step.token().expect("a token");
        self.record.state.lock().expect("a lock").0 = token.number();
        token
    }

    /// Opens a writer of a new request.
    pub(crate) async fn writer(&mut self, storage: &dyn Storage) -> Result<Box<dyn Writer>> {
        let token = self.token();
        let journal = Saved { token, record: Arc::clone(&self.record) };
        let (offset, staged) = (self.acknowledged, self.staged());
        storage.write(Write::new(token, offset, self.total, staged, Box::new(journal))).await
    }

    /// Acknowledges bytes that were flushed.
    pub(crate) fn acknowledge(&mut self, flushed: Staged, bytes: u64) {
        self.record.state.lock().expect("a lock").1 = flushed;
        self.acknowledged += bytes;
    }

    /// Stores the bytes of one request.
    pub(crate) async fn send(&mut self, storage: &dyn Storage, bytes: &[u8]) -> Result<()> {
        let mut writer = self.writer(storage).await?;
        for chunk in bytes.chunks(64 << 10) {
            writer.write(Bytes::copy_from_slice(chunk)).await?;
        }
        let flushed = writer.flush().await?;
        self.acknowledge(flushed, bytes.len() as u64);
        Ok(())
    }

    pub(crate) fn publication(&mut self) -> Publish {
        Publish::new(self.token(), self.staged(), self.total, self.key.clone())
    }

    pub(crate) async fn publish(&mut self, storage: &dyn Storage) -> Result<Published> {
        let publication = self.publication();
        storage.publish(publication).await
    }

    pub(crate) async fn remove(&self, storage: &dyn Storage) {
        storage.remove(self.id(), Some(&self.staged())).await.expect("the session is removed");
    }
}

fn policy() -> Policy<'static> {
    Policy::DEFAULT.with_session_timeout(Duration::from_secs(u64::from(u32::MAX)))
}

/// Stores a description unless a later token was issued.
struct Saved {
    token: WorkToken,
    record: Arc<Record>,
}

#[async_trait]
impl Journal for Saved {
    async fn save(&self, staged: &Staged) -> Result<()> {
        let mut state = self.record.state.lock().expect("a lock");
        if state.0 != self.token.number() {
            return Err(StorageError::Stale);
        }
        state.1 = staged.clone();
        *self.record.saves.lock().expect("a lock") += 1;
        Ok(())
    }
}

/// Returns bytes without a pattern that repeats.
pub(crate) fn content(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Reads a published entity.
pub(crate) async fn published(storage: &dyn Storage, key: &str) -> Option<Vec<u8>> {
    let key = key.parse().expect("a valid key");
    let mut entity = storage.open(&key).await.expect("the entity is readable")?;
    let mut bytes = Vec::new();
    loop {
        let read = entity.read(bytes.len() as u64, 64 << 10).await.expect("bytes");
        if read.is_empty() {
            return Some(bytes);
        }
        bytes.extend_from_slice(&read);
    }
}
