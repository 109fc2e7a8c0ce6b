//! Sessions in memory: records in numbered slots, and session ids that contain these numbers.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::convert::Infallible;
use core::fmt;
use core::time::Duration;

use uuid::Uuid;

use super::{Record, Store};

/// Sessions in the memory of one process.
///
/// Each session has a numbered slot. A million sessions take less than half the memory that they take in a
/// `HashMap`, and a step finds its session without a search. The store grows without copying records.
///
/// A new session takes the first vacant slot. The slots after the last session are freed, except for one
/// spare block. Vacant slots before it remain, and `expired`, `next_timeout` and `count` read them too.
///
/// # Ids
///
/// The id of a session that [`Sessions`](super::Sessions) creates contains the number of its slot: the first
/// four bytes are the exclusive or of this number and the last four bytes. 90 bits are random, so
/// ids cannot be guessed. A client can compute the number *n*, and knows then that at least *n* other
/// sessions existed when its session was created. If the source of random bytes repeats them, ids differ in
/// the number only.
///
/// A session with any other id can be inserted as well, and is found by a search in a `BTreeMap`. After
/// a restart, these are most of the sessions that are inserted again.
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
    slots: Slots,
    /// Sessions whose ids do not contain the number of the slot that was next when they were inserted.
    others: BTreeMap<Uuid, Record>,
    /// Number of sessions.
    len: usize,
}

impl MemoryStore {
    /// Creates an empty store, which allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { slots: Slots::new(), others: BTreeMap::new(), len: 0 }
    }

    /// Returns the number of sessions.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Returns `true` if there are no sessions.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns a session; `None` if there is no session with this id.
    #[must_use]
    pub fn get(&self, id: Uuid) -> Option<&Record> {
        self.slots.get(id).or_else(|| self.others.get(&id))
    }

    /// Returns an iterator over all sessions, in any order.
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        self.slots.iter().chain(self.others.values())
    }
}

impl Store for MemoryStore {
    type Error = Infallible;

    fn id_bytes(&self, random: [u8; 16]) -> [u8; 16] {
        let (high, low) = Uuid::from_bytes(random).as_u64_pair();
        let first = u64::from(self.slots.next() ^ low as u32);
        Uuid::from_u64_pair(first << 32 | u64::from(high as u32), low).into_bytes()
    }

    fn insert(&mut self, record: Record) -> Result<bool, Infallible> {
        let id = record.session.id();
        if self.get(id).is_some() {
            return Ok(false);
        }
        // The number of slots must fit a `u32`.
        if slot_of(id) == self.slots.next() && self.slots.len < u32::MAX {
            self.slots.insert(record);
        } else {
            self.others.insert(id, record);
        }
        self.len = self.len.wrapping_add(1);
        Ok(true)
    }

    #[inline]
    fn update<T>(
        &mut self,
        id: Uuid,
        change: impl FnMut(&mut Record) -> T,
    ) -> Result<Option<T>, Infallible> {
        let record = match self.slots.get_mut(id) {
            Some(record) => Some(record),
            None => self.others.get_mut(&id),
        };
        Ok(record.map(change))
    }

    fn remove(&mut self, id: Uuid) -> Result<(), Infallible> {
        if self.slots.remove(id) || self.others.remove(&id).is_some() {
            self.len = self.len.wrapping_sub(1);
        }
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

/// Returns the number of the slot that an id contains.
#[inline]
const fn slot_of(id: Uuid) -> u32 {
    let (high, low) = id.as_u64_pair();
    (high >> 32) as u32 ^ low as u32
}

/// A record, or nothing if the slot is vacant, in whole cache lines.
#[derive(Clone)]
#[repr(align(64))]
struct Slot(Option<Record>);

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Slot>() <= 192, "a slot exceeds three cache lines");

/// Slots in blocks. Each block is as long as all blocks before it, so growth moves no record. An operating
/// system with huge pages uses them for long blocks, which makes address translation faster when memory is in
/// no cache.
#[derive(Clone, Default)]
struct Slots {
    /// Blocks with the lengths 1, 1, 2, 4, 8 and so on. Blocks before the last slot are full.
    blocks: Vec<Vec<Slot>>,
    /// Number of slots.
    len: u32,
    /// Numbers of the vacant slots. The last slot is not vacant.
    vacant: BTreeSet<u32>,
}

impl Slots {
    const fn new() -> Self {
        Self { blocks: Vec::new(), len: 0, vacant: BTreeSet::new() }
    }

    fn get(&self, id: Uuid) -> Option<&Record> {
        let (block, index) = block_of(slot_of(id));
        let record = self.blocks.get(block)?.get(index)?.0.as_ref();
        record.filter(|record| record.session.id() == id)
    }

    #[inline]
    fn slot_mut(&mut self, number: u32) -> Option<&mut Slot> {
        let (block, index) = block_of(number);
        self.blocks.get_mut(block)?.get_mut(index)
    }

    #[inline]
    fn get_mut(&mut self, id: Uuid) -> Option<&mut Record> {
        let record = self.slot_mut(slot_of(id))?.0.as_mut();
        record.filter(|record| record.session.id() == id)
    }

    fn iter(&self) -> impl Iterator<Item = &Record> {
        self.blocks.iter().flatten().filter_map(|slot| slot.0.as_ref())
    }

    /// Returns the number of the slot that the next record is put into: the first vacant slot, or a new one.
    fn next(&self) -> u32 {
        self.vacant.first().copied().unwrap_or(self.len)
    }

    /// Puts a record into the next slot.
    fn insert(&mut self, record: Record) {
        let vacant = self.vacant.pop_first();
        match vacant.and_then(|number| self.slot_mut(number)) {
            Some(slot) => slot.0 = Some(record),
            None => self.push(record),
        }
    }

    fn push(&mut self, record: Record) {
        let (block, _) = block_of(self.len);
        if block == self.blocks.len() {
            self.blocks.push(Vec::with_capacity((self.len as usize).max(1)));
        }
        if let Some(block) = self.blocks.get_mut(block) {
            block.push(Slot(Some(record)));
            self.len = self.len.wrapping_add(1);
        }
    }

    /// Removes a record. Returns `false` if it is in no slot.
    fn remove(&mut self, id: Uuid) -> bool {
        if self.get(id).is_none() {
            return false;
        }
        let number = slot_of(id);
        if let Some(slot) = self.slot_mut(number) {
            slot.0 = None;
        }
        self.vacant.insert(number);
        while self.vacant.remove(&self.len.wrapping_sub(1)) {
            self.pop();
        }
        true
    }

    /// Removes the last slot.
    fn pop(&mut self) {
        self.len = self.len.saturating_sub(1);
        let (block, _) = block_of(self.len);
        if let Some(block) = self.blocks.get_mut(block) {
            block.pop();
        }
        // The next block is kept even if it is empty, because the number of sessions may change often.
        self.blocks.truncate(block.saturating_add(2));
    }
}

/// Returns the number of the block that contains a slot, and the index of the slot in this block.
#[inline]
const fn block_of(slot: u32) -> (usize, usize) {
    match slot.checked_ilog2() {
        Some(log) => ((log as usize).wrapping_add(1), (slot ^ 1_u32.wrapping_shl(log)) as usize),
        None => (0, 0),
    }
}
