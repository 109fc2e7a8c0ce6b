//! Sources, names and requests.

use std::io::Cursor;

use bits_client::{Error, Phase};

use crate::support::{Reports, Server, client, content};

#[tokio::test]
async fn a_file_arrives_in_fragments_with_its_name() {
    let server = Server::start(|_, _| None).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report 1.bin");
    std::fs::write(&path, content(3_000_000)).unwrap();
    let reports = Reports::default();

    let upload = client().upload(server.url("/up/x")).file(&path).progress(reports.callback());
    let uploaded = upload.send().await.unwrap();

    assert_eq!((uploaded.length, uploaded.restarts, uploaded.reply), (3_000_000, 0, None));
    let bits = server.bits();
    assert!(bits.data == content(3_000_000) && bits.closed);
    let requests = server.requests();
    assert!(requests.iter().all(|it| it.method == "BITS_POST" && it.target == "/up/x"));
    assert!(requests.iter().all(|it| it.get("Content-Length").is_some()));
    assert!(requests.iter().all(|it| it.get("Host") == Some(&*server.address.to_string())));
    let names = requests.iter().filter(|it| it.kind() == "fragment");
    assert!(names.clone().all(|it| it.get("Content-Name") == Some("report 1.bin")));
    assert!(names.count() >= 1);
    assert!(requests[0].fields.iter().any(|(name, _)| name == "Bits-Packet-Type"));
    let reports = reports.all();
    assert_eq!(reports.first().unwrap().phase, Phase::Connecting);
    let last = reports.last().unwrap();
    assert_eq!((last.transferred, last.total), (3_000_000, Some(3_000_000)));
    assert!(reports.iter().any(|it| it.in_flight > 0));
}

#[tokio::test]
async fn every_source_is_uploaded() {
    let server = Server::start(|_, _| None).await;
    let bytes = content(2_500_000);
    client().upload(server.url("/x")).bytes(bytes.clone()).send().await.unwrap();
    assert!(server.bits().data == bytes);
    let reader = Cursor::new(bytes.clone());
    client().upload(server.url("/x")).reader(reader, 2_000_000).send().await.unwrap();
    assert!(server.bits().data == bytes[..2_000_000]);
    client().upload(server.url("/x")).bytes("").send().await.unwrap();
    assert!(server.bits().data.is_empty() && server.bits().closed);
    assert!(server.requests().iter().all(|it| it.get("Content-Name").is_none()));
}

#[tokio::test]
async fn transfers_run_as_tasks() {
    let server = Server::start(|_, _| None).await;
    let client = client();
    let tasks = (0..3).map(|_| {
        let upload = client.upload(server.url("/x")).bytes("abc");
        tokio::spawn(upload.send())
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap().unwrap();
    }
    assert_eq!(server.bits().created, 3);
}

#[tokio::test]
async fn names_that_fields_cannot_contain_are_errors_or_left_out() {
    let server = Server::start(|_, _| None).await;
    let upload = || client().upload(server.url("/x")).bytes("abc");
    for name in ["a\nb", &"x".repeat(1 << 16)] {
        let error = upload().content_name(name).send().await.unwrap_err();
        assert!(matches!(error, Error::Option(_)), "{error:?}");
    }
    assert!(server.requests().is_empty());
    let upload = upload().content_name("näme").name_on_create(true);
    upload.send().await.unwrap();
    let names = server.requests().into_iter().filter(|it| it.get("Content-Name") == Some("näme"));
    assert_eq!(names.map(|it| it.kind()).collect::<Vec<_>>(), ["create-session", "fragment"]);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a\nb");
    if std::fs::write(&path, "abc").is_ok() {
        let before = server.requests().len();
        client().upload(server.url("/x")).file(path).send().await.unwrap();
        assert!(server.requests()[before..].iter().all(|it| it.get("Content-Name").is_none()));
    }
}

#[tokio::test]
async fn a_shorter_reader_is_an_error() {
    let server = Server::start(|_, _| None).await;
    let upload = client().upload(server.url("/x")).reader(Cursor::new(vec![0; 10]), 20);
    let error = upload.send().await.unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
    assert!(server.bits().cancelled);
}
