//! `FileStorage`: an entity that exceeds the space on the disk.
//!
//! A limit on the size of files simulates a full disk. It applies to a process, so the test runs itself again.

use std::process::Command;

use bits_server::storage::{FileStorage, Storage as _, StorageError};
use bits_server::testing::Upload;
use bytes::Bytes;

/// Maximum size of a file in the other process.
const MAX_FILE: usize = 1024 * 1024;
/// Set in the other process.
const LIMITED: &str = "BITS_TEST_FILE_SIZE_LIMIT";

#[test]
fn a_full_disk_is_reported_and_stored_bytes_are_kept() {
    if std::env::var_os(LIMITED).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        return runtime.expect("a runtime").block_on(fill());
    }
    // The signal for an exceeded limit would end the process. It stays ignored in the program that is started.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", MAX_FILE / 512);
    let status = Command::new("sh")
        .args(["-c", &script, "sh"])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", "full::a_full_disk_is_reported_and_stored_bytes_are_kept"])
        .env(LIMITED, "1")
        .status();
    assert!(status.expect("a shell").success());
}

async fn fill() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = FileStorage::open(folder.path().join("root")).expect("a storage");
    let key = "e".parse().expect("a key");
    let mut upload = Upload::begin(&storage, &key, 2 * MAX_FILE as u64).await.expect("a session");
    upload.send(&storage, &vec![7; MAX_FILE]).await.expect("space");
    let token = upload.token();
    let mut writer = upload.writer(&storage, token, MAX_FILE as u64).await.expect("access");
    let full = writer.write(Bytes::from_static(b"more")).await;
    assert!(matches!(full, Err(StorageError::Full(_))), "{full:?}");
    drop(writer);
    // The acknowledged bytes are complete.
    let token = upload.token();
    let staged = storage.open_staged(token, &upload.staged(), MAX_FILE as u64).await;
    assert_eq!(staged.expect("the bytes").metadata().length, MAX_FILE as u64);
    upload.remove(&storage).await.expect("removed");

    let mut small = Upload::begin(&storage, &key, 4).await.expect("a session");
    small.send(&storage, b"fits").await.expect("space");
    storage.publish(small.publication()).await.expect("published");
    assert_eq!(std::fs::read(folder.path().join("root/e")).expect("the entity"), b"fits");
}
