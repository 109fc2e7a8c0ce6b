//! Replies.

use std::io::Write as _;

use bits_client::{Error, Result, Uploaded};

use crate::download::{VERSION_1, serve};
use crate::support::{Answer, Bits, Request, Server, answer, client, content};

/// Uploads to a server whose reply comes from `get`.
async fn fetch(get: impl Fn(&Request) -> Answer + Send + 'static) -> (Result<Uploaded>, Server) {
    let server = Server::builder()
        .bits(Bits::with_reply("/replies/1", b""))
        .start(move |request, _| (request.kind() == "get").then(|| get(request)))
        .await;
    let done = client().upload(server.url("/x")).bytes("abc").reply(1 << 20).send().await;
    (done, server)
}

fn reply() -> Vec<u8> {
    b"the reply ".repeat(1000)
}

#[tokio::test]
async fn the_reply_is_fetched_before_the_session_is_closed() {
    let (done, server) = fetch(|_| answer("200 OK", &[], &reply())).await;
    assert!(done.unwrap().reply.unwrap() == reply());
    assert_eq!(server.kinds(), ["create-session", "fragment", "get", "close-session"]);
    let get = &server.requests()[2];
    assert_eq!((&*get.target, get.get("Accept-Encoding")), ("/replies/1", Some("identity")));
}

#[tokio::test]
async fn a_coded_reply_is_refused() {
    let (done, server) = fetch(|_| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&reply()).unwrap();
        answer("200 OK", &[("Content-Encoding", "gzip")], &gzip.finish().unwrap())
    })
    .await;
    let error = done.unwrap_err();
    assert!(matches!(error, Error::Reply { .. }), "{error:?}");
    assert!(error.report().contains("content coding"), "{}", error.report());
    assert!(server.bits().closed);
}

#[tokio::test]
async fn a_reply_without_length_whose_connection_ends_is_no_reply() {
    let (done, server) = fetch(|_| {
        let head = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        Answer::Close([head, reply()[..777].to_vec()].concat())
    })
    .await;
    assert!(matches!(done, Err(Error::Reply { .. })), "{done:?}");
    assert!(server.bits().closed);
}

#[tokio::test]
async fn the_rest_of_a_cut_reply_is_fetched() {
    let gets = std::sync::atomic::AtomicU32::new(0);
    let (done, _) = fetch(move |request| {
        let is_first = gets.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        let bytes = serve(request, &reply(), &VERSION_1).into_bytes();
        Answer::Close(if is_first { bytes[..3000].to_vec() } else { bytes })
    })
    .await;
    assert!(done.unwrap().reply.unwrap() == reply());
}

#[tokio::test]
async fn a_cut_reply_without_validator_is_fetched_again() {
    let gets = std::sync::atomic::AtomicU32::new(0);
    let (done, server) = fetch(move |_| {
        let is_first = gets.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        let bytes = answer("200 OK", &[], &reply()).into_bytes();
        Answer::Close(if is_first { bytes[..3000].to_vec() } else { bytes })
    })
    .await;
    assert!(done.unwrap().reply.unwrap() == reply());
    assert!(server.requests().iter().all(|it| it.get("Range").is_none()));
}

#[tokio::test]
async fn a_redirect_on_the_same_server_is_followed() {
    let (done, _) = fetch(|request| match &*request.target {
        "/real" => answer("200 OK", &[], &reply()),
        _ => answer("302 Found", &[("Location", "/real")], b""),
    })
    .await;
    assert!(done.unwrap().reply.unwrap() == reply());
}

#[tokio::test]
async fn a_reply_on_another_server_needs_permission() {
    let other = Server::scripted(|_| answer("200 OK", &[], b"theirs")).await;
    let url = other.url("/r");
    for allow in [false, true] {
        let bits = Bits::with_reply(&url, b"");
        let server = Server::builder().bits(bits).start(|_, _| None).await;
        let client = crate::support::builder().basic("u", "p").build().unwrap();
        let upload = client.upload(server.url("/x")).bytes("abc").reply(100);
        let done = upload.reply_from_other_servers(allow).send().await;
        match allow {
            true => assert_eq!(done.unwrap().reply.unwrap(), "theirs"),
            false => assert!(matches!(done, Err(Error::Reply { .. })), "{done:?}"),
        }
        assert!(server.requests().iter().all(|it| it.get("Authorization").is_some()));
        assert!(server.bits().closed);
    }
    assert_eq!(other.requests().len(), 1);
    assert_eq!(other.requests()[0].get("Authorization"), None);
}

#[tokio::test]
async fn a_reply_beyond_the_limit_is_an_error() {
    let bits = Bits::with_reply("/r", &reply());
    let server = Server::builder().bits(bits).start(|_, _| None).await;
    let done = client().upload(server.url("/x")).bytes("abc").reply(9_999).send().await;
    let error = done.unwrap_err();
    assert!(error.report().contains("exceeds the limit of 9999 bytes"), "{}", error.report());
}

#[tokio::test]
async fn a_reply_in_a_file_appears_when_it_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reply");
    let bits = Bits::with_reply("/r", &reply());
    let server = Server::builder().bits(bits).start(|_, _| None).await;
    let upload = || client().upload(server.url("/x")).bytes(content(10)).reply_to(&path);
    assert_eq!(upload().send().await.unwrap().reply, None);
    assert!(std::fs::read(&path).unwrap() == reply());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let requests = server.requests().len();
    let error = upload().send().await.unwrap_err();
    assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
    assert_eq!(server.requests().len(), requests);
}

#[tokio::test]
async fn a_reply_that_fails_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let bits = Bits::with_reply("/r", b"");
    let server = Server::builder()
        .bits(bits)
        .start(|request, _| (request.kind() == "get").then(|| answer("404 Not Found", &[], b"")))
        .await;
    let upload = client().upload(server.url("/x")).bytes("abc");
    let error = upload.reply_to(folder.path().join("reply")).send().await.unwrap_err();
    assert!(error.report().contains("404"), "{}", error.report());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
