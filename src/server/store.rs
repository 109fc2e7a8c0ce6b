//! Where sessions are kept.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::time::Duration;

use uuid::Uuid;

use super::Session;

/// A session and the texts that belong to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Record {
    /// The session.
    pub session: Session,
    /// The URL it was created for.
    pub url: Box<str>,
    /// Who created it.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "serde::Deserialize::deserialize"))]
    pub principal: Option<Box<str>>,
    /// Where the reply is, as it goes into BITS-Reply-URL.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "serde::Deserialize::deserialize"))]
    pub reply_url: Option<Box<[u8]>>,
}

/// Where sessions are kept: a map, a file, a database, shared by several servers or not.
///
/// It is implemented for `BTreeMap<Uuid, Record>`, and with the feature `std` for a `HashMap`.
pub trait Store {
    /// Why it may fail.
    type Error;

    /// Adds a session, if its id is free; if not, `false`, and nothing is changed.
    ///
    /// # Errors
    ///
    /// The store's own; then the session is not created.
    fn insert(&mut self, record: Record) -> Result<bool, Self::Error>;

    /// Changes a session, and gives back what `change` did; `None` if there is no such session.
    ///
    /// No other change may come between: a store that is shared reads, changes and writes back
    /// only if what it read is still there, and does it all again if not. That is what keeps two
    /// servers from accepting the same bytes.
    ///
    /// # Errors
    ///
    /// The store's own; then nothing is changed.
    fn update<T>(
        &mut self,
        id: Uuid,
        change: impl FnMut(&mut Record) -> T,
    ) -> Result<Option<T>, Self::Error>;

    /// Forgets a session.
    ///
    /// # Errors
    ///
    /// The store's own; then the session stays, and is answered as one that has ended.
    fn remove(&mut self, id: Uuid) -> Result<(), Self::Error>;

    /// How many sessions there are, of one principal or of all.
    ///
    /// # Errors
    ///
    /// The store's own.
    fn count(&self, principal: Option<&str>) -> Result<usize, Self::Error>;

    /// The sessions whose [`expires_at`](Session::expires_at) is not after `now`.
    ///
    /// # Errors
    ///
    /// The store's own.
    fn expired(&self, now: Duration) -> Result<Vec<Uuid>, Self::Error>;
}

macro_rules! store_in_map {
    ($map:ty) => {
        type Error = Infallible;

        fn insert(&mut self, record: Record) -> Result<bool, Infallible> {
            let id = record.session.id();
            let is_free = !self.contains_key(&id);
            self.entry(id).or_insert(record);
            Ok(is_free)
        }

        fn update<T>(
            &mut self,
            id: Uuid,
            change: impl FnMut(&mut Record) -> T,
        ) -> Result<Option<T>, Infallible> {
            Ok(self.get_mut(&id).map(change))
        }

        fn remove(&mut self, id: Uuid) -> Result<(), Infallible> {
            <$map>::remove(self, &id);
            Ok(())
        }

        fn count(&self, principal: Option<&str>) -> Result<usize, Infallible> {
            let is_theirs = |record: &&Record| record.principal.as_deref() == principal;
            Ok(match principal {
                Some(_) => self.values().filter(is_theirs).count(),
                None => self.len(),
            })
        }

        fn expired(&self, now: Duration) -> Result<Vec<Uuid>, Infallible> {
            let sessions = self.values().map(|record| record.session);
            Ok(sessions.filter(|it| it.expires_at() <= now).map(|it| it.id()).collect())
        }
    };
}

impl Store for BTreeMap<Uuid, Record> {
    store_in_map!(BTreeMap<Uuid, Record>);
}

#[cfg(feature = "std")]
impl<H: std::hash::BuildHasher> Store for std::collections::HashMap<Uuid, Record, H> {
    store_in_map!(std::collections::HashMap<Uuid, Record, H>);
}
