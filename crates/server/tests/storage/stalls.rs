//! `FileStorage`: requests that stall, beyond what the conformance suite requires of every storage.

use bits_server::storage::{Discarded, FileStorage, Storage as _, StorageError};
use bytes::Bytes;

use super::files::Disk;

fn is_stale<T>(result: &Result<T, StorageError>) -> bool {
    matches!(result, Err(StorageError::Stale))
}

#[tokio::test]
async fn every_operation_of_an_overtaken_request_is_refused() {
    let mut disk = Disk::new(FileStorage::options(), "e", "entity").await;
    let Disk { storage, upload, .. } = &mut disk;
    let late = upload.token();
    let mut writer = upload.writer(storage, late, 6).await.expect("access");
    let mut reply = storage.write_reply(late).await.expect("access");
    let staged = upload.staged();
    // The first operation of a later token suffices.
    let token = upload.token();
    drop(storage.open_staged(token, &staged, 6).await.expect("access"));

    assert!(is_stale(&writer.write(Bytes::from_static(b"late")).await));
    assert!(is_stale(&writer.flush().await));
    assert!(is_stale(&upload.writer(storage, late, 0).await));
    assert!(is_stale(&storage.open_staged(late, &staged, 6).await));
    assert!(is_stale(&storage.paths(late, &staged, 6).await));
    assert!(is_stale(&storage.write_reply(late).await));
    assert!(is_stale(&reply.write(Bytes::from_static(b"late")).await));
    assert!(is_stale(&reply.finish().await));
    assert!(is_stale(&storage.discard(late, &staged, Discarded::ALL).await));
    let mut publication = upload.publication();
    publication.token = late;
    drop(storage.open_staged(upload.token(), &staged, 6).await.expect("access"));
    assert!(is_stale(&storage.publish(publication).await));
    disk.publish(false).await.expect("the bytes are complete");
    assert_eq!(disk.read("e"), "entity");
}

/// Opening a pipe waits for its reader, as an operation on a slow disk waits for the disk.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_takes_over_waits_for_an_operation_in_progress() {
    let mut disk = Disk::new(FileStorage::options(), "e", "").await;
    let (pipe, staged) = (disk.staged("entity"), disk.upload.staged());
    std::fs::remove_file(&pipe).expect("the staged file");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("a pipe").success());
    for _ in 0..100 {
        let (early, late) = (disk.upload.token(), disk.upload.token());
        let (storage, staged) = (disk.storage.clone(), staged.clone());
        let first = tokio::spawn(async move { storage.open_staged(early, &staged, 0).await });
        run_other_operations(&disk).await;
        let storage = disk.storage.clone();
        let second = tokio::spawn(async move { storage.write_reply(late).await });
        run_other_operations(&disk).await;
        let has_waited = !second.is_finished();
        let reader = std::fs::File::options().read(true).write(true).open(&pipe).expect("a pipe");
        let first = first.await.expect("no panic");
        second.await.expect("no panic").expect("a valid token").finish().await.expect("a reply");
        drop(reader);
        // Otherwise the second one was earlier.
        if !is_stale(&first) {
            assert!(has_waited, "the operation in progress is the last one of its request");
            assert!(is_stale(&disk.storage.write_reply(early).await));
            return;
        }
    }
    panic!("the first operation was never in progress");
}

/// Gives operations in other tasks the time to begin.
#[cfg(unix)]
async fn run_other_operations(disk: &Disk) {
    for _ in 0..100 {
        disk.storage.metadata(&"other".parse().expect("a key")).await.expect("access");
    }
}

#[tokio::test]
async fn a_removed_session_is_forgotten_but_not_its_writers() {
    let mut disk = Disk::new(FileStorage::options(), "e", "entity").await;
    let Disk { storage, upload, .. } = &mut disk;
    let token = upload.token();
    let mut writer = upload.writer(storage, token, 6).await.expect("access");
    upload.remove(storage).await.expect("removed");
    assert!(is_stale(&writer.write(Bytes::from_static(b"late")).await));
    // A late request without a writer finds no files.
    let lost = upload.writer(storage, token, 0).await;
    assert!(matches!(lost, Err(StorageError::Lost(_))));
    let sessions = storage.sessions(std::time::Duration::ZERO).await.expect("a list");
    assert!(sessions.is_empty());
    let lost = upload.writer(storage, token, 0).await;
    assert!(matches!(lost, Err(StorageError::Lost(_))));
}

/// Tokens are remembered without an operation in progress.
#[tokio::test]
async fn a_sweep_does_not_forget_the_tokens_of_existing_sessions() {
    let mut disk = Disk::new(FileStorage::options(), "e", "entity").await;
    let Disk { storage, upload, .. } = &mut disk;
    let late = upload.token();
    let token = upload.token();
    drop(upload.writer(storage, token, 6).await.expect("access"));
    storage.sessions(std::time::Duration::ZERO).await.expect("a list");
    assert!(is_stale(&upload.writer(storage, late, 0).await));
}
