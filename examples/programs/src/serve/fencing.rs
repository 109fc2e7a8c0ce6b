//! Whose turn it is to touch the files of a session.
//!
//! All turns write to one file, and a file that is put at its destination keeps its open handles.
//! A turn counts as given up when nothing was heard of it for too long, which a slow disk is
//! enough for, or a clock that somebody sets; whoever has lost it may still have bytes in hand. So
//! turns take over one after the other here as they do in the table, each touches files under the
//! session's lock, and none does any more once another has taken over. Other processes are kept
//! away by the lock on the folder of sessions.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bits_proto::server::{Step, WorkToken};
use uuid::Uuid;

/// The turns of all sessions that somebody works on.
#[derive(Default)]
pub struct Fencing(Mutex<HashMap<Uuid, Weak<Files>>>);

/// The files of one session.
#[derive(Default)]
struct Files {
    newest: AtomicU32,
    lock: Mutex<()>,
}

/// A turn, which may touch files until another takes over.
pub struct SessionGuard {
    pub turn: WorkToken,
    files: Arc<Files>,
}

impl Fencing {
    /// Takes over. The table that gave the turn has to be locked since then, or another turn might
    /// come between.
    pub fn guard(&self, turn: WorkToken) -> SessionGuard {
        let mut sessions = locked(&self.0);
        let known = sessions.get(&turn.session_id()).and_then(Weak::upgrade);
        let files = known.unwrap_or_else(|| {
            let files = Arc::default();
            sessions.insert(turn.session_id(), Arc::downgrade(&files));
            files
        });
        // Nobody waits here for one that is writing: the first touch of this turn does.
        files.newest.store(turn.number(), Ordering::SeqCst);
        SessionGuard { turn, files }
    }

    /// Forgets sessions that nobody works on: no turn of theirs can come late.
    pub fn tidy(&self) {
        locked(&self.0).retain(|_, files| files.strong_count() > 0);
    }
}

impl SessionGuard {
    /// Touches files, unless another turn has taken over.
    pub fn run<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let _lock = locked(&self.files.lock);
        if self.files.newest.load(Ordering::SeqCst) != self.turn.number() {
            return Err(io::Error::other("another request has taken over"));
        }
        work()
    }
}

/// The turn that a step is done in.
pub fn work_token<A>(step: &Step<A>) -> Option<WorkToken> {
    match step {
        Step::Store(bytes) => Some(bytes.turn),
        Step::Notify(turn) | Step::Commit(turn) => Some(*turn),
        Step::Discard(discard) => Some(discard.turn),
        Step::Answer(_) | Step::Done => None,
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is locked is whole whenever somebody panics.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
