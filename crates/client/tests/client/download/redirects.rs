//! Redirects.

use std::fs;

use bits_client::Error;

use super::{VERSION_1, serve};
use crate::support::{Answer, Request, Server, answer, builder, client};
use crate::transport::Authority;

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

/// Another port of the host is another server.
#[tokio::test]
async fn a_redirect_between_https_servers_gets_no_credentials() {
    let authority = Authority::new("ours");
    let start = |handler: Handler| {
        let server = Server::builder().tls(authority.issue("127.0.0.1"));
        server.start(move |request, _| Some(handler(request)))
    };
    let other = start(Box::new(|it| serve(it, b"entity", &VERSION_1))).await;
    let location = other.url("/real");
    let server = start(Box::new(move |_| {
        let fields = [("Location", &*location), ("Set-Cookie", "a=b; Secure")];
        answer("307 Temporary Redirect", &fields, b"")
    }))
    .await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let client = builder().ca_certificate(authority.pem()).basic("user", "s3cret");
    let client = client.header("X-Key", "v").build().unwrap();
    client.download(server.url("/f")).to(&path).send().await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"entity");
    assert_eq!((server.kinds(), other.kinds()), (kinds(), kinds()));
    assert!(server.requests().iter().all(|it| it.get("Authorization").is_some()));
    for request in other.requests() {
        let sent = ["Authorization", "X-Key", "Cookie"].map(|name| request.get(name).is_some());
        assert_eq!(sent, [false; 3], "{request:?}");
    }
}

type Handler = Box<dyn Fn(&Request) -> Answer + Send>;

/// Returns the requests of a download.
fn kinds() -> Vec<String> {
    vec!["head".into(), "get".into()]
}

#[tokio::test]
async fn a_redirect_from_https_to_http_is_not_followed() {
    let authority = Authority::new("ours");
    let other = Server::scripted(|it| serve(it, b"entity", &VERSION_1)).await;
    let location = other.url("/real");
    let server = Server::builder().tls(authority.issue("127.0.0.1"));
    let redirects =
        move |_: &Request, _: &mut _| Some(answer("302 Found", &[("Location", &*location)], b""));
    let server = server.start(redirects).await;
    let folder = tempfile::tempdir().unwrap();
    let client = builder().ca_certificate(authority.pem()).build().unwrap();
    let download = client.download(server.url("/f")).to(folder.path().join("f"));
    let error = download.send().await.unwrap_err();
    assert!(error.to_string().contains("it is not encrypted"), "{error}");
    assert_eq!(other.requests().len(), 0);
}

#[tokio::test]
async fn endless_redirects_are_an_error() {
    let server = Server::scripted(|_| answer("302 Found", &[("Location", "/f")], b"")).await;
    let folder = tempfile::tempdir().unwrap();
    let download = client().download(server.url("/f")).to(folder.path().join("f"));
    let error = download.send().await.unwrap_err();
    assert!(error.to_string().contains("too many redirects"), "{error}");
    assert!(matches!(error, Error::Redirected { .. }));
    // The first request and ten redirects.
    assert_eq!(server.kinds(), ["head"; 11]);
}

#[tokio::test]
async fn an_invalid_location_is_an_error() {
    let server = Server::scripted(|_| answer("302 Found", &[("Location", "ftp://x/y")], b"")).await;
    let folder = tempfile::tempdir().unwrap();
    let download = client().download(server.url("/f")).to(folder.path().join("f"));
    let error = download.send().await.unwrap_err();
    assert!(matches!(error, Error::Redirected { .. }), "{error:?}");
}
