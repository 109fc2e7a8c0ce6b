//! Storage of sessions.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::time::Duration;

use uuid::Uuid;

use super::Session;
use crate::util::external::external;
use crate::util::short_str::ShortStr;

/// Session with its texts, as a [`Store`] keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[non_exhaustive]
// What each step reads comes first: two cache lines if the URL has at most 22 bytes.
#[repr(C)]
pub struct Record {
    /// Session.
    pub session: Session,
    /// Principal that created the session, if known.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "serde::Deserialize::deserialize"))]
    pub principal: Option<Box<str>>,
    /// Destination URL that the session was created for, which every request is compared with.
    url: ShortStr,
    /// Value of BITS-Reply-URL; `None` until the server application has a reply.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "serde::Deserialize::deserialize"))]
    pub reply_url: Option<Box<[u8]>>,
}

impl Record {
    /// Creates a record without a principal and a reply URL.
    #[must_use]
    pub fn new(session: Session, url: impl Into<Box<str>>) -> Self {
        let url = ShortStr::from(external(|| url.into()));
        Self { session, url, principal: None, reply_url: None }
    }

    /// Returns the destination URL that the session was created for.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Returns `true` if the session was created for this URL and by this principal.
    pub(super) fn belongs_to(&self, url: &str, principal: Option<&str>) -> bool {
        self.url.as_bytes() == url.as_bytes() && self.principal.as_deref() == principal
    }

    /// Returns the time at which [`Sessions::handle_timeout`](super::Sessions::handle_timeout)
    /// has an effect on this session: its [`poll_timeout`](Session::poll_timeout), or its
    /// [`expires_at`](Session::expires_at) if it has ended and could not be removed.
    ///
    /// A database can use it as the sort key of an index.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.session.poll_timeout().unwrap_or_else(|| self.session.expires_at())
    }
}

/// Storage of sessions: a map, a file, or a database that servers may share.
///
/// Implemented for [`MemoryStore`](super::MemoryStore), `BTreeMap<Uuid, Record>` and, with the feature
/// `std`, for `HashMap`.
pub trait Store {
    /// Error of the storage.
    type Error;

    /// Returns the bytes that the id of the next session is made of: the random bytes, unless the store
    /// finds sessions faster by other ids.
    ///
    /// `random` comes from a cryptographically secure source. The result becomes a version 4 GUID, which
    /// replaces the high four bits of byte 6 and the high two bits of byte 8. A store may replace other
    /// bytes, for example by the place where it is going to insert the session. At least 64 bits must
    /// remain random, so that ids cannot be guessed. A store that wraps another one forwards this call.
    fn id_bytes(&self, random: [u8; 16]) -> [u8; 16] {
        random
    }

    /// Inserts a session. Returns `false` and changes nothing if its id exists.
    ///
    /// # Errors
    ///
    /// An error of the storage; the session is not created.
    fn insert(&mut self, record: Record) -> Result<bool, Self::Error>;

    /// Calls `change` on a session and returns its result; `None` if there is no such session.
    ///
    /// The update must be atomic. Shared storage reads the record, changes it, and writes it only
    /// if it is unchanged since the read; otherwise it repeats all three. Without that, two
    /// servers would accept the same bytes. A record that `change` leaves as it was needs no write.
    /// `change` keeps the id.
    ///
    /// # Errors
    ///
    /// An error of the storage; the session is unchanged. Call `change` on a copy, so that this is
    /// true for a failed write.
    fn update<T>(
        &mut self,
        id: Uuid,
        change: impl FnMut(&mut Record) -> T,
    ) -> Result<Option<T>, Self::Error>;

    /// Removes a session.
    ///
    /// # Errors
    ///
    /// An error of the storage; the session remains, its requests are answered with *session not
    /// found*, and [`handle_timeout`](super::Sessions::handle_timeout) removes it later.
    fn remove(&mut self, id: Uuid) -> Result<(), Self::Error>;

    /// Returns the number of sessions of a principal, or of all sessions.
    ///
    /// # Errors
    ///
    /// An error of the storage.
    fn count(&self, principal: Option<&str>) -> Result<usize, Self::Error>;

    /// Returns the sessions whose [`timeout`](Record::timeout) is not after `now`. More sessions do
    /// no harm.
    ///
    /// # Errors
    ///
    /// An error of the storage.
    fn expired(&self, now: Duration) -> Result<Vec<Uuid>, Self::Error>;

    /// Returns the earliest [`timeout`](Record::timeout) of all sessions; `None` if there are none.
    ///
    /// # Errors
    ///
    /// An error of the storage.
    fn next_timeout(&self) -> Result<Option<Duration>, Self::Error>;
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
            let has_principal = |record: &&Record| record.principal.as_deref() == principal;
            Ok(match principal {
                Some(_) => self.values().filter(has_principal).count(),
                None => self.len(),
            })
        }

        fn expired(&self, now: Duration) -> Result<Vec<Uuid>, Infallible> {
            let expired = self.iter().filter(|(_, record)| record.timeout() <= now);
            Ok(expired.map(|(id, _)| *id).collect())
        }

        fn next_timeout(&self) -> Result<Option<Duration>, Infallible> {
            Ok(self.values().map(Record::timeout).min())
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
