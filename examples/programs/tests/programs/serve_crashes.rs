//! The program `serve` is killed, as `kill -9` does it, at any moment, and goes on where it was.

use std::fs;

use crate::driver::Driver;
use crate::server::{Server, poll};
use crate::talk::*;
use bits_proto::field::SessionId;

/// Uploads that are cut and killed at random end with the right bytes, each on a server of its own.
fn survives(seeds: std::ops::Range<u64>, options: &[&str]) {
    let (mut cuts, mut kills, mut resumptions) = (0, 0, 0);
    for seed in seeds {
        let mut server = Server::start(options);
        let entity = entity(seed, 50_000 + 17_000 * seed as usize);
        let mut driver = Driver::new(seed, entity.len(), 8);
        driver.run(&mut server, "/e", &entity);
        assert!(server.entity("e") == entity, "seed {seed}: {:?}", driver.journal);
        // A session whose Create-Session was not heard of waits for its time to be over, and has
        // nothing but itself. One that was heard of twice may be cleared up only now.
        let orphans = driver.journal.orphans;
        poll("only orphans", || (server.kept().len() <= orphans).then_some(()));
        server.assert_small();
        cuts += driver.journal.cuts;
        kills += driver.journal.kills;
        resumptions += driver.journal.resumptions;
    }
    assert!(cuts > 10 && kills > 10 && resumptions > 10, "{cuts}, {kills}, {resumptions}");
}

#[test]
fn an_upload_survives_whatever_happens() {
    survives(1..11, &[]);
}

#[test]
fn an_upload_survives_with_everything_synchronised() {
    survives(11..17, &["--fsync"]);
}

/// Bytes that were stored before the end count, though nobody was answered.
#[test]
fn a_fragment_keeps_what_arrived_before_the_server_was_killed() {
    const TOTAL: u64 = 5_000_000;
    let mut server = Server::start(&[]);
    let entity = entity(30, TOTAL as usize);
    let id = begin(&server, "/e");
    let mut connection = Connection::open(&server);
    connection.send("/e", &fragment(id, 0..TOTAL, TOTAL), &entity[..4_000_000]);
    // It reports what it has stored at least once a MiB.
    poll("three million bytes on disk", || {
        let large = |path: &std::path::PathBuf| fs::metadata(path).map_or(0, |it| it.len());
        (server.kept().iter().map(large).max() >= Some(3_900_000)).then_some(())
    });
    server.start_again();
    let held = held(&server, "/e", id, TOTAL);
    assert!((2_000_000..=4_000_000).contains(&held), "{held}");
    let rest = fragment(id, held..TOTAL, TOTAL);
    assert_eq!(ask(&server, "/e", &rest, &entity[held as usize..]).received(), TOTAL);
    server.start_again();
    ask(&server, "/e", &close(id), b"").closed();
    assert!(server.entity("e") == entity);
    server.assert_clean();
}

/// Whatever the moment at which the server dies over a Close-Session: the entity is at its
/// destination whole or not at all, and another Close-Session ends it.
#[test]
fn a_kill_around_commit_leaves_the_entity_whole() {
    let mut server = Server::start(&[]);
    let entity = entity(31, 30_000);
    for number in 0..12_u32 {
        let (name, target) = (format!("e{number}"), format!("/e{number}"));
        let id = begin(&server, &target);
        let sent = ask(&server, &target, &fragment(id, 0..30_000, 30_000), &entity);
        assert_eq!(sent.received(), 30_000);
        let mut connection = Connection::open(&server);
        connection.send(&target, &close(id), b"");
        // The time it takes is what a kill falls into, somewhere.
        for _ in 0..number * 20_000 {
            std::hint::spin_loop();
        }
        server.start_again();
        if server.path(&name).exists() {
            assert!(server.entity(&name) == entity, "half of it");
        }
        let again = ask(&server, &target, &close(id), b"");
        if again.status == 200 {
            again.closed();
        } else {
            // [A11] The first one was done.
            assert_eq!(again.refused(), NOT_FOUND);
        }
        assert!(server.entity(&name) == entity);
    }
    server.assert_clean();
}

/// A server whose sessions are there, and what else somebody has left in the folder.
#[test]
fn what_is_damaged_is_set_aside() {
    let mut server = Server::start(&[]);
    let (whole, damaged) = (begin(&server, "/whole"), begin(&server, "/damaged"));
    for (target, id) in [("/whole", whole), ("/damaged", damaged)] {
        assert_eq!(ask(&server, target, &fragment(id, 0..5, 10), b"01234").received(), 5);
    }
    server.kill();
    let guid = damaged.guid().expect("a GUID");
    let (name, guid) = (guid.to_string(), guid.simple().to_string());
    let is_damaged = |path: &std::path::PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().to_lowercase();
        name.replace('-', "").contains(&guid) && fs::read(path).is_ok_and(|it| it != b"01234")
    };
    let files = server.kept().into_iter().filter(is_damaged).collect::<Vec<_>>();
    assert_eq!(files.len(), 1, "one file for a session, and it is not the entity's: {files:?}");
    fs::write(&files[0], "{ \"session\": ").expect("a file");
    fs::write(server.sessions().join("no-session"), "what is this").expect("a file");
    server.start_again();
    let rest = |id: SessionId<'static>| fragment(id, 5..10, 10);
    assert_eq!(ask(&server, "/damaged", &rest(damaged), b"56789").refused(), NOT_FOUND);
    assert_eq!(ask(&server, "/whole", &rest(whole), b"56789").received(), 10);
    ask(&server, "/whole", &close(whole), b"").closed();
    assert_eq!(server.entity("whole"), b"0123456789");
    let log = server.log();
    let is_reported = |line: &str| line.contains("WARN") && line.to_lowercase().contains(&name);
    assert!(log.lines().any(is_reported), "the log names the damaged session: {log}");
    let kept = server.kept();
    let is_entity = |path: &std::path::PathBuf| fs::read(path).is_ok_and(|it| it == b"01234");
    assert!(!kept.iter().any(is_entity), "the bytes are nobody's: {kept:?}");
    // The client starts over, and nothing is in its way.
    upload(&server, "/damaged", b"new");
    assert_eq!(server.entity("damaged"), b"new");
}

/// An entity whose stored bytes somebody has deleted.
#[test]
fn an_entity_that_is_lost_is_started_over() {
    let mut server = Server::start(&[]);
    let id = begin(&server, "/e");
    let sent = ask(&server, "/e", &fragment(id, 0..10_000, 20_000), &entity(32, 10_000));
    assert_eq!(sent.received(), 10_000);
    server.kill();
    let entity_file =
        server.kept().into_iter().find(|it| fs::metadata(it).is_ok_and(|it| it.len() == 10_000));
    fs::remove_file(entity_file.expect("the stored bytes")).expect("a file");
    server.start_again();
    let rest = fragment(id, 10_000..20_000, 20_000);
    assert_eq!(ask(&server, "/e", &rest, &[0; 10_000]).refused(), NOT_FOUND);
    assert!(!server.path("e").exists());
    server.assert_clean();
}
