//! Writing of staged bytes.

use async_trait::async_trait;
use bits_proto::server::WorkToken;
use bytes::Bytes;
use object_store::ObjectStoreExt;
use object_store::path::Path;

use super::super::{Journal, Result, Staged, StorageError, Write, Writer};
use super::ObjectStorage;
use super::budget::{Memory, OpenWriter};
use super::buffer::{Buffer, payload};
use super::error::{failed, lost_if_missing};
use super::layout::{self, Layout, Part, Piece};
use super::names::piece_name;

/// Amount in which memory is reserved.
const RESERVATION: usize = 64 << 10;

/// Writer of one request.
pub(super) struct EntityWriter {
    storage: ObjectStorage,
    token: WorkToken,
    total: u64,
    part_size: u64,
    target: Path,
    journal: Box<dyn Journal>,
    /// Description of the bytes in the store.
    layout: Layout,
    /// Description of the acknowledged bytes, as it is in the record of the session.
    acknowledged: Layout,
    /// Part numbers below this one may have been used by other requests.
    first_own_part: usize,
    buffer: Buffer,
    /// An operation failed or was cancelled, so bytes may be missing.
    is_broken: bool,
    _open: OpenWriter,
}

impl EntityWriter {
    pub(super) async fn open(storage: ObjectStorage, write: Write) -> Result<Self> {
        let session = write.token.session_id();
        let layout = Layout::parse(&write.staged)?;
        if layout.length() != write.offset {
            let reason = format!("{} of {} bytes are stored", layout.length(), write.offset);
            return Err(StorageError::Lost(Some(reason.into())));
        }
        let marker = storage.marker(session).await?.ok_or(StorageError::Lost(None))?;
        Ok(Self {
            token: write.token,
            total: write.total,
            part_size: layout::part_size(write.total),
            target: storage.target(session, &marker)?,
            journal: write.journal,
            acknowledged: layout.clone(),
            first_own_part: layout.reserved,
            layout,
            buffer: Buffer::default(),
            is_broken: false,
            _open: storage.budget.open_writer(),
            storage,
        })
    }

    /// Returns the number of bytes after the last part.
    fn pending(&self) -> u64 {
        self.layout.tail_length() + self.buffer.length() as u64
    }

    async fn append(&mut self, mut bytes: Bytes) -> Result<()> {
        while !bytes.is_empty() {
            let room = self.part_size.saturating_sub(self.pending()).max(1);
            let length = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
            self.reserve_memory(length).await?;
            self.buffer.push(bytes.split_to(length));
            if self.pending() >= self.part_size {
                self.put_part().await?;
            } else if self.buffer.length() >= self.storage.budget.share() {
                self.put_piece().await?;
            }
        }
        Ok(())
    }

    /// Reserves memory for the buffer. Writes the buffer out before it waits.
    async fn reserve_memory(&mut self, length: usize) -> Result<()> {
        if self.buffer.reserved() >= length {
            return Ok(());
        }
        let wanted = length.max(RESERVATION);
        let memory = match self.storage.budget.try_acquire(wanted as u64) {
            Some(memory) => memory,
            None => {
                self.put_piece().await?;
                self.wait_for_memory(wanted as u64).await?
            }
        };
        self.buffer.reserve(memory, wanted);
        Ok(())
    }

    async fn wait_for_memory(&self, length: u64) -> Result<Memory> {
        let memory = self.storage.budget.acquire(length).await;
        memory.ok_or_else(|| StorageError::other("the storage is closed"))
    }

    /// Writes the buffer as an object of the tail.
    async fn put_piece(&mut self) -> Result<()> {
        let (mut chunks, _memory) = self.buffer.take();
        if chunks.is_empty() {
            return Ok(());
        }
        let short = self.layout.take_short_pieces(self.part_size);
        let _joined_memory = match self.storage.budget.try_acquire(layout::length(&short)) {
            Some(memory) if !short.is_empty() => {
                let mut all = self.read_pieces(&short).await?;
                all.append(&mut chunks);
                chunks = all;
                self.layout.retire(short);
                Some(memory)
            }
            _ => {
                self.layout.tail.extend(short);
                None
            }
        };
        let length = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        let name = piece_name(self.token, self.layout.length());
        let path = self.storage.piece_path(self.token.session_id(), &name);
        self.storage.store.put(&path, payload(chunks)).await.map_err(failed)?;
        self.layout.tail.push(Piece(name, length));
        Ok(())
    }

    /// Makes the tail and the buffer a part.
    async fn put_part(&mut self) -> Result<()> {
        let number = self.layout.parts.len();
        let is_contested = number < self.first_own_part;
        if is_contested {
            // A stalled request may still upload its part with this number, so the bytes are kept.
            self.put_piece().await?;
        } else {
            self.reserve_number(number).await?;
        }
        let (tail_memory, tail) = self.read_tail().await?;
        let (chunks, memory) = self.buffer.take();
        let payload = payload(tail.into_iter().chain(chunks).collect());
        let length = payload.content_length() as u64;
        let (multipart, upload) = (&self.storage.multipart, &self.layout.upload);
        let part = multipart.put_part(&self.target, upload, number, payload).await;
        let part = part.map_err(lost_if_missing)?;
        drop((tail_memory, memory));
        self.layout.parts.push(Part(length, part.content_id.into()));
        let tail = std::mem::take(&mut self.layout.tail);
        if is_contested {
            self.layout.copies.insert(number, tail);
        } else {
            self.layout.retire(tail);
        }
        Ok(())
    }

    /// Records that this request uses a part number, so that no later one uses it without a copy.
    async fn reserve_number(&mut self, number: usize) -> Result<()> {
        if number < self.layout.reserved {
            return Ok(());
        }
        self.acknowledged.reserved = number + 1;
        self.journal.save(&self.acknowledged.to_staged()?).await?;
        self.layout.reserved = number + 1;
        Ok(())
    }

    /// Reads the tail. If there is no memory for it, the buffer becomes a part of the tail first.
    async fn read_tail(&mut self) -> Result<(Option<Memory>, Vec<Bytes>)> {
        if self.layout.tail.is_empty() {
            return Ok((None, Vec::new()));
        }
        let memory = match self.storage.budget.try_acquire(self.layout.tail_length()) {
            Some(memory) => memory,
            None => {
                self.put_piece().await?;
                self.wait_for_memory(self.layout.tail_length()).await?
            }
        };
        Ok((Some(memory), self.read_pieces(&self.layout.tail).await?))
    }

    async fn read_pieces(&self, pieces: &[Piece]) -> Result<Vec<Bytes>> {
        self.storage.read_pieces(self.token.session_id(), pieces).await
    }

    /// Deletes objects that the acknowledged description does not use any more.
    async fn delete_obsolete(&mut self) -> Result<()> {
        let obsolete = std::mem::take(&mut self.acknowledged.obsolete);
        if obsolete.is_empty() {
            return Ok(());
        }
        self.layout.obsolete.retain(|name| !obsolete.contains(name));
        let session = self.token.session_id();
        let paths = obsolete.iter().map(|name| self.storage.piece_path(session, name)).collect();
        self.storage.delete_all(paths).await
    }

    async fn store(&mut self) -> Result<Staged> {
        let is_complete = self.layout.length() + self.buffer.length() as u64 == self.total;
        let pending = self.pending();
        if pending > 0 && (is_complete || pending >= layout::min_part(self.part_size)) {
            self.put_part().await?;
        } else {
            self.put_piece().await?;
        }
        self.acknowledged = self.layout.clone();
        self.layout.to_staged()
    }
}

#[async_trait]
impl Writer for EntityWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.begin_operation()?;
        self.delete_obsolete().await?;
        self.append(bytes).await?;
        self.is_broken = false;
        Ok(())
    }

    async fn flush(&mut self) -> Result<Staged> {
        self.begin_operation()?;
        let staged = self.store().await?;
        self.is_broken = false;
        Ok(staged)
    }
}

impl EntityWriter {
    fn begin_operation(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.is_broken, true) {
            return Err(StorageError::other("an earlier operation of this writer failed"));
        }
        Ok(())
    }
}

impl ObjectStorage {
    /// Reads some objects of the tail, one after the other: the store sends each as fast as it can.
    pub(super) async fn read_pieces(
        &self,
        session: uuid::Uuid,
        pieces: &[Piece],
    ) -> Result<Vec<Bytes>> {
        let mut all = Vec::with_capacity(pieces.len());
        for Piece(name, length) in pieces {
            let path = self.piece_path(session, name);
            let found = self.store.get(&path).await.map_err(lost_if_missing)?;
            let bytes = found.bytes().await.map_err(lost_if_missing)?;
            if bytes.len() as u64 != *length {
                let reason = format!("{path}: {} of {length} bytes", bytes.len());
                return Err(StorageError::Lost(Some(reason.into())));
            }
            all.push(bytes);
        }
        Ok(all)
    }
}
