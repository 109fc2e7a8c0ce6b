//! Fencing: only the latest request of a session may access its files.
//!
//! A late write would change bytes that were acknowledged for, or published by, a later request: open files
//! remain valid when the entity is published. So each access runs under a lock of the session, and first
//! compares the number of its work token with the latest one. The lock on the folder of staged data excludes
//! other processes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use bits_proto::server::WorkToken;
use uuid::Uuid;

use crate::storage::{Result, StorageError};

/// The latest work token of every session.
#[derive(Debug, Default)]
pub(super) struct Fences(Mutex<HashMap<Uuid, Arc<Fence>>>);

/// Protects the files of one session.
#[derive(Debug, Default)]
pub(super) struct Fence {
    /// Number of the latest work token; [`REMOVED`] after the session was removed.
    latest: AtomicU64,
    lock: Mutex<()>,
}

/// Greater than the number of any token.
const REMOVED: u64 = u64::MAX;

/// Access to the files of a session, valid until a later request takes over.
#[derive(Clone, Debug)]
pub(in crate::storage) struct Guard {
    token: WorkToken,
    fence: Arc<Fence>,
}

impl Fences {
    /// Returns the access of a work token.
    pub(super) fn guard(&self, token: WorkToken) -> Guard {
        let fence = Arc::clone(locked(&self.0).entry(token.session_id()).or_default());
        Guard { token, fence }
    }

    /// Ends the access of all tokens of a session, and deletes its files with `remove`.
    pub(super) fn remove(&self, session: Uuid, remove: impl FnOnce() -> Result<()>) -> Result<()> {
        let fence = locked(&self.0).get(&session).cloned();
        if let Some(fence) = fence {
            fence.latest.store(REMOVED, Ordering::SeqCst);
            let _lock = locked(&fence.lock);
            remove()?;
        } else {
            remove()?;
        }
        // Only now: a new fence would forget the tokens while there are files.
        locked(&self.0).remove(&session);
        Ok(())
    }

    /// Returns the sessions without operations in progress.
    pub(super) fn idle(&self) -> Vec<Uuid> {
        let fences = locked(&self.0);
        let idle = fences.iter().filter(|(_, fence)| Arc::strong_count(fence) == 1);
        idle.map(|(session, _)| *session).collect()
    }

    /// Forgets the tokens of a session that has no files any more, which a late request has used.
    pub(super) fn forget(&self, session: Uuid) {
        locked(&self.0).remove(&session);
    }
}

impl Guard {
    /// Calls `work`, which accesses the files of the session, under the lock of the session.
    ///
    /// # Errors
    ///
    /// An error of `work`; or [`StorageError::Stale`], without calling `work`, if a later request has taken
    /// over or the session was removed.
    pub(super) fn run<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.announce();
        let _lock = locked(&self.fence.lock);
        self.check()?;
        work()
    }

    /// Returns the lock of the session, under which its files may be accessed. Returns `None` if that would wait
    /// for another operation of the session.
    ///
    /// # Errors
    ///
    /// [`StorageError::Stale`] as for [`run`](Self::run).
    pub(super) fn try_access(&self) -> Option<Result<MutexGuard<'_, ()>>> {
        self.announce();
        let lock = match self.fence.lock.try_lock() {
            Ok(lock) => lock,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(self.check().map(|()| lock))
    }

    /// Makes earlier tokens stale. This precedes the lock: then an operation in progress is the last one of its
    /// token.
    fn announce(&self) {
        self.fence.latest.fetch_max(self.number(), Ordering::SeqCst);
    }

    fn check(&self) -> Result<()> {
        let is_latest = self.fence.latest.load(Ordering::SeqCst) == self.number();
        if is_latest { Ok(()) } else { Err(StorageError::Stale) }
    }

    fn number(&self) -> u64 {
        self.token.number().into()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic leaves the contents consistent.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
