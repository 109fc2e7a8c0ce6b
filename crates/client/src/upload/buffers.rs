//! Reused buffers for reading sources.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Maximum number of buffers that are kept for reuse.
const KEPT: usize = 4;

/// Buffers that are used again when the bytes in them are sent.
#[derive(Debug, Default)]
pub(super) struct Buffers(Mutex<Vec<Vec<u8>>>);

/// A buffer that returns to its pool when it is dropped.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    length: usize,
    pool: Arc<Buffers>,
}

impl Buffers {
    /// Returns a buffer of `length` bytes with any content.
    pub fn take(self: &Arc<Self>, length: usize) -> Buffer {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut bytes = kept.unwrap_or_default();
        if bytes.len() < length {
            bytes.resize(length, 0);
        }
        Buffer { bytes, length, pool: Arc::clone(self) }
    }
}

impl Buffer {
    /// Returns the buffer as bytes to send.
    pub fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl AsMut<[u8]> for Buffer {
    fn as_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.length).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut kept = self.pool.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(std::mem::take(&mut self.bytes));
        }
    }
}
