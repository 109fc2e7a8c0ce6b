//! Files that are open for writing.

use std::fs::File;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::disk::{Pace, blocking, write_all_at};
use super::fencing::Guard;
use crate::storage::{ReplyWriter, Result, Staged, Writer};

/// Ends a reply, after its bytes were written.
type Finish = Box<dyn FnOnce() -> Result<()> + Send>;

/// A file that is written from one offset on.
pub(in crate::storage) struct FileWriter {
    file: Arc<File>,
    offset: u64,
    syncs: bool,
    /// `None` if no other request writes to the file.
    guard: Option<Guard>,
    pace: Pace,
}

impl FileWriter {
    pub(in crate::storage) fn new(
        file: File,
        offset: u64,
        syncs: bool,
        guard: Option<Guard>,
    ) -> Self {
        Self { file: Arc::new(file), offset, syncs, guard, pace: Pace::default() }
    }

    async fn run(&mut self, work: impl FnOnce(&File) -> Result<()> + Send + 'static) -> Result<()> {
        let file = Arc::clone(&self.file);
        let Some(guard) = self.guard.clone() else {
            return self.pace.run(move || work(&file)).await;
        };
        let waits = guard.must_wait();
        let guarded = move || guard.run(|| work(&file));
        if waits { blocking(guarded).await } else { self.pace.run(guarded).await }
    }

    async fn write_bytes(&mut self, bytes: Bytes) -> Result<()> {
        let (offset, length) = (self.offset, bytes.len() as u64);
        self.run(move |file| Ok(write_all_at(file, &bytes, offset)?)).await?;
        self.offset += length;
        Ok(())
    }

    async fn flush_bytes(&mut self) -> Result<()> {
        let syncs = self.syncs;
        self.run(move |file| if syncs { Ok(file.sync_data()?) } else { Ok(()) }).await
    }
}

#[async_trait]
impl Writer for FileWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.write_bytes(bytes).await
    }

    async fn flush(&mut self) -> Result<Staged> {
        self.flush_bytes().await?;
        Ok(Staged::default())
    }
}

/// A reply that is open for writing.
pub(in crate::storage) struct FileReplyWriter {
    writer: FileWriter,
    finish: Finish,
}

impl FileReplyWriter {
    /// Creates a writer that calls `finish` after all bytes were written.
    pub(in crate::storage) fn new(writer: FileWriter, finish: Finish) -> Self {
        Self { writer, finish }
    }
}

#[async_trait]
impl ReplyWriter for FileReplyWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.writer.write_bytes(bytes).await
    }

    async fn finish(mut self: Box<Self>) -> Result<()> {
        self.writer.flush_bytes().await?;
        blocking(self.finish).await
    }
}
