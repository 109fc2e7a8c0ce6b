//! Index of the sessions, for counts and timeouts.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bits_proto::error::error_chain;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{Error, ObjectMeta};
use uuid::Uuid;

use super::super::table::{Indexed, Table};
use super::super::{Result, SessionRecord, SessionStoreError};
use super::ObjectSessions;
use super::record::Stored;

/// Number of records that are read at the same time.
const READS: usize = 16;

/// Age from which the object of a removed session is deleted.
const MIN_REMOVED_AGE: Duration = Duration::from_secs(60);

/// The sessions of the last list, and changes by this node since then.
#[derive(Debug, Default)]
pub(super) struct Index {
    state: Mutex<State>,
    /// Time of the last list. It is locked while sessions are listed.
    listed: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct State {
    entries: Table<Entry>,
    /// Changes by this node since the list that is being made.
    changed: HashMap<Uuid, Option<Entry>>,
}

#[derive(Clone, Debug)]
struct Entry {
    e_tag: Option<String>,
    timeout: Duration,
    principal: Option<Box<str>>,
}

impl Indexed for Entry {
    fn principal(&self) -> Option<&str> {
        self.principal.as_deref()
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }
}

impl Entry {
    fn new(record: &SessionRecord, e_tag: Option<String>) -> Self {
        let (timeout, principal) = (record.record.timeout(), record.record.principal.clone());
        Self { e_tag, timeout, principal }
    }
}

impl Index {
    /// Locks the entries. No operation panics or waits while it holds the lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a change by this node.
    pub(super) fn put(&self, record: &SessionRecord, e_tag: Option<String>) {
        let (id, entry) = (record.id(), Entry::new(record, e_tag));
        let mut state = self.state();
        state.entries.put(id, entry.clone());
        state.changed.insert(id, Some(entry));
    }

    /// Adds a removal by this node.
    pub(super) fn remove(&self, id: Uuid) {
        let mut state = self.state();
        state.entries.remove(id);
        state.changed.insert(id, None);
    }

    pub(super) fn count(&self, principal: Option<&str>) -> usize {
        self.state().entries.count(principal)
    }

    /// Returns at most `max` sessions in the order of their timeouts.
    pub(super) fn expired(&self, now: Duration, max: usize) -> Vec<Uuid> {
        self.state().entries.expired(now, max)
    }

    /// Returns the known entry of an object if it has not changed.
    fn known(&self, id: Uuid, e_tag: Option<&str>) -> Option<Entry> {
        let entry = self.state().entries.get(id).cloned()?;
        (e_tag.is_some() && entry.e_tag.as_deref() == e_tag).then_some(entry)
    }

    fn begin_list(&self) {
        self.state().changed.clear();
    }

    /// Uses a list, except for sessions that this node has changed in the meantime. Returns the first failure
    /// to read a session. All others are known then, so that few are left to read the next time.
    fn end_list(&self, listed: Vec<Result<Option<(Uuid, Entry)>>>) -> Option<SessionStoreError> {
        let mut failure = None;
        let mut entries = HashMap::new();
        for entry in listed {
            match entry {
                Ok(entry) => entries.extend(entry),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        let mut state = self.state();
        for (id, entry) in std::mem::take(&mut state.changed) {
            match entry {
                Some(entry) => entries.insert(id, entry),
                None => entries.remove(&id),
            };
        }
        if failure.is_none() {
            state.entries = Table::default();
        }
        for (id, entry) in entries {
            state.entries.put(id, entry);
        }
        failure
    }
}

impl ObjectSessions {
    /// Lists the sessions unless the last list is recent.
    pub(super) async fn refresh(&self, max_age: Duration) -> Result<()> {
        let mut listed = self.index.listed.lock().await;
        if listed.is_some_and(|time| time.elapsed() < max_age) {
            return Ok(());
        }
        let start = Instant::now();
        self.index.begin_list();
        let folder = self.folder();
        let objects: Vec<_> = self.store.list(Some(&folder)).try_collect().await.map_err(failed)?;
        self.delete_removed(&objects).await?;
        let sessions = objects.into_iter().filter(|meta| meta.size > 0);
        let entries = stream::iter(sessions).map(|meta| self.entry(meta)).buffer_unordered(READS);
        let entries: Vec<_> = entries.collect().await;
        let failure = self.index.end_list(entries);
        if let Some(failure) = failure {
            return Err(failure);
        }
        *listed = Some(start);
        Ok(())
    }

    /// Returns the entry of an object. Reads the object if it has changed.
    async fn entry(&self, meta: ObjectMeta) -> Result<Option<(Uuid, Entry)>> {
        let id = meta.location.filename().and_then(|name| name.parse().ok());
        let Some(id) = id else { return Ok(None) };
        if let Some(entry) = self.index.known(id, meta.e_tag.as_deref()) {
            return Ok(Some((id, entry)));
        }
        let Some((content, version)) = self.get(&meta.location).await? else { return Ok(None) };
        if content.is_empty() {
            return Ok(None);
        }
        let record = match Stored::decode(id, &content) {
            Ok(record) => record,
            Err(error) => {
                // One invalid record does not block other sessions.
                tracing::error!(session = %id, error = %error_chain(&error), "cannot read a session");
                return Ok(None);
            }
        };
        Ok(Some((id, Entry::new(&record, version.e_tag))))
    }

    /// Deletes the objects of sessions that were removed a while ago.
    async fn delete_removed(&self, objects: &[ObjectMeta]) -> Result<()> {
        let now = SystemTime::now();
        let is_old = |meta: &&ObjectMeta| {
            let age = now.duration_since(meta.last_modified.into());
            meta.size == 0 && age.is_ok_and(|age| age >= MIN_REMOVED_AGE)
        };
        let removed: Vec<_> =
            objects.iter().filter(is_old).map(|meta| Ok(meta.location.clone())).collect();
        let mut deleted = self.store.delete_stream(stream::iter(removed).boxed());
        while let Some(result) = deleted.next().await {
            match result {
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }
}

fn failed(error: Error) -> SessionStoreError {
    SessionStoreError::unavailable(error)
}
