//! Entities and replies that are open for writing.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bits_proto::server::WorkToken;
use bytes::{Bytes, BytesMut};

use super::locked;
use super::state::State;
use crate::storage::{ReplyWriter, Result, Staged, Writer};

/// Writes the staged bytes of a session.
pub(super) struct EntityWriter {
    state: Arc<Mutex<State>>,
    token: WorkToken,
    offset: u64,
}

impl EntityWriter {
    pub(super) fn new(state: Arc<Mutex<State>>, token: WorkToken, offset: u64) -> Self {
        Self { state, token, offset }
    }
}

#[async_trait]
impl Writer for EntityWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        locked(&self.state).write(self.token, self.offset, &bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    async fn flush(&mut self) -> Result<Staged> {
        locked(&self.state).check(self.token)?;
        Ok(Staged::default())
    }
}

/// Collects the bytes of a reply.
pub(super) struct BytesReplyWriter {
    state: Arc<Mutex<State>>,
    token: WorkToken,
    bytes: BytesMut,
}

impl BytesReplyWriter {
    pub(super) fn new(state: Arc<Mutex<State>>, token: WorkToken) -> Self {
        Self { state, token, bytes: BytesMut::new() }
    }
}

#[async_trait]
impl ReplyWriter for BytesReplyWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let mut state = locked(&self.state);
        state.check(self.token)?;
        state.reserve(bytes.len())?;
        self.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<()> {
        let mut state = locked(&self.state);
        state.check(self.token)?;
        state.set_reply(self.token, self.bytes.split().freeze())
    }
}

/// Releases the space of a reply that was not finished.
impl Drop for BytesReplyWriter {
    fn drop(&mut self) {
        locked(&self.state).release(self.bytes.len());
    }
}
