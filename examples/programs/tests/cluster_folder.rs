//! The folder that nodes share, and writers who come too late.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use bits_proto::field::{ContentRange, SessionId};
use bits_proto::message::{CreateSession, Fragment, Request};
use bits_proto::server::{
    Access, HostError, Policy, Record, RequestContext, SessionLimits, Sessions, Step, StoreBytes,
    WorkToken,
};
use tempfile::TempDir;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

use bits_proto_programs::cluster::folder::Folder;
use bits_proto_programs::host_error::host_error;

/// A session in a table, for the turns that it gives, and the folder of its bytes.
struct Stand {
    table: Sessions<'static, BTreeMap<Uuid, Record>>,
    now: Duration,
    root: TempDir,
    folder: Folder,
}

const TOTAL: u64 = 10;

impl Stand {
    async fn new() -> Self {
        let table = Sessions::new(BTreeMap::new(), Policy::DEFAULT, SessionLimits::default());
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(root.path().into()).await.expect("a folder");
        let mut stand = Self { table, now: Duration::from_secs(1), root, folder };
        let _ = stand.ask(&CreateSession::default().into());
        stand.folder.begin(id()).await.expect("room for a session");
        stand
    }

    fn ask(&mut self, request: &Request<'_>) -> Step {
        // Whoever was at work before counts as dead.
        self.now += Duration::from_secs(3600);
        let access = Access::Granted;
        let arrival = RequestContext { url: "/e", principal: None, access, now: self.now };
        match self.table.handle_request(request, &arrival, || [7; 16]) {
            Ok(Step::Store(bytes)) => Step::Store(bytes),
            Ok(Step::Commit(turn)) => Step::Commit(turn),
            Ok(Step::Discard(discard)) => Step::Discard(discard),
            Ok(_) => Step::Done,
        }
    }

    /// A turn for all that is lacking.
    fn fragment(&mut self) -> StoreBytes {
        let range = ContentRange::new(0, TOTAL - 1, TOTAL).expect("a range");
        let step = self.ask(&Fragment::new(SessionId::from(id()), range).into());
        let Step::Store(bytes) = step else { panic!("{step:?}") };
        bytes
    }

    fn count(&mut self, turn: WorkToken, bytes: u64) {
        let _ = self.table.handle_stored(turn, bytes, self.now).expect("the turn is held");
    }

    /// Stores bytes in a turn of their own, and counts some of them.
    async fn store(&mut self, bytes: &[u8], counted: u64) -> File {
        let StoreBytes { token: turn, offset, .. } = self.fragment();
        let mut part = self.folder.part(turn, offset).await.expect("a part");
        part.write_all(bytes).await.expect("room");
        part.flush().await.expect("room");
        self.count(turn, counted);
        part
    }

    fn close(&mut self) -> WorkToken {
        let close = bits_proto::message::CloseSession::new(SessionId::from(id()));
        let Step::Commit(turn) = self.ask(&close.into()) else { panic!("nothing to place") };
        turn
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.root.path().join(name)
    }
}

fn id() -> Uuid {
    SessionId::from_random([7; 16]).guid().expect("a GUID")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("a file")
}

#[tokio::test]
async fn only_what_counted_is_in_the_entity() {
    let mut stand = Stand::new().await;
    // The first stored more than it counted, the second counted nothing, and neither has ended.
    let mut first = stand.store(b"abcXX", 3).await;
    let mut second = stand.store(b"YYYYYYYY", 0).await;
    let third = stand.store(b"defg", 4).await;
    let fourth = stand.store(b"hij", 3).await;
    let turn = stand.close();
    let whole = stand.folder.assemble(turn, TOTAL).await.expect("all is there");
    for late in [&mut first, &mut second] {
        late.write_all(b"late").await.expect("it is its own");
        late.flush().await.expect("it is its own");
    }
    assert_eq!(read(&whole), "abcdefghij");
    stand.folder.place(&whole, &stand.path("e")).await.expect("it is free");
    for late in [&mut first, &mut second] {
        late.write_all(b"later").await.expect("it is its own");
        late.flush().await.expect("it is its own");
    }
    assert_eq!(read(&stand.path("e")), "abcdefghij");
    drop((third, fourth));
}

#[tokio::test]
async fn bytes_that_are_gone_are_missed() {
    let mut stand = Stand::new().await;
    drop(stand.store(b"abc", 3).await);
    drop(stand.store(b"def", 7).await);
    let turn = stand.close();
    let error = stand.folder.assemble(turn, TOTAL).await.expect_err("bytes are lacking");
    assert_eq!(host_error(&error), HostError::EntityLost);
}

#[tokio::test]
async fn who_takes_over_takes_everything_away() {
    let mut stand = Stand::new().await;
    drop(stand.store(b"abcdefghij", TOTAL).await);
    let slow = stand.close();
    let stolen = stand.folder.assemble(slow, TOTAL).await.expect("all is there");
    // It sleeps here, and another turn goes on with what it has done.
    let fast = stand.close();
    let whole = stand.folder.assemble(fast, TOTAL).await.expect("all is there");
    let error = stand.folder.place(&stolen, &stand.path("e")).await.expect_err("it was taken");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = stand.folder.assemble(slow, TOTAL).await.expect_err("it may not be taken back");
    assert_eq!(host_error(&error), HostError::Other);
    assert!(!stand.path("e").exists());
    stand.folder.place(&whole, &stand.path("e")).await.expect("it is free");
    assert_eq!(read(&stand.path("e")), "abcdefghij");
}

#[tokio::test]
async fn what_was_placed_and_not_reported_counts_as_placed() {
    let mut stand = Stand::new().await;
    drop(stand.store(b"abcdefghij", TOTAL).await);
    let turn = stand.close();
    let whole = stand.folder.assemble(turn, TOTAL).await.expect("all is there");
    stand.folder.place(&whole, &stand.path("e")).await.expect("it is free");
    let turn = stand.close();
    let whole = stand.folder.assemble(turn, TOTAL).await.expect("all is there");
    stand.folder.place(&whole, &stand.path("e")).await.expect("it is there already");

    fs::remove_file(stand.path("e")).expect("it is there");
    fs::write(stand.path("e"), "another").expect("it is free");
    let error = stand.folder.place(&whole, &stand.path("e")).await.expect_err("another's");
    assert_eq!(host_error(&error), HostError::DestinationExists);
    assert_eq!(read(&stand.path("e")), "another");
}

#[tokio::test]
async fn of_a_session_that_is_discarded_nothing_comes_back() {
    let mut stand = Stand::new().await;
    let late = stand.fragment();
    let mut part = stand.folder.part(late.token, 0).await.expect("a part");
    let later = stand.fragment();
    let cancel = bits_proto::message::CancelSession::new(SessionId::from(id()));
    let Step::Discard(discard) = stand.ask(&cancel.into()) else { panic!("nothing to discard") };
    stand.folder.discard(discard.token).await.expect("it is there");
    part.write_all(b"late").await.expect("it is its own");
    part.flush().await.expect("it is its own");
    let error = stand.folder.part(later.token, 0).await.expect_err("there is no place");
    assert_eq!(host_error(&error), HostError::EntityLost);
    stand.folder.discard(discard.token).await.expect("what is gone is deleted");
    assert!(stand.folder.sessions().await.expect("a folder").is_empty());
    assert_eq!(fs::read_dir(stand.path(".sessions")).expect("a folder").count(), 0);
}

/// A store that was set back to an earlier state gives numbers again.
#[tokio::test]
async fn a_part_is_written_once() {
    let mut stand = Stand::new().await;
    let bytes = stand.fragment();
    drop(stand.folder.part(bytes.token, 0).await.expect("a part"));
    let error = stand.folder.part(bytes.token, 0).await.expect_err("it is there");
    assert_eq!(host_error(&error), HostError::Other);
}
