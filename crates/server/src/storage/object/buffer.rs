//! Bytes that are not in the store yet.

use bytes::{Bytes, BytesMut};
use object_store::PutPayload;

use super::budget::Memory;

/// Length below which chunks are copied: a short chunk can keep a long receive buffer alive.
const SHORT: usize = 16 << 10;

/// Length at which copied chunks form a chunk of the buffer.
const JOINED: usize = 64 << 10;

/// A sequence of chunks, and the memory that is reserved for them.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    chunks: Vec<Bytes>,
    joined: BytesMut,
    length: usize,
    memory: Vec<Memory>,
    /// Reserved bytes that are not used yet.
    reserved: usize,
}

impl Buffer {
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// Returns the number of bytes that can be added without more memory.
    pub(super) const fn reserved(&self) -> usize {
        self.reserved
    }

    /// Adds reserved memory.
    pub(super) fn reserve(&mut self, memory: Memory, bytes: usize) {
        self.memory.push(memory);
        self.reserved += bytes;
    }

    /// Appends a chunk.
    pub(super) fn push(&mut self, bytes: Bytes) {
        self.length += bytes.len();
        self.reserved = self.reserved.saturating_sub(bytes.len());
        if bytes.len() < SHORT {
            self.joined.extend_from_slice(&bytes);
            if self.joined.len() >= JOINED {
                self.chunks.push(self.joined.split().freeze());
            }
            return;
        }
        if !self.joined.is_empty() {
            self.chunks.push(self.joined.split().freeze());
        }
        self.chunks.push(bytes);
    }

    /// Takes the bytes, and the memory to hold until they are in the store.
    pub(super) fn take(&mut self) -> (Vec<Bytes>, Vec<Memory>) {
        if !self.joined.is_empty() {
            self.chunks.push(std::mem::take(&mut self.joined).freeze());
        }
        (self.length, self.reserved) = (0, 0);
        (std::mem::take(&mut self.chunks), std::mem::take(&mut self.memory))
    }
}

/// Returns a payload of some chunks.
pub(super) fn payload(chunks: Vec<Bytes>) -> PutPayload {
    PutPayload::from_iter(chunks)
}
