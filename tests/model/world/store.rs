//! A session store that is cheap to clone.

use core::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bits_proto::server::{Record, Session, State, Store};
use uuid::Uuid;

use super::wire::session_id;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Table {
    /// The records, ordered by session number.
    pub records: Vec<Arc<Record>>,
    /// True if ended sessions stay.
    pub keeps_ended: bool,
}

impl Table {
    pub fn get(&self, session: u8) -> Option<&Arc<Record>> {
        let id = session_id(session);
        self.records.iter().find(|record| record.session.id() == id)
    }

    pub fn session(&self, session: u8) -> Option<&Session> {
        self.get(session).map(|record| &record.session)
    }

    /// Returns true if the session has not ended.
    pub fn is_alive(&self, session: u8) -> bool {
        self.session(session).is_some_and(|session| session.state() != State::Ended)
    }

    /// Replaces the record of the session with this number.
    pub fn put(&mut self, session: u8, record: Option<Arc<Record>>) {
        let id = session_id(session);
        let place = self.records.iter().position(|it| it.session.id() >= id);
        let place = place.unwrap_or(self.records.len());
        let is_there = self.records.get(place).is_some_and(|it| it.session.id() == id);
        match (is_there, record) {
            (true, Some(record)) => self.records[place] = record,
            (true, None) => drop(self.records.remove(place)),
            (false, Some(record)) => self.records.insert(place, record),
            (false, None) => {}
        }
    }
}

impl Store for Table {
    type Error = Infallible;

    fn insert(&mut self, record: Record) -> Result<bool, Infallible> {
        let is_free = self.records.iter().all(|other| other.session.id() != record.session.id());
        if is_free {
            self.records.push(Arc::new(record));
        }
        Ok(is_free)
    }

    fn update<T>(
        &mut self,
        id: Uuid,
        mut change: impl FnMut(&mut Record) -> T,
    ) -> Result<Option<T>, Infallible> {
        let found = self.records.iter_mut().find(|record| record.session.id() == id);
        Ok(found.map(|record| change(Arc::make_mut(record))))
    }

    fn remove(&mut self, id: Uuid) -> Result<(), Infallible> {
        if !self.keeps_ended {
            self.records.retain(|record| record.session.id() != id);
        }
        Ok(())
    }

    fn count(&self, _: Option<&str>) -> Result<usize, Infallible> {
        Ok(0)
    }

    fn expired(&self, now: Duration) -> Result<Vec<Uuid>, Infallible> {
        let expired = self.records.iter().filter(|record| record.timeout() <= now);
        Ok(expired.map(|record| record.session.id()).collect())
    }

    fn next_timeout(&self) -> Result<Option<Duration>, Infallible> {
        Ok(self.records.iter().map(|record| record.timeout()).min())
    }
}
