//! Files, ranges and errors.

use std::fs;

use bits_client::{ByteRange, Error, StateDir};

use super::{VERSION_1, serve};
use crate::support::{Reports, Server, answer, builder, client, content};

#[tokio::test]
async fn a_file_appears_when_it_is_complete() {
    let server = Server::scripted(|it| serve(it, &content(3_000_000), &VERSION_1)).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.bin");
    let reports = Reports::default();
    let download = client().download(server.url("/f")).to(&path).progress(reports.callback());
    let done = download.send().await.unwrap();
    assert_eq!((done.length, done.restarts), (3_000_000, 0));
    assert!(fs::read(&path).unwrap() == content(3_000_000));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let last = reports.all().pop().unwrap();
    assert_eq!((last.transferred, last.total), (3_000_000, Some(3_000_000)));
    assert_eq!(server.requests()[1].get("Accept-Encoding"), Some("identity"));
}

#[tokio::test]
async fn an_existing_file_is_replaced_only_on_request() {
    let server = Server::scripted(|it| serve(it, b"new", &VERSION_1)).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.bin");
    fs::write(&path, "old").unwrap();
    let error = client().download(server.url("/f")).to(&path).send().await.unwrap_err();
    assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
    assert!(server.requests().is_empty());
    client().download(server.url("/f")).to(&path).overwrite(true).send().await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

#[tokio::test]
async fn a_file_that_appears_meanwhile_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.bin");
    let target = path.clone();
    let server = Server::scripted(move |it| {
        fs::write(&target, "theirs").unwrap();
        serve(it, b"ours", &VERSION_1)
    })
    .await;
    let error = client().download(server.url("/f")).to(&path).send().await.unwrap_err();
    assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
    assert_eq!(fs::read(&path).unwrap(), b"theirs");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn ranges_follow_each_other_in_the_file() {
    let server = Server::scripted(|it| match it.get("Range") {
        Some(range) if range.contains(',') => {
            let parts = "\r\n--b\r\nContent-Range: bytes 0-3/1000\r\n\r\nabcd\r\n--b\r\n\
                         Content-Range: bytes 10-11/1000\r\n\r\nkl\r\n--b--\r\n";
            let fields = [("Content-Type", "multipart/byteranges; boundary=b"), VERSION_1[0]];
            answer("206 Partial Content", &fields, parts.as_bytes())
        }
        _ => serve(it, &[b'x'; 1000], &VERSION_1[..1]),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.bin");
    let download = client().download(server.url("/f")).to(&path);
    let range = |first, last| ByteRange::new(first, last).unwrap();
    download.range(range(0, 3)).range(range(10, 11)).send().await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"abcdkl");
}

#[tokio::test]
async fn dynamic_content_needs_permission() {
    let server = Server::scripted(|it| {
        let answer = serve(it, b"dynamic", &[]);
        if it.method == "HEAD" { answer } else { answer.chunked() }
            .replace("Content-Length: 7\r\n", "")
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.bin");
    let error = client().download(server.url("/f")).to(&path).send().await.unwrap_err();
    assert_eq!(error.advice().unwrap(), "Allow dynamic content.", "{error:?}");
    client().download(server.url("/f")).to(&path).dynamic(true).send().await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"dynamic");
}

#[tokio::test]
async fn an_empty_entity_is_an_empty_file() {
    let server = Server::scripted(|it| serve(it, b"", &VERSION_1)).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.bin");
    assert_eq!(client().download(server.url("/f")).to(&path).send().await.unwrap().length, 0);
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[tokio::test]
async fn refusals_leave_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.bin");
    for (status, is_expected) in [
        ("404 Not Found", (|it| matches!(it, Error::NotFound { .. })) as fn(&Error) -> bool),
        ("403 Forbidden", |it| matches!(it, Error::AccessDenied { .. })),
        ("400 Bad Request", |it| matches!(it, Error::Refused { .. })),
        ("401 Unauthorized", |it| matches!(it, Error::Unauthorized { .. })),
        ("503 Service Unavailable", |it| matches!(it, Error::Suspended { failures: 4, .. })),
    ] {
        let server = Server::scripted(move |_| answer(status, &[], b"")).await;
        let error = client().download(server.url("/f")).to(&path).send().await.unwrap_err();
        assert!(is_expected(&error), "{error:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    let states = StateDir::new(folder.path().join("states"));
    let missing = folder.path().join("missing/file.bin");
    let download = client().download("http://127.0.0.1:9/f").to(missing).resume(states.clone());
    assert!(matches!(download.send().await, Err(Error::Io { .. })));
    assert!(!states.path().unwrap().exists());
    let error = client().download("http://127.0.0.1:9/f").send().await.unwrap_err();
    assert!(matches!(error, Error::Option(_)), "{error:?}");
    let error = client().download("http://127.0.0.1:9/f").to(folder.path()).send().await;
    assert!(error.unwrap_err().report().ends_with("is a folder"));
}

#[tokio::test(start_paused = true)]
async fn the_rate_limit_holds() {
    let server = Server::scripted(|it| serve(it, &content(500_000), &VERSION_1)).await;
    let folder = tempfile::tempdir().unwrap();
    let client = builder().rate_limit(100_000).build().unwrap();
    let start = tokio::time::Instant::now();
    client.download(server.url("/f")).to(folder.path().join("f")).send().await.unwrap();
    let seconds = start.elapsed().as_secs_f64();
    assert!((2.0..8.0).contains(&seconds), "{seconds}");
    assert_eq!(fs::read(folder.path().join("f")).unwrap().len(), 500_000);
}
