//! Sessions in Redis.
//!
//! ```text
//! PREFIX session:ID    hash: `version`, and `record` as JSON
//! PREFIX expiry        sorted set: all sessions by `Record::timeout` in microseconds
//! PREFIX owners        hash: the principal of each session
//! PREFIX principals    hash: the number of sessions of each principal
//! ```
//!
//! Changes are scripts, which Redis runs atomically, so that the indexes always match the records.

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{
    Client, Cmd, FromRedisValue, InfoDict, Pipeline, RedisResult, Script, ScriptInvocation, cmd,
};
use async_trait::async_trait;
use tracing::warn;
use uuid::Uuid;

use super::{Result, SessionRecord, SessionStore, SessionStoreError, Version, Versioned};

/// Timeout of a connection attempt, and of the response to one command.
const IO_TIMEOUT: Duration = Duration::from_secs(2);

/// Timeout of an operation with its repetition.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// KEYS: session, expiry, owners, principals. ARGV: id, version, record, timeout, optionally principal.
///
/// A repetition finds its own version.
static INSERT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('HGET', KEYS[1], 'version') == ARGV[2] then return 1 end
        if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
        redis.call('HSET', KEYS[1], 'version', ARGV[2], 'record', ARGV[3])
        redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
        if ARGV[5] then
            redis.call('HSET', KEYS[3], ARGV[1], ARGV[5])
            redis.call('HINCRBY', KEYS[4], ARGV[5], 1)
        end
        return 1",
    )
});

/// KEYS: session, expiry. ARGV: id, new version, record, timeout, expected version.
static REPLACE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local version = redis.call('HGET', KEYS[1], 'version')
        if version == ARGV[2] then return 1 end
        if version ~= ARGV[5] then return 0 end
        redis.call('HSET', KEYS[1], 'version', ARGV[2], 'record', ARGV[3])
        redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
        return 1",
    )
});

/// KEYS: session, expiry, owners, principals. ARGV: id, expected version.
///
/// Also removes what remains in the indexes of a session whose key was deleted.
static REMOVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local version = redis.call('HGET', KEYS[1], 'version')
        if version and version ~= ARGV[2] then return 0 end
        redis.call('DEL', KEYS[1])
        redis.call('ZREM', KEYS[2], ARGV[1])
        local principal = redis.call('HGET', KEYS[3], ARGV[1])
        if principal then
            redis.call('HDEL', KEYS[3], ARGV[1])
            if redis.call('HINCRBY', KEYS[4], principal, -1) <= 0 then
                redis.call('HDEL', KEYS[4], principal)
            end
        end
        return 1",
    )
});

/// Sessions in Redis, which several nodes share.
///
/// Each operation is one round trip in O(log n) of the number of sessions. It fails after at most five
/// seconds if Redis does not respond. A lost connection is opened again, and the operation is repeated once.
///
/// # Configuration of Redis
///
/// Redis must never lose a confirmed change, or two nodes might store the same bytes:
///
/// * `maxmemory-policy noeviction`;
/// * `appendonly yes`, to survive a restart of Redis, and `appendfsync always`, to survive a crash of its
///   machine. With `appendfsync everysec`, a crash loses the changes of the last second;
/// * fail over only to a replica that has all changes. Replication is asynchronous: after an automatic
///   failover, clients may have to start their uploads over.
///
/// [`check`](SessionStore::check) examines what Redis reports about it.
///
/// Redis 6.0 or later is required, or a compatible server with scripts. In a cluster, braces in the
/// [`prefix`](Self::prefix) keep all keys on one node. If the key of a session is deleted by hand, the
/// session is removed from the indexes once it has expired.
///
/// # Example
///
/// ```no_run
/// use bits_server::sessions::RedisSessions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), bits_server::sessions::SessionStoreError> {
/// let sessions = RedisSessions::connect("redis://127.0.0.1/").await?.prefix("uploads:");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisSessions {
    connection: ConnectionManager,
    address: Box<str>,
    prefix: Box<str>,
}

impl fmt::Debug for RedisSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSessions")
            .field("address", &self.address)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl RedisSessions {
    /// Connects to the Redis at a URL: `redis://[user:password@]host[:port][/database]`, `rediss://…` for
    /// TLS (feature `redis-tls`), or `unix:///path`.
    ///
    /// TLS trusts the certificates of the system, or those in the file that the environment variable
    /// `SSL_CERT_FILE` names. It uses the cryptographic provider of the process, which is *ring* if the
    /// app has installed no other.
    ///
    /// # Errors
    ///
    /// [`SessionStoreError::Unavailable`] if the URL is invalid or Redis cannot be reached.
    pub async fn connect(url: &str) -> Result<Self> {
        #[cfg(feature = "redis-tls")]
        if url.starts_with("rediss:") {
            // Fails if there is a provider already. Without one, rustls may panic.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let client = Client::open(url).map_err(|error| describe("invalid URL of Redis", &error))?;
        let address: Box<str> = client.get_connection_info().addr().to_string().into();
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(IO_TIMEOUT))
            .set_response_timeout(Some(IO_TIMEOUT))
            .set_number_of_retries(0);
        let connected = ConnectionManager::new_with_config(client, config).await;
        let connection = connected
            .map_err(|error| describe(&format!("cannot connect to Redis at {address}"), &error))?;
        Ok(Self { connection, address, prefix: "bits:".into() })
    }

    /// Sets the beginning of the names of all keys. The default is `bits:`.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.into();
        self
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn session_key(&self, id: Uuid) -> String {
        format!("{}session:{id}", self.prefix)
    }

    /// Begins a call of a script with the keys and the id of a session.
    fn script<'s>(&self, script: &'s Script, id: Uuid) -> ScriptInvocation<'s> {
        let mut call = script.key(self.session_key(id));
        call.key(self.key("expiry")).key(self.key("owners")).key(self.key("principals"));
        call.arg(id.to_string());
        call
    }

    /// Runs a script that changes a record. Returns `None` if it returns 0.
    async fn change(
        &self,
        script: &Script,
        record: &SessionRecord,
        last: Option<&str>,
    ) -> Result<Option<Version>> {
        let id = record.id();
        let json = serde_json::to_string(record);
        let json = json.map_err(|error| SessionStoreError::Record { id, error: error.into() })?;
        let version = random_version()?;
        let mut call = self.script(script, id);
        call.arg(&*version.0).arg(json).arg(score(record));
        if let Some(last) = last {
            call.arg(last);
        }
        let (is_done, attempt) = self.run::<bool>(Call::Script(&call)).await?;
        if attempt == Attempt::Second && !is_done {
            // The first attempt may have succeeded, and another change may have followed it.
            let error = "the connection was lost; it is unknown if the change was made";
            return Err(describe(&self.failure(), &error));
        }
        Ok(is_done.then_some(version))
    }

    /// Calls Redis, and repeats the call once if the connection was lost.
    async fn run<T: FromRedisValue>(&self, call: Call<'_>) -> Result<(T, Attempt)> {
        let mut connection = self.connection.clone();
        let attempts = async {
            match call.run(&mut connection).await {
                Err(error) if error.is_io_error() && !error.is_timeout() => {
                    call.run(&mut connection).await.map(|response| (response, Attempt::Second))
                }
                result => result.map(|response| (response, Attempt::First)),
            }
        };
        let result = tokio::time::timeout(OPERATION_TIMEOUT, attempts).await;
        let failed = |error: &dyn fmt::Display| describe(&self.failure(), error);
        result.map_err(|elapsed| failed(&elapsed))?.map_err(|error| failed(&error))
    }

    /// Runs a command that changes nothing.
    async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T> {
        Ok(self.run(Call::Command(command)).await?.0)
    }

    fn failure(&self) -> String {
        format!("Redis at {} failed", self.address)
    }

    /// Removes sessions without a record from the indexes, and returns the others.
    async fn existing(&self, ids: Vec<Uuid>) -> Result<Vec<Uuid>> {
        if ids.is_empty() {
            return Ok(ids);
        }
        let mut query = Pipeline::new();
        for id in &ids {
            query.exists(self.session_key(*id));
        }
        let (exist, _): (Vec<bool>, _) = self.run(Call::Pipeline(&query)).await?;
        let mut existing = Vec::with_capacity(ids.len());
        for (id, exists) in ids.into_iter().zip(exist) {
            if exists {
                existing.push(id);
            } else {
                self.remove(id, &Version("".into())).await?;
            }
        }
        Ok(existing)
    }
}

/// A call of Redis that can be repeated.
#[derive(Clone, Copy)]
enum Call<'a> {
    Command(&'a Cmd),
    Pipeline(&'a Pipeline),
    Script(&'a ScriptInvocation<'a>),
}

impl Call<'_> {
    async fn run<T: FromRedisValue>(self, connection: &mut ConnectionManager) -> RedisResult<T> {
        match self {
            Self::Command(command) => command.query_async(connection).await,
            Self::Pipeline(pipeline) => pipeline.query_async(connection).await,
            Self::Script(script) => script.invoke_async(connection).await,
        }
    }
}

/// The attempt that received a response.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempt {
    First,
    Second,
}

#[async_trait]
impl SessionStore for RedisSessions {
    /// Fails if Redis does not respond, is a read-only replica, or may evict sessions. Logs a warning if
    /// sessions end with the process of Redis.
    async fn check(&self) -> Result<()> {
        let info: InfoDict = self.query(&cmd("INFO")).await?;
        let text = |name: &str| info.get::<String>(name).unwrap_or_default();
        let refuse = |reason: &str| {
            Err(SessionStoreError::unavailable(format!("Redis at {}: {reason}", self.address)))
        };
        if text("role") == "slave" {
            return refuse("it is a replica; connect to the primary");
        }
        let is_limited = !matches!(&*text("maxmemory"), "" | "0");
        if is_limited && text("maxmemory_policy").starts_with("allkeys") {
            return refuse(
                "it evicts sessions when memory is low; set maxmemory-policy noeviction",
            );
        }
        if text("aof_enabled") == "0" {
            let address = &*self.address;
            warn!(address, "sessions end when Redis restarts; set appendonly yes");
        }
        Ok(())
    }

    async fn insert(&self, record: &SessionRecord) -> Result<bool> {
        let principal = record.record.principal.as_deref();
        Ok(self.change(&INSERT, record, principal).await?.is_some())
    }

    async fn load(&self, id: Uuid) -> Result<Option<Versioned>> {
        let mut command = cmd("HMGET");
        command.arg(self.session_key(id)).arg(&["version", "record"]);
        let fields: (Option<String>, Option<Vec<u8>>) = self.query(&command).await?;
        let invalid = |error| SessionStoreError::Record { id, error };
        match fields {
            (None, None) => Ok(None),
            (Some(version), Some(json)) => {
                let record: SessionRecord =
                    serde_json::from_slice(&json).map_err(|error| invalid(error.into()))?;
                if record.id() != id {
                    return Err(invalid(format!("contains session {}", record.id()).into()));
                }
                Ok(Some(Versioned::new(record, Version(version.into()))))
            }
            _ => Err(invalid("has no version or no record".into())),
        }
    }

    async fn replace(&self, expected: &Version, record: &SessionRecord) -> Result<Option<Version>> {
        self.change(&REPLACE, record, Some(&expected.0)).await
    }

    async fn remove(&self, id: Uuid, expected: &Version) -> Result<bool> {
        let mut call = self.script(&REMOVE, id);
        call.arg(&*expected.0);
        Ok(self.run(Call::Script(&call)).await?.0)
    }

    async fn count(&self, principal: Option<&str>) -> Result<usize> {
        let counted: Option<usize> = match principal {
            Some(name) => self.query(cmd("HGET").arg(self.key("principals")).arg(name)).await?,
            None => self.query(cmd("ZCARD").arg(self.key("expiry"))).await?,
        };
        Ok(counted.unwrap_or_default())
    }

    async fn expired(&self, now: Duration, max: usize) -> Result<Vec<Uuid>> {
        let mut command = cmd("ZRANGEBYSCORE");
        command.arg(self.key("expiry")).arg("-inf").arg(microseconds(now));
        command.arg("LIMIT").arg(0).arg(i64::try_from(max).unwrap_or(i64::MAX));
        let expired: Vec<String> = self.query(&command).await?;
        let ids = expired.iter().filter_map(|id| Uuid::try_parse(id).ok()).collect();
        self.existing(ids).await
    }
}

/// Returns the timeout for the index, rounded up so that no session expires early.
fn score(record: &SessionRecord) -> u64 {
    microseconds(record.record.timeout().saturating_add(Duration::from_nanos(999)))
}

/// Limits the time to the integers that a double represents exactly, as Redis sorts by doubles. The limit is
/// in the year 2255.
fn microseconds(time: Duration) -> u64 {
    const LAST: u64 = (1 << 53) - 1;
    u64::try_from(time.as_micros()).map_or(LAST, |time| time.min(LAST))
}

/// Returns a version that no other change has.
fn random_version() -> Result<Version> {
    let random = crate::random::bytes().map_err(SessionStoreError::unavailable)?;
    Ok(Version(Uuid::from_bytes(random).simple().to_string().into()))
}

fn describe(what: &str, error: &dyn fmt::Display) -> SessionStoreError {
    SessionStoreError::unavailable(format!("{what}: {error}"))
}
