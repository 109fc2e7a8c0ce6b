//! Sessions in memory: dense records, and an index that finds them by session id.

use alloc::vec::Vec;
use core::convert::Infallible;
use core::fmt;
use core::time::Duration;

use uuid::Uuid;

use super::{Record, Store};

/// Sessions in the memory of one process.
///
/// A million sessions take less than half the memory that they take in a `HashMap`, and a step reads fewer
/// cache lines. The store grows without copying records.
///
/// # Ids
///
/// Ids are hashed without a secret. The server chooses them from random bytes, and a request with an
/// unknown id adds nothing to the store. Clients therefore cannot cause collisions.
///
/// # Example
///
/// ```
/// use bits_proto::server::{MemoryStore, Policy, SessionLimits, Sessions};
///
/// let sessions = Sessions::new(MemoryStore::new(), Policy::DEFAULT, SessionLimits::default());
/// assert!(sessions.store().is_empty());
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore {
    /// Positions of records, in a hash table with linear probing. Its length is zero or a power of two.
    index: Vec<Entry>,
    records: Blocks,
}

impl MemoryStore {
    /// Creates an empty store, which allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { index: Vec::new(), records: Blocks { blocks: Vec::new(), len: 0 } }
    }

    /// Returns the number of sessions.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.records.len
    }

    /// Returns `true` if there are no sessions.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.records.len == 0
    }

    /// Returns a session; `None` if there is no session with this id.
    #[must_use]
    pub fn get(&self, id: Uuid) -> Option<&Record> {
        self.records.get(self.find(id)?.position)
    }

    /// Returns an iterator over all sessions, in any order.
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        self.records.blocks.iter().flatten()
    }

    /// Returns the number of the highest slot, which is also the mask of slot numbers; 0 if the index is
    /// empty.
    fn mask(&self) -> usize {
        self.index.len().saturating_sub(1)
    }

    /// Finds a session.
    #[inline]
    fn find(&self, id: Uuid) -> Option<Found> {
        let (hash, mask) = (Hash::of(id), self.mask());
        let mut slot = hash.slot(mask);
        loop {
            let entry = *self.index.get(slot)?;
            if entry.is_vacant() {
                return None;
            }
            if entry.may_match(hash, mask) {
                let position = entry.position(mask);
                if self.records.get(position)?.session.id() == id {
                    return Some(Found { slot, position });
                }
            }
            slot = next(slot, mask);
        }
    }

    /// Adds an entry for a record whose id is new. At least one slot must be vacant.
    fn add_entry(&mut self, id: Uuid, position: usize) {
        let (hash, mask) = (Hash::of(id), self.mask());
        let mut slot = hash.slot(mask);
        while let Some(entry) = self.index.get_mut(slot) {
            if entry.is_vacant() {
                *entry = Entry::new(hash, position, mask);
                return;
            }
            slot = next(slot, mask);
        }
    }

    /// Makes a slot vacant. Entries behind it move forward, unless a search for them starts behind the
    /// vacant slot.
    fn remove_entry(&mut self, mut vacant: usize) {
        let (mask, mut slot) = (self.mask(), vacant);
        loop {
            slot = next(slot, mask);
            let entry = self.index.get(slot).copied().unwrap_or(Entry::VACANT);
            if entry.is_vacant() {
                break;
            }
            let Some(record) = self.records.get(entry.position(mask)) else { break };
            let home = Hash::of(record.session.id()).slot(mask);
            let distance = |from: usize| slot.wrapping_sub(from) & mask;
            if distance(home) >= distance(vacant) {
                self.set_entry(vacant, entry);
                vacant = slot;
            }
        }
        self.set_entry(vacant, Entry::VACANT);
    }

    fn set_entry(&mut self, slot: usize, entry: Entry) {
        if let Some(place) = self.index.get_mut(slot) {
            *place = entry;
        }
    }

    /// Doubles the index once three quarters of it are in use. Returns `false` if it has its maximum
    /// length.
    fn reserve_entry(&mut self) -> bool {
        let length = self.index.len();
        if self.records.len < length.saturating_sub(length / 4) {
            return true;
        }
        let length = length.saturating_mul(2).max(MIN_INDEX);
        if u32::try_from(length).is_err() {
            return false;
        }
        self.index.clear();
        self.index.resize(length, Entry::VACANT);
        for position in 0..self.records.len {
            if let Some(id) = self.records.get(position).map(|record| record.session.id()) {
                self.add_entry(id, position);
            }
        }
        true
    }
}

impl Store for MemoryStore {
    type Error = Infallible;

    fn insert(&mut self, record: Record) -> Result<bool, Infallible> {
        let id = record.session.id();
        if self.find(id).is_some() || !self.reserve_entry() {
            return Ok(false);
        }
        self.add_entry(id, self.records.len);
        self.records.push(record);
        Ok(true)
    }

    #[inline]
    fn update<T>(
        &mut self,
        id: Uuid,
        change: impl FnMut(&mut Record) -> T,
    ) -> Result<Option<T>, Infallible> {
        let Some(found) = self.find(id) else { return Ok(None) };
        Ok(self.records.get_mut(found.position).map(change))
    }

    fn remove(&mut self, id: Uuid) -> Result<(), Infallible> {
        let Some(found) = self.find(id) else { return Ok(()) };
        self.remove_entry(found.slot);
        // The last record moves to the place of the removed one.
        let last = self.records.len.wrapping_sub(1);
        let last_id = self.records.get(last).map(|record| record.session.id());
        let moved = last_id.filter(|last_id| *last_id != id);
        if let Some((last_id, moved)) = moved.and_then(|it| Some((it, self.find(it)?))) {
            let entry = Entry::new(Hash::of(last_id), found.position, self.mask());
            self.set_entry(moved.slot, entry);
        }
        self.records.swap_remove(found.position);
        Ok(())
    }

    fn count(&self, principal: Option<&str>) -> Result<usize, Infallible> {
        Ok(match principal {
            Some(_) => {
                self.iter().filter(|record| record.principal.as_deref() == principal).count()
            }
            None => self.len(),
        })
    }

    fn expired(&self, now: Duration) -> Result<Vec<Uuid>, Infallible> {
        let expired = self.iter().filter(|record| record.timeout() <= now);
        Ok(expired.map(|record| record.session.id()).collect())
    }

    fn next_timeout(&self) -> Result<Option<Duration>, Infallible> {
        Ok(self.iter().map(Record::timeout).min())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Minimum length of an index that is not empty.
const MIN_INDEX: usize = 8;

/// Place of a session.
struct Found {
    /// Place in the index.
    slot: usize,
    /// Place among the records.
    position: usize,
}

/// Returns the slot after `slot`.
const fn next(slot: usize, mask: usize) -> usize {
    slot.wrapping_add(1) & mask
}

/// Hash of a session id. Multiplication is sufficient, although each bit of the hash depends on some bits
/// of the id only, because ids are random.
#[derive(Clone, Copy)]
struct Hash(u64);

impl Hash {
    #[inline]
    fn of(id: Uuid) -> Self {
        let (high, low) = id.as_u64_pair();
        let high = high.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self(high ^ low.wrapping_mul(0xF39C_C060_5CED_C835))
    }

    /// Returns the slot where a search for the id starts.
    const fn slot(self, mask: usize) -> usize {
        (self.0 >> 32) as usize & mask
    }
}

/// Entry of the index: the position of a record in the low bits that the mask sets, and a part of the hash
/// of its id in the others. Because of that part, a search rarely reads the record of another session.
#[derive(Clone, Copy)]
struct Entry(u32);

impl Entry {
    /// No position has all bits of the mask: at most three quarters of the entries are in use.
    const VACANT: Self = Self(u32::MAX);

    const fn new(hash: Hash, position: usize, mask: usize) -> Self {
        Self(hash.0 as u32 & !(mask as u32) | position as u32)
    }

    const fn is_vacant(self) -> bool {
        self.0 == Self::VACANT.0
    }

    /// Returns `false` if the entry is for an id with another hash.
    const fn may_match(self, hash: Hash, mask: usize) -> bool {
        (self.0 ^ hash.0 as u32) & !(mask as u32) == 0
    }

    const fn position(self, mask: usize) -> usize {
        self.0 as usize & mask
    }
}

/// Records in blocks. Each block is as long as all blocks before it, so growth moves no record. An operating
/// system with huge pages uses them for long blocks, which makes address translation faster when memory is in
/// no cache.
#[derive(Clone, Default)]
struct Blocks {
    /// Blocks with the lengths 1, 1, 2, 4, 8 and so on. Blocks before the last record are full.
    blocks: Vec<Vec<Record>>,
    /// Number of records.
    len: usize,
}

impl Blocks {
    #[inline]
    fn get(&self, position: usize) -> Option<&Record> {
        let (block, place) = block_of(position);
        self.blocks.get(block)?.get(place)
    }

    #[inline]
    fn get_mut(&mut self, position: usize) -> Option<&mut Record> {
        let (block, place) = block_of(position);
        self.blocks.get_mut(block)?.get_mut(place)
    }

    fn push(&mut self, record: Record) {
        let (block, _) = block_of(self.len);
        if block == self.blocks.len() {
            self.blocks.push(Vec::with_capacity(self.len.max(1)));
        }
        if let Some(block) = self.blocks.get_mut(block) {
            block.push(record);
            self.len = self.len.wrapping_add(1);
        }
    }

    /// Removes a record, and moves the last one to its place.
    fn swap_remove(&mut self, position: usize) {
        let last = self.len.wrapping_sub(1);
        let (block, _) = block_of(last);
        let Some(record) = self.blocks.get_mut(block).and_then(Vec::pop) else { return };
        self.len = last;
        // The next block is kept even if it is empty, because the number of sessions may change often.
        self.blocks.truncate(block.saturating_add(2));
        if let Some(place) = self.get_mut(position) {
            *place = record;
        }
    }
}

/// Returns the number of the block that contains a position, and the place in this block.
#[inline]
fn block_of(position: usize) -> (usize, usize) {
    match position.checked_ilog2() {
        Some(log) => ((log as usize).wrapping_add(1), position ^ 1_usize.wrapping_shl(log)),
        None => (0, 0),
    }
}
