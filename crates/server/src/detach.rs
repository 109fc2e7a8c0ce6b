//! Work that outlives the future of its request.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// A future that continues on a task of its own if it is dropped before it is complete.
///
/// Before that, the task of the connection polls it, so reading the body needs no switch between tasks. Returns
/// `None` after a panic. During the shutdown of its runtime, the future is dropped.
pub(crate) struct Detach<F: Future<Output: Send> + Send + 'static> {
    /// The future; `None` after its completion.
    work: Option<Pin<Box<F>>>,
    /// The runtime on which the future continues if it is dropped outside of any.
    runtime: Option<Handle>,
}

impl<F: Future<Output: Send> + Send + 'static> Detach<F> {
    pub(crate) fn new(work: F) -> Self {
        Self { work: Some(Box::pin(work)), runtime: Handle::try_current().ok() }
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for Detach<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.work else { return Poll::Ready(None) };
        // After a panic it is not polled again.
        let poll = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        let output = match poll {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Some(output),
            Err(_) => None,
        };
        self.work = None;
        Poll::Ready(output)
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for Detach<F> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take()
            && let Some(runtime) = Handle::try_current().ok().or_else(|| self.runtime.take())
        {
            runtime.spawn(work);
        }
    }
}
