//! Servers and clients of the tests.

pub mod bodies;
pub mod hooked;
pub mod sessions;

use std::sync::Arc;
use std::time::Duration;

use bits_server::sessions::MemorySessions;
use bits_server::storage::{MemoryStorage, Storage as _};
use bits_server::{BitsService, BoxError, Builder, Limits, ResponseBody, Server};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use tower::ServiceExt as _;

use self::hooked::{Hooked, Hooks};
use self::sessions::NodeSessions;

pub const PROTOCOL: &str = "{7df0354d-249b-430f-820d-3d2a9bef4931}";

/// A server in memory, and its parts.
pub struct World {
    pub server: Server,
    pub storage: MemoryStorage,
    pub sessions: NodeSessions,
    pub hooks: Hooks,
}

/// A response with its content.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl World {
    pub async fn new(change: impl FnOnce(Builder) -> Builder) -> Self {
        let sessions = NodeSessions::new(Arc::new(MemorySessions::new()));
        Self::on(MemoryStorage::new(), sessions, change).await
    }

    pub async fn with_limits(limits: Limits) -> Self {
        Self::new(|builder| builder.limits(limits)).await
    }

    /// Starts another node with the same data.
    pub async fn node(&self, change: impl FnOnce(Builder) -> Builder) -> Self {
        let sessions = NodeSessions::new(Arc::clone(&self.sessions.store));
        Self::on(self.storage.clone(), sessions, change).await
    }

    pub async fn on(
        storage: MemoryStorage,
        sessions: NodeSessions,
        change: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let hooks = Hooks::default();
        let hooked = Hooked::new(storage.clone(), hooks.clone());
        let builder = Server::builder().storage(hooked).sessions(sessions.clone());
        let server = change(builder).build().await.expect("server");
        Self { server, storage, sessions, hooks }
    }

    pub fn published(&self, key: &str) -> Option<Bytes> {
        self.storage.get(&key.parse().expect("key"))
    }

    /// Returns the number of sessions with data that is not published.
    pub async fn staged(&self) -> usize {
        self.storage.sessions(Duration::ZERO).await.expect("sessions").len()
    }

    pub fn service(&self) -> BitsService {
        self.server.service()
    }

    pub async fn send<B>(&self, request: Request<B>) -> Answer
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        answer(self.service().oneshot(request).await.expect("infallible")).await
    }

    /// Creates a session for a path, and returns its id as the client sends it.
    pub async fn create(&self, path: &str) -> String {
        let answer = self.send(create(path)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.header("bits-session-id").to_owned()
    }

    pub async fn fragment(
        &self,
        path: &str,
        id: &str,
        first: usize,
        bytes: &[u8],
        total: usize,
    ) -> Answer {
        self.send(fragment(path, id, first, bytes, total)).await
    }

    pub async fn close(&self, path: &str, id: &str) -> Answer {
        self.send(packet("Close-Session", path, id)).await
    }

    /// Uploads an entity in one fragment.
    pub async fn upload(&self, path: &str, bytes: &[u8]) -> Answer {
        let id = self.create(path).await;
        let answer = self.fragment(path, &id, 0, bytes, bytes.len()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        self.close(path, &id).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Full::default()).expect("request")).await
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name}: {self:?}"))
            .to_str()
            .expect("text")
    }
}

pub async fn answer(response: Response<ResponseBody>) -> Answer {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("complete body").to_bytes();
    Answer { status: parts.status, headers: parts.headers, body }
}

pub fn create(path: &str) -> Request<Full<Bytes>> {
    Request::builder()
        .method("BITS_POST")
        .uri(path)
        .header("BITS-Packet-Type", "Create-Session")
        .header("BITS-Supported-Protocols", PROTOCOL)
        .header("Content-Length", 0)
        .body(Full::default())
        .expect("request")
}

pub fn packet(kind: &str, path: &str, id: &str) -> Request<Full<Bytes>> {
    Request::builder()
        .method("BITS_POST")
        .uri(path)
        .header("BITS-Packet-Type", kind)
        .header("BITS-Session-Id", id)
        .header("Content-Length", 0)
        .body(Full::default())
        .expect("request")
}

/// A Fragment without its body.
pub fn fragment_head(
    path: &str,
    id: &str,
    first: usize,
    length: usize,
    total: usize,
) -> http::request::Builder {
    let last = first + length - 1;
    Request::builder()
        .method("BITS_POST")
        .uri(path)
        .header("BITS-Packet-Type", "Fragment")
        .header("BITS-Session-Id", id)
        .header("Content-Range", format!("bytes {first}-{last}/{total}"))
        .header("Content-Length", length)
}

pub fn fragment(
    path: &str,
    id: &str,
    first: usize,
    bytes: &[u8],
    total: usize,
) -> Request<Full<Bytes>> {
    let body = Full::new(Bytes::copy_from_slice(bytes));
    fragment_head(path, id, first, bytes.len(), total).body(body).expect("request")
}

/// Repeats a request until the session is not busy.
pub async fn until_free(world: &World, request: impl Fn() -> Request<Full<Bytes>>) -> Answer {
    let attempts = async {
        loop {
            let answer = world.send(request()).await;
            if answer.status != 503 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), attempts).await.expect("the session stays busy")
}
