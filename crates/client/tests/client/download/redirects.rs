//! Redirects.

use std::fs;

use bits_client::Error;

use super::{VERSION_1, serve};
use crate::support::{Server, answer, builder, client};

#[tokio::test]
async fn a_redirect_to_another_server_gets_no_credentials() {
    let other = Server::scripted(|it| serve(it, b"entity", &VERSION_1)).await;
    let location = other.url("/real");
    let server = Server::scripted(move |_| {
        let fields = [("Location", &*location), ("Set-Cookie", "a=b")];
        answer("302 Found", &fields, b"")
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let client = builder().bearer("t").header("X-Key", "v").build().unwrap();
    client.download(server.url("/f")).to(&path).send().await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"entity");
    assert!(server.requests().iter().all(|it| it.get("Authorization") == Some("Bearer t")));
    assert!(server.requests().iter().all(|it| it.get("X-Key") == Some("v")));
    assert_eq!(server.requests()[1].get("Cookie"), Some("a=b"));
    for request in other.requests() {
        assert_eq!((request.get("Authorization"), request.get("X-Key")), (None, None));
        assert_eq!(request.get("Cookie"), None);
    }
}

#[tokio::test]
async fn endless_redirects_are_an_error() {
    let server = Server::scripted(|_| answer("302 Found", &[("Location", "/f")], b"")).await;
    let folder = tempfile::tempdir().unwrap();
    let download = client().download(server.url("/f")).to(folder.path().join("f"));
    let error = download.send().await.unwrap_err();
    assert!(error.to_string().contains("too many redirects"), "{error}");
    assert!(matches!(error, Error::Redirected { .. }));
}

#[tokio::test]
async fn an_invalid_location_is_an_error() {
    let server = Server::scripted(|_| answer("302 Found", &[("Location", "ftp://x/y")], b"")).await;
    let folder = tempfile::tempdir().unwrap();
    let download = client().download(server.url("/f")).to(folder.path().join("f"));
    let error = download.send().await.unwrap_err();
    assert!(matches!(error, Error::Redirected { .. }), "{error:?}");
}
