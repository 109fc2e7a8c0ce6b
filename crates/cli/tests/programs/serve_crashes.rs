//! The program `serve` recovers after it is killed (`kill -9`) at any point.

use std::fs;
use std::path::PathBuf;

use crate::driver::Driver;
use crate::http_client::*;
use crate::server::{Server, poll};
use bits_proto::field::SessionId;

/// Uploads with simulated faults, each on its own server, result in the right entity.
fn survives(seeds: std::ops::Range<u64>, options: &[&str]) {
    let (mut cuts, mut kills, mut resumptions) = (0, 0, 0);
    for seed in seeds {
        let mut server = Server::start(options);
        let entity = entity(seed, 50_000 + 17_000 * seed as usize);
        let mut driver = Driver::new(seed, entity.len(), 8);
        driver.run(&mut server, "/e", &entity);
        assert!(server.entity("e") == entity, "seed {seed}: {:?}", driver.journal);
        // If the response to Create-Session was lost, the empty session remains until it expires, with a
        // record and an empty file.
        let orphans = driver.journal.orphans;
        poll("at most the orphaned sessions", || {
            let (records, staged): (Vec<_>, Vec<_>) = (server.session_files().into_iter())
                .partition(|path| path.extension().is_some_and(|it| it == "json"));
            let is_empty = |path: &PathBuf| fs::metadata(path).is_ok_and(|it| it.len() == 0);
            let are_few = records.len() <= orphans && staged.len() <= orphans;
            (are_few && staged.iter().all(is_empty)).then_some(())
        });
        server.assert_small();
        cuts += driver.journal.cuts;
        kills += driver.journal.kills;
        resumptions += driver.journal.resumptions;
    }
    assert!(cuts > 10 && kills > 10 && resumptions > 10, "{cuts}, {kills}, {resumptions}");
}

#[test]
fn an_upload_survives_simulated_faults() {
    survives(1..11, &[]);
}

#[test]
fn an_upload_survives_simulated_faults_with_fsync() {
    survives(11..17, &["--fsync"]);
}

/// Stored bytes are kept even if they were not acknowledged.
#[test]
fn bytes_stored_before_the_server_is_killed_are_kept() {
    const TOTAL: u64 = 5_000_000;
    let mut server = Server::start(&[]);
    let entity = entity(30, TOTAL as usize);
    let id = create_session(&server, "/e");
    let mut connection = Connection::open(&server);
    connection.send("/e", &fragment(id, 0..TOTAL, TOTAL), &entity[..4_000_000]);
    // The server records stored bytes at least once per MiB.
    poll("three million bytes on disk", || {
        let large = |path: &PathBuf| fs::metadata(path).map_or(0, |it| it.len());
        (server.session_files().iter().map(large).max() >= Some(3_900_000)).then_some(())
    });
    server.restart();
    let received = received_offset(&server, "/e", id, TOTAL);
    assert!((2_000_000..=4_000_000).contains(&received), "{received}");
    let rest = fragment(id, received..TOTAL, TOTAL);
    assert_eq!(ask(&server, "/e", &rest, &entity[received as usize..]).received(), TOTAL);
    server.restart();
    ask(&server, "/e", &close(id), b"").closed();
    assert!(server.entity("e") == entity);
    server.assert_clean();
}

/// Whenever the server is killed during Close-Session, the entity is published completely or not at
/// all, and another Close-Session completes the upload.
#[test]
fn a_kill_during_publication_leaves_the_entity_complete() {
    let mut server = Server::start(&[]);
    let entity = entity(31, 30_000);
    for number in 0..12_u32 {
        let (name, target) = (format!("e{number}"), format!("/e{number}"));
        let id = create_session(&server, &target);
        let sent = ask(&server, &target, &fragment(id, 0..30_000, 30_000), &entity);
        assert_eq!(sent.received(), 30_000);
        let mut connection = Connection::open(&server);
        connection.send(&target, &close(id), b"");
        // Varies the time of the kill.
        for _ in 0..number * 20_000 {
            std::hint::spin_loop();
        }
        server.restart();
        if server.path(&name).exists() {
            assert!(server.entity(&name) == entity, "incomplete entity");
        }
        let again = ask(&server, &target, &close(id), b"");
        if again.status == 200 {
            again.closed();
        } else {
            // [A11] The first Close-Session was successful.
            assert_eq!(again.refused(), NOT_FOUND);
        }
        assert!(server.entity(&name) == entity);
    }
    server.assert_clean();
}

/// A damaged record and an unrelated file do not affect other sessions.
#[test]
fn damaged_records_do_not_affect_other_sessions() {
    let mut server = Server::start(&[]);
    let (whole, damaged) = (create_session(&server, "/whole"), create_session(&server, "/damaged"));
    for (target, id) in [("/whole", whole), ("/damaged", damaged)] {
        assert_eq!(ask(&server, target, &fragment(id, 0..5, 10), b"01234").received(), 5);
    }
    server.kill();
    let guid = damaged.guid().expect("a GUID");
    let (name, guid) = (guid.to_string(), guid.simple().to_string());
    let is_damaged = |path: &PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().to_lowercase();
        name.replace('-', "").contains(&guid) && fs::read(path).is_ok_and(|it| it != b"01234")
    };
    let files = server.session_files().into_iter().filter(is_damaged).collect::<Vec<_>>();
    assert_eq!(files.len(), 1, "exactly one record: {files:?}");
    fs::write(&files[0], "{ \"session\": ").expect("a file");
    fs::write(server.sessions().join("no-session"), "what is this").expect("a file");
    server.restart();
    let rest = |id: SessionId<'static>| fragment(id, 5..10, 10);
    assert_eq!(ask(&server, "/damaged", &rest(damaged), b"56789").refused(), NOT_FOUND);
    assert_eq!(ask(&server, "/whole", &rest(whole), b"56789").received(), 10);
    ask(&server, "/whole", &close(whole), b"").closed();
    assert_eq!(server.entity("whole"), b"0123456789");
    let log = server.log();
    let is_reported = |line: &str| line.contains("WARN") && line.to_lowercase().contains(&name);
    assert!(log.lines().any(is_reported), "the log names the damaged session: {log}");
    let kept = server.session_files();
    let is_entity = |path: &PathBuf| fs::read(path).is_ok_and(|it| it == b"01234");
    assert!(!kept.iter().any(is_entity), "the stored bytes remain: {kept:?}");
    // The client can upload the entity again.
    upload(&server, "/damaged", b"new");
    assert_eq!(server.entity("damaged"), b"new");
}

/// The stored bytes of a session are deleted while the server is down.
#[test]
fn a_session_with_a_lost_entity_is_not_found() {
    let mut server = Server::start(&[]);
    let id = create_session(&server, "/e");
    let sent = ask(&server, "/e", &fragment(id, 0..10_000, 20_000), &entity(32, 10_000));
    assert_eq!(sent.received(), 10_000);
    server.kill();
    let entity_file = server
        .session_files()
        .into_iter()
        .find(|it| fs::metadata(it).is_ok_and(|it| it.len() == 10_000));
    fs::remove_file(entity_file.expect("the stored bytes")).expect("a file");
    server.restart();
    let rest = fragment(id, 10_000..20_000, 20_000);
    assert_eq!(ask(&server, "/e", &rest, &[0; 10_000]).refused(), NOT_FOUND);
    assert!(!server.path("e").exists());
    server.assert_clean();
}
