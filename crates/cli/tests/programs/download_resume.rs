//! `bits download`: continuing an interrupted download.

use std::fs;

use crate::bits_server::{Reaction, Server, status};
use crate::download_server::*;
use crate::uploader::{Ended, Folder, Running, state, states, upload, wait_until};

/// Number of bytes before the interruption.
const BEGINNING: usize = 400;

/// Creates a download whose first GET stalls after the beginning; then the server has `later`.
fn interrupted(entity: &Entity, later: &Entity) -> Job {
    let (entity, later) = (entity.clone(), later.clone());
    let mut has_stalled = false;
    Job::new(move |seen| match (&*seen.kind, has_stalled) {
        ("GET", false) => {
            has_stalled = true;
            Reaction::RespondAndStall(entity.beginning(BEGINNING))
        }
        (_, false) => Reaction::Respond(entity.respond(seen)),
        (_, true) => Reaction::Respond(later.respond(seen)),
    })
}

/// Starts the download and waits until its state has the bytes before the interruption.
fn start(job: &Job) -> Running {
    let running = job.start(&[]);
    let next = format!("\"next\":{BEGINNING},");
    wait_until("the state", || state(&job.states()).to_string().contains(&next));
    running
}

fn kill(job: &Job) {
    let mut running = start(job);
    running.kill();
    running.end();
    job.expect_files(&["file.part"]);
}

#[test]
fn a_killed_download_is_continued() {
    let entity = Entity::new('a', DATE);
    let job = interrupted(&entity, &entity);
    kill(&job);
    job.run(&[]).expect(0, &["downloaded 1000 B"]);
    job.expect_complete(&entity.bytes);
    assert_eq!(job.server.kinds(), ["HEAD", "GET", "GET"]);
    assert_eq!(job.fields("GET", "Range"), [None, Some("bytes=400-999".into())]);
    assert_eq!(job.fields("GET", "If-Unmodified-Since")[1].as_deref(), Some(DATE));
}

#[test]
fn bytes_that_were_lost_are_requested_again() {
    let entity = Entity::new('a', DATE);
    let job = interrupted(&entity, &entity);
    kill(&job);
    let part = fs::File::options().write(true).open(job.path("file.part")).expect("a file");
    part.set_len(150).expect("a shorter file");
    job.run(&[]).expect(0, &[]);
    job.expect_complete(&entity.bytes);
    assert_eq!(job.fields("GET", "Range")[1].as_deref(), Some("bytes=150-999"));
}

#[test]
fn bytes_after_the_stored_state_are_replaced() {
    let entity = Entity::new('a', DATE);
    let job = interrupted(&entity, &entity);
    kill(&job);
    fs::write(job.path("file.part"), [&entity.bytes[..400], &"x".repeat(2000)].concat())
        .expect("a longer file");
    job.run(&[]).expect(0, &[]);
    job.expect_complete(&entity.bytes);
}

#[test]
fn ctrl_c_pauses_a_download() {
    let entity = Entity::new('a', DATE);
    let job = interrupted(&entity, &entity);
    let running = start(&job);
    running.interrupt();
    running.end().expect(130, &["Paused at 400 of 1000 bytes. Run the same command to resume."]);
    job.run(&[]).expect(0, &[]);
    job.expect_complete(&entity.bytes);
}

#[track_caller]
fn assert_starts_over(later: &Entity) -> Ended {
    let job = interrupted(&Entity::new('a', DATE), later);
    kill(&job);
    let ended = job.run(&[]);
    ended.expect(0, &["entity changed on the server; starting over"]);
    job.expect_complete(&later.bytes);
    ended
}

#[test]
fn a_download_of_a_changed_entity_starts_over() {
    assert_starts_over(&Entity::new('b', LATER));
    // The date is the same, but the length is not.
    let mut longer = Entity::new('b', DATE);
    longer.bytes.push_str("more");
    assert_starts_over(&longer);
}

#[test]
fn an_entity_that_changes_between_two_requests_is_downloaded_anew() {
    let (entity, later) = (Entity::new('a', DATE), Entity::new('b', LATER));
    let (old, new) = (entity.clone(), later.clone());
    let job = Job::new(move |seen| match (&*seen.kind, seen.earlier) {
        (_, 0) if seen.kind == "HEAD" => Reaction::Respond(old.respond(seen)),
        ("GET", 0) => Reaction::RespondAndClose(old.beginning(BEGINNING)),
        ("GET", 1) => Reaction::Respond(status(412, &[])),
        _ => Reaction::Respond(new.respond(seen)),
    });
    job.run(&[]).expect(0, &["body is incomplete", "retrying in", "entity changed"]);
    job.expect_complete(&later.bytes);
}

#[test]
fn a_download_without_a_version_is_not_continued() {
    let versioned = Entity::new('a', DATE);
    let entity = Entity { version: String::new(), ..versioned };
    let whole = entity.clone();
    let cut = |times: usize| {
        let whole = whole.clone();
        Job::get(whole.clone(), move |seen| match seen.earlier < times {
            true => Reaction::RespondAndClose(whole.beginning(BEGINNING)),
            false => Reaction::Respond(whole.respond(seen)),
        })
    };
    let job = cut(3);
    job.run(&[]).expect(0, &["body is incomplete"]);
    job.expect_complete(&entity.bytes);
    assert_eq!(job.fields("GET", "Range"), [const { None }; 4]);
    let job = cut(usize::MAX);
    let reason = "server sends neither Last-Modified nor a strong ETag";
    job.run(&[]).expect(1, &[reason, "starting over", "--allow-missing-validator continues"]);
    assert_eq!(job.file(), None);
    let job = cut(1);
    job.run(&[&"--allow-missing-validator"]).expect(0, &["body is incomplete"]);
    job.expect_complete(&entity.bytes);
    let rest = format!("bytes={BEGINNING}-999");
    assert_eq!(job.fields("GET", "Range"), [None, Some(rest)]);
}

#[test]
fn the_state_of_another_download_is_not_continued() {
    let entity = Entity::new('a', DATE);
    let job = interrupted(&entity, &entity);
    kill(&job);
    job.run(&[&"--range", &"0-9"]).expect(0, &["downloaded 10 B"]);
    job.expect_complete(&entity.bytes[..10]);

    let job = interrupted(&entity, &entity);
    kill(&job);
    let other = Entity::new('b', DATE);
    let respond = other.clone();
    let server = Server::start(move |seen| Reaction::Respond(respond.respond(seen)));
    job.start_from(&server.url(), &[]).end().expect(0, &["downloaded 1000 B"]);
    assert_eq!(job.file(), Some(other.bytes));
}

#[test]
fn a_damaged_state_is_replaced() {
    let entity = Entity::new('a', DATE);
    let job = interrupted(&entity, &entity);
    kill(&job);
    fs::write(states(&job.states()).swap_remove(0), "{").expect("a file");
    job.run(&[]).expect(0, &[]);
    job.expect_complete(&entity.bytes);
}

#[test]
fn one_process_runs_a_download_at_a_time() {
    let entity = Entity::new('a', DATE);
    let job = interrupted(&entity, &entity);
    let running = start(&job);
    job.run(&[]).expect(1, &["another process is running the same download"]);
    drop(running);
}

#[test]
fn uploads_do_not_use_the_state_of_a_download() {
    let entity = Entity::new('a', DATE);
    let job = interrupted(&entity, &entity);
    kill(&job);
    let before = states(&job.states());
    let (folder, server) = (Folder::new(10), Server::start(|_| Reaction::Correct));
    upload(&folder.file(), &server.url(), &[&"--resume", &job.states()]).expect(0, &[]);
    assert_eq!(states(&job.states()), before);
    job.run(&[]).expect(0, &[]);
    job.expect_complete(&entity.bytes);
}
