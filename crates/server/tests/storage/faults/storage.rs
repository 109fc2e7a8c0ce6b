//! A storage in memory with one fault.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bits_proto::server::WorkToken;
use bits_server::Key;
use bits_server::storage::{
    Discarded, Entity, MemoryStorage, Metadata, Publish, Published, ReplyWriter, Result, Staged,
    StagedPaths, Storage, StorageError, Write, Writer,
};
use bits_server::testing::Upload;
use uuid::Uuid;

use super::Fault;
use super::handles::{FaultyEntity, FaultyReplyWriter, FaultyWriter};

#[derive(Clone)]
pub struct Faulty {
    pub fault: Fault,
    pub inner: MemoryStorage,
    shared: Arc<Mutex<Shared>>,
    /// Number of this node.
    node: u64,
}

/// Knowledge about all sessions.
#[derive(Default)]
pub struct Shared {
    pub latest: HashMap<Uuid, WorkToken>,
    pub keys: HashMap<Uuid, Key>,
    pub nodes: HashMap<Uuid, u64>,
    /// Bytes that were written last, acknowledged or not.
    pub written: HashMap<Uuid, Vec<u8>>,
    published: HashSet<Uuid>,
    removed: HashSet<Uuid>,
}

impl Faulty {
    pub fn new(fault: Fault) -> Self {
        Self { fault, inner: MemoryStorage::new(), shared: Arc::default(), node: 0 }
    }

    /// Returns another node with the same entities.
    pub fn node(&self) -> Self {
        static NODES: AtomicU64 = AtomicU64::new(1);
        Self { node: NODES.fetch_add(1, Ordering::Relaxed), ..self.clone() }
    }

    pub fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect("no panic")
    }

    pub fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// Returns the latest token of a session if the fault ignores late requests, and else the token itself.
    pub fn token(&self, token: WorkToken, fault: Fault) -> WorkToken {
        let mut shared = self.shared();
        let latest = shared.latest.entry(token.session_id()).or_insert(token);
        if latest.number() < token.number() {
            *latest = token;
        }
        if self.fault == fault { *latest } else { token }
    }

    fn key(&self, key: &Key) -> Key {
        let text = key.as_str();
        let text =
            if self.has(Fault::ReplacesSpaces) { text.replace(' ', "+") } else { text.into() };
        text.parse().expect("a valid key")
    }

    /// Publishes the bytes that were written for a session, although it has ended.
    async fn publish_again(&self, publish: &Publish) -> Result<Published> {
        let bytes = self.shared().written.get(&publish.token.session_id()).cloned();
        let bytes = bytes.filter(|bytes| bytes.len() as u64 == publish.total);
        let bytes = bytes.ok_or(StorageError::Lost(None))?;
        let mut upload = Upload::begin(&self.inner, &publish.key, publish.total).await?;
        upload.send(&self.inner, &bytes).await.map_err(StorageError::other)?;
        self.inner.publish(upload.publication().with_replaces(publish.replaces)).await
    }
}

#[async_trait]
impl Storage for Faulty {
    async fn check(&self) -> Result<()> {
        self.inner.check().await
    }

    async fn metadata(&self, key: &Key) -> Result<Option<Metadata>> {
        let metadata = self.inner.metadata(&self.key(key)).await?;
        let is_staged = self.shared().keys.values().any(|staged| staged == key);
        if self.has(Fault::ShowsStaged) && metadata.is_none() && is_staged {
            return Ok(Some(Metadata::new(0, SystemTime::now())));
        }
        Ok(metadata.map(|mut metadata| {
            match self.fault {
                Fault::ReportsWrongLength => metadata.length += 1,
                Fault::KeepsTime => metadata.modified = SystemTime::UNIX_EPOCH,
                Fault::KeepsTag => metadata.tag = Some("tag".into()),
                _ => {}
            }
            metadata
        }))
    }

    async fn open(&self, key: &Key) -> Result<Option<Box<dyn Entity>>> {
        let key = self.key(key);
        let Some(inner) = self.inner.open(&key).await? else { return Ok(None) };
        let metadata = self.metadata(&key).await?.unwrap_or_else(|| inner.metadata().clone());
        let metadata =
            if self.has(Fault::ReportsWrongLength) { inner.metadata().clone() } else { metadata };
        Ok(Some(Box::new(FaultyEntity { storage: self.clone(), key, metadata, inner })))
    }

    async fn begin(&self, session: Uuid, key: &Key) -> Result<Staged> {
        let is_denied = match self.fault {
            Fault::RejectsUnicode => !key.as_str().is_ascii(),
            Fault::HidesMissingFolders => !key.folder().is_empty(),
            _ => false,
        };
        if is_denied {
            return Err(StorageError::Denied(None));
        }
        self.shared().keys.insert(session, key.clone());
        self.shared().nodes.insert(session, self.node);
        self.inner.begin(session, key).await
    }

    async fn write(&self, mut write: Write) -> Result<Box<dyn Writer>> {
        let session = write.token.session_id();
        let is_here = self.shared().nodes.get(&session) == Some(&self.node);
        if self.has(Fault::StagesOnOneNode) && !is_here {
            return Err(StorageError::Lost(None));
        }
        write.token = self.token(write.token, Fault::OpensLateWriters);
        if self.has(Fault::AppendsToSurplus) {
            let written = self.shared().written.get(&session).map(Vec::len);
            write.offset = written.unwrap_or_default() as u64;
        }
        let (token, offset) = (write.token, write.offset);
        let inner = match self.inner.write(write).await {
            Err(StorageError::Lost(_)) if self.has(Fault::BeginsWithWrites) && offset == 0 => {
                self.inner.begin(session, &"e".parse().expect("a key")).await?;
                self.inner.write(FaultyWriter::order(token, 0)).await?
            }
            inner => inner?,
        };
        Ok(Box::new(FaultyWriter::new(self.clone(), inner, token, offset)))
    }

    async fn publish(&self, mut publish: Publish) -> Result<Published> {
        let session = publish.token.session_id();
        self.token(publish.token, Fault::None);
        publish.key = self.key(&publish.key);
        match self.fault {
            Fault::ForgetsPublications if self.shared().published.contains(&session) => {
                return Err(StorageError::Lost(None));
            }
            Fault::LosesEmptyEntities if publish.total == 0 => {
                return Err(StorageError::Lost(None));
            }
            Fault::AlwaysReplaces => publish.replaces = true,
            Fault::ChecksBeforePublication if !publish.replaces => {
                let is_published = self.shared().published.contains(&session);
                if !is_published && self.inner.get(&publish.key).is_some() {
                    return Err(StorageError::Exists);
                }
                tokio::task::yield_now().await;
                publish.replaces = true;
            }
            Fault::RemovesBeforePublication if publish.replaces => {
                drop(self.inner.take(&publish.key));
                tokio::task::yield_now().await;
                publish.replaces = false;
            }
            Fault::ReplacesFolders => {
                let folder = publish.key.folder().parse();
                folder.into_iter().for_each(|folder| drop(self.inner.take(&folder)));
            }
            _ => {}
        }
        let published = match self.inner.publish(publish.clone()).await {
            Err(StorageError::Lost(_)) if self.has(Fault::HidesLoss) => {
                Err(StorageError::other("bytes are missing"))
            }
            Err(StorageError::Lost(_) | StorageError::Stale) if self.has(Fault::PublishesLate) => {
                self.publish_again(&publish).await
            }
            published => published,
        }?;
        self.shared().published.insert(session);
        Ok(published)
    }

    async fn open_staged(
        &self,
        token: WorkToken,
        staged: &Staged,
        mut total: u64,
    ) -> Result<Box<dyn Entity>> {
        if self.has(Fault::ReadsSurplus) {
            let written = self.shared().written.get(&token.session_id()).map(Vec::len);
            total = total.max(written.unwrap_or_default() as u64);
        }
        self.inner.open_staged(token, staged, total).await
    }

    async fn write_reply(&self, token: WorkToken) -> Result<Box<dyn ReplyWriter>> {
        self.token(token, Fault::None);
        self.inner.write_reply(token).await?;
        Ok(Box::new(FaultyReplyWriter { storage: self.clone(), token, bytes: Vec::new() }))
    }

    async fn open_reply(&self, session: Uuid) -> Result<Option<Box<dyn Entity>>> {
        self.inner.open_reply(session).await
    }

    async fn discard(&self, token: WorkToken, staged: &Staged, mut what: Discarded) -> Result<()> {
        self.token(token, Fault::None);
        match self.fault {
            Fault::DiscardsBoth => what = Discarded::ALL,
            Fault::DiscardsPublished if what.entity => {
                let key = self.shared().keys.get(&token.session_id()).cloned();
                key.into_iter().for_each(|key| drop(self.inner.take(&key)));
            }
            _ => {}
        }
        self.inner.discard(token, staged, what).await
    }

    async fn remove(&self, session: Uuid, staged: Option<&Staged>) -> Result<()> {
        let is_new = self.shared().removed.insert(session);
        if self.has(Fault::RemovesOnce) && !is_new {
            return Err(StorageError::other("there is no such session"));
        }
        self.inner.remove(session, staged).await
    }

    async fn sessions(&self, min_age: Duration) -> Result<Vec<Uuid>> {
        match self.fault {
            Fault::ListsNothing => Ok(Vec::new()),
            Fault::IgnoresAge => self.inner.sessions(Duration::ZERO).await,
            _ => self.inner.sessions(min_age).await,
        }
    }

    async fn paths(&self, _: WorkToken, _: &Staged, _: u64) -> Result<Option<StagedPaths>> {
        // A file with other bytes.
        let wrong = || Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        Ok(self.has(Fault::NamesWrongFile).then(|| StagedPaths::new(wrong(), wrong())))
    }
}
