//! `FileStorage` and `SharedFileStorage` pass the conformance suite.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use bits_server::storage::{FileStorage, FileStorageOptions, SharedFileStorage};
use bits_server::testing;
use tempfile::TempDir;

/// Opens a storage again when its last user is gone, as after a restart, and not before.
fn open_once(
    folder: &TempDir,
    options: FileStorageOptions,
) -> impl Fn(String) -> std::io::Result<Arc<FileStorage>> + use<> {
    let folder = folder.path().to_path_buf();
    let opened = Mutex::new(HashMap::<String, Weak<FileStorage>>::new());
    move |name| {
        let mut opened = opened.lock().expect("no panic");
        let storage = opened.get(&name).and_then(Weak::upgrade);
        if let Some(storage) = storage {
            return Ok(storage);
        }
        let storage = Arc::new(options.clone().open(folder.join(&name))?);
        opened.insert(name, Arc::downgrade(&storage));
        Ok(storage)
    }
}

async fn test_exclusive(options: FileStorageOptions) {
    let folder = tempfile::tempdir().expect("a folder");
    let open = open_once(&folder, options);
    let report = testing::storage(move |name| {
        let storage = open(name);
        async { Ok(storage?) }
    });
    report.await.assert_passed();
}

async fn test_shared(options: FileStorageOptions) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_path_buf();
    let report = testing::storage(move |name| {
        let storage = options.clone().open_shared(path.join(name));
        async { Ok(storage?) }
    });
    report.await.assert_passed();
}

#[tokio::test]
async fn a_folder_conforms() {
    test_exclusive(FileStorage::options()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_fsync_and_subfolders_conforms() {
    test_exclusive(FileStorage::options().fsync(true).create_folders(false)).await;
}

#[tokio::test]
async fn a_shared_folder_conforms() {
    test_shared(SharedFileStorage::options()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_folder_with_fsync_and_subfolders_conforms() {
    test_shared(SharedFileStorage::options().fsync(true)).await;
}
