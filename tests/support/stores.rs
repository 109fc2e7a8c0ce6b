//! Session stores that fail, or that another process writes to.
#![cfg(feature = "alloc")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use bits_proto::server::{Record, Store};
use uuid::Uuid;

pub type Map = BTreeMap<Uuid, Record>;

/// A store that fails after a number of operations.
#[derive(Debug)]
pub struct Broken {
    pub map: Map,
    pub works: Cell<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Down;

impl std::fmt::Display for Down {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the power is off")
    }
}

impl std::error::Error for Down {}

impl Default for Broken {
    fn default() -> Self {
        Self { map: Map::new(), works: Cell::new(usize::MAX) }
    }
}

impl Broken {
    fn try_once(&self) -> Result<(), Down> {
        let left = self.works.get().checked_sub(1).ok_or(Down)?;
        self.works.set(left);
        Ok(())
    }
}

impl Store for Broken {
    type Error = Down;

    fn insert(&mut self, record: Record) -> Result<bool, Down> {
        self.try_once()?;
        let Ok(is_free) = Store::insert(&mut self.map, record);
        Ok(is_free)
    }

    fn update<T>(
        &mut self,
        id: Uuid,
        mut change: impl FnMut(&mut Record) -> T,
    ) -> Result<Option<T>, Down> {
        let Some(record) = self.map.get_mut(&id) else { return self.try_once().map(|()| None) };
        // Fails when writing back.
        let mut changed = record.clone();
        let outcome = change(&mut changed);
        let left = self.works.get().checked_sub(1).ok_or(Down)?;
        self.works.set(left);
        *record = changed;
        Ok(Some(outcome))
    }

    fn remove(&mut self, id: Uuid) -> Result<(), Down> {
        self.try_once()?;
        self.map.remove(&id);
        Ok(())
    }

    fn count(&self, principal: Option<&str>) -> Result<usize, Down> {
        self.try_once()?;
        let Ok(count) = self.map.count(principal);
        Ok(count)
    }

    fn expired(&self, now: Duration) -> Result<Vec<Uuid>, Down> {
        self.try_once()?;
        let Ok(expired) = self.map.expired(now);
        Ok(expired)
    }

    fn next_timeout(&self) -> Result<Option<Duration>, Down> {
        self.try_once()?;
        let Ok(timeout) = self.map.next_timeout();
        Ok(timeout)
    }
}

/// A change by another process.
pub type Meddling = Box<dyn Fn(&mut Record)>;

/// A store in which another process always writes first.
pub struct Contested {
    pub map: Map,
    pub meddling: Meddling,
}

impl Default for Contested {
    fn default() -> Self {
        Self { map: Map::new(), meddling: Box::new(|_| {}) }
    }
}

impl Store for Contested {
    type Error = Infallible;

    fn insert(&mut self, record: Record) -> Result<bool, Infallible> {
        Store::insert(&mut self.map, record)
    }

    fn update<T>(
        &mut self,
        id: Uuid,
        mut change: impl FnMut(&mut Record) -> T,
    ) -> Result<Option<T>, Infallible> {
        let Some(record) = self.map.get_mut(&id) else { return Ok(None) };
        let _ = change(&mut record.clone());
        (self.meddling)(record);
        Ok(Some(change(record)))
    }

    fn remove(&mut self, id: Uuid) -> Result<(), Infallible> {
        Store::remove(&mut self.map, id)
    }

    fn count(&self, principal: Option<&str>) -> Result<usize, Infallible> {
        self.map.count(principal)
    }

    fn expired(&self, now: Duration) -> Result<Vec<Uuid>, Infallible> {
        self.map.expired(now)
    }

    fn next_timeout(&self) -> Result<Option<Duration>, Infallible> {
        self.map.next_timeout()
    }
}

/// A store that reports every session as expired, as if from an outdated query.
#[derive(Debug, Default)]
pub struct Stale(pub Map);

impl Store for Stale {
    type Error = Infallible;

    fn insert(&mut self, record: Record) -> Result<bool, Infallible> {
        Store::insert(&mut self.0, record)
    }

    fn update<T>(
        &mut self,
        id: Uuid,
        change: impl FnMut(&mut Record) -> T,
    ) -> Result<Option<T>, Infallible> {
        self.0.update(id, change)
    }

    fn remove(&mut self, id: Uuid) -> Result<(), Infallible> {
        Store::remove(&mut self.0, id)
    }

    fn count(&self, principal: Option<&str>) -> Result<usize, Infallible> {
        self.0.count(principal)
    }

    fn expired(&self, _: Duration) -> Result<Vec<Uuid>, Infallible> {
        Ok(self.0.keys().copied().collect())
    }

    fn next_timeout(&self) -> Result<Option<Duration>, Infallible> {
        self.0.next_timeout()
    }
}
