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
const PROBATION: u32 = 8;

/// The pace of one disk.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Number of fast operations until the disk counts as fast; 0 if it does.
    probation: AtomicU32,
    /// Number of operations in progress on threads of the runtime.
    inline: AtomicUsize,
}

/// The permission to run one operation on the thread of the caller.
#[derive(Debug)]
pub(crate) struct Inline<'p>(&'p Pace);

impl Pace {
    /// Returns the permission to run an operation on this thread, unless the disk is slow. At least one thread of
    /// the runtime remains without an operation: then a disk that hangs does not stop other requests.
    pub(crate) fn inline(&self) -> Option<Inline<'_>> {
        if self.probation.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let others = Handle::current().metrics().num_workers() - 1;
        let inline = Inline(self);
        // Counted down again by `inline`.
        (self.inline.fetch_add(1, Ordering::Relaxed) < others).then_some(inline)
    }

    /// Runs an operation on this thread, or on a thread for blocking operations.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        operation: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        if let Some(inline) = self.inline() {
            return Ok(inline.run(operation));
        }
        let pace = Arc::clone(self);
        spawn_blocking(move || pace.measure(operation)).await
    }

    /// Runs an operation on this thread, and learns from its duration.
    pub(crate) fn measure<T>(&self, operation: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = operation();
        if start.elapsed() > SLOW {
            self.probation.store(PROBATION, Ordering::Relaxed);
        } else if self.probation.load(Ordering::Relaxed) > 0 {
            let reduced = |left: u32| left.checked_sub(1);
            let _ = self.probation.fetch_update(Ordering::Relaxed, Ordering::Relaxed, reduced);
        }
        result
    }
}

impl Inline<'_> {
    /// Runs the operation.
    pub(crate) fn run<T>(self, operation: impl FnOnce() -> T) -> T {
        self.0.measure(operation)
    }
}

impl Drop for Inline<'_> {
    fn drop(&mut self) {
        self.0.inline.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread::{self, ThreadId, sleep};

    use super::*;

    /// Returns the thread on which an operation runs.
    async fn thread_of(pace: &Arc<Pace>, time: Duration) -> ThreadId {
        let operation = move || {
            sleep(time);
            thread::current().id()
        };
        pace.run(operation).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn operations_change_threads_while_the_disk_is_slow() {
        let (pace, here) = (Arc::default(), thread::current().id());
        assert_eq!(thread_of(&pace, SLOW * 2).await, here);
        let mut elsewhere = 0;
        while thread_of(&pace, Duration::ZERO).await != here {
            elsewhere += 1;
        }
        assert!(elsewhere >= PROBATION, "{elsewhere}");
        // A slow operation there counts too.
        pace.measure(|| sleep(SLOW * 2));
        assert_ne!(thread_of(&pace, SLOW * 2).await, here);
        for _ in 0..PROBATION {
            assert_ne!(thread_of(&pace, Duration::ZERO).await, here);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_operation_that_hangs_does_not_stop_other_requests() {
        let pace = Arc::<Pace>::default();
        let (started, is_started) = tokio::sync::oneshot::channel();
        let (resume, resumed) = mpsc::channel::<()>();
        let first = Arc::clone(&pace);
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
        let second = Arc::clone(&pace);
        let other = tokio::spawn(async move {
            (thread::current().id(), thread_of(&second, Duration::ZERO).await)
        });
        let (worker, thread) = other.await.unwrap();
        drop(resume);
        let hung = hanging.await.unwrap();
        assert!(worker != hung && thread != worker && thread != hung);
    }

    /// Its only thread serves all requests.
    #[tokio::test]
    async fn operations_never_run_on_the_only_thread_of_a_runtime() {
        assert_ne!(thread_of(&Arc::default(), Duration::ZERO).await, thread::current().id());
    }
}
