//! Types in place of generic parameters.

use std::convert::Infallible;
use std::time::Duration;

use bits_proto::deviation::Deviation;
use bits_proto::download::{ByteRange, Source};
use bits_proto::server::{Record, Store};
use uuid::Uuid;

/// Fields of a message.
pub type Fields<'b> = core::iter::Copied<core::slice::Iter<'b, (&'b str, &'b [u8])>>;

/// Memory for additional fields.
pub type ExtrasBytes = &'static mut [u8];

/// Requested ranges of a download.
pub type Ranges = &'static [ByteRange];

/// Sources of a download.
pub type Sources = &'static [Source];

/// Deviations.
pub type DeviationIter = core::array::IntoIter<Deviation, 4>;

/// Sessions with a single record.
pub struct OneRecord(Option<Record>);

impl OneRecord {
    fn get(&mut self, id: Uuid) -> Option<&mut Record> {
        self.0.as_mut().filter(|record| record.session.id() == id)
    }
}

impl Store for OneRecord {
    type Error = Infallible;

    fn insert(&mut self, record: Record) -> Result<bool, Infallible> {
        let is_free = self.0.is_none();
        if is_free {
            self.0 = Some(record);
        }
        Ok(is_free)
    }

    fn update<T>(
        &mut self,
        id: Uuid,
        change: impl FnMut(&mut Record) -> T,
    ) -> Result<Option<T>, Infallible> {
        Ok(self.get(id).map(change))
    }

    fn remove(&mut self, id: Uuid) -> Result<(), Infallible> {
        if self.get(id).is_some() {
            self.0 = None;
        }
        Ok(())
    }

    fn count(&self, principal: Option<&str>) -> Result<usize, Infallible> {
        let is_counted =
            |it: &&Record| principal.is_none_or(|name| it.principal.as_deref() == Some(name));
        Ok(self.0.iter().filter(is_counted).count())
    }

    fn next_timeout(&self) -> Result<Option<Duration>, Infallible> {
        Ok(self.0.as_ref().map(Record::timeout))
    }

    fn expired(&self, now: Duration) -> Result<Vec<Uuid>, Infallible> {
        Ok(self.0.iter().filter(|it| it.timeout() <= now).map(|it| it.session.id()).collect())
    }
}
