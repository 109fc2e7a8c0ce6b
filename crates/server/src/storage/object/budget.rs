//! Limit of the bytes that all writers of a storage buffer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Unit of the semaphore in bytes, so that its 32-bit numbers suffice for any budget.
const UNIT: usize = 1024;

/// Share of a writer below which it is not asked to write its buffer out.
const MIN_SHARE: usize = 64 << 10;

/// The limit.
///
/// A writer never waits for memory while it holds some. So each byte that is held belongs to a writer that
/// uses the store or receives from its client.
#[derive(Debug)]
pub(super) struct Budget {
    units: usize,
    free: Arc<Semaphore>,
    writers: AtomicUsize,
    used: AtomicUsize,
    peak: AtomicUsize,
}

/// Memory that a writer holds.
#[derive(Debug)]
pub(super) struct Memory {
    budget: Arc<Budget>,
    permit: OwnedSemaphorePermit,
}

/// Counts an open writer.
#[derive(Debug)]
pub(super) struct OpenWriter(Arc<Budget>);

impl Budget {
    pub(super) fn new(bytes: usize) -> Arc<Self> {
        let units = (bytes / UNIT).clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        Arc::new(Self {
            units,
            free: Arc::new(Semaphore::new(units)),
            writers: AtomicUsize::new(0),
            used: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        })
    }

    /// Returns the maximum number of bytes that were held at once.
    pub(super) fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// Registers a writer until the value is dropped.
    pub(super) fn open_writer(self: &Arc<Self>) -> OpenWriter {
        self.writers.fetch_add(1, Ordering::Relaxed);
        OpenWriter(Arc::clone(self))
    }

    /// Returns the number of bytes that each writer may hold when all hold as many.
    pub(super) fn share(&self) -> usize {
        let writers = self.writers.load(Ordering::Relaxed).max(1);
        (self.units * UNIT / writers).max(MIN_SHARE)
    }

    /// Returns memory if it is available at once.
    pub(super) fn try_acquire(self: &Arc<Self>, bytes: u64) -> Option<Memory> {
        let free = Arc::clone(&self.free);
        let permit = free.try_acquire_many_owned(self.units_of(bytes)).ok()?;
        Some(self.count(permit))
    }

    /// Waits for memory. The caller holds none. More than the whole budget counts as the whole budget.
    pub(super) async fn acquire(self: &Arc<Self>, bytes: u64) -> Option<Memory> {
        let free = Arc::clone(&self.free);
        let permit = free.acquire_many_owned(self.units_of(bytes)).await.ok()?;
        Some(self.count(permit))
    }

    fn units_of(&self, bytes: u64) -> u32 {
        let units = bytes.div_ceil(UNIT as u64).min(self.units as u64);
        u32::try_from(units).unwrap_or(u32::MAX)
    }

    fn count(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Memory {
        let bytes = permit.num_permits() * UNIT;
        let used = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.peak.fetch_max(used, Ordering::Relaxed);
        Memory { budget: Arc::clone(self), permit }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let bytes = self.permit.num_permits() * UNIT;
        self.budget.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for OpenWriter {
    fn drop(&mut self) {
        self.0.writers.fetch_sub(1, Ordering::Relaxed);
    }
}
