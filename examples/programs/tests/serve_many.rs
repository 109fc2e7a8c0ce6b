//! The program `serve` with many clients at once.

#[path = "../../../tests/common/program.rs"]
mod program;
#[path = "common/selection.rs"]
mod selection;
#[path = "common/server.rs"]
#[allow(dead_code, reason = "each file of tests needs other parts of it")]
mod server;
#[path = "common/talk.rs"]
#[allow(dead_code, reason = "each file of tests needs other parts of it")]
mod talk;

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use server::{Server, files};
use talk::*;

/// Every client has a connection of its own, and all of them are open at once.
#[test]
fn five_hundred_sessions_at_once() {
    const CLIENTS: usize = 500;
    // A file and a socket for each, at the server, and a socket here.
    rlimit::increase_nofile_limit(4096).expect("enough files");
    let server = Server::start(&["--max-connections", "600"]);
    let all_are_there = Barrier::new(CLIENTS);
    let ids = thread::scope(|scope| {
        let clients = (0..CLIENTS).map(|number| {
            let client = thread::Builder::new().stack_size(256 * 1024);
            let (server, all_are_there) = (&server, &all_are_there);
            let upload = move || {
                let target = format!("/e{number}");
                let entity = entity(number as u64, 20_000 + number);
                let total = entity.len();
                let mut connection = Connection::open(server);
                let id = connection.ask(&target, &create(), b"").session();
                all_are_there.wait();
                for first in (0..total).step_by(7_000) {
                    let end = total.min(first + 7_000);
                    let request = fragment(id, first as u64..end as u64, total as u64);
                    let answer = connection.ask(&target, &request, &entity[first..end]);
                    assert_eq!(answer.received(), end as u64);
                }
                all_are_there.wait();
                connection.ask(&target, &close(id), b"").closed();
                id.guid()
            };
            client.spawn_scoped(scope, upload).expect("a thread")
        });
        let clients = clients.collect::<Vec<_>>();
        clients.into_iter().map(|it| it.join().expect("an upload")).collect::<BTreeSet<_>>()
    });
    assert_eq!(ids.len(), CLIENTS, "each has a session of its own");
    for number in 0..CLIENTS {
        let expected = entity(number as u64, 20_000 + number);
        assert!(server.entity(&format!("e{number}")) == expected, "{number}");
    }
    assert_eq!(files(&server.root()).len(), CLIENTS);
    server.assert_clean();
}

/// Uploads one entity for each seed to the same destination, and closes all of them at once. Says
/// which were placed; the others are cancelled.
fn race(server: &Server, seeds: &[u64]) -> Vec<u64> {
    let start = Barrier::new(seeds.len());
    thread::scope(|scope| {
        let clients = seeds.iter().map(|&seed| {
            let start = &start;
            scope.spawn(move || {
                let entity = entity(seed, 5_000);
                let mut connection = Connection::open(server);
                let id = connection.ask("/e", &create(), b"").session();
                let sent = connection.ask("/e", &fragment(id, 0..5_000, 5_000), &entity);
                assert_eq!(sent.received(), 5_000);
                start.wait();
                let answer = connection.ask("/e", &close(id), b"");
                if answer.status == 200 {
                    answer.closed();
                    return Some(seed);
                }
                assert_eq!(answer.refused(), ACCESS_DENIED);
                let ack_for = bits_proto::message::AckFor::CancelSession { session_id: None };
                connection.ask("/e", &cancel(id), b"").granted(&ack_for);
                None
            })
        });
        let clients = clients.collect::<Vec<_>>();
        clients.into_iter().filter_map(|it| it.join().expect("an upload")).collect()
    })
}

/// Without leave to overwrite, one of many uploads to a destination wins, and it is its entity that
/// is there.
#[test]
fn of_uploads_to_one_destination_one_wins() {
    let server = Server::start(&[]);
    for round in 0..10 {
        let seeds = [round * 8 + 1, round * 8 + 2, round * 8 + 3, round * 8 + 4];
        let placed = race(&server, &seeds);
        assert_eq!(placed.len(), 1, "{placed:?}");
        assert!(server.entity("e") == entity(placed[0], 5_000), "another one's");
        server.assert_clean();
        std::fs::remove_file(server.path("e")).expect("a file");
    }
}

/// With it all of them are placed, one after the other, and the last one stays, whole.
#[test]
fn with_leave_to_overwrite_all_are_placed() {
    let server = Server::start(&["--allow-overwrite"]);
    for round in 0..5 {
        let seeds = [round * 8 + 101, round * 8 + 102, round * 8 + 103, round * 8 + 104];
        let placed = race(&server, &seeds);
        assert_eq!(placed, seeds);
        let there = server.entity("e");
        assert!(seeds.iter().any(|&seed| there == entity(seed, 5_000)), "a mixture");
        server.assert_clean();
    }
}

/// Two connections that send the same fragment at once: its bytes are stored once.
#[test]
fn the_same_fragment_twice_at_once_is_stored_once() {
    let server = Server::start(&[]);
    let entity = entity(200, 60_000);
    let id = begin(&server, "/e");
    for first in (0..60_000).step_by(10_000) {
        let request = fragment(id, first as u64..first as u64 + 10_000, 60_000);
        let start = Barrier::new(3);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut connection = Connection::open(&server);
                    start.wait();
                    let body = &entity[first..first + 10_000];
                    // Busy is what the ones that come second may hear, and then they come again.
                    let received = server::poll("an answer", || {
                        let answer = connection.ask("/e", &request, body);
                        (answer.status != 503).then(|| answer.received())
                    });
                    assert_eq!(received, first as u64 + 10_000);
                });
            }
        });
    }
    ask(&server, "/e", &close(id), b"").closed();
    assert!(server.entity("e") == entity);
    server.assert_clean();
}
