//! `serve`: late writes of requests that have lost their work token.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use bits_proto::field::{ContentRange, SessionId};
use bits_proto::message::{CloseSession, CreateSession, Fragment, Request};
use bits_proto::server::{
    Access, Policy, Record, RequestContext, SessionLimits, Sessions, SessionsResponse, Step,
    StoreBytes, WorkToken,
};
use bits_proto_programs::serve::fencing::{Fencing, SessionGuard};
use bits_proto_programs::serve::path;
use bits_proto_programs::serve::storage::Storage;
use uuid::Uuid;

const TOTAL: u64 = 10;

/// Sessions that issue work tokens, and their fencing.
struct Fixture {
    table: Sessions<'static, BTreeMap<Uuid, Record>>,
    fencing: Fencing,
    now: Duration,
}

impl Fixture {
    /// Creates this number of sessions, numbered from 1.
    fn new(sessions: u8) -> Self {
        let table = Sessions::new(BTreeMap::new(), Policy::DEFAULT, SessionLimits::default());
        let mut fixture = Self { table, fencing: Fencing::default(), now: Duration::ZERO };
        for session in 1..=sessions {
            let _ = fixture.request(&CreateSession::default().into(), session);
        }
        fixture
    }

    fn request(&mut self, request: &Request<'_>, session: u8) -> Step<SessionsResponse<'static>> {
        // Long enough for all earlier work tokens to expire.
        self.now += Duration::from_secs(3600);
        let access = Access::Granted;
        let context = RequestContext::new("/e", access, self.now);
        let Ok(step) = self.table.handle_request(request, &context, || [session; 16]);
        step
    }

    /// Takes over the session with a fragment that has all missing bytes.
    fn fragment(&mut self, session: u8) -> (SessionGuard, StoreBytes) {
        let range = ContentRange::new(0, TOTAL - 1, TOTAL).expect("a range");
        let request = Fragment::new(SessionId::from_random([session; 16]), range).into();
        let Step::Store(bytes) = self.request(&request, session) else {
            panic!("nothing to store")
        };
        (self.fencing.guard(bytes.token), bytes)
    }

    fn report(&mut self, token: WorkToken, bytes: u64) {
        let _ = self.table.handle_stored(token, bytes, self.now).expect("a valid token");
    }
}

fn is_refused(guard: &SessionGuard) -> bool {
    guard.run(|| Ok(())).is_err()
}

#[test]
fn a_request_without_a_valid_token_accesses_no_files() {
    let mut fixture = Fixture::new(2);
    let (first, _) = fixture.fragment(1);
    let (other, _) = fixture.fragment(2);
    assert!(!is_refused(&first));
    let (second, _) = fixture.fragment(1);
    let refused = first.run(|| -> io::Result<()> { panic!("it accesses files") });
    let error = refused.expect_err("a lost token");
    assert!(error.to_string().contains("taken over"), "{error}");
    assert!(!is_refused(&second));
    assert!(!is_refused(&other), "another session is not affected");
    // A session is remembered while a request with a guard may write late.
    drop(second);
    fixture.fencing.remove_unused();
    assert!(is_refused(&first));
    let (third, _) = fixture.fragment(1);
    assert!(is_refused(&first) && !is_refused(&third));
    drop((first, third));
    fixture.fencing.remove_unused();
    assert!(!is_refused(&fixture.fragment(1).0));
}

#[test]
fn a_request_that_takes_over_waits_for_a_write_in_progress() {
    let mut fixture = Fixture::new(1);
    let (first, _) = fixture.fragment(1);
    let done = Mutex::new(Vec::new());
    let (writes, is_writing) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let (first, done) = (&first, &done);
        scope.spawn(move || {
            let written = first.run(|| {
                writes.send(()).expect("a receiver");
                released.recv().expect("a sender");
                done.lock().expect("no panic").push("first");
                Ok(())
            });
            written.expect("it began with a valid token");
        });
        is_writing.recv().expect("a writer");
        // Neither issuing the token nor creating the guard waits.
        let (second, _) = fixture.fragment(1);
        scope.spawn(move || {
            let written = second.run(|| {
                done.lock().expect("no panic").push("second");
                Ok(())
            });
            written.expect("a valid token");
        });
        thread::sleep(Duration::from_millis(50));
        assert!(done.lock().expect("no panic").is_empty());
        release.send(()).expect("a receiver");
    });
    assert_eq!(done.into_inner().expect("no panic"), ["first", "second"]);
    assert!(is_refused(&first));
}

#[test]
fn a_late_write_changes_neither_acknowledged_nor_published_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (root, sessions) = (folder.path().join("root"), folder.path().join("sessions"));
    fs::create_dir(&root).expect("a root");
    let storage = Storage::open(&root, Some(&sessions), false, false).expect("both folders");
    let mut fixture = Fixture::new(1);

    let (late, bytes) = fixture.fragment(1);
    let id = bytes.token.session_id();
    let mut late_file = late.run(|| storage.entity(id, 0)).expect("a valid token");
    let mut writes_late = || late.run(|| late_file.write_all(b"late bytes"));
    let (second, bytes) = fixture.fragment(1);
    let mut file = second.run(|| storage.entity(id, bytes.offset)).expect("a valid token");
    second.run(|| file.write_all(b"0123456789")).expect("room");
    fixture.report(bytes.token, TOTAL);
    writes_late().expect_err("the bytes are acknowledged");

    let step = fixture.request(&CloseSession::new(SessionId::from_random([1; 16])).into(), 1);
    let third = fixture.fencing.guard(step.token().expect("a step with work"));
    let destination = path::destination("/e").expect("a destination");
    third.run(|| storage.commit(id, TOTAL, &destination)).expect("published");
    second.run(|| file.write_all(b"more")).expect_err("the entity is published");
    writes_late().expect_err("the entity is published");
    assert_eq!(fs::read(root.join("e")).expect("the entity"), b"0123456789");
    assert_eq!(storage.stored(id).map(drop).map_err(|it| it.kind()), Err(io::ErrorKind::NotFound));
}
