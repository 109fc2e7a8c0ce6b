//! Interruption, and stored states.

use std::fs::{self, File};
use std::io::Cursor;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bits_client::{CancellationToken, Error, StateDir, Upload};

use crate::support::bits::SESSION_NOT_FOUND;
use crate::support::{Answer, Reports, Server, ack, answer, builder, client, content};

/// Returns a server that cancels the token when the first fragment arrives, before it is answered.
pub(super) async fn cancelling(token: &CancellationToken) -> Server {
    let token = token.clone();
    Server::start(move |request, bits| {
        let is_first = request.kind() == "fragment" && !token.is_cancelled();
        is_first.then(|| {
            bits.answer(request);
            token.cancel();
            Answer::Hold(Vec::new())
        })
    })
    .await
}

pub(super) fn write(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("file.bin");
    fs::write(&path, content(3_000_000)).unwrap();
    path
}

pub(super) fn states(folder: &Path) -> StateDir {
    StateDir::new(folder.join("states"))
}

pub(super) fn files(states: &StateDir) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(states.path().unwrap()).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

pub(super) fn upload(server: &Server, folder: &Path) -> Upload {
    let upload = client().upload(server.url("/x")).file(folder.join("file.bin"));
    upload.fragment_size(1_000_000).resume(states(folder))
}

#[tokio::test]
async fn a_cancelled_upload_is_resumed_in_its_session() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let token = CancellationToken::new();
    let server = cancelling(&token).await;
    let error = upload(&server, folder.path()).cancel(token).send().await.unwrap_err();
    assert!(error.is_resumable(), "{error:?}");
    assert!(matches!(error, Error::Paused { total: Some(3_000_000), .. }), "{error:?}");
    assert!(!server.bits().cancelled);
    assert!(!files(&states(folder.path())).is_empty());
    #[cfg(unix)]
    for file in files(&states(folder.path())) {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    upload(&server, folder.path()).send().await.unwrap();
    assert!(server.bits().data == content(3_000_000));
    assert_eq!(server.bits().created, 1);
    assert_eq!(files(&states(folder.path())), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_dropped_upload_is_resumed_in_its_session() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let token = CancellationToken::new();
    let server = cancelling(&token).await;
    tokio::select! {
        biased;
        () = token.cancelled() => {}
        done = upload(&server, folder.path()).send() => panic!("{done:?}"),
    }
    upload(&server, folder.path()).send().await.unwrap();
    assert!(server.bits().data == content(3_000_000));
    assert_eq!(server.bits().created, 1);
    // The first fragment arrived, and is not sent again.
    let first =
        server.requests().iter().filter(|it| it.range().is_some_and(|it| it.0 == 0)).count();
    assert!(first <= 2, "{first}");
}

#[tokio::test]
async fn without_state_a_cancelled_upload_deletes_its_session() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path());
    let token = CancellationToken::new();
    let server = cancelling(&token).await;
    let upload = client().upload(server.url("/x")).file(path).cancel(token);
    let error = upload.send().await.unwrap_err();
    assert!(matches!(error, Error::Paused { is_resumable: false, .. }), "{error:?}");
    assert!(server.bits().cancelled);
}

#[tokio::test]
async fn an_aborted_upload_deletes_session_and_state() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let token = CancellationToken::new();
    let server = cancelling(&token).await;
    let error = upload(&server, folder.path()).abort(token).send().await.unwrap_err();
    assert!(matches!(error, Error::Aborted { is_confirmed: true }), "{error:?}");
    assert!(server.bits().cancelled);
    assert_eq!(files(&states(folder.path())), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_suspended_upload_is_resumed_when_the_cause_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let mut refusals = 5;
    let server = Server::start(move |request, bits| {
        let refuses = request.kind() == "fragment" && bits.data.len() >= 1_000_000 && refusals > 0;
        refusals -= u32::from(refuses);
        refuses.then(|| ack("503 Service Unavailable", &[]))
    })
    .await;
    let error = upload(&server, folder.path()).send().await.unwrap_err();
    let Error::Suspended { transferred: 1_000_000, is_resumable: true, .. } = error else {
        panic!("{error:?}");
    };
    assert!(error.report().contains("503"), "{}", error.report());
    upload(&server, folder.path()).send().await.unwrap();
    assert_eq!(server.bits().created, 1);
    assert!(server.bits().data == content(3_000_000));
}

#[tokio::test]
async fn a_state_in_use_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let token = CancellationToken::new();
    let server = cancelling(&token).await;
    let mut first = Box::pin(upload(&server, folder.path()).send());
    tokio::select! {
        biased;
        () = token.cancelled() => {}
        done = &mut first => panic!("{done:?}"),
    }
    let error = upload(&server, folder.path()).send().await.unwrap_err();
    assert!(error.to_string().contains("another process is running the same upload"), "{error}");
    drop(first);
    upload(&server, folder.path()).send().await.unwrap();
}

#[tokio::test]
async fn states_of_long_ago_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let states = folder.path().join("states");
    fs::create_dir(&states).unwrap();
    for name in ["upload-00.json", "download-00.json", "notes.json", "upload-01.json"] {
        fs::write(states.join(name), "{}").unwrap();
        let old = if name == "upload-01.json" { 29 } else { 31 };
        let time = SystemTime::now() - Duration::from_secs(old * 24 * 60 * 60);
        File::options().write(true).open(states.join(name)).unwrap().set_modified(time).unwrap();
    }
    let server = Server::start(|_, _| None).await;
    let upload = client().upload(server.url("/x")).bytes("abc");
    upload.resume(StateDir::new(&states)).send().await.unwrap();
    let mut names = files(&StateDir::new(&states));
    names.sort();
    assert_eq!(names, [states.join("notes.json"), states.join("upload-01.json")]);
}

#[tokio::test]
async fn bytes_and_readers_are_resumed_by_content_and_identity() {
    let folder = tempfile::tempdir().unwrap();
    for is_reader in [false, true] {
        let token = CancellationToken::new();
        let server = cancelling(&token).await;
        let upload = || {
            let upload = client().upload(server.url("/x")).resume(states(folder.path()));
            let upload = upload.fragment_size(1_000_000);
            match is_reader {
                true => upload.reader(Cursor::new(content(3_000_000)), 3_000_000).identity("a"),
                false => upload.bytes(content(3_000_000)),
            }
        };
        let error = upload().cancel(token).send().await.unwrap_err();
        assert!(error.is_resumable());
        upload().send().await.unwrap();
        assert_eq!(server.bits().created, 1);
    }
    let upload = client().upload("http://127.0.0.1:9/x").reader(Cursor::new(""), 0);
    let error = upload.resume(states(folder.path())).send().await.unwrap_err();
    assert!(matches!(error, Error::Option(_)), "{error:?}");
}

/// Balancers keep a session on one server by a cookie.
#[tokio::test]
async fn cookies_survive_an_interruption() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let token = CancellationToken::new();
    let cancel = token.clone();
    let server = Server::start(move |request, bits| {
        if request.kind() == "create-session" {
            let cookie = "Set-Cookie: node=1; Path=/; HttpOnly\r\nContent-Length";
            return Some(bits.answer(request).replace("Content-Length", cookie));
        }
        if request.get("Cookie") != Some("node=1") {
            return Some(ack("500 Internal Server Error", &SESSION_NOT_FOUND));
        }
        let is_first = request.kind() == "fragment" && !cancel.is_cancelled();
        is_first.then(|| {
            cancel.cancel();
            Answer::Hold(Vec::new())
        })
    })
    .await;
    upload(&server, folder.path()).cancel(token).send().await.unwrap_err();
    upload(&server, folder.path()).send().await.unwrap();
    assert_eq!(server.bits().created, 1);
}

/// The state of the first process does not count its bytes, as it learned nothing about their arrival.
#[tokio::test]
async fn bytes_of_an_earlier_process_do_not_count_for_the_rate() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let token = CancellationToken::new();
    let (cancel, mut fragments) = (token.clone(), 0);
    let server = Server::start(move |request, bits| {
        if request.kind() != "fragment" {
            return None;
        }
        fragments += 1;
        match fragments {
            1 => {
                bits.answer(request);
                cancel.cancel();
                Some(Answer::Hold(Vec::new()))
            }
            3 => {
                let received = bits.data.len().to_string();
                Some(ack("200 OK", &[("BITS-Received-Content-Range", &received)]))
            }
            // Rates are measured during the delays that follow.
            2 | 4 => Some(answer("503 Service Unavailable", &[], b"")),
            _ => None,
        }
    })
    .await;
    let first = upload(&server, folder.path()).fragment_size(2_999_000).cancel(token);
    first.send().await.unwrap_err();

    let (reports, delay) = (Reports::default(), Duration::from_millis(200));
    let client = builder().backoff(delay, delay).build().unwrap();
    let upload = client.upload(server.url("/x")).file(folder.path().join("file.bin"));
    let upload = upload.fragment_size(1000).resume(states(folder.path()));
    upload.progress(reports.callback()).send().await.unwrap();
    assert_eq!(server.bits().created, 1);
    assert!(reports.all().iter().any(|it| it.transferred == 2_999_000));
    // Twice the minimum of 5 KiB and twice the last 1000 bytes were sent. No rate is measured over less than 100 ms.
    let rate = reports.all().into_iter().map(|it| it.rate).fold(0.0, f64::max);
    assert!(rate <= f64::from(2 * (5120 + 1000)) / 0.1, "{rate}");
}
