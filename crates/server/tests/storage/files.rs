//! `FileStorage`: publication and its recovery after a crash at any point.

use std::fs;
use std::path::PathBuf;

use bits_server::storage::{
    Discarded, FileStorage, FileStorageOptions, Storage as _, StorageError,
};
use bits_server::testing::Upload;
use bytes::Bytes;
use tempfile::TempDir;

/// A storage with the bytes of one session.
pub struct Disk {
    pub folder: TempDir,
    pub storage: FileStorage,
    pub upload: Upload,
}

impl Disk {
    pub async fn new(options: FileStorageOptions, key: &str, bytes: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = options.open(folder.path().join("root")).expect("a storage");
        let upload = upload(&storage, key, bytes).await;
        Self { folder, storage, upload }
    }

    pub fn root(&self, name: &str) -> PathBuf {
        self.folder.path().join("root").join(name)
    }

    /// Returns the path of a file of the session.
    pub fn staged(&self, name: &str) -> PathBuf {
        let session = self.upload.session_id().to_string();
        self.folder.path().join(".root.bits-staging").join(session).join(name)
    }

    pub async fn publish(&mut self, replaces: bool) -> Result<(), StorageError> {
        let publication = self.upload.publication().with_replaces(replaces);
        self.storage.publish(publication).await.map(drop)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.root(name)).expect("an entity")
    }
}

pub async fn upload(storage: &FileStorage, key: &str, bytes: &str) -> Upload {
    let key = key.parse().expect("a key");
    let mut upload = Upload::begin(storage, &key, bytes.len() as u64).await.expect("a session");
    if !bytes.is_empty() {
        upload.send(storage, bytes.as_bytes()).await.expect("space");
    }
    upload
}

fn durable() -> FileStorageOptions {
    FileStorage::options().fsync(true)
}

#[tokio::test]
async fn publishing_an_entity_twice_has_no_further_effect() {
    for replaces in [false, true] {
        let mut disk = Disk::new(durable(), "e", "entity").await;
        disk.publish(replaces).await.expect("published");
        assert_eq!(disk.read("e"), "entity");
        assert!(!disk.staged("entity").exists());
        // As after a crash before the result was recorded. The entity was removed meanwhile.
        fs::remove_file(disk.root("e")).expect("removed");
        disk.publish(replaces).await.expect("published before");
        assert!(!disk.root("e").exists());
        // Without the mark, the entity counts as lost.
        fs::remove_file(disk.staged("published")).expect("the mark");
        assert!(matches!(disk.publish(replaces).await, Err(StorageError::Lost(_))));
    }
}

#[tokio::test]
async fn publication_recovers_from_a_crash_before_and_after_the_link() {
    let mut disk = Disk::new(durable(), "e", "entity").await;
    // A crash after the mark was created.
    fs::write(disk.staged("published"), "").expect("the mark");
    disk.publish(false).await.expect("published");
    assert_eq!(disk.read("e"), "entity");
    // A crash before the staged name was removed.
    fs::hard_link(disk.root("e"), disk.staged("entity")).expect("the other name");
    let e = disk.root("e");
    let modified = || fs::metadata(&e).and_then(|it| it.modified()).expect("a date");
    let before = modified();
    let publication = disk.upload.publication();
    disk.storage.publish(publication).await.expect("published before");
    assert!(!disk.staged("entity").exists());
    assert_eq!(disk.read("e"), "entity");
    assert_eq!(modified(), before, "the published entity does not change");
}

#[tokio::test]
async fn a_discarded_entity_does_not_count_as_published() {
    let mut disk = Disk::new(FileStorage::options(), "e", "entity").await;
    fs::write(disk.root("e"), "other").expect("another entity");
    assert!(matches!(disk.publish(false).await, Err(StorageError::Exists)));
    let token = disk.upload.token();
    let staged = disk.upload.staged();
    disk.storage.discard(token, &staged, Discarded::ENTITY).await.expect("discarded");
    assert!(matches!(disk.publish(true).await, Err(StorageError::Lost(_))));
    assert_eq!(disk.read("e"), "other");
}

#[tokio::test]
async fn an_existing_file_is_replaced_only_if_that_is_allowed() {
    let mut disk = Disk::new(FileStorage::options(), "e", "entity").await;
    fs::write(disk.root("e"), "other").expect("another entity");
    let metadata = disk.storage.metadata(&"e".parse().expect("a key")).await.expect("access");
    assert_eq!(metadata.expect("an entity").length, 5);
    assert!(matches!(disk.publish(false).await, Err(StorageError::Exists)));
    assert_eq!(disk.read("e"), "other");
    assert!(disk.staged("entity").exists());
    disk.publish(true).await.expect("replaced");
    assert_eq!(disk.read("e"), "entity");
}

#[tokio::test]
async fn a_published_entity_has_the_acknowledged_length() {
    let mut disk = Disk::new(FileStorage::options(), "e", "entity").await;
    fs::write(disk.staged("entity"), "entity and unreported bytes").expect("more bytes");
    disk.publish(false).await.expect("published");
    assert_eq!(disk.read("e"), "entity");

    let mut disk = Disk::new(FileStorage::options(), "e", "entity").await;
    fs::write(disk.staged("entity"), "entit").expect("fewer bytes");
    assert!(matches!(disk.publish(false).await, Err(StorageError::Lost(_))));
    assert!(!disk.root("e").exists());
    let token = disk.upload.token();
    let opened = disk.upload.writer(&disk.storage, token, 6).await;
    assert!(matches!(opened, Err(StorageError::Lost(_))));
    fs::remove_file(disk.staged("entity")).expect("a file");
    assert!(matches!(disk.publish(false).await, Err(StorageError::Lost(_))));
}

/// Also a date in the future and one on the same second are exceeded.
#[tokio::test]
async fn a_replacement_is_dated_later_than_any_earlier_file() {
    for ahead in [0, 3600] {
        let mut disk = Disk::new(durable(), "e", "entity").await;
        let old = fs::File::create(disk.root("e")).expect("a file");
        let date = std::time::SystemTime::now() + std::time::Duration::from_secs(ahead);
        old.set_modified(date).expect("a date");
        disk.publish(true).await.expect("replaced");
        let modified = fs::metadata(disk.root("e")).and_then(|it| it.modified()).expect("a date");
        assert!(modified >= date + std::time::Duration::from_secs(1));
    }
}

#[tokio::test]
async fn folders_are_created_unless_that_is_disabled() {
    let options = FileStorage::options().create_folders(false);
    let mut disk = Disk::new(options, "e", "entity").await;
    let denies = async |key: &str| {
        let key = key.parse().expect("a key");
        let metadata = disk.storage.metadata(&key).await;
        let begun = disk.storage.begin(uuid::Uuid::max(), &key).await;
        matches!(metadata, Err(StorageError::Denied(_)))
            && matches!(begun, Err(StorageError::Denied(_)))
    };
    assert!(denies("dir/e").await);
    assert!(denies("dir/sub/e").await);
    fs::create_dir(disk.root("dir")).expect("a folder");
    fs::write(disk.root("file"), "x").expect("a file");
    let key = "dir".parse().expect("a key");
    assert!(matches!(disk.storage.metadata(&key).await, Err(StorageError::IsFolder)));
    let begun = disk.storage.begin(uuid::Uuid::max(), &key).await;
    assert!(matches!(begun, Err(StorageError::IsFolder)), "a folder is not replaced");
    assert!(denies("file/e").await);
    disk.upload = upload(&disk.storage, "dir/e", "entity").await;
    // The folder disappears during the upload.
    fs::remove_dir(disk.root("dir")).expect("an empty folder");
    assert!(matches!(disk.publish(true).await, Err(StorageError::Denied(_))));
    assert!(!disk.root("dir").exists());
    fs::create_dir(disk.root("dir")).expect("a folder");
    disk.publish(false).await.expect("published");
    assert_eq!(disk.read("dir/e"), "entity");

    let options = durable();
    let mut disk = Disk::new(options, "a/b (1)/c/e", "entity").await;
    assert!(!disk.root("a").exists(), "folders are created for publication");
    disk.publish(false).await.expect("published");
    assert_eq!(disk.read("a/b (1)/c/e"), "entity");
}

#[tokio::test]
async fn a_folder_that_appears_during_the_upload_is_not_replaced() {
    let mut disk = Disk::new(FileStorage::options(), "e", "entity").await;
    fs::create_dir(disk.root("e")).expect("a folder");
    for replaces in [false, true] {
        assert!(matches!(disk.publish(replaces).await, Err(StorageError::IsFolder)));
        assert!(disk.root("e").is_dir());
    }
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_read_is_an_error() {
    let mut disk = Disk::new(FileStorage::options(), "e", "entity").await;
    disk.publish(false).await.expect("published");
    let key = "e".parse().expect("a key");
    let mut entity = disk.storage.open(&key).await.expect("access").expect("an entity");
    assert_eq!(entity.read(0, 3).await.expect("bytes"), Bytes::from_static(b"ent"));
    fs::write(disk.root("e"), "ENTITY").expect("another content");
    assert!(matches!(entity.read(3, 3).await, Err(StorageError::Lost(_))));
    fs::write(disk.root("e"), "e").expect("a shorter file");
    assert!(matches!(entity.read(3, 3).await, Err(StorageError::Lost(_))));
    let mut entity = disk.storage.open(&key).await.expect("access").expect("an entity");
    assert_eq!(entity.read(0, 100).await.expect("bytes"), Bytes::from_static(b"e"));
}

#[tokio::test]
async fn other_files_in_the_folder_of_staged_data_remain() {
    let disk = Disk::new(FileStorage::options(), "e", "entity").await;
    let staging = disk.folder.path().join(".root.bits-staging");
    let id = uuid::Uuid::from_bytes([0xAB; 16]);
    fs::write(staging.join("notes.txt"), "x").expect("a file");
    fs::create_dir(staging.join(format!("{id:X}"))).expect("a folder");
    let sessions = disk.storage.sessions(std::time::Duration::ZERO).await.expect("a list");
    assert_eq!(sessions, [disk.upload.session_id()]);
    disk.upload.remove(&disk.storage).await.expect("removed");
    assert!(staging.join("notes.txt").exists());
    assert!(staging.join(format!("{id:X}")).exists());
}
