//! Limits of the number of sessions hold while many clients create sessions at the same time.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bits_server::sessions::{
    MemorySessions, Result, SessionRecord, SessionStore, Version, Versioned,
};
use bits_server::storage::{MemoryStorage, Storage as _};
use bits_server::{Limits, Principal, Server};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tokio::task::JoinSet;
use tower::ServiceExt as _;
use uuid::Uuid;

const MAX: usize = 10;
const MAX_OF_PRINCIPAL: usize = 4;

/// A store that lets other requests run before each operation.
struct Yielding<S>(S);

#[async_trait]
impl<S: SessionStore> SessionStore for Yielding<S> {
    async fn check(&self) -> Result<()> {
        self.0.check().await
    }

    async fn insert(&self, record: &SessionRecord) -> Result<bool> {
        tokio::task::yield_now().await;
        self.0.insert(record).await
    }

    async fn load(&self, id: Uuid) -> Result<Option<Versioned>> {
        tokio::task::yield_now().await;
        self.0.load(id).await
    }

    async fn replace(&self, expected: &Version, record: &SessionRecord) -> Result<Option<Version>> {
        self.0.replace(expected, record).await
    }

    async fn remove(&self, id: Uuid, expected: &Version) -> Result<bool> {
        tokio::task::yield_now().await;
        self.0.remove(id, expected).await
    }

    async fn count(&self, principal: Option<&str>) -> Result<usize> {
        tokio::task::yield_now().await;
        self.0.count(principal).await
    }

    async fn expired(&self, now: Duration, max: usize) -> Result<Vec<Uuid>> {
        self.0.expired(now, max).await
    }

    fn is_exclusive(&self) -> bool {
        self.0.is_exclusive()
    }
}

/// Hides from a server that it is the only one.
struct Shared<S>(S);

#[async_trait]
impl<S: SessionStore> SessionStore for Shared<S> {
    async fn check(&self) -> Result<()> {
        self.0.check().await
    }

    async fn insert(&self, record: &SessionRecord) -> Result<bool> {
        self.0.insert(record).await
    }

    async fn load(&self, id: Uuid) -> Result<Option<Versioned>> {
        self.0.load(id).await
    }

    async fn replace(&self, expected: &Version, record: &SessionRecord) -> Result<Option<Version>> {
        self.0.replace(expected, record).await
    }

    async fn remove(&self, id: Uuid, expected: &Version) -> Result<bool> {
        self.0.remove(id, expected).await
    }

    async fn count(&self, principal: Option<&str>) -> Result<usize> {
        self.0.count(principal).await
    }

    async fn expired(&self, now: Duration, max: usize) -> Result<Vec<Uuid>> {
        self.0.expired(now, max).await
    }
}

async fn node(storage: &MemoryStorage, sessions: impl SessionStore) -> Server {
    let limits = Limits {
        max_sessions: MAX,
        max_sessions_per_principal: MAX_OF_PRINCIPAL,
        ..Limits::default()
    };
    Server::builder()
        .storage(storage.clone())
        .sessions(Yielding(sessions))
        .limits(limits)
        .authorize_sync(|request| {
            Ok(Principal::new(request.headers["x-machine"].to_str().expect("a name")))
        })
        .build()
        .await
        .expect("server")
}

/// Creates a session. Returns `true` if it was accepted.
async fn create(server: &Server, machine: usize, number: usize) -> bool {
    let request = Request::builder()
        .method("BITS_POST")
        .uri(format!("/{machine}/{number}"))
        .header("BITS-Packet-Type", "Create-Session")
        .header("BITS-Supported-Protocols", "{7df0354d-249b-430f-820d-3d2a9bef4931}")
        .header("Content-Length", 0)
        .header("x-machine", format!("m{machine}"))
        .body(Full::<Bytes>::default())
        .expect("request");
    let answer = server.service().oneshot(request).await.expect("infallible");
    assert!([200, 503].contains(&answer.status().as_u16()), "{answer:?}");
    answer.status() == 200
}

/// Creates sessions at several servers at the same time, for one principal or for many.
async fn limits_hold(storage: &MemoryStorage, nodes: &[Server]) {
    for (machines, max) in [(1, MAX_OF_PRINCIPAL), (16, MAX)] {
        let mut accepted = if machines == 1 { 0 } else { MAX_OF_PRINCIPAL };
        let mut requests = JoinSet::new();
        for number in 0..48 {
            let node = nodes[number % nodes.len()].clone();
            let machine = if machines == 1 { 0 } else { 1 + number % machines };
            requests.spawn(async move { create(&node, machine, number).await });
        }
        accepted += requests.join_all().await.into_iter().filter(|it| *it).count();
        assert!(accepted <= max, "{accepted} of {max} sessions");
        assert_eq!(storage.sessions(Duration::ZERO).await.expect("sessions").len(), accepted);
        // The others are refused only because they compete.
        for number in accepted..max {
            let machine = if machines == 1 { 0 } else { 100 + number };
            assert!(create(&nodes[0], machine, 100 + number).await, "{number} of {max}");
        }
        assert!(!create(&nodes[0], if machines == 1 { 0 } else { 1000 }, 1000).await);
    }
}

#[tokio::test]
async fn sessions_in_memory_are_limited() {
    let storage = MemoryStorage::new();
    limits_hold(&storage, &[node(&storage, MemorySessions::new()).await]).await;
}

#[tokio::test]
async fn sessions_of_several_servers_are_limited() {
    let storage = MemoryStorage::new();
    let sessions = Arc::new(MemorySessions::new());
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(node(&storage, Shared(Arc::clone(&sessions))).await);
    }
    limits_hold(&storage, &nodes).await;
}

#[cfg(feature = "file")]
#[tokio::test]
async fn sessions_in_a_folder_are_limited() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = MemoryStorage::new();
    let sessions = bits_server::sessions::FileSessions::open(folder.path()).expect("sessions");
    limits_hold(&storage, &[node(&storage, sessions).await]).await;
}

#[cfg(feature = "object")]
#[tokio::test]
async fn sessions_in_a_bucket_are_limited() {
    let storage = MemoryStorage::new();
    let bucket = object_store::memory::InMemory::new();
    let sessions = bits_server::sessions::ObjectSessions::new(bucket);
    limits_hold(&storage, &[node(&storage, sessions).await]).await;
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn sessions_in_redis_are_limited() {
    let Some(redis) = bits_proto_test_servers::redis::RedisServer::start() else { return };
    let storage = MemoryStorage::new();
    let mut nodes = Vec::new();
    for _ in 0..2 {
        let sessions = bits_server::sessions::RedisSessions::connect(&redis.url()).await;
        nodes.push(node(&storage, sessions.expect("a Redis that responds")).await);
    }
    limits_hold(&storage, &nodes).await;
}
