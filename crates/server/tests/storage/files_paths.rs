//! `FileStorage`: its folders, and links that lead out of them.

use std::fs;
use std::path::Path;

use bits_server::storage::{FileStorage, SharedFileStorage, StorageError};

use super::files::Disk;

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("the folder");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

#[cfg(unix)]
#[tokio::test]
async fn links_do_not_lead_out_of_the_folder() {
    use bits_server::storage::Storage as _;
    let mut disk = Disk::new(FileStorage::options(), "e", "entity").await;
    let outside = disk.folder.path().join("outside");
    fs::create_dir(&outside).expect("a folder");
    fs::write(outside.join("e"), "outside").expect("a file");
    let link = |to: &Path, name| std::os::unix::fs::symlink(to, disk.root(name)).expect("a link");
    link(&outside, "dir");
    link(Path::new("../outside"), "relative");
    link(&outside.join("new"), "dangling");
    link(&outside.join("e"), "e");
    link(Path::new("/proc/self/root"), "system");
    link(Path::new("../.root.bits-staging"), "staging");
    let keys = ["dir/e", "relative/e", "e", "system/etc", "dangling", "staging/e"];
    for key in keys {
        let opened = disk.storage.open(&key.parse().expect("a key")).await;
        assert!(!matches!(opened, Ok(Some(_))), "{key}");
    }
    let keys =
        ["dir/new", "relative/new", "system/tmp/new", "dangling/new", "staging/new", "dir/a/b"];
    for key in keys {
        let key = key.parse().expect("a key");
        let metadata = disk.storage.metadata(&key).await;
        assert!(matches!(metadata, Err(StorageError::Denied(_))), "{key}: {metadata:?}");
        let begun = disk.storage.begin(uuid::Uuid::max(), &key).await;
        assert!(matches!(begun, Err(StorageError::Denied(_))), "{key}: {begun:?}");
        let mut publication = disk.upload.publication().with_replaces(true);
        publication.key = key;
        let published = disk.storage.publish(publication).await;
        assert!(matches!(published, Err(StorageError::Denied(_))), "{published:?}");
    }
    // The link itself is replaced, not its target.
    disk.publish(true).await.expect("replaced");
    assert_eq!(disk.read("e"), "entity");
    assert_eq!(fs::read(outside.join("e")).expect("the file"), b"outside");
    assert_eq!(names(&outside), ["e"]);
}

/// A link within the folder can be followed.
#[cfg(unix)]
#[tokio::test]
async fn links_within_the_folder_are_followed() {
    use bits_server::storage::Storage as _;
    let disk = Disk::new(FileStorage::options(), "e", "entity").await;
    fs::create_dir(disk.root("dir")).expect("a folder");
    fs::write(disk.root("dir/e"), "inside").expect("a file");
    std::os::unix::fs::symlink("dir", disk.root("link")).expect("a link");
    let opened = disk.storage.open(&"link/e".parse().expect("a key")).await.expect("access");
    let bytes = opened.expect("an entity").read(0, 10).await.expect("bytes");
    assert_eq!(bytes, "inside");
}

#[test]
fn staged_data_must_be_outside_of_the_folder_of_entities() {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("staging");
    let opened = FileStorage::options().staging(&inside).open(folder.path());
    let error = opened.map(drop).expect_err("a folder in the root");
    assert!(error.to_string().contains("must be outside of"), "{error}");
    assert_eq!(names(folder.path()), [""; 0], "it is not created either");
}

#[test]
fn folders_are_created_beside_existing_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("missing/root");
    let error = FileStorage::open(&missing).map(drop).expect_err("a folder without a parent");
    assert!(error.to_string().starts_with(&missing.display().to_string()), "{error}");
    drop(FileStorage::open(folder.path().join("root")).expect("a new folder"));
    drop(FileStorage::open(folder.path().join("root")).expect("an existing folder"));
    assert_eq!(names(folder.path()), [".root.bits-staging", "root"]);
    let staging = folder.path().join("other/staging");
    drop(FileStorage::options().staging(&staging).open(folder.path().join("root")).expect("both"));
    assert!(staging.is_dir());
    let file = folder.path().join("file");
    fs::write(&file, "x").expect("a file");
    assert!(FileStorage::open(&file).is_err());
}

#[cfg(unix)]
#[test]
fn two_servers_cannot_share_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("root");
    let storage = FileStorage::open(&root).expect("a storage");
    let clone = storage.clone();
    let error = FileStorage::open(&root).map(drop).expect_err("a folder in use");
    assert!(error.to_string().contains("another server uses this folder"), "{error}");
    drop(storage);
    assert!(FileStorage::open(&root).is_err());
    drop(clone);
    drop(FileStorage::open(&root).expect("a free folder"));
    let nodes = [SharedFileStorage::open(&root), SharedFileStorage::open(&root)];
    assert!(nodes.iter().all(Result::is_ok));
}

/// Uses the file system in memory that Linux has at a known path.
#[cfg(target_os = "linux")]
#[test]
fn staged_data_must_be_on_the_file_system_of_the_entities() {
    use std::os::unix::fs::MetadataExt as _;
    let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir_in("/dev/shm"));
    let Ok(there) = there else { return println!("skipped: there is no /dev/shm") };
    let device = |dir: &tempfile::TempDir| dir.path().metadata().expect("the folder").dev();
    if device(&here) == device(&there) {
        return println!("skipped: temporary files are in /dev/shm");
    }
    let opened = FileStorage::options().staging(there.path()).open(here.path());
    let error = opened.map(drop).expect_err("another file system");
    assert!(error.to_string().contains("on one file system"), "{error}");
    assert_eq!(names(here.path()), [""; 0]);
    assert_eq!(names(there.path()), [""; 0]);
}
