//! Several clients that send fragments of one session at the same time, each to another node.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bits_server::sessions::{
    MemorySessions, Result, SessionRecord, SessionStore, Version, Versioned,
};
use bits_server::storage::{MemoryStorage, Storage};
use bits_server::{BitsService, Limits, Server};
use bytes::Bytes;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::support::bodies::sent;
use crate::support::{Answer, answer, create, fragment_head, packet};

/// Length of the entity that is written concurrently.
const TOTAL: usize = 400;

/// Time after which the work of a node that is slow counts as interrupted.
const STORE_TIMEOUT: Duration = Duration::from_millis(10);

/// Maximum number of rounds: a round without concurrency shows nothing.
const ROUNDS: u64 = 50;

/// The changes of all nodes.
#[derive(Default)]
struct Log {
    /// Number of received bytes in each version of the record.
    received: HashMap<Box<str>, u64>,
    /// Acknowledged bytes, and the node that acknowledged them.
    acknowledged: Vec<(Range<u64>, u8)>,
    /// Number of acknowledgments that came too late, because another node had taken over.
    late: usize,
}

/// The sessions of one node, which sometimes are slow. Then its work token expires.
struct Node {
    store: Arc<dyn SessionStore>,
    number: u8,
    log: Arc<Mutex<Log>>,
    random: Mutex<SmallRng>,
}

impl Node {
    async fn be_slow_sometimes(&self) {
        let delay = {
            let mut random = self.random.lock().unwrap();
            (random.random_range(0..8) == 0).then(|| random.random_range(0..4))
        };
        if let Some(times) = delay {
            sleep(STORE_TIMEOUT * times).await;
        }
    }
}

#[async_trait]
impl SessionStore for Node {
    async fn check(&self) -> Result<()> {
        self.store.check().await
    }

    async fn insert(&self, record: &SessionRecord) -> Result<bool> {
        self.store.insert(record).await
    }

    async fn load(&self, id: Uuid) -> Result<Option<Versioned>> {
        let loaded = self.store.load(id).await?;
        if let Some(Versioned { record, version, .. }) = &loaded {
            let received = record.record.session.received().0;
            self.log.lock().unwrap().received.insert(version.0.clone(), received);
        }
        Ok(loaded)
    }

    async fn replace(&self, expected: &Version, record: &SessionRecord) -> Result<Option<Version>> {
        self.be_slow_sometimes().await;
        let replaced = self.store.replace(expected, record).await?;
        {
            let log = &mut *self.log.lock().unwrap();
            let (before, after) = (log.received[&expected.0], record.record.session.received().0);
            match &replaced {
                Some(version) => {
                    log.received.insert(version.0.clone(), after);
                    if after > before {
                        log.acknowledged.push((before..after, self.number));
                    }
                }
                None => log.late += usize::from(after > before),
            }
        }
        self.be_slow_sometimes().await;
        Ok(replaced)
    }

    async fn remove(&self, id: Uuid, expected: &Version) -> Result<bool> {
        self.store.remove(id, expected).await
    }

    async fn count(&self, principal: Option<&str>) -> Result<usize> {
        self.store.count(principal).await
    }

    async fn expired(&self, now: Duration, max: usize) -> Result<Vec<Uuid>> {
        self.store.expired(now, max).await
    }

    fn is_exclusive(&self) -> bool {
        self.store.is_exclusive()
    }
}

async fn send<B>(service: &BitsService, request: http::Request<B>) -> Answer
where
    B: http_body::Body<Data = Bytes, Error: Into<bits_server::BoxError>> + Send + 'static,
{
    answer(service.clone().oneshot(request).await.expect("infallible")).await
}

/// Sends fragments until the entity is complete. Each byte is the number of the node, and some fragments are
/// interrupted.
async fn write_randomly(service: BitsService, id: String, number: u8, seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut next = 0;
    while next < TOTAL {
        let length = random.random_range(1..40).min(TOTAL - next);
        let is_cut = random.random_range(0..4) == 0;
        let sends = if is_cut { random.random_range(0..length) } else { length };
        let (sender, body) = sent();
        sender.send(Bytes::from(vec![number; sends])).expect("a receiver");
        drop(sender);
        let request = fragment_head("/e", &id, next, length, TOTAL).body(body).expect("a request");
        let answer = send(&service, request).await;
        match answer.status.as_u16() {
            200 | 416 => next = answer.header("bits-received-content-range").parse().unwrap(),
            // The session is busy, the fragment was interrupted, or another node has taken over.
            503 => sleep(Duration::from_millis(1)).await,
            _ => panic!("{answer:?}"),
        }
    }
}

/// Uploads one entity over all nodes. Returns true if a node took over from another one.
async fn round<S: Storage>(round: u64, nodes: Vec<(S, Arc<dyn SessionStore>)>) -> bool {
    let log = Arc::new(Mutex::new(Log::default()));
    let mut services = Vec::new();
    for (number, (storage, store)) in (1..).zip(nodes) {
        let random = Mutex::new(SmallRng::seed_from_u64(round << 8 | u64::from(number)));
        let sessions = Node { store, number, log: Arc::clone(&log), random };
        let limits = Limits {
            idle_timeout: STORE_TIMEOUT / 2,
            store_timeout: STORE_TIMEOUT,
            ..Limits::default()
        };
        let server = Server::builder().storage(storage).sessions(sessions).limits(limits);
        services.push(server.build().await.expect("a server").service());
    }
    let created = send(&services[0], create("/e")).await;
    let id = created.header("bits-session-id");
    let mut writers = JoinSet::new();
    for (number, service) in (1..).zip(&services) {
        let seed = round << 16 | u64::from(number);
        writers.spawn(write_randomly(service.clone(), id.to_owned(), number, seed));
    }
    while let Some(ended) = writers.join_next().await {
        ended.expect("a writer that ends");
    }
    while send(&services[0], packet("Close-Session", "/e", id)).await.status == 503 {
        sleep(Duration::from_millis(1)).await;
    }
    let get = http::Request::get("/e").body(http_body_util::Empty::new()).expect("a request");
    let entity = send(&services[0], get).await.body;

    let log = &mut *log.lock().unwrap();
    log.acknowledged.sort_by_key(|(range, _)| range.start);
    let mut next = 0;
    for (range, number) in &log.acknowledged {
        assert_eq!(range.start, next, "round {round}: bytes are acknowledged once");
        next = range.end;
        let bytes = &entity[range.start as usize..range.end as usize];
        assert!(bytes.iter().all(|byte| byte == number), "round {round}: {range:?}, {bytes:?}");
    }
    assert_eq!((next, entity.len()), (TOTAL as u64, TOTAL));
    let first = log.acknowledged[0].1;
    log.late > 0 && log.acknowledged.iter().any(|(_, number)| *number != first)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_byte_is_accepted_from_one_of_several_clients_in_memory() {
    for number in 0..ROUNDS {
        let storage = MemoryStorage::new();
        let sessions: Arc<dyn SessionStore> = Arc::new(MemorySessions::new());
        let nodes = (0..4).map(|_| (storage.clone(), Arc::clone(&sessions)));
        if round(number, nodes.collect()).await {
            return;
        }
    }
    panic!("no node took over from another one");
}

#[cfg(feature = "file")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_byte_is_accepted_from_one_of_several_clients_in_files() {
    use bits_server::sessions::FileSessions;
    use bits_server::storage::FileStorage;
    for number in 0..ROUNDS {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = FileStorage::open(folder.path().join("root")).expect("a storage");
        let sessions = FileSessions::open(folder.path().join("sessions")).expect("a store");
        let sessions: Arc<dyn SessionStore> = Arc::new(sessions);
        let nodes = (0..4).map(|_| (storage.clone(), Arc::clone(&sessions)));
        if round(number, nodes.collect()).await {
            return;
        }
    }
    panic!("no node took over from another one");
}

#[cfg(all(feature = "file", feature = "redis"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_byte_is_accepted_from_one_of_several_clients_with_redis() {
    use bits_server::sessions::RedisSessions;
    use bits_server::storage::SharedFileStorage;
    let Some(redis) = bits_proto_test_servers::redis::RedisServer::start() else { return };
    for number in 0..ROUNDS {
        let folder = tempfile::tempdir().expect("a folder");
        let mut nodes = Vec::new();
        for _ in 0..4 {
            let storage = SharedFileStorage::open(folder.path().join("root")).expect("a storage");
            let sessions = RedisSessions::connect(&redis.url()).await.expect("a Redis");
            let sessions: Arc<dyn SessionStore> = Arc::new(sessions.prefix(&format!("{number}:")));
            nodes.push((storage, sessions));
        }
        if round(number, nodes).await {
            return;
        }
    }
    panic!("no node took over from another one");
}
