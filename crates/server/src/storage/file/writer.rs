//! Files that are open for writing.

use std::fs::File;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::disk::{blocking, write_all_at};
use super::fencing::Guard;
use super::folders::Folders;
use crate::inline_io::DiskSpeed;
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
    speed: Arc<DiskSpeed>,
}

impl FileWriter {
    pub(in crate::storage) fn new(
        file: File,
        offset: u64,
        folders: &Folders,
        guard: Option<Guard>,
    ) -> Self {
        let (syncs, speed) = (folders.syncs, Arc::clone(&folders.speed));
        Self { file: Arc::new(file), offset, syncs, guard, speed }
    }

    /// Runs an operation on the thread of the caller, if it waits neither for the disk nor for another request.
    async fn run(&mut self, work: impl FnOnce(&File) -> Result<()> + Send + 'static) -> Result<()> {
        if let Some(permit) = self.speed.inline() {
            let Some(guard) = &self.guard else { return permit.run(|| work(&self.file)) };
            if let Some(access) = guard.try_access() {
                return access.and_then(|_access| permit.run(|| work(&self.file)));
            }
        }
        let speed = Arc::clone(&self.speed);
        self.run_elsewhere(move |file| speed.measure(|| work(file))).await
    }

    /// Runs an operation on a thread for blocking operations.
    async fn run_elsewhere(
        &self,
        work: impl FnOnce(&File) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let (file, guard) = (Arc::clone(&self.file), self.guard.clone());
        blocking(move || match guard {
            Some(guard) => guard.run(|| work(&file)),
            None => work(&file),
        })
        .await
    }

    async fn write_bytes(&mut self, bytes: Bytes) -> Result<()> {
        let (offset, length) = (self.offset, bytes.len() as u64);
        self.run(move |file| Ok(write_all_at(file, &bytes, offset)?)).await?;
        self.offset += length;
        Ok(())
    }

    async fn flush_bytes(&mut self) -> Result<()> {
        if self.syncs {
            // Always waits for the disk.
            self.run_elsewhere(|file| Ok(file.sync_data()?)).await
        } else {
            self.run(|_| Ok(())).await
        }
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
