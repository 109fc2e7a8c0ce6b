//! `bits upload --resume`: uploads that another process continues.
#![cfg(unix)]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::bits_server::{Reaction, Server, status};
use crate::uploader::{Folder, Running, bits, states, upload, wait_until};

/// Starts a server that does not respond to the fragment with this number, counted from 0.
fn stalls_at(fragment: usize) -> Server {
    Server::start(move |seen| match (&*seen.kind, seen.earlier) {
        ("Fragment", earlier) if earlier == fragment => Reaction::Stall,
        _ => Reaction::Correct,
    })
}

struct Job {
    folder: Folder,
    server: Server,
}

impl Job {
    fn new(server: Server) -> Self {
        Self { folder: Folder::new(400_000), server }
    }

    fn start(&self) -> Running {
        let state = self.folder.path("state");
        let more: [&dyn AsRef<OsStr>; 4] = [&"--fragment-size", &"100K", &"--resume", &state];
        Running::start(&self.folder.file(), &self.server.url(), &more)
    }

    /// Starts the program and waits until the server has received this many fragments.
    fn start_until(&self, fragments: usize) -> Running {
        let running = self.start();
        let is_fragment = |kind: &String| kind == "Fragment";
        wait_until("the fragments", || {
            self.server.kinds().iter().filter(|kind| is_fragment(kind)).count() == fragments
        });
        running
    }

    /// Continues the upload, which succeeds.
    fn resume(&self) {
        self.start().end().expect(0, &[]);
        assert_eq!(self.server.entity().as_ref(), Some(&self.folder.bytes));
        assert_eq!(states(&self.folder.path("state")), [""; 0].map(PathBuf::from));
    }

    /// Returns the first bytes of the received ranges.
    fn firsts(&self) -> Vec<String> {
        let seen = self.server.seen();
        let ranges = seen.iter().filter_map(|seen| seen.field("Content-Range"));
        ranges.filter_map(|range| range.split_once('-')).map(|range| range.0.to_owned()).collect()
    }
}

#[test]
fn after_kill_9_the_next_process_continues() {
    let job = Job::new(stalls_at(2));
    let mut running = job.start_until(3);
    running.kill();
    assert_eq!(running.end().status, None);
    job.resume();
    let kinds = job.server.kinds();
    assert_eq!(kinds.iter().filter(|kind| *kind == "Create-Session").count(), 1, "{kinds:?}");
    assert_eq!(kinds[4], "Ping", "{kinds:?}");
    let expected = ["bytes 0", "bytes 100000", "bytes 200000", "bytes 200000", "bytes 300000"];
    assert_eq!(job.firsts(), expected);
}

#[test]
fn ctrl_c_pauses() {
    let job = Job::new(stalls_at(2));
    let running = job.start_until(3);
    running.interrupt();
    running.end().expect(130, &["Paused at 195.3 of 390.6 KiB. Run the same command to resume."]);
    assert_eq!(job.server.sessions(), 1);
    job.resume();
    assert_eq!(job.firsts().len(), 5);
}

#[test]
fn bytes_that_were_stored_without_an_ack_are_not_sent_again() {
    let job = Job::new(Server::start(|seen| match (&*seen.kind, seen.earlier) {
        ("Fragment", 1) => Reaction::CloseAfterBody(60_000),
        ("Fragment", 2) => Reaction::Stall,
        _ => Reaction::Correct,
    }));
    let mut running = job.start_until(3);
    running.kill();
    drop(running);
    job.resume();
}

#[test]
fn after_the_session_is_lost_the_upload_restarts() {
    let job = Job::new(stalls_at(2));
    job.start_until(3).kill();
    job.server.forget();
    job.resume();
    assert_eq!(
        job.firsts()[3..],
        ["bytes 200000", "bytes 0", "bytes 100000", "bytes 200000", "bytes 300000"]
    );
}

#[test]
fn a_lost_response_to_close_is_detected_by_the_next_process() {
    let job = Job::new(Server::start(|seen| match (&*seen.kind, seen.earlier) {
        ("Close-Session", 0) => Reaction::LoseResponse,
        ("Close-Session", 1) => Reaction::Stall,
        _ => Reaction::Correct,
    }));
    let mut running = job.start();
    wait_until("the second Close-Session", || {
        job.server.kinds().iter().filter(|kind| *kind == "Close-Session").count() == 2
    });
    running.kill();
    drop(running);
    job.resume();
    assert_eq!(job.firsts().len(), 4);
}

#[test]
fn a_close_without_a_response_is_not_repeated_from_the_start() {
    let job = Job::new(Server::start(|seen| match (&*seen.kind, seen.earlier) {
        ("Close-Session", 0) => Reaction::Silence,
        _ => Reaction::Correct,
    }));
    let mut running = job.start();
    wait_until("the entity", || job.server.entity().is_some());
    running.kill();
    drop(running);
    job.resume();
    assert_eq!(job.firsts().len(), 4, "bytes are sent twice");
}

#[test]
fn a_failure_keeps_the_state() {
    let job = Job::new(Server::start(|seen| match (&*seen.kind, seen.earlier) {
        ("Fragment", 2) => Reaction::Respond(status(404, &[])),
        _ => Reaction::Correct,
    }));
    job.start().end().expect(1, &["status 404", "--fragment-size"]);
    assert_eq!(job.server.sessions(), 1);
    job.resume();
    assert_eq!(job.firsts().len(), 5);
}

#[test]
fn another_process_on_the_same_state_is_an_error() {
    let job = Job::new(stalls_at(0));
    let first = job.start_until(1);
    job.start().end().expect(1, &["another process is running the same upload"]);
    first.interrupt();
    first.end().expect(130, &[]);
    job.resume();
}

#[test]
fn another_job_has_a_state_of_its_own() {
    let job = Job::new(stalls_at(1));
    let mut running = job.start_until(2);
    running.kill();
    running.end();
    let folder = job.folder.path("state");
    let before = states(&folder);
    let state = fs::read(&before[0]).expect("a state");
    let uploads = |file: &Path, url: &str| {
        let more: [&dyn AsRef<OsStr>; 2] = [&"--resume", &folder];
        upload(file, url, &more).expect(0, &[]);
        assert_eq!(job.server.entity(), Some(fs::read(file).expect("a file")));
        assert_eq!(states(&folder), before, "the state of the interrupted upload is not used");
        assert_eq!(fs::read(&before[0]).expect("a state"), state);
    };
    let other = job.folder.path("other");
    fs::write(&other, b"another file").expect("another file");
    uploads(&job.folder.file(), &format!("{}2", job.server.url()));
    uploads(&other, &job.server.url());
    job.resume();
    assert!(
        job.firsts().ends_with(&["bytes 100000", "bytes 200000", "bytes 300000"].map(Into::into))
    );
}

/// Nothing of the first version is used.
#[test]
fn a_file_that_was_modified_since_the_interruption_is_uploaded_anew() {
    let job = Job::new(stalls_at(1));
    let mut running = job.start_until(2);
    running.kill();
    running.end();
    fs::write(job.folder.file(), b"shorter").expect("a change");
    let change = "upload: file changed since the upload was interrupted: it had 400000 bytes, and has 7 \
                  now; starting over\n";
    job.start().end().expect(0, &[change]);
    assert_eq!(job.server.entity().as_deref(), Some(&b"shorter"[..]));
    // The session of the earlier version does not stay until it expires.
    assert_eq!(job.server.sessions(), 0);
    assert_eq!(job.firsts().last().map(String::as_str), Some("bytes 0"));
}

#[test]
fn a_damaged_state_is_replaced() {
    let job = Job::new(stalls_at(1));
    let mut running = job.start_until(2);
    running.kill();
    running.end();
    let state = states(&job.folder.path("state")).swap_remove(0);
    fs::write(state, b"{\"job\":").expect("a state");
    let damage =
        "upload: state of the interrupted transfer is unreadable: EOF while parsing a value";
    job.start().end().expect(0, &[damage, "; starting over\n"]);
    assert_eq!(job.server.entity(), Some(job.folder.bytes.clone()));
    let sent =
        ["bytes 0", "bytes 100000", "bytes 0", "bytes 100000", "bytes 200000", "bytes 300000"];
    assert_eq!(job.firsts(), sent);
}

/// Without `--resume`, the state is in a folder of the user, which only that user can read.
#[test]
fn by_default_the_same_command_continues() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, server, user) = (Folder::new(400_000), stalls_at(1), Folder::new(0));
    let start = || {
        let mut command = bits("upload", &user.path("state"));
        command.arg(folder.file()).arg(server.url()).args(["--fragment-size", "100K"]);
        Running::spawn(command)
    };
    let running = start();
    wait_until("the fragments", || server.kinds().len() == 3);
    running.interrupt();
    running.end().expect(130, &["Paused at 97.7 of 390.6 KiB. Run the same command to resume."]);
    assert_eq!(server.sessions(), 1);
    let stored = states(&user.path("state/bits-client"));
    assert_eq!(stored.len(), 2, "a state and its lock: {stored:?}");
    for path in stored {
        let mode = fs::metadata(path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    start().end().expect(0, &["continuing at 97.66 KiB"]);
    assert_eq!(server.entity(), Some(folder.bytes));
    assert_eq!(states(&user.path("state/bits-client")).len(), 0);
}

#[test]
fn without_a_state_ctrl_c_cancels() {
    let (folder, server) = (Folder::new(400_000), stalls_at(1));
    let more: [&dyn AsRef<OsStr>; 3] = [&"--fragment-size", &"100K", &"--no-resume"];
    let running = Running::start(&folder.file(), &server.url(), &more);
    wait_until("the fragments", || server.kinds().len() == 3);
    running.interrupt();
    running.end().expect(130, &["Cancelled. The server has deleted the session."]);
    assert_eq!(server.kinds().last().map(String::as_str), Some("Cancel-Session"));
    assert_eq!(server.sessions(), 0);
    assert_eq!(server.entity(), None);
}

#[test]
fn a_second_ctrl_c_exits_immediately() {
    let folder = Folder::new(400_000);
    let server = Server::start(|seen| match &*seen.kind {
        "Fragment" | "Cancel-Session" => Reaction::Stall,
        _ => Reaction::Correct,
    });
    let running = Running::start(&folder.file(), &server.url(), &[&"--no-resume"]);
    wait_until("the fragment", || server.kinds().len() == 2);
    running.interrupt();
    wait_until("Cancel-Session", || server.kinds().len() == 3);
    running.interrupt();
    let ended = running.end();
    // If it had waited for the server, it would have printed the failure.
    assert_eq!((ended.status, &*ended.output), (Some(130), ""));
}
