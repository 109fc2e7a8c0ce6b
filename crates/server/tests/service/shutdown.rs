//! Graceful shutdown.

use bytes::Bytes;
use tower::Service as _;

use crate::support::bodies::sent;
use crate::support::hooked::Operation;
use crate::support::{World, answer, create, fragment, fragment_head};

#[tokio::test]
async fn requests_in_progress_are_finished_and_new_ones_are_refused() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    let flush = world.hooks.stall(Operation::Flush);
    let pending = tokio::spawn(world.service().call(fragment("/f", &id, 0, b"hello", 5)));
    flush.reached().await;
    let server = world.server.clone();
    let mut shutdown = tokio::spawn(async move { server.shutdown().await });
    let refused = async {
        while world.send(create("/g")).await.status != 503 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = &mut shutdown => panic!("a request is in progress"),
        () = refused => {}
    }
    assert_eq!(world.get("/f").await.status, 503);
    flush.resume();
    shutdown.await.unwrap();
    let answer = answer(pending.await.unwrap().unwrap()).await;
    assert_eq!(answer.header("bits-received-content-range"), "5");
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_is_interrupted_and_its_session_continues_at_another_node() {
    let world = World::new(|builder| builder).await;
    let other = world.node(|builder| builder).await;
    let id = world.create("/f").await;
    let (sender, body) = sent();
    let request = fragment_head("/f", &id, 0, 11, 11).body(body).unwrap();
    let pending = tokio::spawn(world.service().call(request));
    sender.send(Bytes::from_static(b"hello")).unwrap();
    // The time is paused, so this waits until the bytes are acknowledged.
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    sender.send(Bytes::from_static(b" ")).unwrap();
    world.server.shutdown().await;
    assert_eq!(pending.await.unwrap().unwrap().status(), 503);
    assert_eq!(other.fragment("/f", &id, 6, b"world", 11).await.status, 200);
}
