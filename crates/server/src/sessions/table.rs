//! Values of sessions in memory, with indexes by principal and by timeout.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::mem;
use std::time::Duration;

use uuid::Uuid;

use super::{SessionRecord, Version, Versioned};

/// A value of a session that a [`Table`] finds by its principal and its timeout.
pub(super) trait Indexed {
    fn principal(&self) -> Option<&str>;
    fn timeout(&self) -> Duration;
}

/// Values by session. No operation takes time in proportion to the number of sessions.
#[derive(Debug)]
pub(super) struct Table<T> {
    values: HashMap<Uuid, T>,
    /// Number of sessions of each principal, without zeros.
    principals: HashMap<Box<str>, usize>,
    timeouts: BTreeSet<(Duration, Uuid)>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            values: HashMap::default(),
            principals: HashMap::default(),
            timeouts: BTreeSet::default(),
        }
    }
}

impl<T: Indexed> Table<T> {
    pub(super) fn get(&self, id: Uuid) -> Option<&T> {
        self.values.get(&id)
    }

    /// Inserts or replaces a value. A replacement changes an index only where the values differ.
    pub(super) fn put(&mut self, id: Uuid, value: T) {
        let (before, now) = match self.values.entry(id) {
            Entry::Occupied(entry) => {
                let now = entry.into_mut();
                (Some(mem::replace(now, value)), &*now)
            }
            Entry::Vacant(entry) => (None, &*entry.insert(value)),
        };
        let (old, new) = (before.as_ref().map(T::timeout), now.timeout());
        if old != Some(new) {
            if let Some(old) = old {
                self.timeouts.remove(&(old, id));
            }
            self.timeouts.insert((new, id));
        }
        let (old, new) = (before.as_ref().and_then(T::principal), now.principal());
        if old != new {
            increment(&mut self.principals, new);
            decrement(&mut self.principals, old);
        }
    }

    pub(super) fn remove(&mut self, id: Uuid) {
        let Some(value) = self.values.remove(&id) else { return };
        self.timeouts.remove(&(value.timeout(), id));
        decrement(&mut self.principals, value.principal());
    }

    pub(super) fn count(&self, principal: Option<&str>) -> usize {
        match principal {
            Some(principal) => self.principals.get(principal).copied().unwrap_or_default(),
            None => self.values.len(),
        }
    }

    /// Returns at most `max` sessions in the order of their timeouts.
    pub(super) fn expired(&self, now: Duration, max: usize) -> Vec<Uuid> {
        self.timeouts.range(..=(now, Uuid::max())).take(max).map(|(_, id)| *id).collect()
    }
}

fn increment(principals: &mut HashMap<Box<str>, usize>, principal: Option<&str>) {
    let Some(principal) = principal else { return };
    match principals.get_mut(principal) {
        Some(count) => *count += 1,
        None => drop(principals.insert(principal.into(), 1)),
    }
}

fn decrement(principals: &mut HashMap<Box<str>, usize>, principal: Option<&str>) {
    let Some(principal) = principal else { return };
    if let Some(count) = principals.get_mut(principal) {
        *count -= 1;
        if *count == 0 {
            principals.remove(principal);
        }
    }
}

/// Records with their versions.
#[derive(Debug, Default)]
pub(super) struct Records {
    table: Table<Numbered>,
    /// The latest version of any record. Versions do not repeat, even if an id does.
    latest: u64,
}

#[derive(Debug)]
struct Numbered {
    record: SessionRecord,
    version: u64,
}

impl Indexed for Numbered {
    fn principal(&self) -> Option<&str> {
        self.record.record.principal.as_deref()
    }

    fn timeout(&self) -> Duration {
        self.record.record.timeout()
    }
}

impl Records {
    /// Creates a table whose versions follow `latest`.
    #[cfg(feature = "file")]
    pub(super) fn with_versions_after(latest: u64) -> Self {
        Self { latest, ..Self::default() }
    }

    pub(super) fn get(&self, id: Uuid) -> Option<Versioned> {
        let found = self.table.get(id)?;
        Some(Versioned::new(found.record.clone(), text(found.version)))
    }

    /// Returns the version of a record.
    pub(super) fn version(&self, id: Uuid) -> Option<Version> {
        self.table.get(id).map(|found| text(found.version))
    }

    /// Inserts or replaces a record, and returns its new version.
    pub(super) fn put(&mut self, record: SessionRecord) -> Version {
        self.latest = self.latest.wrapping_add(1);
        self.table.put(record.id(), Numbered { record, version: self.latest });
        text(self.latest)
    }

    pub(super) fn remove(&mut self, id: Uuid) {
        self.table.remove(id);
    }

    pub(super) fn count(&self, principal: Option<&str>) -> usize {
        self.table.count(principal)
    }

    pub(super) fn expired(&self, now: Duration, max: usize) -> Vec<Uuid> {
        self.table.expired(now, max)
    }
}

fn text(version: u64) -> Version {
    Version(version.to_string().into())
}
