//! GET and HEAD of published entities.

use std::time::{Duration, SystemTime};

use bits_server::storage::StorageError;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use tower::ServiceExt as _;

use crate::support::hooked::Operation;
use crate::support::{Answer, World};

/// Sun, 06 Nov 1994 08:49:37 GMT
const DATE: u64 = 784_111_777;

async fn fetch(world: &World, method: &str, fields: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri("/f");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    world.send(request.body(Full::<Bytes>::default()).unwrap()).await
}

async fn world() -> World {
    let world = World::new(|builder| builder).await;
    assert_eq!(world.upload("/f", b"hello world").await.status, 200);
    world.hooks.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(DATE));
    world
}

#[tokio::test]
async fn an_entity_has_a_length_a_date_and_a_tag() {
    let world = world().await;
    for method in ["GET", "HEAD"] {
        let answer = fetch(&world, method, &[]).await;
        assert_eq!(answer.header("content-length"), "11");
        assert_eq!(answer.header("accept-ranges"), "bytes");
        assert_eq!(answer.header("last-modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert!(answer.header("etag").starts_with('"'), "{answer:?}");
        assert_eq!(answer.body, if method == "GET" { "hello world" } else { "" });
    }
}

#[tokio::test]
async fn a_date_in_the_future_is_left_out() {
    let world = world().await;
    world.hooks.set_modified(SystemTime::now() + Duration::from_secs(60));
    assert!(!fetch(&world, "GET", &[]).await.headers.contains_key("last-modified"));
    world.hooks.set_modified(SystemTime::now() - Duration::from_secs(1));
    assert!(fetch(&world, "GET", &[]).await.headers.contains_key("last-modified"));
}

#[tokio::test]
async fn one_range_is_sent_alone() {
    let world = world().await;
    let answer = fetch(&world, "GET", &[("Range", "bytes=6-8")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-range")), (206, "bytes 6-8/11"));
    assert_eq!(answer.body, "wor");
    let answer = fetch(&world, "GET", &[("Range", "bytes=20-")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-range")), (416, "bytes */11"));
}

#[tokio::test]
async fn several_ranges_are_sent_in_parts() {
    let world = world().await;
    let answer = fetch(&world, "GET", &[("Range", "bytes=6-8,0-1")]).await;
    assert_eq!(answer.status, 206);
    assert!(answer.header("content-type").starts_with("multipart/byteranges"));
    assert_eq!(answer.header("content-length"), answer.body.len().to_string());
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let (first, second) =
        (text.find("\r\n\r\nwor\r\n").unwrap(), text.find("\r\n\r\nhe\r\n").unwrap());
    assert!(first < second, "{text}");
}

#[tokio::test]
async fn a_range_of_another_version_is_refused() {
    let world = World::new(|builder| builder.replaces(true)).await;
    world.upload("/f", b"first version").await;
    let tag = fetch(&world, "GET", &[]).await.header("etag").to_owned();
    world.upload("/f", b"second version").await;
    world.hooks.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(DATE));
    let before = ("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:36 GMT");
    let range = ("Range", "bytes=0-4");
    assert_eq!(fetch(&world, "GET", &[before, range]).await.status, 412);
    assert_eq!(fetch(&world, "GET", &[("If-Match", &tag), range]).await.status, 412);
    let current = ("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(fetch(&world, "GET", &[current, range]).await.body, "secon");
    let tag = fetch(&world, "GET", &[]).await.header("etag").to_owned();
    assert_eq!(fetch(&world, "GET", &[("If-None-Match", &tag)]).await.status, 304);
}

#[tokio::test]
async fn an_entity_that_cannot_be_read_ends_the_response_early() {
    let world = world().await;
    world.hooks.fail(Operation::Read, StorageError::Lost(None));
    let request = Request::get("/f").body(Full::<Bytes>::default()).unwrap();
    let response = world.service().oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-length"], "11");
    assert!(response.into_body().collect().await.is_err());
}

#[tokio::test]
async fn an_entity_is_read_as_fast_as_it_is_sent() {
    let world = World::new(|builder| builder).await;
    let entity = vec![7; 8 << 20];
    world.upload("/f", &entity).await;
    let request = Request::get("/f").body(Full::<Bytes>::default()).unwrap();
    let mut body = world.service().oneshot(request).await.unwrap().into_body();
    let mut received = body.frame().await.unwrap().unwrap().into_data().unwrap().len();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(world.hooks.reads() <= 4, "{} blocks were read", world.hooks.reads());
    while let Some(frame) = body.frame().await {
        received += frame.unwrap().into_data().unwrap().len();
    }
    assert_eq!(received, entity.len());
}

#[tokio::test]
async fn an_unknown_entity_is_not_found() {
    let world = world().await;
    assert_eq!(world.get("/g").await.status, 404);
    assert_eq!(world.get("/BITS-Sessions/Replies/1/response").await.status, 404);
    assert_eq!(world.get("/bits-sessions/f").await.status, 404);
}
