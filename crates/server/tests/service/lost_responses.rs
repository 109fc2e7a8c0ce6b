//! Changes of a session that the store makes, but reports as failed.

use bits_proto::server::CommitAt;
use bits_server::sessions::SessionStore as _;

use crate::support::{World, create};

/// Uploads an entity in two fragments. Returns the received bytes and the status of Close-Session.
async fn upload(world: &World, id: &str) -> (String, u16) {
    assert_eq!(world.fragment("/f", id, 0, b"hello ", 11).await.status, 200);
    let last = world.fragment("/f", id, 6, b"world", 11).await;
    let received = last.header("bits-received-content-range").to_owned();
    (received, world.close("/f", id).await.status.as_u16())
}

#[tokio::test(start_paused = true)]
async fn an_upload_succeeds_whichever_response_is_lost() {
    for commit_at in [CommitAt::Close, CommitAt::LastFragment] {
        for changes in 0.. {
            let world = World::new(|builder| builder.commit_at(commit_at)).await;
            let id = world.create("/f").await;
            world.sessions.lose_response_after(changes);
            let uploaded = upload(&world, &id).await;
            assert_eq!(uploaded, ("11".into(), 200), "{commit_at:?}, after {changes} changes");
            assert_eq!(world.published("f").unwrap(), "hello world");
            assert_eq!(world.staged().await, 0, "{commit_at:?}, after {changes} changes");
            if !world.sessions.has_lost_response() {
                assert!(changes > 4, "{changes} changes");
                break;
            }
        }
    }
}

/// A client does not use a session that was refused.
#[tokio::test]
async fn a_session_that_was_stored_and_refused_is_removed() {
    let world = World::new(|builder| builder).await;
    world.sessions.lose_response_after(0);
    assert_eq!(world.send(create("/f")).await.status, 503);
    assert!(world.sessions.has_lost_response());
    assert_eq!(world.sessions.count(None).await.unwrap(), 0);
    assert_eq!(world.staged().await, 0);
}
