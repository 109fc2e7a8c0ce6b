//! A storage that tests can stall or let fail.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bits_proto::server::WorkToken;
use bits_server::Key;
use bits_server::storage::{
    Discarded, Entity, Journal, Metadata, Publish, Published, ReplyWriter, Result, Staged, Storage,
    StorageError, Write, Writer,
};
use bytes::Bytes;
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

/// An operation of a storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    Begin,
    Write,
    Flush,
    Publish,
    WriteReply,
    Discard,
    Read,
}

/// Control over a storage.
#[derive(Clone, Default)]
pub struct Hooks {
    hooks: Arc<Mutex<HashMap<Operation, Hook>>>,
    modified: Arc<Mutex<Option<SystemTime>>>,
    reads: Arc<AtomicUsize>,
    /// The results of saving descriptions; `None` if none is saved.
    saved: Arc<Mutex<Option<Vec<Result<()>>>>>,
    /// Number of lists of the sessions with staged data.
    searches: watch::Sender<usize>,
    undeletable: Arc<Mutex<HashSet<Uuid>>>,
}

enum Hook {
    /// The next operation fails.
    Fail(StorageError),
    /// The next operation stalls.
    Stall(Stalled),
    /// The next operation panics.
    Panic,
}

/// A stalled operation.
#[derive(Clone)]
pub struct Stalled {
    reached: watch::Sender<bool>,
    gate: Arc<Semaphore>,
}

impl Stalled {
    /// Waits until an operation is stalled.
    pub async fn reached(&self) {
        self.reached.subscribe().wait_for(|reached| *reached).await.unwrap();
    }

    pub fn resume(&self) {
        self.gate.add_permits(1);
    }
}

impl Hooks {
    pub fn fail(&self, operation: Operation, error: StorageError) {
        self.hooks.lock().unwrap().insert(operation, Hook::Fail(error));
    }

    pub fn panic(&self, operation: Operation) {
        self.hooks.lock().unwrap().insert(operation, Hook::Panic);
    }

    pub fn stall(&self, operation: Operation) -> Stalled {
        let stalled =
            Stalled { reached: watch::Sender::new(false), gate: Arc::new(Semaphore::new(0)) };
        self.hooks.lock().unwrap().insert(operation, Hook::Stall(stalled.clone()));
        stalled
    }

    /// Lets all deletions of the data of these sessions fail.
    pub fn fail_discards_of(&self, sessions: impl IntoIterator<Item = Uuid>) {
        self.undeletable.lock().unwrap().extend(sessions);
    }

    /// Sets the date of all entities.
    pub fn set_modified(&self, modified: SystemTime) {
        *self.modified.lock().unwrap() = Some(modified);
    }

    /// Returns the number of reads of entities.
    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    /// Lets each write first save this description.
    pub fn save_before_writes(&self) {
        *self.saved.lock().unwrap() = Some(Vec::new());
    }

    /// Returns the results of saving descriptions.
    pub fn take_saved(&self) -> Vec<Result<()>> {
        self.saved.lock().unwrap().take().unwrap_or_default()
    }

    /// Waits until the sessions with staged data were listed this many times.
    pub async fn searched(&self, times: usize) {
        self.searches.subscribe().wait_for(|searches| *searches >= times).await.unwrap();
    }

    async fn save(&self, journal: &dyn Journal) -> Result<()> {
        if self.saved.lock().unwrap().is_none() {
            return Ok(());
        }
        let saved = journal.save(&Staged("saved".into())).await;
        let result = if saved.is_ok() { Ok(()) } else { Err(StorageError::Stale) };
        self.saved.lock().unwrap().get_or_insert_default().push(saved);
        result
    }

    async fn run(&self, operation: Operation) -> Result<()> {
        let hook = self.hooks.lock().unwrap().remove(&operation);
        match hook {
            None => Ok(()),
            Some(Hook::Fail(error)) => Err(error),
            Some(Hook::Panic) => panic!("{operation:?}"),
            Some(Hook::Stall(stalled)) => {
                stalled.reached.send_replace(true);
                stalled.gate.acquire().await.unwrap().forget();
                Ok(())
            }
        }
    }
}

pub struct Hooked<S> {
    storage: S,
    hooks: Hooks,
}

impl<S> Hooked<S> {
    pub fn new(storage: S, hooks: Hooks) -> Self {
        Self { storage, hooks }
    }
}

struct HookedWriter {
    writer: Box<dyn Writer>,
    journal: Arc<dyn Journal>,
    hooks: Hooks,
}

/// A journal with several users.
struct SharedJournal(Arc<dyn Journal>);

#[async_trait]
impl Journal for SharedJournal {
    async fn save(&self, staged: &Staged) -> Result<()> {
        self.0.save(staged).await
    }
}

#[async_trait]
impl Writer for HookedWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.hooks.run(Operation::Write).await?;
        self.hooks.save(&*self.journal).await?;
        self.writer.write(bytes).await
    }

    async fn flush(&mut self) -> Result<Staged> {
        self.hooks.run(Operation::Flush).await?;
        self.writer.flush().await
    }
}

struct HookedEntity {
    entity: Box<dyn Entity>,
    metadata: Metadata,
    hooks: Hooks,
}

#[async_trait]
impl Entity for HookedEntity {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    async fn read(&mut self, offset: u64, length: usize) -> Result<Bytes> {
        self.hooks.reads.fetch_add(1, Ordering::SeqCst);
        self.hooks.run(Operation::Read).await?;
        self.entity.read(offset, length).await
    }
}

#[async_trait]
impl<S: Storage> Storage for Hooked<S> {
    async fn check(&self) -> Result<()> {
        self.storage.check().await
    }

    async fn metadata(&self, key: &Key) -> Result<Option<Metadata>> {
        self.storage.metadata(key).await
    }

    async fn open(&self, key: &Key) -> Result<Option<Box<dyn Entity>>> {
        let entity = self.storage.open(key).await?;
        let modified = *self.hooks.modified.lock().unwrap();
        let hooks = self.hooks.clone();
        Ok(entity.map(|entity| {
            let mut metadata = entity.metadata().clone();
            metadata.modified = modified.unwrap_or(metadata.modified);
            Box::new(HookedEntity { entity, metadata, hooks }) as _
        }))
    }

    async fn begin(&self, session: Uuid, key: &Key) -> Result<Staged> {
        self.hooks.run(Operation::Begin).await?;
        self.storage.begin(session, key).await
    }

    async fn write(&self, write: Write) -> Result<Box<dyn Writer>> {
        let Write { token, offset, total, staged, journal, .. } = write;
        let journal: Arc<dyn Journal> = journal.into();
        let shared = Box::new(SharedJournal(Arc::clone(&journal)));
        let writer = self.storage.write(Write::new(token, offset, total, staged, shared)).await?;
        Ok(Box::new(HookedWriter { writer, journal, hooks: self.hooks.clone() }))
    }

    async fn publish(&self, publish: Publish) -> Result<Published> {
        self.hooks.run(Operation::Publish).await?;
        self.storage.publish(publish).await
    }

    async fn open_staged(
        &self,
        token: WorkToken,
        staged: &Staged,
        total: u64,
    ) -> Result<Box<dyn Entity>> {
        self.storage.open_staged(token, staged, total).await
    }

    async fn write_reply(&self, token: WorkToken) -> Result<Box<dyn ReplyWriter>> {
        self.hooks.run(Operation::WriteReply).await?;
        self.storage.write_reply(token).await
    }

    async fn open_reply(&self, session: Uuid) -> Result<Option<Box<dyn Entity>>> {
        self.storage.open_reply(session).await
    }

    async fn discard(&self, token: WorkToken, staged: &Staged, what: Discarded) -> Result<()> {
        self.hooks.run(Operation::Discard).await?;
        if self.hooks.undeletable.lock().unwrap().contains(&token.session_id()) {
            return Err(StorageError::other("input/output error"));
        }
        self.storage.discard(token, staged, what).await
    }

    async fn remove(&self, session: Uuid, staged: Option<&Staged>) -> Result<()> {
        self.storage.remove(session, staged).await
    }

    async fn sessions(&self, min_age: Duration) -> Result<Vec<Uuid>> {
        let sessions = self.storage.sessions(min_age).await;
        self.hooks.searches.send_modify(|searches| *searches += 1);
        sessions
    }
}
