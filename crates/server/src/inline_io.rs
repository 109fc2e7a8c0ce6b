//! Decides on which threads the operations on files run.
//!
//! Most operations reach the page cache only and take microseconds, less than a change of threads. So they run on
//! the thread of the caller, which is one of the runtime. While the disk is slow, they run on threads for blocking
//! operations, so that other requests do not wait for the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::{JoinError, spawn_blocking};

/// Duration from which an operation on a file counts as slow.
const SLOW: Duration = Duration::from_millis(1);

/// Number of consecutive operations that are fast on other threads before operations run on the thread of the
/// caller again.
const FAST_OPERATIONS: u32 = 8;

/// Number of operations in progress on threads of runtimes, on all disks.
static INLINE: AtomicUsize = AtomicUsize::new(0);

/// Recent speed of one disk.
#[derive(Debug, Default)]
pub(crate) struct DiskSpeed {
    /// Number of fast operations until the disk counts as fast; 0 if it does.
    fast_until_inline: AtomicU32,
}

/// The permission to run one operation on the thread of the caller.
#[derive(Debug)]
pub(crate) struct InlinePermit<'p>(&'p DiskSpeed);

impl DiskSpeed {
    /// Returns the permission to run an operation on this thread, unless the disk is slow. At least one thread of
    /// the runtime remains without an operation: then a disk that hangs does not stop other requests.
    pub(crate) fn inline(&self) -> Option<InlinePermit<'_>> {
        if self.fast_until_inline.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let others = Handle::current().metrics().num_workers() - 1;
        let permit = InlinePermit(self);
        // Counted down again by `permit`.
        (INLINE.fetch_add(1, Ordering::Relaxed) < others).then_some(permit)
    }

    /// Runs an operation on this thread, or on a thread for blocking operations.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        operation: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        if let Some(permit) = self.inline() {
            return Ok(permit.run(operation));
        }
        let speed = Arc::clone(self);
        spawn_blocking(move || speed.measure(operation)).await
    }

    /// Runs an operation on this thread, and learns from its duration.
    pub(crate) fn measure<T>(&self, operation: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = operation();
        if start.elapsed() > SLOW {
            self.fast_until_inline.store(FAST_OPERATIONS, Ordering::Relaxed);
        } else if self.fast_until_inline.load(Ordering::Relaxed) > 0 {
            let reduced = |left: u32| left.checked_sub(1);
            let _ =
                self.fast_until_inline.fetch_update(Ordering::Relaxed, Ordering::Relaxed, reduced);
        }
        result
    }
}

impl InlinePermit<'_> {
    /// Runs the operation.
    pub(crate) fn run<T>(self, operation: impl FnOnce() -> T) -> T {
        self.0.measure(operation)
    }
}

impl Drop for InlinePermit<'_> {
    fn drop(&mut self) {
        INLINE.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread::{self, ThreadId, sleep};

    use tokio::sync::{Mutex, MutexGuard};

    use super::*;

    /// Lets one test run at a time, as [`INLINE`] counts the operations of all.
    async fn alone() -> MutexGuard<'static, ()> {
        static RUNNING: Mutex<()> = Mutex::const_new(());
        RUNNING.lock().await
    }

    /// Returns the thread on which an operation runs.
    async fn thread_of(speed: &Arc<DiskSpeed>, time: Duration) -> ThreadId {
        let operation = move || {
            sleep(time);
            thread::current().id()
        };
        speed.run(operation).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn operations_change_threads_while_the_disk_is_slow() {
        let _alone = alone().await;
        let (speed, here) = (Arc::default(), thread::current().id());
        assert_eq!(thread_of(&speed, SLOW * 2).await, here);
        let mut elsewhere = 0;
        while thread_of(&speed, Duration::ZERO).await != here {
            elsewhere += 1;
        }
        assert!(elsewhere >= FAST_OPERATIONS, "{elsewhere}");
        // A slow operation there counts too.
        speed.measure(|| sleep(SLOW * 2));
        assert_ne!(thread_of(&speed, SLOW * 2).await, here);
        for _ in 0..FAST_OPERATIONS {
            assert_ne!(thread_of(&speed, Duration::ZERO).await, here);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_operation_that_hangs_does_not_stop_other_requests() {
        let _alone = alone().await;
        let speed = Arc::<DiskSpeed>::default();
        let other_disk = Arc::<DiskSpeed>::default();
        let (started, is_started) = tokio::sync::oneshot::channel();
        let (resume, resumed) = mpsc::channel::<()>();
        let first = Arc::clone(&speed);
        let hanging = tokio::spawn(async move {
            let hang = move || {
                let _ = started.send(());
                let _ = resumed.recv();
                thread::current().id()
            };
            first.run(hang).await.unwrap()
        });
        is_started.await.unwrap();
        // Another operation, and another task, while no operation has been slow yet.
        let second = Arc::clone(&speed);
        let other = tokio::spawn(async move {
            let worker = thread::current().id();
            let threads = [
                thread_of(&second, Duration::ZERO).await,
                thread_of(&other_disk, Duration::ZERO).await,
            ];
            (worker, threads)
        });
        let (worker, threads) = other.await.unwrap();
        drop(resume);
        let hung = hanging.await.unwrap();
        assert!(worker != hung && !threads.contains(&worker) && !threads.contains(&hung));
    }

    /// Its only thread serves all requests.
    #[tokio::test]
    async fn operations_never_run_on_the_only_thread_of_a_runtime() {
        let _alone = alone().await;
        assert_ne!(thread_of(&Arc::default(), Duration::ZERO).await, thread::current().id());
    }
}
