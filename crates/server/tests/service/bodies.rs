//! Bodies of requests: timeouts, acknowledgment, and refusals.

use std::time::Duration;

use bits_server::Limits;
use bytes::Bytes;

use crate::support::bodies::{Untouched, sent};
use crate::support::{World, fragment_head};

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_refused_and_resumes_at_once() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    let (sender, body) = sent();
    sender.send(Bytes::from_static(b"hello ")).unwrap();
    let answer = world.send(fragment_head("/f", &id, 0, 11, 11).body(body).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.header("connection")), (408, "close"));
    assert_eq!(world.fragment("/f", &id, 6, b"world", 11).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_takes_too_long_is_refused() {
    let limits = Limits { body_timeout: Duration::from_secs(60), ..Limits::default() };
    let world = World::with_limits(limits).await;
    let id = world.create("/f").await;
    let (sender, body) = sent();
    let drip = tokio::spawn(async move {
        while sender.send(Bytes::from_static(b"x")).is_ok() {
            tokio::time::sleep(Duration::from_secs(7)).await;
        }
    });
    let answer = world.send(fragment_head("/f", &id, 0, 1000, 1000).body(body).unwrap()).await;
    assert_eq!(answer.status, 408);
    assert_eq!(world.sessions.only().await.record.session.received().0, 9);
    drip.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn slow_bytes_are_acknowledged_while_the_body_arrives() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    let (sender, body) = sent();
    let mut service = world.service();
    let request = fragment_head("/f", &id, 0, 11, 11).body(body).unwrap();
    let pending = tokio::spawn(tower::Service::call(&mut service, request));
    sender.send(Bytes::from_static(b"hello ")).unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(world.sessions.only().await.record.session.received().0, 6);
    sender.send(Bytes::from_static(b"world")).unwrap();
    assert_eq!(pending.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn each_mebibyte_is_acknowledged() {
    const MIB: usize = 1 << 20;
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    let (sender, body) = sent();
    let mut service = world.service();
    let request = fragment_head("/f", &id, 0, 3 * MIB, 3 * MIB).body(body).unwrap();
    let pending = tokio::spawn(tower::Service::call(&mut service, request));
    for _ in 0..25 {
        sender.send(Bytes::from(vec![7; MIB / 10])).unwrap();
    }
    let received = async {
        while world.sessions.only().await.record.session.received().0 < 2 * MIB as u64 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), received).await.expect("acknowledged");
    drop(sender);
    assert_ne!(pending.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_refused_request_with_expect_100_continue_does_not_ask_for_its_body() {
    let world = World::new(|builder| builder).await;
    let id = "{11111111-2222-3333-4444-555555555555}";
    let body = Untouched::default();
    let request = fragment_head("/f", id, 0, 11, 11).header("Expect", "100-continue");
    let answer = world.send(request.body(body.clone()).unwrap()).await;
    assert_eq!(answer.header("bits-error"), "0x8020001F");
    assert_eq!(answer.header("connection"), "close");
    assert!(!body.was_read());
}

#[tokio::test]
async fn the_body_of_a_refused_request_is_read_in_the_background() {
    let world = World::new(|builder| builder).await;
    let id = "{11111111-2222-3333-4444-555555555555}";
    let (sender, body) = sent();
    let answer = world.send(fragment_head("/f", id, 0, 11, 11).body(body).unwrap()).await;
    assert_eq!(answer.header("bits-error"), "0x8020001F");
    assert!(!answer.headers.contains_key("connection"));
    sender.send(Bytes::from_static(b"hello world")).unwrap();
    // The receiver is dropped once the body was read.
    sender.closed().await;
}

#[tokio::test(start_paused = true)]
async fn a_large_refused_body_is_read_for_a_moment_before_the_connection_is_closed() {
    let world = World::new(|builder| builder).await;
    let id = "{11111111-2222-3333-4444-555555555555}";
    let (sender, body) = sent();
    let length = 40 << 20;
    let request = fragment_head("/f", id, 0, length, length).body(body).unwrap();
    let answer = world.send(request).await;
    assert_eq!(answer.header("connection"), "close");
    let start = tokio::time::Instant::now();
    while start.elapsed() < Duration::from_secs(4) {
        sender.send(Bytes::from_static(b"hello")).expect("the body is read");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    sender.closed().await;
    assert!(start.elapsed() < Duration::from_secs(10));
}
