//! `SharedFileStorage`: claims, and its recovery after a crash at any point.

use std::fs;
use std::path::PathBuf;

use bits_server::storage::{Discarded, SharedFileStorage, Storage as _, StorageError};
use bits_server::testing::Upload;
use bytes::Bytes;
use tempfile::TempDir;

/// Two nodes and the bytes of one session.
struct Disk {
    folder: TempDir,
    nodes: [SharedFileStorage; 2],
    upload: Upload,
}

impl Disk {
    async fn new(parts: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || {
            let options = SharedFileStorage::options().fsync(true);
            options.open_shared(folder.path().join("root")).expect("a storage")
        };
        let nodes = [open(), open()];
        let key = "e".parse().expect("a key");
        let total = parts.concat().len() as u64;
        let mut upload = Upload::begin(&nodes[0], &key, total).await.expect("a session");
        for (number, part) in parts.iter().enumerate() {
            upload.send(&nodes[number % 2], part.as_bytes()).await.expect("space");
        }
        Self { folder, nodes, upload }
    }

    fn root(&self, name: &str) -> PathBuf {
        self.folder.path().join("root").join(name)
    }

    fn session(&self) -> PathBuf {
        let session = self.upload.session_id().to_string();
        self.folder.path().join(".root.bits-staging").join(session)
    }

    /// Returns the folder that a token has claimed.
    fn claimed(&self) -> PathBuf {
        let entries = fs::read_dir(self.session()).expect("a folder");
        let mut entries = entries.map(|entry| entry.expect("an entry").path());
        let claimed = entries.next().expect("a folder");
        assert_eq!(entries.next(), None);
        claimed
    }

    fn claimed_names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.claimed()).expect("a folder");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        names.sort();
        names
    }

    async fn publish(&mut self, node: usize, replaces: bool) -> Result<(), StorageError> {
        let publication = self.upload.publication().with_replaces(replaces);
        self.nodes[node].publish(publication).await.map(drop)
    }

    fn read(&self) -> String {
        fs::read_to_string(self.root("e")).expect("an entity")
    }
}

#[tokio::test]
async fn each_request_has_its_own_file() {
    let mut disk = Disk::new(&["abc", "defg", "hij"]).await;
    let parts = fs::read_dir(disk.session().join("parts")).expect("a folder");
    assert_eq!(parts.count(), 3);
    disk.publish(0, false).await.expect("published");
    assert_eq!(disk.read(), "abcdefghij");
    // The entity is stored once.
    assert_eq!(disk.claimed_names(), ["published"]);
    disk.upload.remove(&disk.nodes[1]).await.expect("removed");
    assert!(!disk.session().exists());
}

#[tokio::test]
async fn a_request_that_takes_over_claims_all_files() {
    for replaces in [false, true] {
        let mut disk = Disk::new(&["abcde", "fghij"]).await;
        let slow = disk.upload.publication().with_replaces(replaces);
        let staged = slow.staged.clone();
        // It stalls after it has assembled the entity, and another token continues with it.
        drop(disk.nodes[0].open_staged(slow.token, &staged, 10).await.expect("all parts"));
        let number = slow.token.number();
        let whole = |disk: &Disk, number: u32| disk.claimed().join(format!("whole-{number:010}"));
        assert!(whole(&disk, number).exists());
        let token = disk.upload.token();
        drop(disk.nodes[1].open_staged(token, &staged, 10).await.expect("all parts"));
        assert!(!whole(&disk, number).exists() && whole(&disk, token.number()).exists());
        let late = disk.nodes[0].publish(slow.clone()).await;
        assert!(matches!(late, Err(StorageError::Stale)), "{late:?}");
        assert!(!disk.root("e").exists());
        let late = disk.upload.writer(&disk.nodes[0], slow.token, 0).await;
        assert!(matches!(late, Err(StorageError::Stale)));
        let late = disk.nodes[0].discard(slow.token, &staged, Discarded::ALL).await;
        assert!(matches!(late, Err(StorageError::Stale)));
        disk.publish(1, replaces).await.expect("published");
        assert_eq!(disk.read(), "abcdefghij");
    }
}

/// Crashes of an earlier token, with files as they are at that moment.
#[tokio::test]
async fn publication_recovers_from_a_crash_at_any_point() {
    // After the claim, and while the entity was assembled.
    let mut disk = Disk::new(&["abc", "def"]).await;
    let crashed = disk.upload.token().number();
    let claimed = disk.session().join(format!("claimed-{crashed:010}"));
    fs::rename(disk.session().join("parts"), &claimed).expect("the parts");
    fs::write(claimed.join(format!("new-{crashed:010}")), "ab").expect("an incomplete entity");
    disk.publish(0, false).await.expect("published");
    assert_eq!(disk.read(), "abcdef");

    for replaces in [false, true] {
        // After the entity was assembled, in the name of a claim or of an earlier one.
        for crashed_earlier in [0, 1] {
            let mut disk = Disk::new(&["abc", "def"]).await;
            let crashed = disk.upload.token().number();
            let claimed = disk.session().join(format!("claimed-{crashed:010}"));
            fs::rename(disk.session().join("parts"), &claimed).expect("the parts");
            for part in fs::read_dir(&claimed).expect("a folder") {
                fs::remove_file(part.expect("a part").path()).expect("removed");
            }
            let number = crashed - crashed_earlier;
            fs::write(claimed.join(format!("whole-{number:010}")), "abcdef").expect("the entity");
            fs::write(claimed.join("published"), "").expect("the mark");
            disk.publish(1, replaces).await.expect("published");
            assert_eq!(disk.read(), "abcdef");
        }
        // After the entity was published. It was removed meanwhile.
        let mut disk = Disk::new(&["abc", "def"]).await;
        disk.publish(0, replaces).await.expect("published");
        fs::remove_file(disk.root("e")).expect("removed");
        disk.publish(1, replaces).await.expect("published before");
        assert!(!disk.root("e").exists());
    }
    // After the link was created.
    let mut disk = Disk::new(&["abc", "def"]).await;
    let token = disk.upload.token();
    let staged = disk.upload.staged();
    drop(disk.nodes[0].open_staged(token, &staged, 6).await.expect("all parts"));
    let whole = disk.claimed().join(format!("whole-{:010}", token.number()));
    fs::write(disk.claimed().join("published"), "").expect("the mark");
    fs::hard_link(&whole, disk.root("e")).expect("the link");
    disk.publish(1, false).await.expect("published before");
    assert_eq!(disk.read(), "abcdef");
    assert_eq!(disk.claimed_names(), ["published"]);
}

#[tokio::test]
async fn missing_parts_are_detected() {
    let mut disk = Disk::new(&["abc", "def", "ghi"]).await;
    let parts = fs::read_dir(disk.session().join("parts")).expect("a folder");
    let mut parts: Vec<_> = parts.map(|entry| entry.expect("an entry").path()).collect();
    parts.sort();
    fs::remove_file(&parts[1]).expect("a part");
    assert!(matches!(disk.publish(0, false).await, Err(StorageError::Lost(_))));
    assert!(!disk.root("e").exists());
}

/// A session store that was reset to an earlier state issues the same tokens again.
#[tokio::test]
async fn a_part_is_written_once() {
    let mut disk = Disk::new(&["abc"]).await;
    let token = disk.upload.token();
    drop(disk.upload.writer(&disk.nodes[0], token, 3).await.expect("a part"));
    let again = disk.upload.writer(&disk.nodes[1], token, 3).await;
    assert!(matches!(again, Err(StorageError::Other(_))));
}

#[tokio::test]
async fn a_writer_of_a_removed_session_writes_nowhere() {
    let mut disk = Disk::new(&["abc"]).await;
    let token = disk.upload.token();
    let mut writer = disk.upload.writer(&disk.nodes[0], token, 3).await.expect("a part");
    disk.upload.remove(&disk.nodes[1]).await.expect("removed");
    let _ = writer.write(Bytes::from_static(b"late")).await;
    let _ = writer.flush().await;
    let lost = disk.upload.writer(&disk.nodes[0], token, 0).await;
    assert!(matches!(lost, Err(StorageError::Lost(_))));
    assert!(!disk.session().exists());
    let sessions = disk.nodes[0].sessions(std::time::Duration::ZERO).await.expect("a list");
    assert!(sessions.is_empty());
}

#[tokio::test]
async fn an_overtaken_reply_is_refused() {
    let mut disk = Disk::new(&["abc"]).await;
    let mut late = disk.nodes[0].write_reply(disk.upload.token()).await.expect("access");
    late.write(Bytes::from_static(b"late")).await.expect("space");
    let token = disk.upload.token();
    disk.nodes[1].write_reply(token).await.expect("access").finish().await.expect("a reply");
    assert!(matches!(late.finish().await, Err(StorageError::Stale)));
}
