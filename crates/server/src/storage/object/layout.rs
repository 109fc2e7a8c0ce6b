//! Description of the staged bytes of a session.

use std::collections::BTreeMap;

use object_store::multipart::PartId;
use serde::{Deserialize, Serialize};

use super::super::{Result, Staged, StorageError};

/// Minimum size of a part other than the last, as S3 and Google Cloud Storage require it.
pub(super) const MIN_PART: u64 = 5 << 20;

/// Size of a part, unless the entity is so long that its parts would exceed [`MAX_FULL_PARTS`].
const DEFAULT_PART: u64 = 8 << 20;

/// Number of full parts that bounds the size of the description. S3 permits 10,000 parts; a flush may end
/// a part at half of its size.
const MAX_FULL_PARTS: u64 = 2000;

/// Number of short pieces at the end of the tail that are joined into one.
pub(super) const MAX_SHORT_PIECES: usize = 32;

/// Description of the staged bytes: parts of the multipart upload, then objects of the tail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layout {
    /// The multipart upload.
    pub(super) upload: String,
    /// The upload creates an object in the folder of the session, not the entity.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) apart: bool,
    /// Parts, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<Part>,
    /// Part numbers below this one may have been used by any request that wrote to the session.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) reserved: usize,
    /// Objects that hold the bytes of a part whose number was used before, by number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) copies: BTreeMap<usize, Vec<Piece>>,
    /// Objects after the last part, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tail: Vec<Piece>,
    /// Names of objects whose bytes are in a part or in another object now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) obsolete: Vec<Box<str>>,
}

/// A part: its length and its content id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part(pub(super) u64, pub(super) Box<str>);

/// An object in the folder of the session: its name and its length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Piece(pub(super) Box<str>, pub(super) u64);

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Layout {
    /// Creates the description of a session without bytes.
    pub(super) fn new(upload: String, apart: bool) -> Self {
        Self { upload, apart, ..Self::default() }
    }

    /// Reads a description.
    pub(super) fn parse(staged: &Staged) -> Result<Self> {
        Self::deserialize(&staged.0).map_err(|error| StorageError::Lost(Some(error.into())))
    }

    pub(super) fn to_staged(&self) -> Result<Staged> {
        serde_json::to_value(self).map(Staged).map_err(StorageError::other)
    }

    /// Returns the number of bytes.
    pub(super) fn length(&self) -> u64 {
        self.parts.iter().map(|part| part.0).sum::<u64>() + self.tail_length()
    }

    /// Returns the number of bytes after the last part.
    pub(super) fn tail_length(&self) -> u64 {
        length(&self.tail)
    }

    /// Returns the parts in the form that completes the upload.
    pub(super) fn part_ids(&self) -> Vec<PartId> {
        let id = |part: &Part| PartId { content_id: part.1.as_ref().to_owned() };
        self.parts.iter().map(id).collect()
    }

    /// Removes the short pieces at the end of the tail if they are too many, and returns them.
    pub(super) fn take_short_pieces(&mut self, part_size: u64) -> Vec<Piece> {
        let is_short = |piece: &&Piece| piece.1 < part_size / MAX_SHORT_PIECES as u64;
        let number = self.tail.iter().rev().take_while(is_short).count();
        if number < MAX_SHORT_PIECES {
            return Vec::new();
        }
        self.tail.split_off(self.tail.len() - number)
    }

    /// Adds objects to those that can be deleted once this description is stored.
    pub(super) fn retire(&mut self, pieces: Vec<Piece>) {
        self.obsolete.extend(pieces.into_iter().map(|piece| piece.0));
    }
}

/// Returns the number of bytes of some pieces.
pub(super) fn length(pieces: &[Piece]) -> u64 {
    pieces.iter().map(|piece| piece.1).sum()
}

/// Returns the size of the parts of an entity: a whole number of MiB.
pub(super) const fn part_size(total: u64) -> u64 {
    let size = total.div_ceil(MAX_FULL_PARTS).div_ceil(1 << 20) << 20;
    if size > DEFAULT_PART { size } else { DEFAULT_PART }
}

/// Returns the number of bytes from which a flush ends a part.
pub(super) const fn min_part(part_size: u64) -> u64 {
    if part_size / 2 > MIN_PART { part_size / 2 } else { MIN_PART }
}
