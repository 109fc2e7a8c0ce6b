//! Sessions in a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use bits_proto::error::error_chain;
use bits_server::Server;
use bits_server::sessions::{FileSessions, SessionStore, SessionStoreError};
use bits_server::storage::{MemoryStorage, Storage as _};
use bits_server::testing::{self, Report};
use tempfile::TempDir;

use crate::equivalence::is_equivalent_to_a_map;
use crate::records::{insert, load, numbered, record};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Opens a store. A program that another test starts inherits the lock of the previous user for a moment.
fn open(folder: &Path) -> FileSessions {
    for _ in 0..10_000 {
        match open_if_free(folder) {
            Some(opened) => return opened.expect("a folder of sessions"),
            None => thread::sleep(Duration::from_millis(1)),
        }
    }
    panic!("the folder remains in use");
}

/// Returns the path of a session's record.
fn file(folder: &Path, number: u8) -> PathBuf {
    folder.join(format!("{}.json", record(number).id()))
}

/// Opens a store. Waits for an operation of its previous user that was dropped and is still running.
async fn open_when_free(path: &Path) -> Result<FileSessions, SessionStoreError> {
    loop {
        match open_if_free(path) {
            Some(opened) => return opened,
            None => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

/// Opens a store; `None` if its folder is in use.
fn open_if_free(path: &Path) -> Option<Result<FileSessions, SessionStoreError>> {
    match FileSessions::open(path) {
        Err(SessionStoreError::Unavailable(error)) if is_busy(&*error) => None,
        opened => Some(opened),
    }
}

fn is_busy(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::ResourceBusy)
}

async fn suite(fsync: bool) -> Report {
    let folder = folder();
    let path = folder.path().to_owned();
    let report = testing::session_store(move |name| {
        let path = path.join(name);
        async move { Ok(open_when_free(&path).await?.fsync(fsync)) }
    });
    report.await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn files_pass_the_suite() {
    suite(false).await.assert_passed();
}

#[tokio::test(flavor = "current_thread")]
async fn files_with_fsync_pass_the_suite_on_one_thread() {
    suite(true).await.assert_passed();
}

#[tokio::test]
async fn files_are_equivalent_to_a_map() {
    for seed in 0..4 {
        let folder = folder();
        let store = open(folder.path());
        is_equivalent_to_a_map([&store, &store], seed).await;
    }
}

#[tokio::test]
async fn a_folder_has_one_user() {
    let folder = folder();
    let first = open(folder.path());
    let error =
        error_chain(&FileSessions::open(folder.path()).expect_err("a folder that is in use"));
    assert!(error.contains("another server uses this folder"), "{error}");
    assert!(error.contains(&folder.path().display().to_string()), "{error}");
    insert(&first, 1).await;
    drop(first);
    load(&open(folder.path()), 1).await;
}

#[tokio::test]
async fn a_path_that_is_no_folder_is_an_error() {
    let folder = folder();
    let path = folder.path().join("file");
    fs::write(&path, "").expect("a file");
    let error = error_chain(&FileSessions::open(&path).expect_err("no folder"));
    assert!(error.contains(&path.display().to_string()), "{error}");
}

/// Returns the names and contents of all files, without the lock.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    let mut files: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().expect("a name"), entry.path()))
        .filter(|(name, _)| name != "lock")
        .map(|(name, path)| (name, fs::read(path).expect("a file")))
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn damaged_records_do_not_affect_other_sessions() {
    let folder = folder();
    let path = folder.path();
    let store = open(path);
    for number in 0..6 {
        insert(&store, number).await;
    }
    drop(store);
    let valid = fs::read_to_string(file(path, 0)).expect("a record");
    let damages = [
        String::new(),
        valid[..valid.len() - 1].to_owned(),
        valid.replace("\"format\":1", "\"format\":0,\"unknown\":0"),
        // The format of the programs before this crate.
        serde_json::to_string(&record(4).record).expect("a record"),
        // The record of another session.
        valid.clone(),
    ];
    for (number, damage) in (1..).zip(&damages) {
        fs::write(file(path, number), damage).expect("a file");
    }
    let store = open(path);
    assert_eq!(load(&store, 0).await.record, record(0));
    assert_eq!(store.count(None).await.expect("a count"), 1);
    let mut unreadable = store.unreadable().to_vec();
    unreadable.sort_by_key(|it| it.id);
    assert_eq!(unreadable.len(), 5, "{unreadable:?}");
    for ((number, damage), found) in (1..).zip(&damages).zip(&unreadable) {
        assert_eq!(found.id, record(number).id());
        assert!(!found.reason.is_empty());
        assert_eq!(found.path, file(path, number).with_extension("damaged"));
        assert_eq!(fs::read_to_string(&found.path).expect("a file"), *damage);
        // The id is free.
        insert(&store, number).await;
    }
    drop(store);
    assert_eq!(open(path).unreadable(), []);
}

/// After a downgrade and another upgrade, the sessions are there.
#[tokio::test]
async fn records_of_later_versions_are_kept() {
    let folder = folder();
    let path = folder.path();
    let store = open(path);
    insert(&store, 1).await;
    insert(&store, 2).await;
    drop(store);
    let later = r#"{"format":2,"session":{"new":true},"more":[]}"#;
    fs::write(file(path, 1), later).expect("a file");
    for _ in 0..2 {
        let store = open(path);
        let id = record(1).id();
        let error = store.load(id).await.expect_err("a record of a later version");
        assert!(matches!(error, SessionStoreError::Record { id: found, .. } if found == id));
        assert!(!store.insert(&record(1)).await.expect("a store that works"));
        load(&store, 2).await;
        let [found] = store.unreadable() else { panic!("{:?}", store.unreadable()) };
        assert_eq!(found.path, file(path, 1));
        assert!(found.reason.contains("format 2"), "{found:?}");
        assert_eq!(fs::read_to_string(file(path, 1)).expect("a file"), later);
    }
}

/// The staged data of a session that only a later version can read is not that of a session that is gone.
#[tokio::test]
async fn the_data_of_records_of_later_versions_is_kept() {
    let folder = folder();
    let path = folder.path();
    drop(open(path));
    let storage = MemoryStorage::new();
    for number in [1, 2] {
        storage.begin(record(number).id(), &"f".parse().expect("a key")).await.expect("staged");
    }
    fs::write(file(path, 1), r#"{"format":2,"session":{"new":true}}"#).expect("a file");
    let server = Server::builder().storage(storage.clone()).sessions(open(path)).build().await;
    server.expect("a server");
    assert_eq!(storage.sessions(Duration::ZERO).await.expect("sessions"), [record(1).id()]);
}

#[tokio::test]
async fn other_files_are_kept_and_incomplete_records_removed() {
    let folder = folder();
    let path = folder.path();
    drop(open(path));
    let id = record(1).id();
    let others =
        ["notes", "x.json", "no-session.new", &id.simple().to_string(), &format!("{id}.entity")];
    for name in others {
        fs::write(path.join(name), "a").expect("a file");
    }
    fs::write(path.join(format!("{id}.new")), "{").expect("a file");
    let store = open(path);
    assert_eq!(store.count(None).await.expect("a count"), 0);
    assert_eq!(store.unreadable(), []);
    let kept: Vec<_> = files(path).into_iter().map(|(name, _)| name).collect();
    let mut expected = others.map(str::to_owned);
    expected.sort();
    assert_eq!(kept, expected);
}

/// A change that cannot be stored has no effect, and can be repeated.
#[tokio::test]
async fn a_change_that_fails_has_no_effect() {
    let folder = folder();
    let path = folder.path();
    let store = open(path);
    let version = insert(&store, 1).await;
    let before = files(path);
    let obstacles = [1, 2].map(|number| file(path, number).with_extension("new"));
    for obstacle in &obstacles {
        fs::create_dir(obstacle).expect("an obstacle");
    }
    let error = store.replace(&version, &numbered(1, 5)).await.expect_err("an obstacle");
    let error = error_chain(&error);
    assert!(error.contains(&path.display().to_string()), "{error}");
    store.insert(&record(2)).await.expect_err("an obstacle");
    assert_eq!(load(&store, 1).await.record, record(1));
    assert_eq!(load(&store, 1).await.version, version);
    assert_eq!(store.load(record(2).id()).await.expect("a store that works"), None);
    assert_eq!(store.count(Some("a")).await.expect("a count"), 1);
    for obstacle in &obstacles {
        fs::remove_dir(obstacle).expect("no obstacle");
    }
    assert_eq!(files(path), before);
    let replaced = store.replace(&version, &numbered(1, 5)).await.expect("a store that works");
    assert!(replaced.is_some());
    insert(&store, 2).await;
    drop(store);
    assert_eq!(load(&open(path), 1).await.record, numbered(1, 5));
}

/// A session whose file cannot be removed remains.
#[tokio::test]
async fn a_removal_that_fails_has_no_effect() {
    let folder = folder();
    let path = folder.path();
    let store = open(path);
    let version = insert(&store, 1).await;
    fs::remove_file(file(path, 1)).expect("a file");
    fs::create_dir(file(path, 1)).expect("an obstacle");
    store.remove(record(1).id(), &version).await.expect_err("an obstacle");
    assert_eq!(load(&store, 1).await.record, record(1));
    fs::remove_dir(file(path, 1)).expect("no obstacle");
    assert!(store.remove(record(1).id(), &version).await.expect("a store that works"));
    assert_eq!(store.count(None).await.expect("a count"), 0);
}

#[tokio::test]
async fn the_check_writes() {
    let folder = folder();
    let path = folder.path();
    let store = open(path);
    store.check().await.expect("a folder that is writable");
    assert_eq!(files(path), []);
    fs::remove_dir_all(path).expect("no folder");
    let error = error_chain(&store.check().await.expect_err("no folder"));
    assert!(error.contains(&path.display().to_string()), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let path = folder.path().join("parent").join("sessions");
    let store = open(&path);
    insert(&store, 1).await;
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&file(&path, 1)), 0o600);
    assert_eq!(mode(&path.join("lock")), 0o600);
}

/// A flush waits for the disk, and must not stop other requests.
#[test]
fn only_changes_without_fsync_run_on_a_thread_of_the_runtime() {
    /// More threads than other tests occupy with operations at the same time.
    const MANY: usize = 64;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(MANY).max_blocking_threads(1).build().expect("a runtime");
    runtime.block_on(async {
        for fsync in [false, true] {
            let folder = folder();
            let store = open(folder.path()).fsync(fsync);
            let record = record(1);
            // No other thread is free until the change was polled once.
            let (free, busy) = std::sync::mpsc::channel::<()>();
            tokio::task::spawn_blocking(move || busy.recv());
            let mut inserted = store.insert(&record);
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            let is_inline = inserted.as_mut().poll(&mut context).is_ready();
            assert_eq!(is_inline, !fsync);
            drop(free);
            if !is_inline {
                assert!(inserted.await.expect("a store that works"));
            }
        }
    });
}

/// Set in a process that cannot write.
#[cfg(unix)]
const LIMITED: &str = "BITS_TEST_NO_SPACE_FOR_SESSIONS";

/// A limit of zero on the size of files simulates a full disk. It applies to a process, so the test runs itself again.
#[cfg(unix)]
#[tokio::test]
async fn a_full_disk_is_reported() {
    if std::env::var_os(LIMITED).is_some() {
        let folder = folder();
        let full = open(folder.path()).insert(&record(1)).await;
        return assert!(matches!(full, Err(SessionStoreError::Full(_))), "{full:?}");
    }
    // The signal for an exceeded limit would end the process. It stays ignored in the program that is started.
    let limited = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", "file::a_full_disk_is_reported"])
        .env(LIMITED, "1")
        .output()
        .expect("a shell");
    assert!(limited.status.success(), "{limited:?}");
}
