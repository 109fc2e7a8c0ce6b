//! Three nodes on one bucket. Nodes are killed, and operations of the store stall and fail, at random.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bits_server::sessions::{ObjectSessions, SessionStore};
use bits_server::storage::{ObjectStorage, Storage};
use bits_server::{BitsService, Limits, Server};
use bytes::Bytes;
use futures_util::TryStreamExt;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::Full;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::sleep;
use tower::ServiceExt;
use uuid::Uuid;

use crate::driver::{content, published};
use crate::observed::Observed;

const NODES: usize = 3;
const CLIENTS: u64 = 24;

/// Number of entities of each client. Every fourth one is uploaded several times.
const ENTITIES: u64 = 8;
const VERSIONS: u64 = 3;

/// Code of the error for a session that does not exist.
const SESSION_NOT_FOUND: &[u8] = b"0x8020001F";

/// Maximum time for which an operation of the store stalls. The work of a request times out before.
const MAX_STALL: Duration = Duration::from_millis(900);

/// Sessions that published each key.
type Publications = Arc<Mutex<BTreeMap<String, BTreeSet<Uuid>>>>;

struct Cluster {
    store: Observed<InMemory>,
    nodes: [Mutex<Node>; NODES],
    publications: Publications,
    random: AtomicU64,
    kills: AtomicU64,
    is_over: AtomicBool,
}

/// A node: a server with a runtime of its own, so that all its tasks can be aborted at once.
struct Node {
    runtime: Runtime,
    service: BitsService,
}

impl Node {
    /// Starts a node, again after each failure.
    async fn start(store: &Observed<InMemory>, publications: &Publications) -> Self {
        loop {
            let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
            let runtime = runtime.expect("a runtime");
            let server = runtime.spawn(build(store.clone(), Arc::clone(publications)));
            match server.await.expect("no panic") {
                Some(server) => return Self { runtime, service: server.service() },
                None => runtime.shutdown_background(),
            }
        }
    }
}

async fn build(store: Observed<InMemory>, publications: Publications) -> Option<Server> {
    let limits = Limits {
        max_sessions_per_principal: usize::MAX,
        idle_timeout: Duration::from_millis(100),
        store_timeout: Duration::from_millis(300),
        work_timeout: Duration::from_millis(400),
        sweep_interval: Duration::from_millis(500),
        ..Limits::default()
    };
    let server = Server::builder()
        .storage(ObjectStorage::new(store.clone()).max_buffer(16 << 20))
        .sessions(ObjectSessions::new(store))
        .limits(limits)
        .replaces(true)
        .on_complete(move |upload| {
            let mut publications = publications.lock().expect("a lock");
            publications.entry(upload.key.to_string()).or_default().insert(upload.session);
            async {}
        });
    server.build().await.ok()
}

impl Cluster {
    async fn start(seed: u64) -> Arc<Self> {
        let store = Observed::new(InMemory::new());
        let publications = Publications::default();
        let mut nodes = Vec::new();
        for _ in 0..NODES {
            nodes.push(Mutex::new(Node::start(&store, &publications).await));
        }
        store.set_faults(seed, 40, MAX_STALL);
        let Ok(nodes) = nodes.try_into() else { panic!("a wrong number of nodes") };
        Arc::new(Self {
            store,
            nodes,
            publications,
            random: AtomicU64::new(seed),
            kills: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        })
    }

    /// Returns a random number below a bound.
    fn random(&self, bound: u64) -> u64 {
        let state = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) % bound
    }

    fn random_node(&self) -> &Mutex<Node> {
        &self.nodes[usize::try_from(self.random(NODES as u64)).expect("an index")]
    }

    /// Kills nodes and starts others in their place, until the test is over.
    async fn kill_nodes(&self) {
        while !self.is_over.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(50 + self.random(400))).await;
            let node = Node::start(&self.store, &self.publications).await;
            let killed = std::mem::replace(&mut *self.random_node().lock().expect("a lock"), node);
            killed.runtime.shutdown_background();
            self.kills.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends a request to a random node. Returns `None` if the node is killed meanwhile.
    async fn send(&self, request: Request<Full<Bytes>>) -> Option<(StatusCode, HeaderMap)> {
        let (handle, service): (Handle, _) = {
            let node = self.random_node().lock().expect("a lock");
            (node.runtime.handle().clone(), node.service.clone())
        };
        let response = handle.spawn(service.oneshot(request)).await.ok()?.expect("infallible");
        let (parts, _) = response.into_parts();
        Some((parts.status, parts.headers))
    }

    /// Sends a request until a node has done it. Returns `None` if the session does not exist.
    async fn done(&self, request: impl Fn() -> Request<Full<Bytes>>) -> Option<HeaderMap> {
        loop {
            if let Some((status, headers)) = self.send(request()).await {
                let code = headers.get("BITS-Error-Code").map(HeaderValue::as_bytes);
                match status {
                    StatusCode::OK | StatusCode::RANGE_NOT_SATISFIABLE => return Some(headers),
                    _ if code == Some(SESSION_NOT_FOUND) => return None,
                    StatusCode::SERVICE_UNAVAILABLE | StatusCode::INTERNAL_SERVER_ERROR => {}
                    _ => panic!("{status}: {headers:?}"),
                }
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Uploads an entity as a client does.
    async fn upload(&self, key: &str, entity: &[u8], fragment: usize) {
        let path = format!("/{key}");
        let created = self.done(|| packet("Create-Session", &path, None)).await;
        let headers = created.expect("no session is named");
        let id = text(&headers, "BITS-Session-Id");
        let mut first = 0;
        while first < entity.len() {
            let bytes = &entity[first..entity.len().min(first + fragment)];
            let stored = self.done(|| range(&path, &id, first, bytes, entity.len())).await;
            let headers = stored.unwrap_or_else(|| panic!("{key}: session lost at {first}"));
            first = text(&headers, "BITS-Received-Content-Range").parse().expect("a number");
        }
        // If a response was lost, the session does not exist any more.
        self.done(|| packet("Close-Session", &path, Some(&id))).await;
    }

    /// Uploads the entities of a client, and checks each one.
    async fn run_client(&self, client: u64) {
        let storage = ObjectStorage::new(self.store.clone());
        for number in 0..ENTITIES {
            let key = format!("client-{client}/entity {number}");
            let versions = if number % 4 == 0 { VERSIONS } else { 1 };
            for version in 0..versions {
                let (entity, fragment) = entity(client, number, version);
                self.upload(&key, &entity, fragment).await;
                let found = until_read(&storage, &key).await;
                assert!(found == Some(entity), "{key}: version {version} is not published");
            }
        }
    }
}

/// Returns the content of an entity, and the length of its fragments.
fn entity(client: u64, number: u64, version: u64) -> (Vec<u8>, usize) {
    let seed = (client * ENTITIES + number) * VERSIONS + version;
    let (length, fragment) = match seed % 32 {
        0 => (20 << 20, 13 << 20),
        1 => (9 << 20, 3 << 20),
        2 => (6 << 20, 1 << 20),
        _ => (200_000, 70_000),
    };
    let shorter = usize::try_from(seed * 37 % 1000).expect("a short length");
    (content(seed, length - shorter), fragment)
}

/// Reads an entity, again after each injected fault.
async fn until_read(storage: &ObjectStorage, key: &str) -> Option<Vec<u8>> {
    loop {
        match try_published(storage, key).await {
            Ok(found) => return found,
            Err(error) => assert!(error.to_string().contains("injected"), "{error}"),
        }
    }
}

async fn try_published(
    storage: &ObjectStorage,
    key: &str,
) -> bits_server::storage::Result<Option<Vec<u8>>> {
    let key = key.parse().expect("a valid key");
    let Some(mut entity) = storage.open(&key).await? else { return Ok(None) };
    let mut bytes = Vec::new();
    loop {
        let read = entity.read(bytes.len() as u64, 1 << 20).await?;
        if read.is_empty() {
            return Ok(Some(bytes));
        }
        bytes.extend_from_slice(&read);
    }
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).unwrap_or_else(|| panic!("no {name}: {headers:?}"));
    value.to_str().expect("text").to_owned()
}

fn packet(kind: &str, path: &str, id: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = Request::builder()
        .method("BITS_POST")
        .uri(path.replace(' ', "%20"))
        .header("BITS-Packet-Type", kind)
        .header("Content-Length", 0);
    request = match id {
        Some(id) => request.header("BITS-Session-Id", id),
        None => {
            request.header("BITS-Supported-Protocols", "{7df0354d-249b-430f-820d-3d2a9bef4931}")
        }
    };
    request.body(Full::default()).expect("a request")
}

fn range(path: &str, id: &str, first: usize, bytes: &[u8], total: usize) -> Request<Full<Bytes>> {
    let last = first + bytes.len() - 1;
    Request::builder()
        .method("BITS_POST")
        .uri(path.replace(' ', "%20"))
        .header("BITS-Packet-Type", "Fragment")
        .header("BITS-Session-Id", id)
        .header("Content-Range", format!("bytes {first}-{last}/{total}"))
        .header("Content-Length", bytes.len())
        .body(Full::new(Bytes::copy_from_slice(bytes)))
        .expect("a request")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_upload_is_lost_doubled_or_rewritten() {
    let seed: Option<u64> = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| std::process::id().into());
    println!("SEED={seed}");
    let cluster = Cluster::start(seed).await;
    let killer = tokio::spawn({
        let cluster = Arc::clone(&cluster);
        async move { cluster.kill_nodes().await }
    });
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let cluster = Arc::clone(&cluster);
        clients.spawn(async move { cluster.run_client(client).await });
    }
    clients.join_all().await;
    cluster.is_over.store(true, Ordering::Relaxed);
    killer.await.expect("no panic");
    println!("{} nodes were killed", cluster.kills.load(Ordering::Relaxed));
    println!("requests: {:?}", cluster.store.take_requests());

    // Operations that still stall end before the last check.
    cluster.store.clear_faults();
    cluster.store.idle().await;
    check(&cluster).await;
    let cluster = Arc::into_inner(cluster).expect("no other user");
    for node in cluster.nodes {
        node.into_inner().expect("a lock").runtime.shutdown_background();
    }
}

/// Checks the entities, the calls of the hook, and the remains of all sessions.
async fn check(cluster: &Cluster) {
    let storage = ObjectStorage::new(cluster.store.clone());
    let sessions = ObjectSessions::new(cluster.store.clone());
    let publications = cluster.publications.lock().expect("a lock").clone();
    for client in 0..CLIENTS {
        for number in 0..ENTITIES {
            let key = format!("client-{client}/entity {number}");
            let versions = if number % 4 == 0 { VERSIONS } else { 1 };
            let found = published(&storage, &key).await;
            let (expected, _) = entity(client, number, versions - 1);
            assert!(found == Some(expected), "{key} was rewritten");
            let publishers = publications.get(&key).map_or(0, BTreeSet::len);
            assert_eq!(publishers as u64, versions, "{key}: sessions that published it");
        }
    }
    for session in storage.sessions(Duration::ZERO).await.expect("a list") {
        if sessions.load(session).await.expect("the store works").is_none() {
            storage.remove(session, None).await.expect("the data is removed");
        }
    }
    let left: Vec<_> = cluster.store.list(None).try_collect().await.expect("a list");
    let left = left.iter().filter(|meta| !meta.location.as_ref().starts_with(".bits")).count();
    assert_eq!(left as u64, CLIENTS * ENTITIES, "published entities");
}
