//! The program `serve` with many concurrent clients.

use std::collections::BTreeSet;
use std::sync::RwLock;
use std::thread;

use crate::http_client::*;
use crate::server::{Server, files};
use bits_proto::field::SessionId;

/// Calls `work` for all items concurrently, each on its own thread. All threads start at the same
/// time.
fn concurrently<T: Send, U: Send>(
    all: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> U + Sync,
) -> Vec<U> {
    let gate = RwLock::new(());
    thread::scope(|scope| {
        let closed = gate.write();
        let begin = |one| {
            let (gate, work) = (&gate, &work);
            let begin = move || {
                drop(gate.read());
                work(one)
            };
            let thread = thread::Builder::new().stack_size(256 * 1024);
            thread.spawn_scoped(scope, begin).expect("a thread")
        };
        let threads = all.into_iter().map(begin).collect::<Vec<_>>();
        drop(closed);
        threads.into_iter().map(|it| it.join().expect("a client that succeeds")).collect()
    })
}

/// A client with its own connection and session.
struct Client {
    target: String,
    connection: Connection,
    id: SessionId<'static>,
}

impl Client {
    fn start(server: &Server, target: String) -> Self {
        let mut connection = Connection::open(server);
        let id = connection.ask(&target, &create(), b"").session();
        Self { target, connection, id }
    }

    fn send(&mut self, entity: &[u8], fragment_size: usize) {
        let total = entity.len();
        for first in (0..total).step_by(fragment_size) {
            let end = total.min(first + fragment_size);
            let request = fragment(self.id, first as u64..end as u64, total as u64);
            let answer = self.connection.ask(&self.target, &request, &entity[first..end]);
            assert_eq!(answer.received(), end as u64);
        }
    }

    fn close(&mut self) -> Answer {
        self.connection.ask(&self.target, &close(self.id), b"")
    }
}

/// All clients have an open connection at the same time.
#[test]
fn five_hundred_sessions_at_once() {
    const CLIENTS: usize = 500;
    // The server needs a file and a socket per client, and the test needs another socket.
    const FILES: u64 = 2 * CLIENTS as u64 + 100;
    let files_at_once = rlimit::increase_nofile_limit(4096).expect("the limit");
    assert!(files_at_once >= FILES, "the limit of {files_at_once} open files is too low");
    // Connections are idle until all clients have started.
    let server = Server::start(&["--max-connections", "600", "--read-timeout", "3600"]);
    let entity = |number: usize| entity(number as u64, 20_000 + number);
    let clients = concurrently(0..CLIENTS, |number| {
        let client = Client::start(&server, format!("/e{number}"));
        (client, number)
    });
    let clients = concurrently(clients, |(mut client, number)| {
        client.send(&entity(number), 7_000);
        client
    });
    let ids = concurrently(clients, |mut client| {
        client.close().closed();
        client.id.guid()
    });
    let ids = ids.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(ids.len(), CLIENTS, "distinct sessions");
    for number in 0..CLIENTS {
        assert!(server.entity(&format!("e{number}")) == entity(number), "{number}");
    }
    assert_eq!(files(&server.root()).len(), CLIENTS);
    server.assert_clean();
}

/// Uploads one entity per seed to the same destination, and closes all sessions concurrently.
/// Returns the seeds of the published entities. The other sessions are cancelled.
fn race(server: &Server, seeds: &[u64]) -> Vec<u64> {
    let clients = concurrently(seeds, |&seed| {
        let mut client = Client::start(server, "/e".into());
        client.send(&entity(seed, 5_000), 5_000);
        (client, seed)
    });
    let placed = concurrently(clients, |(mut client, seed)| {
        let answer = client.close();
        if answer.status == 200 {
            answer.closed();
            return Some(seed);
        }
        assert_eq!(answer.refused(), EXISTS);
        let ack_context = bits_proto::message::AckContext::CancelSession { session_id: None };
        client.connection.ask("/e", &cancel(client.id), b"").granted(&ack_context);
        None
    });
    placed.into_iter().flatten().collect()
}

/// Without `--allow-overwrite`, exactly one of several uploads to a destination succeeds.
#[test]
fn one_of_several_uploads_to_a_destination_succeeds() {
    let server = Server::start(&[]);
    for round in 0..10 {
        let seeds = [round * 8 + 1, round * 8 + 2, round * 8 + 3, round * 8 + 4];
        let placed = race(&server, &seeds);
        assert_eq!(placed.len(), 1, "{placed:?}");
        assert!(server.entity("e") == entity(placed[0], 5_000), "another entity");
        server.assert_clean();
        std::fs::remove_file(server.path("e")).expect("a file");
    }
}

/// With `--allow-overwrite` all of them succeed, and one complete entity remains.
#[test]
fn with_overwriting_all_uploads_succeed() {
    let server = Server::start(&["--allow-overwrite"]);
    for round in 0..5 {
        let seeds = [round * 8 + 101, round * 8 + 102, round * 8 + 103, round * 8 + 104];
        let placed = race(&server, &seeds);
        assert_eq!(placed, seeds);
        let there = server.entity("e");
        assert!(seeds.iter().any(|&seed| there == entity(seed, 5_000)), "a mixture of entities");
        server.assert_clean();
    }
}

/// Several connections send the same fragment concurrently.
#[test]
fn the_same_fragment_twice_at_once_is_stored_once() {
    let server = Server::start(&[]);
    let entity = entity(200, 60_000);
    let id = create_session(&server, "/e");
    for first in (0..60_000).step_by(10_000) {
        let request = fragment(id, first as u64..first as u64 + 10_000, 60_000);
        let body = &entity[first..first + 10_000];
        let connections = [(); 3].map(|()| Connection::open(&server));
        let received = concurrently(connections, |mut connection| {
            // While the session is busy, the response is 503.
            crate::server::poll("an answer", || {
                let answer = connection.ask("/e", &request, body);
                (answer.status != 503).then(|| answer.received())
            })
        });
        assert_eq!(received, [first as u64 + 10_000; 3]);
    }
    ask(&server, "/e", &close(id), b"").closed();
    assert!(server.entity("e") == entity);
    server.assert_clean();
}
