//! `serve`: requests that have lost their turn, and still have bytes in hand.

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
use uuid::Uuid;

use bits_proto_programs::serve::fencing::{Fencing, SessionGuard, work_token};
use bits_proto_programs::serve::path;
use bits_proto_programs::serve::storage::Storage;

const TOTAL: u64 = 10;

/// A table, for the turns that it gives, and who holds them.
struct Stand {
    table: Sessions<'static, BTreeMap<Uuid, Record>>,
    fencing: Fencing,
    now: Duration,
}

impl Stand {
    /// With this many sessions, numbered from 1.
    fn new(sessions: u8) -> Self {
        let table = Sessions::new(BTreeMap::new(), Policy::DEFAULT, SessionLimits::default());
        let mut stand = Self { table, fencing: Fencing::default(), now: Duration::ZERO };
        for session in 1..=sessions {
            let _ = stand.ask(&CreateSession::default().into(), session);
        }
        stand
    }

    fn ask(&mut self, request: &Request<'_>, session: u8) -> Step<SessionsResponse<'static>> {
        // Whoever was at work before counts as dead.
        self.now += Duration::from_secs(3600);
        let access = Access::Granted;
        let arrival = RequestContext { url: "/e", principal: None, access, now: self.now };
        let Ok(step) = self.table.handle_request(request, &arrival, || [session; 16]);
        step
    }

    /// A turn for all that is lacking, and what it is for.
    fn fragment(&mut self, session: u8) -> (SessionGuard, StoreBytes) {
        let range = ContentRange::new(0, TOTAL - 1, TOTAL).expect("a range");
        let request = Fragment::new(SessionId::from_random([session; 16]), range).into();
        let Step::Store(bytes) = self.ask(&request, session) else { panic!("nothing to store") };
        (self.fencing.guard(bytes.token), bytes)
    }

    fn count(&mut self, turn: WorkToken, bytes: u64) {
        let _ = self.table.handle_stored(turn, bytes, self.now).expect("the turn is held");
    }
}

fn is_refused(guard: &SessionGuard) -> bool {
    guard.run(|| Ok(())).is_err()
}

#[test]
fn who_has_lost_the_turn_touches_nothing() {
    let mut stand = Stand::new(2);
    let (first, _) = stand.fragment(1);
    let (other, _) = stand.fragment(2);
    assert!(!is_refused(&first));
    let (second, _) = stand.fragment(1);
    let refused = first.run(|| -> io::Result<()> { panic!("it touches files") });
    let error = refused.expect_err("the turn is lost");
    assert!(error.to_string().contains("taken over"), "{error}");
    assert!(!is_refused(&second));
    assert!(!is_refused(&other), "of another session");
    // As long as somebody may come late he is known, however often it is tidied up.
    drop(second);
    stand.fencing.remove_unused();
    assert!(is_refused(&first));
    let (third, _) = stand.fragment(1);
    assert!(is_refused(&first) && !is_refused(&third));
    drop((first, third));
    stand.fencing.remove_unused();
    assert!(!is_refused(&stand.fragment(1).0));
}

#[test]
fn who_takes_over_waits_for_a_write() {
    let mut stand = Stand::new(1);
    let (first, _) = stand.fragment(1);
    let done = Mutex::new(Vec::new());
    let (writes, is_writing) = mpsc::channel();
    let (goes_on, may_go_on) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let (first, done) = (&first, &done);
        scope.spawn(move || {
            let written = first.run(|| {
                writes.send(()).expect("a test that goes on");
                may_go_on.recv().expect("a test that goes on");
                done.lock().expect("it is whole").push("first");
                Ok(())
            });
            written.expect("it began in its turn");
        });
        is_writing.recv().expect("it writes");
        // The table gives the turn at once, and holding it waits for nobody.
        let (second, _) = stand.fragment(1);
        scope.spawn(move || {
            let written = second.run(|| {
                done.lock().expect("it is whole").push("second");
                Ok(())
            });
            written.expect("it is its turn");
        });
        thread::sleep(Duration::from_millis(50));
        assert!(done.lock().expect("it is whole").is_empty());
        goes_on.send(()).expect("it waits");
    });
    assert_eq!(done.into_inner().expect("it is whole"), ["first", "second"]);
    assert!(is_refused(&first));
}

#[test]
fn a_late_writer_changes_nothing_that_counts_or_is_placed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (root, sessions) = (folder.path().join("root"), folder.path().join("sessions"));
    fs::create_dir(&root).expect("a root");
    let storage = Storage::open(&root, Some(&sessions), false, false).expect("both folders");
    let mut stand = Stand::new(1);

    let (late, bytes) = stand.fragment(1);
    let id = bytes.token.session_id();
    let mut late_file = late.run(|| storage.entity(id, 0)).expect("it is its turn");
    let mut writes_late = || late.run(|| late_file.write_all(b"late bytes"));
    let (second, bytes) = stand.fragment(1);
    let mut file = second.run(|| storage.entity(id, bytes.offset)).expect("it is its turn");
    second.run(|| file.write_all(b"0123456789")).expect("room");
    stand.count(bytes.token, TOTAL);
    writes_late().expect_err("it counts");

    let step = stand.ask(&CloseSession::new(SessionId::from_random([1; 16])).into(), 1);
    let third = stand.fencing.guard(work_token(&step).expect("there is something to do"));
    let destination = path::destination("/e").expect("a destination");
    third.run(|| storage.commit(id, TOTAL, &destination)).expect("it is placed");
    second.run(|| file.write_all(b"more")).expect_err("it is placed");
    writes_late().expect_err("it is placed");
    assert_eq!(fs::read(root.join("e")).expect("the entity"), b"0123456789");
    assert_eq!(storage.stored(id).map(drop).map_err(|it| it.kind()), Err(io::ErrorKind::NotFound));
}
