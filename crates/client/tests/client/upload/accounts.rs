//! Several accounts with one folder of states.

use std::fs;
use std::path::Path;

use axum::Router;
use bits_client::{CancellationToken, Client, Error, StateDir, Upload};
use bits_server::sessions::MemorySessions;
use bits_server::storage::FileStorage;
use bits_server::{Deny, Principal, Server as BitsServer};

use super::resume::{cancelling, files, states, upload, write};
use crate::support::{Server, builder, content};

fn of(client: &Client, server: &Server, folder: &Path) -> Upload {
    let upload = client.upload(server.url("/x")).file(folder.join("file.bin"));
    upload.fragment_size(1_000_000).resume(states(folder))
}

#[tokio::test]
async fn each_user_has_an_upload_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let (alice, bob) =
        (builder().basic("alice", "1").build(), builder().digest("bob", "2").build());
    let (alice, bob) = (alice.unwrap(), bob.unwrap());
    let token = CancellationToken::new();
    let server = cancelling(&token).await;
    of(&alice, &server, folder.path()).cancel(token).send().await.unwrap_err();
    let kinds = server.kinds();
    // Another user, and no user at all, see nothing of it.
    of(&bob, &server, folder.path()).send().await.unwrap();
    upload(&server, folder.path()).send().await.unwrap();
    assert_eq!(server.bits().created, 3);
    assert!(!server.bits().cancelled);
    assert_eq!(files(&states(folder.path())).len(), 2, "the state of alice and its lock");
    let before = server.requests().len();
    assert!(before > kinds.len());
    // The same user with another password continues it.
    let alice = builder().basic("alice", "3").build().unwrap();
    of(&alice, &server, folder.path()).send().await.unwrap();
    assert_eq!(server.kinds()[before], "ping");
    assert_eq!(server.bits().created, 3);
}

/// Tokens do not name their owner: the server keeps the accounts apart.
#[tokio::test]
async fn a_session_of_another_token_is_not_continued_by_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path());
    let uploads = folder.path().join("uploads");
    let storage = FileStorage::options().create_folders(true).open(&uploads).unwrap();
    let (token, mut fragments) = (CancellationToken::new(), 0);
    let cancel = token.clone();
    let seen = std::sync::Mutex::new(move || {
        fragments += 1;
        if fragments == 2 {
            cancel.cancel();
        }
    });
    let server = BitsServer::builder()
        .storage(storage)
        .sessions(MemorySessions::new())
        .authorize(move |request: &http::request::Parts| {
            if request.headers.get("content-range").is_some() {
                seen.lock().unwrap()();
            }
            let value = request.headers.get("authorization");
            let owner = value.and_then(|it| it.to_str().ok()?.strip_prefix("Bearer "));
            let owner = owner.map(|it| Principal::new(it.to_owned()));
            async move { owner.ok_or_else(|| Deny::unauthenticated("Bearer")) }
        })
        .destination(|principal: &Principal, path: &str| format!("{principal}/{path}"))
        .build()
        .await
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let app = Router::new().fallback_service(server.service());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let upload = |token: &str| {
        let client = builder().bearer(token).build().unwrap();
        let states = StateDir::new(folder.path().join("states"));
        client.upload(&url).file(&path).fragment_size(1_000_000).resume(states)
    };
    let error = upload("alice").cancel(token).send().await.unwrap_err();
    assert!(matches!(error, Error::Paused { is_resumable: true, .. }), "{error:?}");
    let done = upload("bob").send().await.unwrap();
    assert_eq!(done.restarts, 1);
    assert!(fs::read(uploads.join("bob/x")).unwrap() == content(3_000_000));
    assert!(!uploads.join("alice/x").exists());
}
