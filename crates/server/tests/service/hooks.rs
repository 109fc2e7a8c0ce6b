//! Code of the embedder that the service calls.

use std::sync::{Arc, Mutex};

use bits_server::storage::StorageError;
use bits_server::{Completed, Limits, Reply, Upload};

use crate::support::hooked::Operation;
use crate::support::{World, create};

#[tokio::test]
async fn a_hook_that_fails_is_called_again() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&calls);
    let world = World::new(|builder| {
        builder.on_complete(move |upload: Completed| {
            let calls = Arc::clone(&seen);
            async move {
                let mut calls = calls.lock().unwrap();
                calls.push(upload);
                if calls.len() == 1 { Err("queue is full") } else { Ok(()) }
            }
        })
    })
    .await;
    let id = world.create("/dir/f").await;
    world.fragment("/dir/f", &id, 0, b"hello", 5).await;
    assert_eq!(world.close("/dir/f", &id).await.status, 500);
    assert_eq!(world.close("/dir/f", &id).await.status, 200);
    let calls = calls.lock().unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!((calls[1].key.as_str(), calls[1].length, &*calls[1].path), ("dir/f", 5, "dir/f"));
    assert_eq!(calls[0].session, calls[1].session);
}

#[tokio::test]
async fn a_reply_is_downloaded_by_its_relative_url() {
    let world = World::new(|builder| {
        builder.reply(|mut upload: Upload| async move {
            let bytes = upload.entity.read(0, 100).await?;
            Ok::<_, StorageError>(Reply::from(format!("received {}", bytes.len())))
        })
    })
    .await;
    let id = world.create("/dir/f").await;
    let answer = world.fragment("/dir/f", &id, 0, b"hello", 5).await;
    let url = answer.header("bits-reply-url").to_owned();
    assert!(url.starts_with("BITS-Sessions/Replies/"), "{url}");
    assert_eq!(world.get(&format!("/dir/{url}")).await.body, "received 5");
    assert_eq!(world.close("/dir/f", &id).await.status, 200);
    assert_eq!(world.get(&format!("/dir/{url}")).await.status, 404);
    assert_eq!(world.published("dir/f").unwrap(), "hello");
    assert_eq!(world.staged().await, 0);
}

#[tokio::test]
async fn the_last_fragment_is_refused_while_the_reply_fails() {
    let is_ready = Arc::new(Mutex::new(false));
    let ready = Arc::clone(&is_ready);
    let world = World::new(|builder| {
        builder.reply(move |_| {
            let is_ready = *ready.lock().unwrap();
            async move { if is_ready { Ok(Some("done")) } else { Err("database is down") } }
        })
    })
    .await;
    let id = world.create("/f").await;
    let refused = world.fragment("/f", &id, 0, b"hello", 5).await;
    assert_eq!((refused.status.as_u16(), refused.header("bits-error-context")), (500, "0x7"));
    *is_ready.lock().unwrap() = true;
    world.hooks.fail(Operation::WriteReply, StorageError::other("bucket is unreachable"));
    assert_eq!(world.fragment("/f", &id, 0, b"hello", 5).await.status, 500);
    let accepted = world.fragment("/f", &id, 0, b"hello", 5).await;
    assert!(accepted.headers.contains_key("bits-reply-url"), "{accepted:?}");
}

#[tokio::test]
async fn every_upload_to_one_url_is_kept() {
    let completed = Arc::new(Mutex::new(Vec::new()));
    let keys = Arc::clone(&completed);
    let world = World::new(|builder| {
        builder.keep_every_upload(true).on_complete(move |upload: Completed| {
            keys.lock().unwrap().push((upload.key.to_string(), upload.session));
            async {}
        })
    })
    .await;
    assert_eq!(world.upload("/logs", b"one").await.status, 200);
    assert_eq!(world.upload("/logs", b"two").await.status, 200);
    let completed = completed.lock().unwrap().clone();
    for ((key, session), bytes) in completed.iter().zip(["one", "two"]) {
        assert_eq!(*key, format!("logs/{session}"));
        assert_eq!(world.published(key).unwrap(), bytes);
        assert_eq!(world.get(&format!("/{key}")).await.body, bytes);
    }
}

#[tokio::test]
async fn limits_are_those_of_the_builder() {
    let limits = Limits { max_upload: Some(10), max_sessions: 2, ..Limits::default() };
    let world = World::with_limits(limits).await;
    let id = world.create("/f").await;
    let answer = world.fragment("/f", &id, 0, b"hello", 11).await;
    assert_eq!(answer.header("bits-error"), "0x80200020");
    world.create("/g").await;
    assert_eq!(world.send(create("/h")).await.status, 503);
}
