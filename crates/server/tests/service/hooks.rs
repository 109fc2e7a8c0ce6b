//! Code of the embedder that the service calls.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use bits_proto::server::CommitAt;
use bits_server::storage::StorageError;
use bits_server::{Completed, Limits, Parts, Principal, Reply, Upload};

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

/// Otherwise the session would be locked until `Limits::work_timeout`.
#[tokio::test]
async fn code_that_panics_does_not_lock_the_session() {
    let (hook_calls, reply_calls) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (hooked, replied) = (Arc::clone(&hook_calls), Arc::clone(&reply_calls));
    let world = World::new(|builder| {
        builder
            .on_complete(move |_| {
                assert!(hooked.fetch_add(1, SeqCst) > 0, "the first call panics");
                std::future::ready(())
            })
            .reply(move |_| {
                let replied = Arc::clone(&replied);
                async move {
                    assert!(replied.fetch_add(1, SeqCst) > 0, "the first call panics");
                    Reply::NONE
                }
            })
    })
    .await;
    let id = world.create("/f").await;
    assert_eq!(world.fragment("/f", &id, 0, b"hello", 5).await.status, 500);
    assert_eq!(world.fragment("/f", &id, 0, b"hello", 5).await.status, 200);
    assert_eq!(world.close("/f", &id).await.status, 500);
    assert_eq!(world.close("/f", &id).await.status, 200);
    assert_eq!((hook_calls.load(SeqCst), reply_calls.load(SeqCst)), (2, 2));
    assert_eq!(world.published("f").unwrap(), "hello");
}

/// The connection survives: the panic ends one request only.
#[tokio::test]
async fn a_check_that_panics_is_answered_with_500() {
    let calls = AtomicUsize::new(0);
    let world = World::new(|builder| {
        builder.authorize_sync(move |_: &Parts| {
            assert!(calls.fetch_add(1, SeqCst) > 0, "the first call panics");
            Ok(Principal::ANONYMOUS)
        })
    })
    .await;
    assert_eq!(world.send(create("/f")).await.status, 500);
    assert_eq!(world.upload("/f", b"hello").await.status, 200);
    assert_eq!(world.published("f").unwrap(), "hello");
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
async fn data_of_the_embedder_stays_with_the_session() {
    let completed = Arc::new(Mutex::new(Vec::new()));
    let data = Arc::clone(&completed);
    let world = World::new(|builder| {
        let builder = builder.session_data(|request: &Parts| {
            request.headers.get("x-job").map(|job| job.to_str().unwrap().to_owned())
        });
        builder.on_complete(move |upload: Completed| {
            data.lock().unwrap().push(upload.data);
            async {}
        })
    })
    .await;
    let mut request = create("/f");
    request.headers_mut().insert("x-job", "job 7".parse().unwrap());
    let id = world.send(request).await.header("bits-session-id").to_owned();
    world.fragment("/f", &id, 0, b"hello", 5).await;
    world.close("/f", &id).await;
    world.upload("/g", b"hello").await;
    assert_eq!(*completed.lock().unwrap(), ["job 7".into(), serde_json::Value::Null]);
}

#[cfg(feature = "sha256")]
#[tokio::test]
async fn the_sha256_of_an_upload_is_calculated() {
    let completed = Arc::new(Mutex::new(Vec::new()));
    let digests = Arc::clone(&completed);
    let world = World::new(|builder| {
        builder.sha256(true).on_complete(move |upload: Completed| {
            digests.lock().unwrap().push(upload.sha256.map(String::from));
            async {}
        })
    })
    .await;
    world.upload("/f", b"hello").await;
    let id = world.create("/empty").await;
    world.close("/empty", &id).await;
    let expected = [
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ];
    assert_eq!(*completed.lock().unwrap(), expected.map(|digest| Some(digest.to_owned())));
}

#[tokio::test]
async fn an_upload_can_be_published_with_its_last_fragment() {
    let calls = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&calls);
    let world = World::new(|builder| {
        builder.commit_at(CommitAt::LastFragment).on_complete(move |_| {
            *counter.lock().unwrap() += 1;
            async {}
        })
    })
    .await;
    let id = world.create("/f").await;
    assert_eq!(world.fragment("/f", &id, 0, b"hello", 5).await.status, 200);
    assert_eq!(world.published("f").unwrap(), "hello");
    assert_eq!(world.close("/f", &id).await.status, 200);
    assert_eq!(*calls.lock().unwrap(), 1);
    assert_eq!(world.staged().await, 0);
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
