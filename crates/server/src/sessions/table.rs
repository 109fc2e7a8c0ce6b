//! Records in memory, with indexes by principal and by timeout.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use uuid::Uuid;

use super::{SessionRecord, Version, Versioned};

/// Records with their versions. No operation takes time in proportion to the number of sessions.
#[derive(Debug, Default)]
pub(super) struct Table {
    entries: HashMap<Uuid, Entry>,
    /// Number of sessions of each principal, without zeros.
    principals: HashMap<Box<str>, usize>,
    timeouts: BTreeSet<(Duration, Uuid)>,
    /// The latest version of any record. Versions do not repeat, even if an id does.
    latest: u64,
}

#[derive(Debug)]
struct Entry {
    record: SessionRecord,
    version: u64,
}

impl Table {
    /// Creates a table whose versions follow `latest`.
    #[cfg(feature = "file")]
    pub(super) fn with_versions_after(latest: u64) -> Self {
        Self { latest, ..Self::default() }
    }

    pub(super) fn get(&self, id: Uuid) -> Option<Versioned> {
        let entry = self.entries.get(&id)?;
        Some(Versioned::new(entry.record.clone(), text(entry.version)))
    }

    /// Returns the version of a record.
    pub(super) fn version(&self, id: Uuid) -> Option<Version> {
        self.entries.get(&id).map(|entry| text(entry.version))
    }

    /// Inserts or replaces a record, and returns its new version.
    pub(super) fn put(&mut self, record: SessionRecord) -> Version {
        let id = record.id();
        self.remove(id);
        if let Some(principal) = &record.record.principal {
            *self.principals.entry(principal.clone()).or_default() += 1;
        }
        self.timeouts.insert((record.record.timeout(), id));
        self.latest = self.latest.wrapping_add(1);
        self.entries.insert(id, Entry { record, version: self.latest });
        text(self.latest)
    }

    pub(super) fn remove(&mut self, id: Uuid) {
        let Some(Entry { record, .. }) = self.entries.remove(&id) else { return };
        self.timeouts.remove(&(record.record.timeout(), id));
        let Some(principal) = record.record.principal else { return };
        if let Some(count) = self.principals.get_mut(&principal) {
            *count -= 1;
            if *count == 0 {
                self.principals.remove(&principal);
            }
        }
    }

    pub(super) fn count(&self, principal: Option<&str>) -> usize {
        match principal {
            Some(principal) => self.principals.get(principal).copied().unwrap_or_default(),
            None => self.entries.len(),
        }
    }

    /// Returns at most `max` sessions in the order of their timeouts.
    pub(super) fn expired(&self, now: Duration, max: usize) -> Vec<Uuid> {
        self.timeouts.range(..=(now, Uuid::max())).take(max).map(|(_, id)| *id).collect()
    }
}

fn text(version: u64) -> Version {
    Version(version.to_string().into())
}
