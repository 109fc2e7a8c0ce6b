//! Response bodies, read from a file.

use std::io::{self, Read as _, Seek as _, SeekFrom};

use bits_proto::download::{ByteRange, Piece, Pieces};
use bytes::Bytes;
use cap_std::fs::File;
use tokio::task::block_in_place;
use tracing::warn;

use crate::body::{Outgoing, PIECE};
use crate::snapshot::Snapshot;

/// Reads the body of a response from one open file.
pub struct EntityReader {
    file: File,
    /// The version of the file that the head of the response describes.
    snapshot: Snapshot,
    pieces: std::vec::IntoIter<Part>,
    /// The number of bytes left in the current range.
    range_left: u64,
    /// The number of bytes left in the body.
    left: u64,
}

/// A piece of the body that does not borrow from the request.
enum Part {
    Framing(Vec<u8>),
    Range(ByteRange),
}

impl EntityReader {
    pub fn new(file: File, snapshot: Snapshot, pieces: Pieces<'_>) -> Self {
        let left = pieces.clone().map(|piece| piece.len()).sum();
        let owned = |piece| match piece {
            Piece::Entity(range) => Some(Part::Range(range)),
            Piece::Framing(head) => Some(Part::Framing(head.to_vec())),
            _ => None,
        };
        let pieces = pieces.filter_map(owned).collect::<Vec<_>>().into_iter();
        Self { file, snapshot, pieces, range_left: 0, left }
    }

    /// Returns the body. It ends early after an error, and hyper then closes the connection.
    pub fn into_body(mut self) -> Outgoing {
        if self.left == 0 {
            return Outgoing::EMPTY;
        }
        let (sender, body) = Outgoing::channel(self.left);
        tokio::spawn(async move {
            while self.left > 0 {
                let block = match block_in_place(|| self.next_block()) {
                    Ok(block) => block,
                    Err(error) => return warn!(%error, "response ends early"),
                };
                if sender.send(block).await.is_err() {
                    return;
                }
            }
        });
        body
    }

    /// Reads the next bytes of the body. Fails if the file was changed in place.
    fn next_block(&mut self) -> io::Result<Bytes> {
        let capacity = usize::try_from(self.left.min(PIECE)).unwrap_or_default();
        let mut block = Vec::with_capacity(capacity);
        loop {
            let space = PIECE.saturating_sub(block.len() as u64);
            if self.range_left > 0 && space > 0 {
                self.read_range(space, &mut block)?;
                continue;
            }
            match if space > 0 { self.pieces.next() } else { None } {
                Some(Part::Framing(bytes)) => block.extend_from_slice(&bytes),
                Some(Part::Range(range)) => {
                    self.file.seek(SeekFrom::Start(range.first()))?;
                    self.range_left = range.len();
                }
                None => break,
            }
        }
        if !self.snapshot.is_current(&self.file)? {
            return Err(io::Error::other("the file was changed while it was sent"));
        }
        self.left = self.left.saturating_sub(block.len() as u64);
        Ok(block.into())
    }

    fn read_range(&mut self, space: u64, block: &mut Vec<u8>) -> io::Result<()> {
        let most = self.range_left.min(space);
        let read = (&mut self.file).take(most).read_to_end(block)? as u64;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter"));
        }
        self.range_left -= read;
        Ok(())
    }
}
