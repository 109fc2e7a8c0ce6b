//! Uploads from the first to the last packet.

use bits_server::storage::StorageError;

use crate::support::hooked::Operation;
use crate::support::{World, create, packet};

#[tokio::test]
async fn an_upload_is_published_when_it_is_closed() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/dir/today%20(2).log").await;
    let path = "/dir/today%20(2).log";
    let answer = world.fragment(path, &id, 0, b"hello ", 11).await;
    assert_eq!(answer.header("bits-received-content-range"), "6");
    let answer = world.fragment(path, &id, 6, b"world", 11).await;
    assert_eq!(answer.header("bits-received-content-range"), "11");
    assert_eq!(world.published("dir/today (2).log"), None);
    assert_eq!(world.close(path, &id).await.status, 200);
    assert_eq!(world.published("dir/today (2).log").unwrap(), "hello world");
    assert_eq!(world.staged().await, 0);
    let answer = world.close(path, &id).await;
    assert_eq!(answer.header("bits-error"), "0x8020001F");
}

#[tokio::test]
async fn refused_requests_change_nothing() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    let gap = world.fragment("/f", &id, 1, b"ello", 11).await;
    assert_eq!((gap.status.as_u16(), gap.header("bits-received-content-range")), (416, "0"));
    world.fragment("/f", &id, 0, b"hello ", 11).await;
    let other_total = world.fragment("/f", &id, 6, b"world", 12).await;
    assert_eq!(
        (other_total.status.as_u16(), other_total.header("bits-error")),
        (400, "0x80070057")
    );
    let elsewhere = world.fragment("/g", &id, 6, b"world", 11).await;
    let unknown = "{11111111-2222-3333-4444-555555555555}";
    let unknown = world.fragment("/f", unknown, 6, b"world", 11).await;
    for answer in [elsewhere, unknown] {
        assert_eq!((answer.status.as_u16(), answer.header("bits-error")), (500, "0x8020001F"));
    }
    assert_eq!(world.fragment("/f", &id, 6, b"world", 11).await.status, 200);
    assert_eq!(world.close("/f", &id).await.status, 200);
    let existing = world.send(create("/f")).await;
    assert_eq!((existing.status.as_u16(), existing.header("bits-error")), (403, "0x80070050"));
    assert_eq!(world.published("f").unwrap(), "hello world");
}

#[tokio::test]
async fn an_empty_entity_is_published_and_a_cancelled_one_is_not() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/empty").await;
    assert_eq!(world.close("/empty", &id).await.status, 200);
    assert_eq!(world.published("empty").unwrap(), "");
    let id = world.create("/gone").await;
    world.fragment("/gone", &id, 0, b"hello", 11).await;
    assert_eq!(world.staged().await, 1);
    assert_eq!(world.send(packet("Cancel-Session", "/gone", &id)).await.status, 200);
    assert_eq!((world.published("gone"), world.staged().await), (None, 0));
}

/// A storage that cannot be reached may work again later. A full one and a denied one are not asked again.
#[tokio::test]
async fn a_session_whose_staging_cannot_begin_is_created_later() {
    let world = World::new(|builder| builder).await;
    for (error, status, retry_after) in [
        (StorageError::other("bucket is unreachable"), 503, Some("10")),
        (StorageError::Lost(None), 503, Some("10")),
        (StorageError::Denied(None), 403, None),
        (StorageError::Full(None), 500, None),
    ] {
        world.hooks.fail(Operation::Begin, error);
        let answer = world.send(create("/f")).await;
        let field = answer.headers.get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!((answer.status.as_u16(), field), (status, retry_after));
    }
    assert_eq!(world.upload("/f", b"hello").await.status, 200);
}

#[tokio::test]
async fn bytes_that_were_received_before_are_skipped() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    world.fragment("/f", &id, 0, b"hello", 11).await;
    let answer = world.fragment("/f", &id, 0, b"XXXXX world", 11).await;
    assert_eq!(answer.header("bits-received-content-range"), "11");
    world.close("/f", &id).await;
    assert_eq!(world.published("f").unwrap(), "hello world");
}

#[tokio::test]
async fn a_published_entity_is_downloaded_with_ranges() {
    let world = World::new(|builder| builder).await;
    assert_eq!(world.upload("/f", b"hello world").await.status, 200);
    let answer = world.get("/f").await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"hello world"[..]));
}

#[tokio::test]
async fn a_failed_publication_is_repeated() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    world.fragment("/f", &id, 0, b"hello", 5).await;
    world.hooks.fail(Operation::Publish, StorageError::other("bucket is unreachable"));
    assert_eq!(world.close("/f", &id).await.status, 500);
    assert_eq!(world.close("/f", &id).await.status, 200);
    assert_eq!(world.published("f").unwrap(), "hello");
}

#[tokio::test]
async fn a_full_disk_keeps_the_bytes_that_were_acknowledged() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    world.fragment("/f", &id, 0, b"hello ", 11).await;
    world.hooks.fail(Operation::Flush, StorageError::Full(None));
    let answer = world.fragment("/f", &id, 6, b"world", 11).await;
    assert_eq!(answer.header("bits-error"), "0x80070070");
    assert_eq!(world.fragment("/f", &id, 6, b"world", 11).await.status, 200);
    assert_eq!(world.close("/f", &id).await.status, 200);
    assert_eq!(world.published("f").unwrap(), "hello world");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_loses_no_upload() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    world.sessions.set_unreachable(true);
    assert_eq!(world.fragment("/f", &id, 0, b"hello", 5).await.status, 503);
    let refused = world.send(create("/g")).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "10"));
    world.sessions.set_unreachable(false);
    assert_eq!(world.fragment("/f", &id, 0, b"hello", 5).await.status, 200);
    assert_eq!(world.close("/f", &id).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_keeps_failing_is_tried_three_times() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    world.sessions.set_read_only(true);
    assert_eq!(world.fragment("/f", &id, 0, b"hello", 5).await.status, 503);
    assert_eq!(world.sessions.changes(), 3);
    world.sessions.set_read_only(false);
    assert_eq!(world.fragment("/f", &id, 0, b"hello", 5).await.status, 200);
}

/// Sessions are often on the disk of the uploads. The clock of the sessions does not advance.
#[tokio::test(start_paused = true)]
async fn a_full_disk_of_the_sessions_is_reported_and_keeps_no_session_busy() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    // The work has begun when the storage is used.
    let stalled = world.hooks.stall(Operation::Write);
    let (refused, ()) = tokio::join!(world.fragment("/f", &id, 0, b"hello", 5), async {
        stalled.reached().await;
        world.sessions.set_full(true);
        stalled.resume();
    });
    assert_eq!((refused.status.as_u16(), refused.header("bits-error")), (500, "0x80070070"));
    // Still full, and not busy.
    let refused = world.fragment("/f", &id, 0, b"hello", 5).await;
    assert_eq!((refused.status.as_u16(), refused.header("bits-error")), (500, "0x80070070"));
    let refused = world.send(create("/g")).await;
    assert_eq!((refused.status.as_u16(), refused.header("bits-error")), (500, "0x80070070"));
    world.sessions.set_full(false);
    assert_eq!(world.fragment("/f", &id, 0, b"hello", 5).await.status, 200);
    assert_eq!(world.close("/f", &id).await.status, 200);
}
