//! Sessions in Redis.

use std::time::Duration;

use ::redis::Commands as _;
use bits_proto::error::error_chain;
use bits_proto_test_servers::redis::{self as redis_server, RedisServer};
use bits_proto_test_tools::interop::Area;
use bits_server::sessions::{RedisSessions, SessionStore, SessionStoreError};
use bits_server::testing;
use tokio::net::TcpListener;

use crate::equivalence::is_equivalent_to_a_map;
use crate::records::{insert, load, numbered, record};

async fn connect(redis: &RedisServer) -> RedisSessions {
    RedisSessions::connect(&redis.url()).await.expect("a Redis that responds")
}

/// Returns a connection for what only an administrator does.
fn administrator(redis: &RedisServer) -> ::redis::Connection {
    let client = ::redis::Client::open(redis.url()).expect("a URL");
    client.get_connection().expect("a Redis that responds")
}

async fn suite(prefix: &'static str) {
    let Some(redis) = RedisServer::start() else { return };
    let url = redis.url();
    let report = testing::session_store(move |name| {
        let (url, prefix) = (url.clone(), format!("{prefix}{name}:"));
        async move { Ok(RedisSessions::connect(&url).await?.prefix(&prefix)) }
    });
    report.await.assert_passed();
    let action = "suite for stores of sessions (bits_server::testing::session_store)";
    redis_server::record(Area::Stores, action, &[], "passed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_passes_the_suite() {
    suite("a:").await;
}

#[tokio::test(flavor = "current_thread")]
async fn redis_passes_the_suite_on_one_thread() {
    suite("{b} \u{e9}\0").await;
}

#[tokio::test]
async fn redis_is_equivalent_to_a_map() {
    let Some(redis) = RedisServer::start() else { return };
    for seed in 0..4 {
        let prefix = format!("seed-{seed}:");
        let nodes = [connect(&redis).await.prefix(&prefix), connect(&redis).await.prefix(&prefix)];
        is_equivalent_to_a_map([&nodes[0], &nodes[1]], seed).await;
    }
}

#[tokio::test]
async fn prefixes_separate_stores() {
    let Some(redis) = RedisServer::start() else { return };
    let (one, other) = (connect(&redis).await, connect(&redis).await.prefix("other:"));
    insert(&one, 1).await;
    assert_eq!(other.load(record(1).id()).await.expect("a store that works"), None);
    assert_eq!(other.count(None).await.expect("a count"), 0);
    insert(&other, 1).await;
}

/// A removed session leaves nothing behind.
#[tokio::test]
async fn removal_deletes_all_keys() {
    let Some(redis) = RedisServer::start() else { return };
    let store = connect(&redis).await;
    let version = insert(&store, 1).await;
    let mut administrator = administrator(&redis);
    let keys: usize = ::redis::cmd("DBSIZE").query(&mut administrator).expect("a number");
    assert_eq!(keys, 4);
    assert!(store.remove(record(1).id(), &version).await.expect("a store that works"));
    let keys: usize = ::redis::cmd("DBSIZE").query(&mut administrator).expect("a number");
    assert_eq!(keys, 0);
}

#[tokio::test]
async fn a_redis_that_cannot_be_reached_is_an_error() {
    for url in ["", "127.0.0.1", "http://127.0.0.1/", "redis://127.0.0.4:1/"] {
        let error = error_chain(&RedisSessions::connect(url).await.expect_err("no Redis"));
        assert!(error.contains("Redis"), "{error}");
    }
    let error = RedisSessions::connect("redis://user:secret@127.0.0.4:1/").await;
    let error = error_chain(&error.expect_err("no Redis"));
    assert!(error.contains("127.0.0.4:1") && !error.contains("secret"), "{error}");
}

/// A server that accepts connections and never responds.
#[tokio::test]
async fn a_redis_that_does_not_respond_is_an_error() {
    let listener = TcpListener::bind("127.0.0.4:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let error = RedisSessions::connect(&format!("redis://{address}/")).await;
    let error = error_chain(&error.expect_err("no response"));
    assert!(error.contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn the_store_recovers_after_redis_was_down() {
    let Some(mut redis) = RedisServer::start() else { return };
    let store = connect(&redis).await;
    let version = insert(&store, 1).await;
    redis.kill();
    for _ in 0..2 {
        let error = store.replace(&version, &numbered(1, 1)).await.expect_err("no Redis");
        let error = error_chain(&error);
        assert!(error.contains(&redis.address()), "{error}");
        store.load(record(1).id()).await.expect_err("no Redis");
        store.insert(&record(2)).await.expect_err("no Redis");
        store.check().await.expect_err("no Redis");
    }
    redis.restart();
    // The first operation succeeds, although the former connection was lost.
    let replaced = store.replace(&version, &numbered(1, 2)).await.expect("a Redis that responds");
    assert!(replaced.is_some());
    assert_eq!(load(&store, 1).await.record, numbered(1, 2));
    assert_eq!(store.count(None).await.expect("a count"), 1);
}

/// A restart while the store is idle goes unnoticed.
#[tokio::test]
async fn a_restart_of_redis_is_not_an_error() {
    let Some(mut redis) = RedisServer::start() else { return };
    let store = connect(&redis).await;
    let mut version = insert(&store, 1).await;
    for number in 0..4 {
        redis.kill();
        redis.restart();
        let replaced = store.replace(&version, &numbered(1, number)).await;
        version = replaced.expect("a Redis that responds").expect("a current version");
        redis.kill();
        redis.restart();
        assert_eq!(load(&store, 1).await.record, numbered(1, number));
    }
}

#[tokio::test]
async fn damaged_records_do_not_affect_other_sessions() {
    let Some(redis) = RedisServer::start() else { return };
    let store = connect(&redis).await;
    for number in 0..5 {
        insert(&store, number).await;
    }
    let mut administrator = administrator(&redis);
    let key = |number| format!("bits:session:{}", record(number).id());
    let _: () = administrator.hset(key(1), "record", "{").expect("a change");
    let _: () = administrator.hdel(key(2), "record").expect("a change");
    let _: () = administrator.hdel(key(3), "version").expect("a change");
    let other: String = administrator.hget(key(0), "record").expect("a record");
    let _: () = administrator.hset(key(4), "record", other).expect("a change");
    for number in 1..5 {
        let error = store.load(record(number).id()).await.expect_err("a damaged record");
        let is_record =
            matches!(&error, SessionStoreError::Record { id, .. } if *id == record(number).id());
        assert!(is_record, "{error}");
        assert!(!store.insert(&record(number)).await.expect("a store that works"));
    }
    assert_eq!(load(&store, 0).await.record, record(0));

    // Damaged records are deleted by hand. The indexes follow when the sessions have expired.
    let before = store.expired(Duration::MAX, 100).await.expect("a store that works");
    assert_eq!(before.len(), 5);
    for number in 1..5 {
        let _: () = administrator.del(key(number)).expect("a change");
    }
    let after = store.expired(Duration::MAX, 100).await.expect("a store that works");
    assert_eq!(after, [record(0).id()]);
    assert_eq!(store.count(None).await.expect("a count"), 1);
    assert_eq!(store.count(Some("a")).await.expect("a count"), 1);
}

#[tokio::test]
async fn the_check_rejects_a_redis_that_evicts() {
    let Some(redis) = RedisServer::start() else { return };
    let store = connect(&redis).await;
    store.check().await.expect("a valid configuration");
    let mut administrator = administrator(&redis);
    let mut set = |name: &str, value: &str| {
        let mut command = ::redis::cmd("CONFIG");
        let _: () =
            command.arg("SET").arg(name).arg(value).query(&mut administrator).expect("a change");
    };
    set("maxmemory-policy", "allkeys-lru");
    store.check().await.expect("memory without a limit");
    set("maxmemory", "100mb");
    let error = error_chain(&store.check().await.expect_err("a Redis that evicts"));
    assert!(error.contains("maxmemory-policy noeviction"), "{error}");
    set("maxmemory-policy", "noeviction");
    store.check().await.expect("a valid configuration");
    let mut command = ::redis::cmd("REPLICAOF");
    let replicaof = command.arg("127.0.0.4").arg(1);
    let _: () = replicaof.query(&mut self::administrator(&redis)).expect("a change");
    let error = error_chain(&store.check().await.expect_err("a replica"));
    assert!(error.contains("replica"), "{error}");
}
