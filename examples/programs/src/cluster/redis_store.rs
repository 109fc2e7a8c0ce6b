//! A store of sessions in Redis.
//!
//! ```text
//! PREFIX session:ID        a session's record, as JSON
//! PREFIX expiry            all sessions, sorted by when they expire, in microseconds
//! PREFIX principal:WHO     the sessions of one principal
//! ```
//!
//! What changes several keys is a script, which Redis runs as a whole or not at all, so that the
//! index and the counts are those of the records at any time. A record is changed if it is still
//! what was read; if not, it is read again, and the change made to that.
//!
//! Redis must not forget what it confirmed, or two nodes may be told to store the same bytes: it
//! evicts nothing (`maxmemory-policy noeviction`), writes down each change where it is to survive
//! a restart (`appendfsync always`), and a replica takes over only if it has everything.

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use bits_proto::server::{Record, Session, Store};
use r2d2::{ManageConnection, Pool, PooledConnection};
use redis::{Client, Connection, ConnectionLike as _, RedisError, Script, TypedCommands as _};
use uuid::Uuid;

/// How long Redis may take to answer. A request waits no longer than that for a connection, and
/// for each of its calls.
const PATIENCE: Duration = Duration::from_secs(2);

/// KEYS: session, expiry, perhaps principal. ARGV: record, id, when it expires.
static INSERT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if not redis.call('SET', KEYS[1], ARGV[1], 'NX') then return 0 end
        redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
        if KEYS[3] then redis.call('SADD', KEYS[3], ARGV[2]) end
        return 1",
    )
});

/// KEYS: session, expiry. ARGV: the record that was read, the one to write, id, when it expires.
static UPDATE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], ARGV[2])
        redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3])
        return 1",
    )
});

/// KEYS: session, expiry, perhaps principal. ARGV: id.
static REMOVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "redis.call('DEL', KEYS[1])
        redis.call('ZREM', KEYS[2], ARGV[1])
        if KEYS[3] then redis.call('SREM', KEYS[3], ARGV[1]) end
        return 1",
    )
});

/// Sessions in Redis. Clones share its connections.
#[derive(Clone)]
pub struct RedisStore {
    pool: Pool<Connections>,
    prefix: String,
}

/// Why the store failed.
#[derive(Debug)]
pub enum Error {
    /// Redis cannot be reached.
    Unreachable(r2d2::Error),
    /// Redis failed, or did not answer: whether it did what it was asked is not known then.
    Redis(RedisError),
    /// What is stored of a session is none.
    Record(Uuid, serde_json::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => write!(f, "Redis cannot be reached: {error}"),
            Self::Redis(error) => write!(f, "Redis failed: {error}"),
            Self::Record(id, error) => {
                write!(f, "what Redis has of {id} is no session, and can be deleted: {error}")
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

/// Makes connections that wait no longer than [`PATIENCE`].
#[derive(Debug)]
struct Connections(Client);

impl ManageConnection for Connections {
    type Connection = Connection;
    type Error = RedisError;

    fn connect(&self) -> Result<Connection, RedisError> {
        let connection = self.0.get_connection_with_timeout(PATIENCE)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.set_write_timeout(Some(PATIENCE))?;
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
    /// A store in the Redis at this URL, whose keys begin with `prefix`. In a cluster, braces in
    /// the prefix keep all keys on one node, as scripts need it.
    ///
    /// It connects when it is asked for something, and again whenever a connection broke.
    pub fn new(url: &str, prefix: &str) -> Result<Self, Error> {
        let pool = Pool::builder()
            .min_idle(Some(0))
            .connection_timeout(PATIENCE)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(Connections(Client::open(url)?));
        Ok(Self { pool, prefix: prefix.into() })
    }

    /// A session as it is now, if there is one.
    pub fn session(&self, id: Uuid) -> Result<Option<Session>, Error> {
        let mut connection = self.connection()?;
        Ok(self.read(&mut connection, id)?.map(|(_, record)| record.session))
    }

    fn connection(&self) -> Result<PooledConnection<Connections>, Error> {
        Ok(self.pool.get()?)
    }

    /// A record, and how it is written there.
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

fn written(record: &Record) -> Result<String, Error> {
    serde_json::to_string(record).map_err(|error| Error::Record(record.session.id(), error))
}

/// When a session expires, as the index has it: not before its time.
fn score(session: &Session) -> u64 {
    microseconds(session.expires_at().saturating_add(Duration::from_nanos(999)))
}

/// Redis sorts by floating point numbers, which are exact up to here; it is the year 2255.
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
        insert.arg(written(&record)?).arg(id.to_string());
        insert.arg(score(&record.session));
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
            let new = written(&record)?;
            if new == stored {
                return Ok(Some(changed));
            }
            let mut update = UPDATE.key(self.session_key(id));
            update.key(self.expiry_key()).arg(stored).arg(new);
            update.arg(id.to_string()).arg(score(&record.session));
            // Whoever was faster got somewhere: there is no end to this only if there is none to
            // what others do.
            if update.invoke(&mut *connection)? {
                return Ok(Some(changed));
            }
        }
    }

    fn remove(&mut self, id: Uuid) -> Result<(), Error> {
        let mut connection = self.connection()?;
        // Whose a session is never changes, so nothing is lost if it is changed in between.
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
}
