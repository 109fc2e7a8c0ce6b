//! A store that breaks one promise.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use bits_server::sessions::{
    MemorySessions, Result, SessionRecord, SessionStore, SessionStoreError, Version, Versioned,
};
use tokio::task::yield_now;
use uuid::Uuid;

/// A promise that a store breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    CheckFails,
    InsertOverwrites,
    InsertOverwritesSilently,
    InsertIsNotAtomic,
    LoadOmitsData,
    LoadOmitsReplyUrl,
    DataIsLimited,
    ReplaceIgnoresVersion,
    ReplaceInserts,
    ReplaceIsNotAtomic,
    ReplaceKeepsStaged,
    EqualReplaceKeepsVersion,
    VersionsRepeat,
    VersionsOutliveSessions,
    RemoveIgnoresVersion,
    RemoveOfMissingFails,
    RemoveDoesNothing,
    RemoveIsNotAtomic,
    CountNeverShrinks,
    CountIncludesReplaces,
    CountIncludesRejectedInserts,
    CountIgnoresPrincipal,
    CountIgnoresCase,
    CountEndsAtNul,
    ExpiredExcludesBoundary,
    ExpiredIsEarly,
    ExpiredIsRounded,
    ExpiredIgnoresMax,
    ExpiredIgnoresReplace,
    ExpiredOverflows,
    ReopeningForgets,
    ReopeningRepeatsVersions,
    DroppedChangesBlock,
    DroppedReplaceIsTorn,
    DroppedQueriesBlock,
}

use Fault::*;

/// A store with one fault, and its state.
pub struct Faulty {
    fault: Fault,
    inner: MemorySessions,
    /// Number of sessions that are counted although they do not exist.
    surplus: AtomicUsize,
    /// Names of the principals of all sessions.
    principals: Mutex<HashMap<Uuid, String>>,
    /// Timeouts at insertion.
    timeouts: Mutex<HashMap<Uuid, Duration>>,
    /// Number of changes of each session.
    changes: Mutex<HashMap<Uuid, u64>>,
    is_blocked: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("a lock")
}

impl Faulty {
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            inner: MemorySessions::new(),
            surplus: AtomicUsize::new(0),
            principals: Mutex::default(),
            timeouts: Mutex::default(),
            changes: Mutex::default(),
            is_blocked: AtomicBool::new(false),
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// Forgets what a store must not forget when it is opened again.
    pub fn reopen(&self) {
        if self.has(ReopeningRepeatsVersions) {
            locked(&self.changes).clear();
        }
    }

    /// Returns a record with the version that callers receive.
    async fn current(&self, id: Uuid) -> Result<Option<(Versioned, Version)>> {
        let Some(found) = self.inner.load(id).await? else { return Ok(None) };
        let text = match self.fault {
            VersionsRepeat => serde_json::to_string(&found.record).expect("a record").into(),
            VersionsOutliveSessions | ReopeningRepeatsVersions => {
                locked(&self.changes).get(&id).copied().unwrap_or_default().to_string().into()
            }
            _ => found.version.0.clone(),
        };
        Ok(Some((found, Version(text))))
    }

    fn record_change(&self, record: &SessionRecord, is_new: bool) {
        let id = record.id();
        if is_new {
            locked(&self.timeouts).insert(id, record.record.timeout());
        }
        let mut changes = locked(&self.changes);
        if is_new && self.has(VersionsOutliveSessions) {
            changes.remove(&id);
        }
        *changes.entry(id).or_default() += 1;
        let principal = record.record.principal.as_deref().unwrap_or_default();
        locked(&self.principals).insert(id, principal.to_owned());
    }

    /// Suspends the operation if the fault is this one. If it is dropped then, the store remains blocked.
    async fn suspend(&self, fault: Fault) -> Result<()> {
        if self.has(fault) {
            if self.is_blocked.swap(true, SeqCst) {
                return Err(SessionStoreError::unavailable("blocked"));
            }
            yield_now().await;
            self.is_blocked.store(false, SeqCst);
        }
        Ok(())
    }
}

#[async_trait]
impl SessionStore for Faulty {
    async fn check(&self) -> Result<()> {
        if self.has(CheckFails) {
            return Err(SessionStoreError::unavailable("check failed"));
        }
        Ok(())
    }

    async fn insert(&self, record: &SessionRecord) -> Result<bool> {
        self.suspend(DroppedChangesBlock).await?;
        let mut record = record.clone();
        if self.has(DataIsLimited) && record.data.to_string().len() > 60_000 {
            record.data = "too long".into();
        }
        let old = self.inner.load(record.id()).await?;
        if self.has(InsertIsNotAtomic) {
            yield_now().await;
        }
        let overwrites = match self.fault {
            InsertOverwrites | InsertOverwritesSilently => true,
            InsertIsNotAtomic => old.is_none(),
            _ => false,
        };
        let found = self.inner.load(record.id()).await?;
        if let Some(found) = found.filter(|_| overwrites) {
            self.inner.replace(&found.version, &record).await?;
            return Ok(!self.has(InsertOverwritesSilently));
        }
        let is_new = self.inner.insert(&record).await?;
        if is_new {
            self.record_change(&record, true);
        } else if self.has(CountIncludesRejectedInserts) {
            self.surplus.fetch_add(1, SeqCst);
        }
        Ok(is_new)
    }

    async fn load(&self, id: Uuid) -> Result<Option<Versioned>> {
        self.suspend(DroppedQueriesBlock).await?;
        let Some((mut found, version)) = self.current(id).await? else { return Ok(None) };
        match self.fault {
            LoadOmitsData => found.record.data = serde_json::Value::Null,
            LoadOmitsReplyUrl => found.record.record.reply_url = None,
            _ => {}
        }
        Ok(Some(Versioned::new(found.record, version)))
    }

    async fn replace(&self, expected: &Version, record: &SessionRecord) -> Result<Option<Version>> {
        self.suspend(DroppedChangesBlock).await?;
        let id = record.id();
        let Some((old, version)) = self.current(id).await? else {
            if self.has(ReplaceInserts) {
                self.inner.insert(record).await?;
            }
            return Ok(self.has(ReplaceInserts).then(|| expected.clone()));
        };
        if version != *expected && !self.has(ReplaceIgnoresVersion) {
            return Ok(None);
        }
        if self.has(EqualReplaceKeepsVersion) && old.record == *record {
            return Ok(Some(version));
        }
        let mut actual = old.version;
        if self.has(ReplaceIsNotAtomic) {
            yield_now().await;
            let Some((found, _)) = self.current(id).await? else { return Ok(None) };
            actual = found.version;
        }
        let mut record = record.clone();
        if self.has(ReplaceKeepsStaged) {
            record.staged = old.record.staged;
        }
        if self.has(DroppedReplaceIsTorn) {
            let mut torn = record.clone();
            torn.data = "torn".into();
            let Some(new) = self.inner.replace(&actual, &torn).await? else { return Ok(None) };
            yield_now().await;
            actual = new;
        }
        if self.inner.replace(&actual, &record).await?.is_none() {
            return Ok(None);
        }
        self.record_change(&record, false);
        if self.has(CountIncludesReplaces) {
            self.surplus.fetch_add(1, SeqCst);
        }
        Ok(self.current(id).await?.map(|(_, version)| version))
    }

    async fn remove(&self, id: Uuid, expected: &Version) -> Result<bool> {
        self.suspend(DroppedChangesBlock).await?;
        let Some((mut old, version)) = self.current(id).await? else {
            return Ok(!self.has(RemoveOfMissingFails));
        };
        if version != *expected && !self.has(RemoveIgnoresVersion) {
            return Ok(false);
        }
        if self.has(RemoveIsNotAtomic) {
            yield_now().await;
            let Some((found, _)) = self.current(id).await? else { return Ok(true) };
            old = found;
        }
        if self.has(RemoveDoesNothing) {
            return Ok(true);
        }
        if self.has(CountNeverShrinks) {
            self.surplus.fetch_add(1, SeqCst);
        }
        locked(&self.principals).remove(&id);
        self.inner.remove(id, &old.version).await
    }

    async fn count(&self, principal: Option<&str>) -> Result<usize> {
        let matching = |is_equal: &dyn Fn(&str, &str) -> bool| {
            let wanted = principal.unwrap_or_default();
            locked(&self.principals).values().filter(|it| is_equal(it, wanted)).count()
        };
        let until_nul = |text: &str| text.split('\0').next().map(str::to_owned);
        let counted = match (self.fault, principal) {
            (CountIgnoresPrincipal, _) => self.inner.count(None).await?,
            (CountIgnoresCase, Some(_)) => matching(&|one, other| one.eq_ignore_ascii_case(other)),
            (CountEndsAtNul, Some(_)) => matching(&|one, other| until_nul(one) == until_nul(other)),
            _ => self.inner.count(principal).await?,
        };
        Ok(counted + self.surplus.load(SeqCst))
    }

    async fn expired(&self, now: Duration, max: usize) -> Result<Vec<Uuid>> {
        self.suspend(DroppedQueriesBlock).await?;
        let moment = Duration::from_nanos(1);
        match self.fault {
            ExpiredExcludesBoundary => self.inner.expired(now.saturating_sub(moment), max).await,
            ExpiredIsEarly => {
                self.inner.expired(now.saturating_add(Duration::from_millis(1)), max).await
            }
            ExpiredIsRounded => {
                let next = now.saturating_add(Duration::from_micros(1)).saturating_sub(moment);
                self.inner.expired(next, max).await
            }
            ExpiredIgnoresMax => self.inner.expired(now, usize::MAX).await,
            ExpiredOverflows if now == Duration::MAX => Ok(Vec::new()),
            ExpiredIgnoresReplace => {
                let mut all = self.inner.expired(Duration::MAX, usize::MAX).await?;
                let timeouts = locked(&self.timeouts);
                all.retain(|id| timeouts.get(id).is_some_and(|timeout| *timeout <= now));
                all.truncate(max);
                Ok(all)
            }
            _ => self.inner.expired(now, max).await,
        }
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}
