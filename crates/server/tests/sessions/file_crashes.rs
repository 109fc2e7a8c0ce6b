//! Sessions in a folder survive the end of the process at any time.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use bits_server::sessions::{FileSessions, SessionStore};

use crate::records::{load, numbered, record};

/// Set for the process that changes sessions until it is killed.
const FOLDER: &str = "BITS_TEST_SESSIONS";
const FIRST: &str = "BITS_TEST_FIRST_CHANGE";
const FSYNC: &str = "BITS_TEST_FSYNC";

/// The data of each session.
type Model = BTreeMap<u8, u64>;

/// The sessions that a change affects, in turn.
const SESSIONS: u64 = 5;

/// Returns `true` if a change removes a session.
const fn removes(change: u64) -> bool {
    change % 7 == 3
}

fn apply(model: &mut Model, change: u64) {
    let session = (change % SESSIONS) as u8;
    if removes(change) {
        model.remove(&session);
    } else {
        model.insert(session, change);
    }
}

/// Makes one change after the other, and reports each one that was acknowledged.
async fn change_sessions(folder: &Path) {
    let store = FileSessions::open(folder).expect("a folder").fsync(env::var_os(FSYNC).is_some());
    let first = env::var(FIRST).expect("a number").parse::<u64>().expect("a number");
    for change in first.. {
        let record = numbered((change % SESSIONS) as u8, change);
        let found = store.load(record.id()).await.expect("a store that works");
        let is_done = match found {
            Some(found) if removes(change) => store.remove(record.id(), &found.version).await,
            None if removes(change) => Ok(true),
            Some(found) => store.replace(&found.version, &record).await.map(|it| it.is_some()),
            None => store.insert(&record).await,
        };
        assert!(is_done.expect("a store that works"));
        eprintln!("changed {change}");
    }
}

/// Runs a process that is killed after it reported `changes` changes. Returns the number of the last one.
fn run_and_kill(test: &str, folder: &Path, first: u64, changes: u64, fsync: bool) -> u64 {
    let mut command = Command::new(env::current_exe().expect("a program"));
    command
        .args([test, "--exact", "--nocapture"])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string());
    if fsync {
        command.env(FSYNC, "");
    }
    let mut process = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process that starts");
    let output = BufReader::new(process.stderr.take().expect("its output"));
    let mut last = first;
    for line in output.lines() {
        let line = line.expect("a line");
        let change = line.strip_prefix("changed ").unwrap_or_else(|| panic!("{line}"));
        last = change.parse().expect("a number");
        if last == first + changes {
            process.kill().expect("a process");
        }
    }
    process.wait().expect("its status");
    last
}

fn survives_kills(test: &str, rounds: u64, fsync: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    if let Some(folder) = env::var_os(FOLDER) {
        return runtime.block_on(change_sessions(folder.as_ref()));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut acknowledged = Model::new();
    let mut next = 0;
    for round in 0..rounds {
        let changes = 3 + round * 37 % 101;
        let last = run_and_kill(test, folder.path(), next, changes, fsync);
        (next..=last).for_each(|change| apply(&mut acknowledged, change));
        let mut with_unreported = acknowledged.clone();
        apply(&mut with_unreported, last + 1);

        let store = FileSessions::open(folder.path()).expect("a folder");
        assert_eq!(store.unreadable(), [], "round {round}");
        let found = runtime.block_on(contents(&store));
        let is_valid = found == acknowledged || found == with_unreported;
        assert!(
            is_valid,
            "round {round}: {found:?}, expected {acknowledged:?} or {with_unreported:?}"
        );
        next = if found == acknowledged { last + 1 } else { last + 2 };
        acknowledged = found;
        let names = std::fs::read_dir(folder.path()).expect("a folder");
        let files = names.count();
        assert_eq!(files, acknowledged.len() + 1, "records and the lock");
    }
    assert!(next > 10 * rounds, "{next} changes in {rounds} rounds");
}

async fn contents(store: &FileSessions) -> Model {
    let mut found = Model::new();
    for session in 0..SESSIONS as u8 {
        if store.load(record(session).id()).await.expect("a store that works").is_some() {
            let data = load(store, session).await.record.data;
            found.insert(session, data.as_u64().expect("a number"));
        }
    }
    assert_eq!(store.count(None).await.expect("a count"), found.len());
    assert_eq!(store.count(Some("a")).await.expect("a count"), found.len());
    found
}

#[test]
fn sessions_survive_kills() {
    survives_kills("file_crashes::sessions_survive_kills", 24, false);
}

#[test]
fn sessions_survive_kills_with_fsync() {
    survives_kills("file_crashes::sessions_survive_kills_with_fsync", 6, true);
}
