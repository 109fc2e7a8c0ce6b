//! Removal of expired sessions, and of data without a session.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bits_server::Limits;
use bits_server::sessions::{MemorySessions, SessionStore as _};
use bits_server::storage::{MemoryStorage, Storage as _, StorageError};
use uuid::Uuid;

use crate::support::World;
use crate::support::hooked::Operation;
use crate::support::sessions::NodeSessions;

fn short() -> Limits {
    Limits {
        session_timeout: Duration::from_millis(30),
        work_timeout: Duration::from_millis(30),
        sweep_interval: Duration::from_millis(5),
        ..Limits::default()
    }
}

async fn until_empty(world: &World) {
    let swept = async {
        while world.sessions.store.count(None).await.unwrap() > 0 || world.staged().await > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), swept).await.expect("swept");
}

#[tokio::test]
async fn an_expired_session_is_removed_with_its_data() {
    let world = World::with_limits(short()).await;
    let id = world.create("/f").await;
    world.fragment("/f", &id, 0, b"hello", 11).await;
    until_empty(&world).await;
    let answer = world.fragment("/f", &id, 5, b"world!", 11).await;
    assert_eq!(answer.header("bits-error"), "0x8020001F");
}

#[tokio::test]
async fn a_session_whose_removal_fails_is_removed_later() {
    let world = World::with_limits(short()).await;
    world.create("/f").await;
    world.hooks.fail(Operation::Discard, StorageError::other("bucket is unreachable"));
    until_empty(&world).await;
}

/// One sweep ends all sessions that can be ended, however many cannot.
#[tokio::test]
async fn sessions_that_cannot_be_ended_hide_no_other() {
    let limits = |sweep_interval| Limits { sweep_interval, ..short() };
    let hour = Duration::from_secs(3600);
    let stopped = World::with_limits(limits(hour)).await;
    for number in 0..350 {
        stopped.create(&format!("/{number}")).await;
    }
    let sessions = &stopped.sessions.store;
    // In the order in which they expire.
    let failing = sessions.expired(Duration::MAX, 340).await.unwrap();
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    while sessions.expired(now(), 350).await.unwrap().len() < 350 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let started = stopped.node(|builder| builder.limits(limits(hour))).await;
    started.hooks.fail_discards_of(failing.iter().copied());
    let swept = async {
        while sessions.count(None).await.unwrap() > failing.len() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), swept).await.expect("swept");
    assert_eq!(sessions.expired(Duration::MAX, 350).await.unwrap().len(), failing.len());
}

#[tokio::test]
async fn sessions_that_expired_before_the_start_are_removed() {
    let stopped = World::new(|builder| {
        builder.limits(Limits { sweep_interval: Duration::from_secs(3600), ..short() })
    })
    .await;
    stopped.create("/f").await;
    drop(stopped.server);
    let started = World::on(
        stopped.storage.clone(),
        NodeSessions::new(Arc::clone(&stopped.sessions.store)),
        |builder| builder.limits(Limits { sweep_interval: Duration::from_millis(5), ..short() }),
    )
    .await;
    until_empty(&started).await;
}

/// Limits of a server that sweeps once, at its start.
fn once() -> Limits {
    Limits { sweep_interval: Duration::from_secs(365 * 86_400), ..short() }
}

/// More sessions than a sweep looks up at once.
#[tokio::test]
async fn one_sweep_ends_all_expired_sessions() {
    let stopped = World::with_limits(once()).await;
    for number in 0..250 {
        stopped.create(&format!("/{number}")).await;
    }
    until_expired(&stopped.sessions).await;
    let started = stopped.node(|builder| builder.limits(once())).await;
    until_empty(&started).await;
}

/// A session that cannot be ended is found again by every query.
#[tokio::test(start_paused = true)]
async fn sessions_that_cannot_be_ended_are_tried_once_in_each_sweep() {
    let stopped = World::with_limits(once()).await;
    for number in 0..100 {
        stopped.create(&format!("/{number}")).await;
    }
    let sessions = NodeSessions::new(Arc::clone(&stopped.sessions.store));
    sessions.set_read_only(true);
    until_expired(&sessions).await;
    let started =
        World::on(stopped.storage.clone(), sessions, |builder| builder.limits(once())).await;
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    // Each change is tried three times.
    assert_eq!(started.sessions.changes(), 300);
    assert_eq!(started.sessions.store.count(None).await.unwrap(), 100);
}

/// Waits until all sessions have expired. Their clock is that of the system.
async fn until_expired(sessions: &NodeSessions) {
    let all = sessions.store.count(None).await.unwrap();
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    while sessions.store.expired(now(), all).await.unwrap().len() < all {
        tokio::task::yield_now().await;
    }
}

/// Another node may be creating the session.
#[tokio::test(start_paused = true)]
async fn young_data_without_a_session_is_kept() {
    let storage = MemoryStorage::new();
    storage.begin(Uuid::from_u128(7), &"f".parse().unwrap()).await.unwrap();
    let sessions = NodeSessions::new(Arc::new(MemorySessions::new()));
    let world = World::on(storage, sessions, |builder| builder).await;
    // The second search follows the removals of the first one.
    world.hooks.searched(2).await;
    assert_eq!(world.staged().await, 1);
}

#[tokio::test]
async fn data_without_a_session_is_removed_at_the_start_of_the_only_process() {
    for is_exclusive in [true, false] {
        let storage = MemoryStorage::new();
        storage.begin(Uuid::from_u128(7), &"f".parse().unwrap()).await.unwrap();
        let sessions = NodeSessions::new(Arc::new(MemorySessions::new()));
        if is_exclusive {
            sessions.set_exclusive();
        }
        let world = World::on(storage, sessions, |builder| builder).await;
        assert_eq!(world.staged().await, usize::from(!is_exclusive));
    }
}

/// An error is no proof that a session does not exist.
#[tokio::test]
async fn data_of_sessions_that_cannot_be_read_is_kept() {
    let stopped = World::new(|builder| builder).await;
    let id = stopped.create("/f").await;
    stopped.fragment("/f", &id, 0, b"hello ", 11).await;
    let sessions = NodeSessions::new(Arc::clone(&stopped.sessions.store));
    sessions.set_exclusive();
    sessions.set_unreadable();
    World::on(stopped.storage.clone(), sessions, |builder| builder).await;
    assert_eq!(stopped.staged().await, 1);
    assert_eq!(stopped.fragment("/f", &id, 6, b"world", 11).await.status, 200);
}
