//! Requests that stall or lose their client, and are overtaken by later ones.

use std::time::Duration;

use bits_server::Limits;
use bits_server::storage::StorageError;
use bytes::Bytes;
use tower::Service as _;

use crate::support::bodies::sent;
use crate::support::hooked::Operation;
use crate::support::{World, answer, fragment, fragment_head, packet, until_free};

/// Limits with which a session is released soon after its request has stalled.
const SHORT: Duration = Duration::from_millis(50);

fn short() -> Limits {
    Limits {
        idle_timeout: SHORT / 2,
        store_timeout: SHORT,
        work_timeout: SHORT,
        ..Limits::default()
    }
}

/// Sends a request from a task of its own.
fn spawn(
    world: &World,
    request: http::Request<http_body_util::Full<Bytes>>,
) -> tokio::task::JoinHandle<crate::support::Answer> {
    let mut service = world.service();
    tokio::spawn(async move { answer(service.call(request).await.unwrap()).await })
}

#[tokio::test]
async fn a_stalled_write_that_resumes_after_a_takeover_changes_nothing() {
    let stalled = World::with_limits(short()).await;
    let other = stalled.node(|builder| builder.limits(short())).await;
    let id = stalled.create("/f").await;
    let write = stalled.hooks.stall(Operation::Write);
    let late = spawn(&stalled, fragment("/f", &id, 0, b"XXXXX", 11));
    write.reached().await;
    stalled.sessions.freeze();
    let taken = until_free(&other, || fragment("/f", &id, 0, b"hello ", 11)).await;
    assert_eq!(taken.header("bits-received-content-range"), "6");
    write.resume();
    stalled.sessions.thaw();
    assert_eq!(late.await.unwrap().status, 503);
    assert_eq!(other.fragment("/f", &id, 6, b"world", 11).await.status, 200);
    assert_eq!(other.close("/f", &id).await.status, 200);
    assert_eq!(other.published("f").unwrap(), "hello world");
}

/// A storage saves a description before it uses a name or number that no other request may use.
#[tokio::test]
async fn an_overtaken_request_cannot_save_a_description() {
    let stalled = World::with_limits(short()).await;
    let other = stalled.node(|builder| builder.limits(short())).await;
    let id = stalled.create("/f").await;
    stalled.hooks.save_before_writes();
    let write = stalled.hooks.stall(Operation::Write);
    let late = spawn(&stalled, fragment("/f", &id, 0, b"XXXXX", 11));
    write.reached().await;
    stalled.sessions.freeze();
    other.hooks.save_before_writes();
    until_free(&other, || fragment("/f", &id, 0, b"hello ", 11)).await;
    let staged = other.sessions.only().await.staged;
    write.resume();
    stalled.sessions.thaw();
    assert_eq!(late.await.unwrap().status, 503);
    let saved = stalled.hooks.take_saved();
    assert!(matches!(saved[..], [Err(StorageError::Stale)]), "{saved:?}");
    assert!(matches!(other.hooks.take_saved()[..], [Ok(())]));
    assert_eq!(other.sessions.only().await.staged, staged);
}

#[tokio::test]
async fn a_stalled_write_that_resumes_after_publication_changes_nothing() {
    for operation in [Operation::Write, Operation::Flush] {
        let stalled = World::with_limits(short()).await;
        let other = stalled.node(|builder| builder.limits(short())).await;
        let id = stalled.create("/f").await;
        let write = stalled.hooks.stall(operation);
        let late = spawn(&stalled, fragment("/f", &id, 0, b"XXXXX", 5));
        write.reached().await;
        stalled.sessions.freeze();
        let taken = until_free(&other, || fragment("/f", &id, 0, b"hello", 5)).await;
        assert_eq!(taken.header("bits-received-content-range"), "5");
        assert_eq!(other.close("/f", &id).await.status, 200);
        write.resume();
        stalled.sessions.thaw();
        assert_ne!(late.await.unwrap().status, 200);
        assert_eq!(other.published("f").unwrap(), "hello");
        assert_eq!(other.staged().await, 0);
    }
}

#[tokio::test]
async fn a_stalled_publication_that_resumes_does_not_replace_a_later_upload() {
    let change = |builder: bits_server::Builder| builder.limits(short()).replaces(true);
    let stalled = World::new(change).await;
    let other = stalled.node(change).await;
    let id = stalled.create("/f").await;
    stalled.fragment("/f", &id, 0, b"first", 5).await;
    let publish = stalled.hooks.stall(Operation::Publish);
    let late = spawn(&stalled, packet("Close-Session", "/f", &id));
    publish.reached().await;
    stalled.sessions.freeze();
    assert_eq!(until_free(&other, || packet("Close-Session", "/f", &id)).await.status, 200);
    assert_eq!(other.upload("/f", b"second").await.status, 200);
    publish.resume();
    stalled.sessions.thaw();
    assert_ne!(late.await.unwrap().status, 200);
    assert_eq!(other.published("f").unwrap(), "second");
}

#[tokio::test]
async fn a_dropped_handler_finishes_its_work_and_does_not_lock_the_session() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    let write = world.hooks.stall(Operation::Flush);
    let mut service = world.service();
    let dropped = service.call(fragment("/f", &id, 0, b"hello", 11));
    tokio::select! {
        _ = dropped => panic!("the request is stalled"),
        () = write.reached() => {}
    }
    assert_eq!(world.fragment("/f", &id, 0, b"hello", 11).await.status, 503);
    write.resume();
    let next = until_free(&world, || fragment("/f", &id, 0, b"hello world", 11)).await;
    assert_eq!(next.header("bits-received-content-range"), "11");
    world.close("/f", &id).await;
    assert_eq!(world.published("f").unwrap(), "hello world");
}

/// Until its work ends, the session is busy.
#[test]
fn a_handler_that_is_dropped_outside_of_its_runtime_finishes_its_work() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (world, id, write) = runtime.block_on(async {
        let world = World::new(|builder| builder).await;
        let id = world.create("/f").await;
        let write = world.hooks.stall(Operation::Write);
        (world, id, write)
    });
    let mut service = world.service();
    let entered = runtime.enter();
    let mut pending = service.call(fragment("/f", &id, 0, b"hello", 5));
    drop(entered);
    runtime.block_on(async {
        tokio::select! {
            _ = &mut pending => panic!("the request is stalled"),
            () = write.reached() => {}
        }
    });
    drop(pending);
    write.resume();
    let next = runtime.block_on(until_free(&world, || fragment("/f", &id, 0, b"hello", 5)));
    assert_eq!(next.header("bits-received-content-range"), "5");
}

#[tokio::test]
async fn the_session_of_a_panic_is_free_at_once() {
    for operation in [Operation::Write, Operation::Flush, Operation::Publish] {
        let world = World::new(|builder| builder).await;
        let id = world.create("/f").await;
        world.hooks.panic(operation);
        let first = world.fragment("/f", &id, 0, b"hello", 5).await;
        if operation == Operation::Publish {
            assert_eq!(world.close("/f", &id).await.status, 500);
        } else {
            assert_eq!(first.status, 500);
            assert_eq!(world.fragment("/f", &id, 0, b"hello", 5).await.status, 200);
        }
        assert_eq!(world.close("/f", &id).await.status, 200, "{operation:?}");
        assert_eq!(world.published("f").unwrap(), "hello");
    }
}

#[tokio::test]
async fn a_client_that_disconnects_keeps_its_bytes_and_resumes_at_once() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    let (sender, body) = sent();
    sender.send(Bytes::from_static(b"hello ")).unwrap();
    drop(sender);
    let request = fragment_head("/f", &id, 0, 11, 11).body(body).unwrap();
    assert_ne!(world.send(request).await.status, 200);
    let next = world.fragment("/f", &id, 6, b"world", 11).await;
    assert_eq!((next.status.as_u16(), next.header("bits-received-content-range")), (200, "11"));
}

#[tokio::test(start_paused = true)]
async fn the_token_is_renewed_during_a_long_publication() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    world.fragment("/f", &id, 0, b"hello", 5).await;
    let publish = world.hooks.stall(Operation::Publish);
    let close = spawn(&world, packet("Close-Session", "/f", &id));
    publish.reached().await;
    let before = world.sessions.changes();
    tokio::time::sleep(Limits::default().work_timeout * 2).await;
    assert!(
        world.sessions.changes() >= before + 5,
        "{} renewals",
        world.sessions.changes() - before
    );
    publish.resume();
    assert_eq!(close.await.unwrap().status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_token_is_renewed_while_received_bytes_arrive_again() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    world.fragment("/f", &id, 0, b"hello ", 11).await;
    let before = world.sessions.changes();
    let (sender, body) = sent();
    let mut service = world.service();
    let request = fragment_head("/f", &id, 0, 11, 11).body(body).unwrap();
    let pending = tokio::spawn(service.call(request));
    for byte in b"HELLO " {
        sender.send(Bytes::copy_from_slice(&[*byte])).unwrap();
        tokio::time::sleep(Limits::default().store_timeout / 3).await;
    }
    let renewals = world.sessions.changes() - before;
    assert!(renewals >= 5, "{renewals} renewals");
    sender.send(Bytes::from_static(b"world")).unwrap();
    assert_eq!(pending.await.unwrap().unwrap().status(), 200);
    world.close("/f", &id).await;
    assert_eq!(world.published("f").unwrap(), "hello world");
}

#[tokio::test]
async fn work_of_a_process_that_stopped_is_released_at_start() {
    let stopped = World::new(|builder| builder).await;
    let id = stopped.create("/f").await;
    let write = stopped.hooks.stall(Operation::Flush);
    let late = spawn(&stopped, fragment("/f", &id, 0, b"hello", 5));
    write.reached().await;
    stopped.sessions.freeze();
    let sessions = crate::support::sessions::NodeSessions::new(stopped.sessions.store.clone());
    sessions.set_exclusive();
    let restarted = World::on(stopped.storage.clone(), sessions, |builder| builder).await;
    assert_eq!(restarted.fragment("/f", &id, 0, b"hello", 5).await.status, 200);
    late.abort();
}
