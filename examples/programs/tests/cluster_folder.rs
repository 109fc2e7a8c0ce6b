//! The folder that nodes share, and late writes of requests that have lost their work token.

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
use bits_proto_programs::cluster::folder::Folder;
use bits_proto_programs::host_error::host_error;
use tempfile::TempDir;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

/// A session that issues work tokens, and the folder with its files.
struct Fixture {
    table: Sessions<'static, BTreeMap<Uuid, Record>>,
    now: Duration,
    root: TempDir,
    folder: Folder,
}

const TOTAL: u64 = 10;

impl Fixture {
    async fn new() -> Self {
        let table = Sessions::new(BTreeMap::new(), Policy::DEFAULT, SessionLimits::default());
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(root.path().into()).await.expect("a folder");
        let mut fixture = Self { table, now: Duration::from_secs(1), root, folder };
        let _ = fixture.request(&CreateSession::default().into());
        fixture.folder.create_session(id()).await.expect("a folder");
        fixture
    }

    fn request(&mut self, request: &Request<'_>) -> Step {
        // Long enough for all earlier work tokens to expire.
        self.now += Duration::from_secs(3600);
        let access = Access::Granted;
        let context = RequestContext::new("/e", access, self.now);
        match self.table.handle_request(request, &context, || [7; 16]) {
            Ok(Step::Store(bytes)) => Step::Store(bytes),
            Ok(Step::Commit(token)) => Step::Commit(token),
            Ok(Step::Discard(discard)) => Step::Discard(discard),
            Ok(_) => Step::Done,
        }
    }

    /// Takes over the session with a fragment that has all missing bytes.
    fn fragment(&mut self) -> StoreBytes {
        let range = ContentRange::new(0, TOTAL - 1, TOTAL).expect("a range");
        let step = self.request(&Fragment::new(SessionId::from(id()), range).into());
        let Step::Store(bytes) = step else { panic!("{step:?}") };
        bytes
    }

    fn report(&mut self, token: WorkToken, bytes: u64) {
        let _ = self.table.handle_stored(token, bytes, self.now).expect("a valid token");
    }

    /// Stores bytes under a new token, and reports some of them.
    async fn store(&mut self, bytes: &[u8], reported: u64) -> File {
        let StoreBytes { token, offset, .. } = self.fragment();
        let mut part = self.folder.part(token, offset).await.expect("a part");
        part.write_all(bytes).await.expect("room");
        part.flush().await.expect("room");
        self.report(token, reported);
        part
    }

    fn close(&mut self) -> WorkToken {
        let close = bits_proto::message::CloseSession::new(SessionId::from(id()));
        let Step::Commit(token) = self.request(&close.into()) else { panic!("nothing to publish") };
        token
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
async fn an_entity_consists_of_the_acknowledged_bytes() {
    let mut fixture = Fixture::new().await;
    // The first reports fewer bytes than it stored, the second none. Both are still open.
    let mut first = fixture.store(b"abcXX", 3).await;
    let mut second = fixture.store(b"YYYYYYYY", 0).await;
    let third = fixture.store(b"defg", 4).await;
    let fourth = fixture.store(b"hij", 3).await;
    let token = fixture.close();
    let whole = fixture.folder.assemble(token, TOTAL).await.expect("all parts");
    for late in [&mut first, &mut second] {
        late.write_all(b"late").await.expect("its own file");
        late.flush().await.expect("its own file");
    }
    assert_eq!(read(&whole), "abcdefghij");
    fixture.folder.publish(&whole, &fixture.path("e")).await.expect("a free destination");
    for late in [&mut first, &mut second] {
        late.write_all(b"later").await.expect("its own file");
        late.flush().await.expect("its own file");
    }
    assert_eq!(read(&fixture.path("e")), "abcdefghij");
    drop((third, fourth));
}

#[tokio::test]
async fn missing_bytes_are_detected() {
    let mut fixture = Fixture::new().await;
    drop(fixture.store(b"abc", 3).await);
    drop(fixture.store(b"def", 7).await);
    let token = fixture.close();
    let error = fixture.folder.assemble(token, TOTAL).await.expect_err("missing bytes");
    assert_eq!(host_error(&error), HostError::EntityLost);
}

#[tokio::test]
async fn a_request_that_takes_over_claims_all_files() {
    let mut fixture = Fixture::new().await;
    drop(fixture.store(b"abcdefghij", TOTAL).await);
    let slow = fixture.close();
    let superseded = fixture.folder.assemble(slow, TOTAL).await.expect("all parts");
    // It stalls here, and another token continues with the assembled entity.
    let fast = fixture.close();
    let whole = fixture.folder.assemble(fast, TOTAL).await.expect("all parts");
    let error =
        fixture.folder.publish(&superseded, &fixture.path("e")).await.expect_err("claimed files");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = fixture.folder.assemble(slow, TOTAL).await.expect_err("a lost token");
    assert_eq!(host_error(&error), HostError::Other);
    assert!(!fixture.path("e").exists());
    fixture.folder.publish(&whole, &fixture.path("e")).await.expect("a free destination");
    assert_eq!(read(&fixture.path("e")), "abcdefghij");
}

#[tokio::test]
async fn publishing_an_entity_twice_succeeds() {
    let mut fixture = Fixture::new().await;
    drop(fixture.store(b"abcdefghij", TOTAL).await);
    let token = fixture.close();
    let whole = fixture.folder.assemble(token, TOTAL).await.expect("all parts");
    fixture.folder.publish(&whole, &fixture.path("e")).await.expect("a free destination");
    let token = fixture.close();
    let whole = fixture.folder.assemble(token, TOTAL).await.expect("all parts");
    fixture.folder.publish(&whole, &fixture.path("e")).await.expect("the same entity");

    fs::remove_file(fixture.path("e")).expect("the entity");
    fs::write(fixture.path("e"), "another").expect("a free destination");
    let error = fixture.folder.publish(&whole, &fixture.path("e")).await.expect_err("another file");
    assert_eq!(host_error(&error), HostError::DestinationExists);
    assert_eq!(read(&fixture.path("e")), "another");
}

#[tokio::test]
async fn a_discarded_session_leaves_no_files() {
    let mut fixture = Fixture::new().await;
    let late = fixture.fragment();
    let mut part = fixture.folder.part(late.token, 0).await.expect("a part");
    let later = fixture.fragment();
    let cancel = bits_proto::message::CancelSession::new(SessionId::from(id()));
    let Step::Discard(discard) = fixture.request(&cancel.into()) else {
        panic!("nothing to discard")
    };
    fixture.folder.discard(discard.token).await.expect("the files");
    part.write_all(b"late").await.expect("its own file");
    part.flush().await.expect("its own file");
    let error = fixture.folder.part(later.token, 0).await.expect_err("no folder");
    assert_eq!(host_error(&error), HostError::EntityLost);
    fixture.folder.discard(discard.token).await.expect("nothing to delete");
    assert!(fixture.folder.sessions().await.expect("a folder").is_empty());
    assert_eq!(fs::read_dir(fixture.path(".sessions")).expect("a folder").count(), 0);
}

/// A store that was reset to an earlier state issues the same tokens again.
#[tokio::test]
async fn a_part_is_written_once() {
    let mut fixture = Fixture::new().await;
    let bytes = fixture.fragment();
    drop(fixture.folder.part(bytes.token, 0).await.expect("a part"));
    let error = fixture.folder.part(bytes.token, 0).await.expect_err("an existing part");
    assert_eq!(host_error(&error), HostError::Other);
}
