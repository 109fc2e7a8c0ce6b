//! Files that change during the upload.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use bits_client::{Change, Error, StateDir};

use crate::support::{Server, client, content};

/// Uploads a file that this function changes while its first fragment is sent.
async fn changed(change: impl Fn(&Path) + Send + 'static) -> (Error, Server) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.bin");
    fs::write(&path, content(2_000_000)).unwrap();
    let old = SystemTime::now() - Duration::from_secs(3600);
    File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
    let target = path.clone();
    let server = Server::start(move |request, _| {
        if request.kind() == "fragment" {
            change(&target);
        }
        None
    })
    .await;
    let states = StateDir::new(folder.path().join("states"));
    let upload = client().upload(server.url("/x")).file(&path).fragment_size(100_000);
    let error = upload.resume(states.clone()).send().await.unwrap_err();
    assert_eq!(fs::read_dir(states.path().unwrap()).unwrap().count(), 0);
    assert!(server.bits().cancelled && !server.bits().closed);
    (error, server)
}

#[tokio::test]
async fn another_length_is_an_error() {
    let (error, _) = changed(|path| fs::write(path, "short").unwrap()).await;
    let Error::Changed { change: Change::Length { before: 2_000_000, now: 5 }, .. } = error else {
        panic!("{error:?}");
    };
    assert!(error.to_string().contains("it had 2000000 bytes, and has 5 now"), "{error}");
}

#[tokio::test]
async fn another_time_is_an_error() {
    let touch = |path: &Path| {
        File::options().write(true).open(path).unwrap().set_modified(SystemTime::now()).unwrap();
    };
    let (error, _) = changed(touch).await;
    assert!(matches!(error, Error::Changed { change: Change::Modified, .. }), "{error:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn another_file_with_equal_length_and_time_is_an_error() {
    let (error, _) = changed(|path| {
        let modified = fs::metadata(path).unwrap().modified().unwrap();
        let new = path.with_extension("new");
        fs::copy(path, &new).unwrap();
        File::options().write(true).open(&new).unwrap().set_modified(modified).unwrap();
        fs::rename(new, path).unwrap();
    })
    .await;
    assert!(matches!(error, Error::Changed { change: Change::Replaced, .. }), "{error:?}");
}

#[tokio::test]
async fn a_removed_file_is_an_error() {
    let (error, _) = changed(|path| {
        let _ = fs::remove_file(path);
    })
    .await;
    assert!(matches!(error, Error::Changed { change: Change::Removed, .. }), "{error:?}");
}

#[tokio::test]
async fn only_regular_files_are_uploaded() {
    let folder = tempfile::tempdir().unwrap();
    let url = "http://127.0.0.1:9/x";
    let error = client().upload(url).file(folder.path()).send().await.unwrap_err();
    assert!(error.report().ends_with("is a folder"), "{}", error.report());
    let missing = folder.path().join("missing");
    let error = client().upload(url).file(missing).send().await.unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
}
