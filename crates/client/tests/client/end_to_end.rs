//! Uploads to `bits-server`, and downloads from it, over connections that break.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use bits_client::StateDir;
use bits_server::Server;
use bits_server::sessions::{FileSessions, MemorySessions};
use bits_server::storage::{FileStorage, MemoryStorage};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{builder, client, content};

/// Serves an app on loopback.
async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Returns a server that stores files in this folder.
async fn in_folder(folder: &Path) -> SocketAddr {
    let storage = FileStorage::options().open(folder.join("uploads"));
    let server = Server::builder()
        .storage(storage.unwrap())
        .sessions(FileSessions::open(folder.join("sessions")).unwrap())
        .build()
        .await
        .unwrap();
    serve(Router::new().nest_service("/upload", server.service())).await
}

/// Passes bytes on to the server, and breaks each connection after some bytes.
async fn flaky(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicU64::new(0));
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let number = count.fetch_add(1, Ordering::Relaxed);
            // Every third connection stays.
            let left = if number % 3 == 2 { u64::MAX } else { number * 150_001 % 700_000 };
            tokio::spawn(async move {
                let mut server = TcpStream::connect(server).await.unwrap();
                let (mut from_client, mut to_client) = client.split();
                let (mut from_server, mut to_server) = server.split();
                let mut sent = (&mut from_client).take(left);
                let mut received = (&mut from_server).take(left);
                tokio::select! {
                    _ = tokio::io::copy(&mut sent, &mut to_server) => {}
                    _ = tokio::io::copy(&mut received, &mut to_client) => {}
                }
                let _ = to_client.shutdown().await;
            });
        }
    });
    address
}

#[tokio::test]
async fn an_upload_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let address = in_folder(folder.path()).await;
    let url = format!("http://{address}/upload/logs/report 1 (ü).bin");
    let file = folder.path().join("file.bin");
    std::fs::write(&file, content(5_000_000)).unwrap();
    let states = StateDir::new(folder.path().join("states"));

    let upload = client().upload(&url).file(&file).resume(states.clone());
    assert_eq!(upload.send().await.unwrap().length, 5_000_000);
    let copy = folder.path().join("copy.bin");
    let download = client().download(&url).to(&copy).resume(states);
    assert_eq!(download.send().await.unwrap().length, 5_000_000);
    assert!(std::fs::read(copy).unwrap() == content(5_000_000));
}

#[tokio::test]
async fn transfers_survive_connections_that_break() {
    let folder = tempfile::tempdir().unwrap();
    let address = flaky(in_folder(folder.path()).await).await;
    let url = format!("http://{address}/upload/file.bin");
    let client = builder().retries(100).build().unwrap();
    let upload = client.upload(&url).bytes(content(6_000_000)).fragment_size(400_000);
    assert_eq!(upload.send().await.unwrap().restarts, 0);
    let copy = folder.path().join("copy.bin");
    client.download(&url).to(&copy).send().await.unwrap();
    assert!(std::fs::read(copy).unwrap() == content(6_000_000));
}

#[tokio::test]
async fn a_reply_of_the_server_is_fetched() {
    let server = Server::builder()
        .storage(MemoryStorage::new())
        .sessions(MemorySessions::new())
        .reply(async |upload: bits_server::Upload| Some(format!("received {}", upload.path)))
        .build()
        .await
        .unwrap();
    let address = serve(Router::new().fallback_service(server.service())).await;
    let upload = client().upload(format!("http://{address}/x")).bytes("abc").reply(1000);
    assert_eq!(upload.send().await.unwrap().reply.unwrap(), "received x");
}

#[tokio::test]
async fn a_taken_name_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let address = in_folder(folder.path()).await;
    let url = format!("http://{address}/upload/file.bin");
    client().upload(&url).bytes("first").send().await.unwrap();
    let error = client().upload(&url).bytes("second").send().await.unwrap_err();
    assert!(matches!(error, bits_client::Error::AlreadyExists { .. }), "{error:?}");
}

/// A refused upload must not count towards the limits of the server until its session expires.
#[tokio::test]
async fn an_upload_that_is_too_large_leaves_neither_session_nor_state() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = Arc::new(MemorySessions::new());
    let limits = bits_server::Limits { max_upload: Some(1000), ..bits_server::Limits::default() };
    let server = Server::builder()
        .storage(MemoryStorage::new())
        .sessions(Arc::clone(&sessions))
        .limits(limits)
        .build()
        .await
        .unwrap();
    let address = serve(Router::new().nest_service("/upload", server.service())).await;
    let states = folder.path().join("states");
    let upload = client().upload(format!("http://{address}/upload/big")).bytes(content(1001));
    let error = upload.resume(StateDir::new(&states)).send().await.unwrap_err();
    assert!(matches!(error, bits_client::Error::TooLarge { .. }), "{error:?}");
    use bits_server::sessions::SessionStore as _;
    assert_eq!(sessions.count(None).await.unwrap(), 0);
    let left = std::fs::read_dir(&states).unwrap().map(|it| it.unwrap().file_name());
    let left = left.filter(|name| name.to_string_lossy().ends_with(".json")).collect::<Vec<_>>();
    assert!(left.is_empty(), "{left:?}");
}
