//! A store of sessions in Redis.
//!
//! ```text
//! PREFIX session:ID        a session's record, as JSON
//! PREFIX expiry            all sessions, sorted by `Record::timeout` in microseconds
//! PREFIX principal:NAME    the sessions of one principal
//! ```
//!
//! Changes of several keys are scripts, which Redis runs atomically, so that the index and the
//! counts always match the records. Records are updated by compare-and-swap: if a record has
//! changed since it was read, it is read again and the update is repeated.
//!
//! Redis must never lose a confirmed change, or two nodes might store the same bytes. Configure it
//! without eviction (`maxmemory-policy noeviction`) and, to survive restarts, with
//! `appendfsync always`. Fail over only to a replica that has all changes.

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use bits_proto::server::{Record, Session, Store};
use r2d2::{ManageConnection, Pool, PooledConnection};
use redis::{Client, Connection, ConnectionLike as _, RedisError, Script, TypedCommands as _};
use uuid::Uuid;

/// Timeout for a connection to Redis, and for each call.
const IO_TIMEOUT: Duration = Duration::from_secs(2);

/// KEYS: session, expiry, optionally principal. ARGV: record, id, timeout.
static INSERT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if not redis.call('SET', KEYS[1], ARGV[1], 'NX') then return 0 end
        redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
        if KEYS[3] then redis.call('SADD', KEYS[3], ARGV[2]) end
        return 1",
    )
});

/// KEYS: session, expiry. ARGV: expected record, new record, id, timeout.
static UPDATE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], ARGV[2])
        redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3])
        return 1",
    )
});

/// KEYS: session, expiry, optionally principal. ARGV: id.
static REMOVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "redis.call('DEL', KEYS[1])
        redis.call('ZREM', KEYS[2], ARGV[1])
        if KEYS[3] then redis.call('SREM', KEYS[3], ARGV[1]) end
        return 1",
    )
});

/// A store of sessions in Redis. Clones share its connections.
#[derive(Clone)]
pub struct RedisStore {
    pool: Pool<Connections>,
    prefix: String,
}

/// Errors of the store.
#[derive(Debug)]
pub enum Error {
    /// Redis cannot be reached.
    Unreachable(r2d2::Error),
    /// Redis failed or did not respond. It is unknown whether the change was made.
    Redis(RedisError),
    /// A stored record is invalid.
    Record(Uuid, serde_json::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => write!(f, "cannot connect to Redis: {error}"),
            Self::Redis(error) => write!(f, "Redis failed: {error}"),
            Self::Record(id, error) => {
                write!(f, "invalid record of session {id} in Redis, which can be deleted: {error}")
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<r2d2::Error> for Error {
    fn from(error: r2d2::Error) -> Self {
        Self::Unreachable(error)
    }
}

impl From<RedisError> for Error {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

/// Creates connections with the timeout [`IO_TIMEOUT`].
#[derive(Debug)]
struct Connections(Client);

impl ManageConnection for Connections {
    type Connection = Connection;
    type Error = RedisError;

    fn connect(&self) -> Result<Connection, RedisError> {
        let connection = self.0.get_connection_with_timeout(IO_TIMEOUT)?;
        connection.set_read_timeout(Some(IO_TIMEOUT))?;
        connection.set_write_timeout(Some(IO_TIMEOUT))?;
        Ok(connection)
    }

    fn is_valid(&self, connection: &mut Connection) -> Result<(), RedisError> {
        connection.ping().map(drop)
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        !connection.is_open()
    }
}

impl RedisStore {
    /// Creates a store in the Redis at this URL, whose keys begin with `prefix`. In a Redis Cluster,
    /// braces in the prefix keep all keys on one node, which the scripts require.
    ///
    /// The store connects on first use, and reconnects after a failure.
    pub fn new(url: &str, prefix: &str) -> Result<Self, Error> {
        let pool = Pool::builder()
            .min_idle(Some(0))
            .connection_timeout(IO_TIMEOUT)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(Connections(Client::open(url)?));
        Ok(Self { pool, prefix: prefix.into() })
    }

    /// Returns the current state of a session, if it exists.
    pub fn session(&self, id: Uuid) -> Result<Option<Session>, Error> {
        let mut connection = self.connection()?;
        Ok(self.read(&mut connection, id)?.map(|(_, record)| record.session))
    }

    fn connection(&self) -> Result<PooledConnection<Connections>, Error> {
        Ok(self.pool.get()?)
    }

    /// Returns a record as stored, and parsed.
    fn read(
        &self,
        connection: &mut Connection,
        id: Uuid,
    ) -> Result<Option<(String, Record)>, Error> {
        let Some(stored) = connection.get(self.session_key(id))? else { return Ok(None) };
        let record = serde_json::from_str(&stored).map_err(|error| Error::Record(id, error))?;
        Ok(Some((stored, record)))
    }

    fn session_key(&self, id: Uuid) -> String {
        format!("{}session:{id}", self.prefix)
    }

    fn expiry_key(&self) -> String {
        format!("{}expiry", self.prefix)
    }

    fn principal_key(&self, principal: &str) -> String {
        format!("{}principal:{principal}", self.prefix)
    }
}

fn serialize(record: &Record) -> Result<String, Error> {
    serde_json::to_string(record).map_err(|error| Error::Record(record.session.id(), error))
}

/// Returns the timeout for the index, rounded up so that no session expires early.
fn score(record: &Record) -> u64 {
    microseconds(record.timeout().saturating_add(Duration::from_nanos(999)))
}

/// Limits the time to the integers that a double represents exactly, as Redis sorts by doubles.
/// The limit is in the year 2255.
fn microseconds(time: Duration) -> u64 {
    const LAST: u64 = (1 << 53) - 1;
    u64::try_from(time.as_micros()).map_or(LAST, |time| time.min(LAST))
}

impl Store for RedisStore {
    type Error = Error;

    fn insert(&mut self, record: Record) -> Result<bool, Error> {
        let id = record.session.id();
        let mut insert = INSERT.key(self.session_key(id));
        insert.key(self.expiry_key());
        if let Some(principal) = &record.principal {
            insert.key(self.principal_key(principal));
        }
        insert.arg(serialize(&record)?).arg(id.to_string());
        insert.arg(score(&record));
        Ok(insert.invoke(&mut *self.connection()?)?)
    }

    fn update<T>(
        &mut self,
        id: Uuid,
        mut change: impl FnMut(&mut Record) -> T,
    ) -> Result<Option<T>, Error> {
        let mut connection = self.connection()?;
        loop {
            let Some((stored, mut record)) = self.read(&mut connection, id)? else {
                return Ok(None);
            };
            let changed = change(&mut record);
            let new = serialize(&record)?;
            if new == stored {
                return Ok(Some(changed));
            }
            let mut update = UPDATE.key(self.session_key(id));
            update.key(self.expiry_key()).arg(stored).arg(new);
            update.arg(id.to_string()).arg(score(&record));
            // Retries without limit are safe: each failure means that another update succeeded.
            if update.invoke(&mut *connection)? {
                return Ok(Some(changed));
            }
        }
    }

    fn remove(&mut self, id: Uuid) -> Result<(), Error> {
        let mut connection = self.connection()?;
        // A concurrent change of the record does not matter, as its principal never changes.
        let Some((_, record)) = self.read(&mut connection, id)? else { return Ok(()) };
        let mut remove = REMOVE.key(self.session_key(id));
        remove.key(self.expiry_key()).arg(id.to_string());
        if let Some(principal) = &record.principal {
            remove.key(self.principal_key(principal));
        }
        Ok(remove.invoke(&mut *connection)?)
    }

    fn count(&self, principal: Option<&str>) -> Result<usize, Error> {
        let mut connection = self.connection()?;
        Ok(match principal {
            Some(principal) => connection.scard(self.principal_key(principal))?,
            None => connection.zcard(self.expiry_key())?,
        })
    }

    fn expired(&self, now: Duration) -> Result<Vec<Uuid>, Error> {
        let mut connection = self.connection()?;
        let due: Vec<String> =
            connection.zrangebyscore(self.expiry_key(), "-inf", microseconds(now))?;
        Ok(due.iter().filter_map(|id| Uuid::try_parse(id).ok()).collect())
    }

    fn next_timeout(&self) -> Result<Option<Duration>, Error> {
        let mut connection = self.connection()?;
        let first = connection.zrange_withscores(self.expiry_key(), 0, 0)?;
        Ok(first.first().map(|(_, score)| Duration::from_secs_f64(score / 1e6)))
    }
}
