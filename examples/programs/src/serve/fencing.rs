//! Fencing: only the latest request of a session may access its files.
//!
//! A request whose work is silent for too long loses its work token to a later request; a slow disk
//! or a change of the clock suffices. When it resumes, it may still hold bytes and open files. A
//! late write would change bytes that were acknowledged for, or published by, the later request:
//! open handles remain valid when the entity is published.
//!
//! The embedding guide recommends one staging file per work token, as in `cluster::folder`, where
//! processes share a folder. Here all requests of a session are in one process and share one file.
//! So each access runs under a lock of the session that first compares the work token with the
//! latest one. The lock on the folder of sessions excludes other processes.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bits_proto::server::WorkToken;
use uuid::Uuid;

/// The latest work token of every session in use.
#[derive(Default)]
pub struct Fencing(Mutex<HashMap<Uuid, Weak<Files>>>);

/// Protects the files of one session.
#[derive(Default)]
struct Files {
    /// Number of the latest work token.
    latest: AtomicU32,
    lock: Mutex<()>,
}

/// Access to the files of a session, valid until a later request takes over.
pub struct SessionGuard {
    pub token: WorkToken,
    files: Arc<Files>,
}

impl Fencing {
    /// Makes this token the latest one of its session.
    ///
    /// The caller must lock the table before the table issues the token and until this call returns.
    /// Otherwise a later token might be registered first.
    pub fn guard(&self, token: WorkToken) -> SessionGuard {
        let mut sessions = locked(&self.0);
        let known = sessions.get(&token.session_id()).and_then(Weak::upgrade);
        let files = known.unwrap_or_else(|| {
            let files = Arc::default();
            sessions.insert(token.session_id(), Arc::downgrade(&files));
            files
        });
        // Does not wait for a write in progress, as the table is locked. `run` waits for it.
        files.latest.store(token.number(), Ordering::SeqCst);
        SessionGuard { token, files }
    }

    /// Removes sessions without guards: they have no requests that could write late.
    pub fn remove_unused(&self) {
        locked(&self.0).retain(|_, files| files.strong_count() > 0);
    }
}

impl SessionGuard {
    /// Calls `work`, which accesses the files of the session, under the lock of the session.
    ///
    /// # Errors
    ///
    /// An error of `work`; or another error, without calling `work`, if a later request has taken over.
    pub fn run<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let _lock = locked(&self.files.lock);
        if self.files.latest.load(Ordering::SeqCst) != self.token.number() {
            return Err(io::Error::other("a later request of the session has taken over"));
        }
        work()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic leaves the contents consistent.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
