//! Broken connections, interruption, and entities that change.

use std::fs;
use std::path::Path;

use bits_client::{CancellationToken, Download, Error, StateDir};

use super::{VERSION_1, VERSION_2, serve};
use crate::support::{Answer, Reports, Server, client, content};

pub(super) const LENGTH: usize = 2_000_000;

/// Returns the first bytes of an answer, after which the connection ends.
pub(super) fn cut(answer: Answer, length: usize) -> Answer {
    let bytes = answer.into_bytes();
    Answer::Close(bytes[..length.min(bytes.len())].to_vec())
}

#[tokio::test]
async fn a_flaky_connection_is_continued() {
    let server = Server::scripted(|it| {
        let answer = serve(it, &content(LENGTH), &VERSION_1);
        if it.method == "HEAD" { answer } else { cut(answer, 300_000) }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let reports = Reports::default();
    let download = client().download(server.url("/f")).to(&path).progress(reports.callback());
    assert_eq!(download.send().await.unwrap().restarts, 0);
    assert!(fs::read(&path).unwrap() == content(LENGTH));
    assert!(server.requests().len() >= 7);
    assert!(reports.waits()[0].contains("body is incomplete"), "{:?}", reports.waits());
}

/// Nothing shows that the rest of the entity is of the same version.
#[tokio::test]
async fn bytes_without_validator_are_continued_only_on_request() {
    for is_allowed in [false, true] {
        let mut gets = 0;
        let server = Server::scripted(move |it| {
            gets += u32::from(it.method == "GET");
            let answer = serve(it, &content(LENGTH), &[]);
            if gets == 1 { cut(answer, 300_000) } else { answer }
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let download = client().download(server.url("/f")).to(&path);
        let done = download.allow_missing_validator(is_allowed).send().await.unwrap();
        assert!(fs::read(&path).unwrap() == content(LENGTH));
        assert_eq!(done.restarts, u32::from(!is_allowed));
        let last = server.requests().pop().unwrap();
        assert_eq!(last.get("Range").is_some(), is_allowed);
    }
}

#[tokio::test]
async fn an_entity_that_changes_starts_over() {
    let mut gets = 0;
    let new = || content(LENGTH).into_iter().rev().collect::<Vec<_>>();
    let server = Server::scripted(move |it| {
        gets += u32::from(it.method == "GET");
        match (it.method.as_str(), gets) {
            ("HEAD", 0) => serve(it, &content(LENGTH), &VERSION_1),
            ("GET", 1) => cut(serve(it, &content(LENGTH), &VERSION_1), 300_000),
            _ => serve(it, &new(), &VERSION_2),
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let done = client().download(server.url("/f")).to(&path).send().await.unwrap();
    assert_eq!(done.restarts, 1);
    assert!(fs::read(&path).unwrap() == new());
}

/// Returns a server that cancels the token during the body of the first GET, and serves `later`
/// afterwards.
pub(super) async fn cancelling(
    token: &CancellationToken,
    later: Vec<u8>,
    fields: &'static [(&str, &str)],
) -> Server {
    let token = token.clone();
    Server::scripted(move |it| {
        if it.method == "HEAD" && !token.is_cancelled() {
            return serve(it, &content(LENGTH), &VERSION_1);
        }
        if token.is_cancelled() {
            return serve(it, &later, fields);
        }
        token.cancel();
        let bytes = serve(it, &content(LENGTH), &VERSION_1).into_bytes();
        Answer::Hold(bytes[..1_000_000].to_vec())
    })
    .await
}

pub(super) fn download(server: &Server, folder: &Path) -> Download {
    let states = StateDir::new(folder.join("states"));
    client().download(server.url("/f")).to(folder.join("f")).resume(states)
}

/// Cancels the token when bytes have arrived.
pub(super) fn cancel_after_bytes(
    token: CancellationToken,
) -> impl FnMut(&bits_client::Progress) + Send {
    move |progress| {
        if progress.transferred > 0 {
            token.cancel();
        }
    }
}

#[tokio::test]
async fn a_cancelled_download_is_continued() {
    let folder = tempfile::tempdir().unwrap();
    let (seen, stop) = (CancellationToken::new(), CancellationToken::new());
    let server = cancelling(&seen, content(LENGTH), &VERSION_1).await;
    let first = download(&server, folder.path()).cancel(stop.clone());
    let error = first.progress(cancel_after_bytes(stop)).send().await.unwrap_err();
    let Error::Paused { transferred, is_resumable: true, .. } = error else { panic!("{error:?}") };
    assert!(transferred > 0);
    assert!(!folder.path().join("f").exists() && folder.path().join("f.part").exists());

    download(&server, folder.path()).send().await.unwrap();
    assert!(fs::read(folder.path().join("f")).unwrap() == content(LENGTH));
    let last = server.requests().pop().unwrap();
    assert_eq!(last.get("Range"), Some(&*format!("bytes={transferred}-{}", LENGTH - 1)));
    assert_eq!(fs::read_dir(folder.path().join("states")).unwrap().count(), 0);
    assert!(!folder.path().join("f.part").exists());
}

#[tokio::test]
async fn a_download_of_a_changed_entity_is_not_continued() {
    let folder = tempfile::tempdir().unwrap();
    let (seen, stop) = (CancellationToken::new(), CancellationToken::new());
    let server = cancelling(&seen, vec![1; 100_000], &VERSION_2).await;
    let first = download(&server, folder.path()).cancel(stop.clone());
    first.progress(cancel_after_bytes(stop)).send().await.unwrap_err();
    download(&server, folder.path()).send().await.unwrap();
    assert!(fs::read(folder.path().join("f")).unwrap() == vec![1; 100_000]);
}

#[tokio::test]
async fn lost_bytes_are_downloaded_again() {
    let folder = tempfile::tempdir().unwrap();
    let (seen, stop) = (CancellationToken::new(), CancellationToken::new());
    let server = cancelling(&seen, content(LENGTH), &VERSION_1).await;
    let first = download(&server, folder.path()).cancel(stop.clone());
    first.progress(cancel_after_bytes(stop)).send().await.unwrap_err();
    let part = folder.path().join("f.part");
    fs::OpenOptions::new().write(true).open(part).unwrap().set_len(10).unwrap();
    download(&server, folder.path()).send().await.unwrap();
    assert!(fs::read(folder.path().join("f")).unwrap() == content(LENGTH));
}

#[tokio::test]
async fn an_aborted_download_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (seen, stop) = (CancellationToken::new(), CancellationToken::new());
    let server = cancelling(&seen, content(LENGTH), &VERSION_1).await;
    let first = download(&server, folder.path()).abort(stop.clone());
    let error = first.progress(cancel_after_bytes(stop)).send().await.unwrap_err();
    assert!(matches!(error, Error::Aborted { .. }), "{error:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(fs::read_dir(folder.path().join("states")).unwrap().count(), 0);
}

#[tokio::test]
async fn without_state_an_interrupted_download_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for is_dropped in [false, true] {
        let (seen, stop) = (CancellationToken::new(), CancellationToken::new());
        let server = cancelling(&seen, content(LENGTH), &VERSION_1).await;
        let first = client().download(server.url("/f")).to(folder.path().join("f"));
        let first = first.progress(cancel_after_bytes(stop.clone()));
        if is_dropped {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                done = first.send() => panic!("{done:?}"),
            }
        } else {
            let error = first.cancel(stop).send().await.unwrap_err();
            assert!(matches!(error, Error::Paused { is_resumable: false, .. }), "{error:?}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn a_dropped_download_is_continued() {
    let folder = tempfile::tempdir().unwrap();
    let (seen, stop) = (CancellationToken::new(), CancellationToken::new());
    let server = cancelling(&seen, content(LENGTH), &VERSION_1).await;
    let first = download(&server, folder.path()).progress(cancel_after_bytes(stop.clone()));
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        done = first.send() => panic!("{done:?}"),
    }
    download(&server, folder.path()).send().await.unwrap();
    assert!(fs::read(folder.path().join("f")).unwrap() == content(LENGTH));
}

/// Both downloads write the same file until it is complete.
#[tokio::test]
async fn bytes_of_another_download_to_the_same_destination_are_not_continued() {
    for has_state in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (seen, stop) = (CancellationToken::new(), CancellationToken::new());
        let server = cancelling(&seen, content(LENGTH), &VERSION_1).await;
        let first = download(&server, folder.path()).cancel(stop.clone());
        first.progress(cancel_after_bytes(stop)).send().await.unwrap_err();
        let (part, kept) = (folder.path().join("f.part"), folder.path().join("other.part"));

        let other = Server::scripted(|it| {
            let answer = serve(it, &vec![1; LENGTH], &VERSION_1);
            if it.method == "HEAD" {
                return answer;
            }
            Answer::Hold(answer.into_bytes()[..1_500_000].to_vec())
        })
        .await;
        let stop = CancellationToken::new();
        let second = client().download(other.url("/f")).to(folder.path().join("f"));
        let states = StateDir::new(folder.path().join("states"));
        let second = if has_state { second.resume(states) } else { second };
        let (from, to, cancel) = (part.clone(), kept.clone(), stop.clone());
        let second = second.progress(move |progress| {
            if progress.transferred > 1_000_000 && !cancel.is_cancelled() {
                // A process that is killed leaves its bytes.
                fs::copy(&from, &to).unwrap();
                cancel.cancel();
            }
        });
        second.cancel(stop).send().await.unwrap_err();
        fs::rename(&kept, &part).unwrap();

        download(&server, folder.path()).send().await.unwrap();
        assert!(fs::read(folder.path().join("f")).unwrap() == content(LENGTH), "{has_state}");
    }
}
