//! Responses of Redis that are lost after it made a change.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use bits_proto::error::error_chain;
use bits_proto_test_servers::redis::RedisServer;
use bits_server::sessions::{RedisSessions, SessionStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::records::{insert, load, numbered, record};

/// Forwards connections to Redis, and closes one of them instead of sending a response.
#[derive(Default)]
struct Proxy {
    cuts: AtomicBool,
    /// Notified when a response is lost.
    has_lost: Notify,
    /// Permits the closing of its connection.
    may_close: Notify,
}

impl Proxy {
    /// Starts a proxy and connects a store through it.
    async fn start(redis: &RedisServer) -> (Arc<Self>, RedisSessions) {
        let proxy = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.4:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (accepting, server) = (Arc::clone(&proxy), redis.address());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.expect("a Redis that responds");
                tokio::spawn(Arc::clone(&accepting).forward(client, server));
            }
        });
        let store = RedisSessions::connect(&format!("redis://{address}/")).await;
        (proxy, store.expect("a Redis that responds"))
    }

    async fn forward(self: Arc<Self>, client: TcpStream, server: TcpStream) {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let requests = tokio::spawn(async move { copy(&mut from_client, &mut to_server).await });
        let mut response = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from_server.read(&mut response).await {
            if self.cuts.swap(false, SeqCst) {
                self.has_lost.notify_one();
                self.may_close.notified().await;
                break;
            }
            to_client.write_all(&response[..length]).await.expect("a client");
        }
        requests.abort();
    }

    /// Loses the next response. Calls `meanwhile` after the change, and before the client notices.
    async fn lose_response<T>(&self, call: impl Future<Output = T>, meanwhile: impl Future) -> T {
        self.cuts.store(true, SeqCst);
        let lose = async {
            self.has_lost.notified().await;
            meanwhile.await;
            self.may_close.notify_one();
        };
        tokio::join!(call, lose).0
    }
}

#[tokio::test]
async fn a_repeated_change_has_one_effect() {
    let Some(redis) = RedisServer::start() else { return };
    let (proxy, store) = Proxy::start(&redis).await;
    // Redis knows all scripts from here on.
    let version = insert(&store, 1).await;
    let version = store.replace(&version, &record(1)).await.expect("a store that works");
    let version = version.expect("a current version");
    assert!(store.remove(record(1).id(), &version).await.expect("a store that works"));

    let inserted = proxy.lose_response(store.insert(&record(2)), async {}).await;
    assert!(inserted.expect("a repetition"));
    assert_eq!(store.count(None).await.expect("a count"), 1);
    assert_eq!(store.count(Some("a")).await.expect("a count"), 1);

    let version = load(&store, 2).await.version;
    let new = numbered(2, 1);
    let replaced = proxy.lose_response(store.replace(&version, &new), async {}).await;
    let version = replaced.expect("a repetition").expect("the new version");
    assert_eq!(load(&store, 2).await.record, new);
    assert_eq!(load(&store, 2).await.version, version);

    let removed = proxy.lose_response(store.remove(new.id(), &version), async {}).await;
    assert!(removed.expect("a repetition"));
    assert_eq!(store.count(None).await.expect("a count"), 0);
    assert_eq!(store.count(Some("a")).await.expect("a count"), 0);
}

/// If another change follows, it is unknown whether the first attempt was successful.
#[tokio::test]
async fn a_repetition_after_another_change_is_an_error() {
    let Some(redis) = RedisServer::start() else { return };
    let (proxy, store) = Proxy::start(&redis).await;
    let other = RedisSessions::connect(&redis.url()).await.expect("a Redis that responds");
    let version = insert(&store, 1).await;
    let version = store.replace(&version, &record(1)).await.expect("a store that works");
    let version = version.expect("a current version");
    let overtake = async {
        let current = load(&other, 1).await;
        assert_eq!(current.record, numbered(1, 1));
        let replaced = other.replace(&current.version, &numbered(1, 2)).await;
        assert!(replaced.expect("a store that works").is_some());
    };
    let new = numbered(1, 1);
    let error = proxy.lose_response(store.replace(&version, &new), overtake).await;
    let error = error_chain(&error.expect_err("an unknown result"));
    assert!(error.contains("unknown"), "{error}");
    assert_eq!(load(&store, 1).await.record, numbered(1, 2));
}
