//! Two nodes of `bits serve` with one Redis and one folder, some of which are killed.
#![cfg(unix)]

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use bits_proto::field::SessionId;
use bits_proto::server::Session;
use bits_proto_test_servers::redis::{self as redis_server, RedisServer};
use bits_proto_test_tools::interop::Area;
use bits_server::sessions::{RedisSessions, SessionStore as _};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::node::{Node, poll};
use crate::raw_client::*;
use crate::upload_tls::before;
use crate::uploader::bits;

struct Cluster {
    nodes: [Node; 2],
    redis: RedisServer,
    folder: TempDir,
    runtime: Runtime,
}

fn start_node(folder: &TempDir, redis: &RedisServer, session_timeout: &str) -> Node {
    let mut command = bits("serve", Path::new("/nonexistent"));
    command.arg("--storage").arg(folder.path().join("shared"));
    command.args(["--sessions", &redis.url(), "--read-timeout", "4s"]);
    command.args(["--session-timeout", session_timeout]);
    Node::start(command)
}

impl Cluster {
    /// Starts two nodes. The session of a killed node is busy for twice the read timeout, which is long
    /// enough to observe it.
    fn start(session_timeout: &str) -> Option<Self> {
        let redis = RedisServer::start()?;
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("shared")).expect("a folder");
        let nodes = [(); 2].map(|()| start_node(&folder, &redis, session_timeout));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Some(Self { nodes, redis, folder, runtime: runtime.expect("a runtime") })
    }

    fn address(&self, node: usize) -> SocketAddr {
        self.nodes[node].address
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("shared").join(name)
    }

    /// Returns a session as stored in Redis.
    fn session(&self, id: SessionId<'_>) -> Option<Session> {
        let load = async {
            let store = RedisSessions::connect(&self.redis.url()).await.expect("Redis works");
            store.load(id.guid().expect("a GUID")).await.expect("Redis works")
        };
        self.runtime.block_on(load).map(|stored| stored.record.record.session)
    }

    /// Returns the folder with a folder for each session.
    fn staging(&self) -> PathBuf {
        self.folder.path().join(".shared.bits-staging")
    }

    /// Returns the folders of sessions that remain.
    fn leftovers(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.staging()).expect("the folder of sessions");
        entries.map(|it| it.expect("an entry").path()).collect()
    }

    /// Waits until this number of bytes is acknowledged.
    fn wait_for(&self, id: SessionId<'_>, bytes: u64) {
        poll("the acknowledgement of the bytes", || {
            (self.session(id)?.received().0 >= bytes).then_some(())
        });
    }

    /// Sends a request until the session is not busy.
    fn ask_until_free(
        &self,
        node: usize,
        request: &bits_proto::message::Request<'_>,
        body: &[u8],
    ) -> Answer {
        poll("a session that is not busy", || {
            let answer = ask(self.address(node), "/e", request, body);
            (answer.status != 503).then_some(answer)
        })
    }
}

/// Records what was tried with Redis.
#[track_caller]
fn record(action: &str, result: &str) {
    let serve = "bits serve --storage FOLDER --sessions redis://HOST:PORT/";
    redis_server::record(Area::Stores, action, &[serve], result);
}

#[test]
fn sessions_are_stored_over_tls() {
    let Some(redis) = RedisServer::start() else { return };
    let plain = redis.url();
    let address = plain.trim_start_matches("redis://").trim_end_matches('/');
    let (port, certificate) = before(address.parse().expect("an address"));
    let folder = tempfile::tempdir().expect("a folder");
    let trusted = folder.path().join("ca.pem");
    fs::write(&trusted, certificate).expect("a file");
    let serve = || {
        let mut command = bits("serve", Path::new("/nonexistent"));
        command.arg("--storage").arg(folder.path().join("shared"));
        command.args(["--sessions", &format!("rediss://localhost:{port}")]);
        command
    };
    let mut command = serve();
    command.env("SSL_CERT_FILE", &trusted);
    let node = Node::start(command);
    let id = create_session(node.address, "/e");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let loaded = runtime.expect("a runtime").block_on(async {
        let store = RedisSessions::connect(&plain).await.expect("Redis works");
        store.load(id.guid().expect("a GUID")).await.expect("Redis works")
    });
    assert!(loaded.is_some());

    let refused = serve().args(["--listen", "127.0.0.1:0"]).output().expect("a program");
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{errors}");
    assert!(errors.contains(&format!("--sessions rediss://localhost:{port}: ")), "{errors}");
    assert!(errors.contains("invalid peer certificate"), "{errors}");
    let action = "sessions over TLS, and with a certificate that is not trusted";
    record(action, "session is stored; bits serve does not start");
}

#[test]
fn an_upload_to_alternating_and_concurrent_nodes() {
    let Some(cluster) = Cluster::start("1h") else { return };
    let entity = entity(2_000_000);
    let total = entity.len() as u64;
    let id = create_session(cluster.address(0), "/e");
    let (mut next, mut round, mut both) = (0, 0, 0);
    while next < total {
        let range = next..(next + 150_000).min(total);
        let body = &entity[range.start as usize..range.end as usize];
        let request = fragment(id, range.clone(), total);
        round += 1;
        if round % 3 > 0 {
            let answer = ask(cluster.address(round % 2), "/e", &request, body);
            assert_eq!((answer.status, answer.received()), (200, Some(range.end)));
        } else {
            let answers = thread::scope(|scope| {
                let ask = |node| ask(cluster.address(node), "/e", &request, body);
                let other = scope.spawn(move || ask(1));
                [ask(0), other.join().expect("an answer")]
            });
            both += answers.iter().filter(|it| it.status == 200).count();
            for answer in &answers {
                // One node stores the bytes. The other one is busy, or finds them already received.
                let is_right = match answer.status {
                    200 => answer.received() == Some(range.end),
                    503 => answer.is_ack(),
                    _ => false,
                };
                assert!(is_right, "{answers:?}");
            }
            assert!(answers.iter().any(|it| it.status == 200), "{answers:?}");
        }
        next = range.end;
    }
    assert!(both > 0);
    assert_eq!(ask(cluster.address(1), "/e", &close(id), b"").status, 200);
    assert_eq!(fs::read(cluster.path("e")).expect("the entity"), entity);
    assert_eq!(cluster.leftovers(), Vec::<PathBuf>::new());
    assert_eq!(cluster.session(id), None);
    // An entity that one node published exists for the other one.
    assert_eq!(ask(cluster.address(0), "/e", &create(), b"").status, 403);
    let action = "upload to two nodes, alternately and at the same time";
    record(action, "entity is identical; a busy session is 503");
}

#[test]
fn another_node_takes_over_from_a_killed_one() {
    let Some(mut cluster) = Cluster::start("1h") else { return };
    let entity = entity(2_000_000);
    let total = entity.len() as u64;
    let id = create_session(cluster.address(0), "/e");
    let mut wire = Wire::connect(cluster.address(0));
    wire.send("/e", &fragment(id, 0..total, total), &entity[..1_100_000]);
    cluster.wait_for(id, 1_000_000);
    cluster.nodes[0].kill();
    assert!(wire.answer().is_err());

    // Until the work token expires, the session is busy.
    let whole = fragment(id, 0..total, total);
    let busy = ask(cluster.address(1), "/e", &whole, &entity);
    assert_eq!(busy.status, 503);
    // Read after the kill, since a report of the killed node may have been in progress before.
    let received = cluster.session(id).expect("a session").received().0;
    let done = cluster.ask_until_free(1, &whole, &entity);
    assert_eq!((done.status, done.received()), (200, Some(total)));
    let id_folder = cluster.staging().join(id.guid().expect("a GUID").to_string());
    let mut parts = fs::read_dir(id_folder.join("parts"))
        .expect("parts")
        .map(|it| it.expect("an entry").file_name().into_string().expect("text"))
        .collect::<Vec<_>>();
    parts.sort();
    assert!(parts[1].starts_with(&format!("{received:020}-")), "{parts:?}");
    assert_eq!(ask(cluster.address(1), "/e", &close(id), b"").status, 200);
    assert_eq!(fs::read(cluster.path("e")).expect("the entity"), entity);
    assert_eq!(cluster.leftovers(), Vec::<PathBuf>::new());
    let action = "upload during which a node is killed (kill -9)";
    record(action, "other node continues; entity is identical");
}

#[test]
fn late_writes_of_a_stalled_node_have_no_effect() {
    let Some(cluster) = Cluster::start("1h") else { return };
    let entity = entity(1_500_000);
    let total = entity.len() as u64;
    let whole = fragment(create_session(cluster.address(0), "/e"), 0..total, total);
    let id = *whole.session_id().expect("an id");
    let mut late = Wire::connect(cluster.address(0));
    late.send("/e", &whole, &entity[..600_000]);
    cluster.wait_for(id, 500_000);
    cluster.nodes[0].signal("STOP");
    // The stalled node will read these bytes, which differ from the entity.
    late.raw(&[0; 100_000]);
    let done = cluster.ask_until_free(1, &whole, &entity);
    assert_eq!((done.status, done.received()), (200, Some(total)));
    cluster.nodes[0].signal("CONT");
    let answer = late.answer().expect("an answer");
    // The client was silent for too long, or another node has the session.
    assert!(
        answer.is_ack() && answer.closes() && [408, 503].contains(&answer.status),
        "{answer:?}"
    );
    assert_eq!(ask(cluster.address(1), "/e", &close(id), b"").status, 200);
    assert_eq!(fs::read(cluster.path("e")).expect("the entity"), entity);
    assert_eq!(cluster.leftovers(), Vec::<PathBuf>::new());
    let action = "upload during which a node is stopped and continues later (kill -STOP, -CONT)";
    record(action, "late bytes are discarded; entity is identical");
}

#[test]
fn any_node_deletes_expired_sessions() {
    let Some(mut cluster) = Cluster::start("5s") else { return };
    let id = create_session(cluster.address(0), "/e");
    let half = ask(cluster.address(0), "/e", &fragment(id, 0..5, 10), b"abcde");
    assert_eq!(half.received(), Some(5));
    cluster.nodes[0].kill();
    // The folder of a session that ended before its node was killed. Nodes look for such folders when
    // they start, and leave recent ones alone.
    let orphan = cluster.staging().join("00000000-0000-4000-8000-000000000000");
    fs::create_dir_all(orphan.join("parts")).expect("a folder");
    for folder in [orphan.join("parts"), orphan] {
        let folder = File::open(folder).expect("a folder");
        folder.set_modified(SystemTime::now() - Duration::from_secs(30 * 86_400)).expect("a date");
    }
    let _third = start_node(&cluster.folder, &cluster.redis, "5s");
    poll("the deletion of its files", || cluster.leftovers().is_empty().then_some(()));
    poll("the end of the session", || cluster.session(id).is_none().then_some(()));
    let late = ask(cluster.address(1), "/e", &fragment(id, 5..10, 10), b"fghij");
    assert_eq!((late.status, late.code()), (500, Some("0x8020001F")));
    assert!(!cluster.path("e").exists());
    let action = "sessions that expire after their node was killed";
    record(action, "another node deletes them");
}

#[test]
fn without_redis_clients_retry_and_continue_later() {
    let Some(mut cluster) = Cluster::start("1h") else { return };
    let id = create_session(cluster.address(0), "/e");
    let half = ask(cluster.address(0), "/e", &fragment(id, 0..5, 10), b"abcde");
    assert_eq!(half.received(), Some(5));
    cluster.redis.kill();
    for request in [create(), fragment(id, 5..10, 10)] {
        let body = &b"fghij"[..request.content_length() as usize];
        let answer = ask(cluster.address(1), "/e", &request, body);
        assert!(answer.is_ack() && answer.status == 503, "{answer:?}");
    }
    assert_eq!(ask(cluster.address(1), "/e", &ping(), b"").status, 200, "a Ping needs no session");
    cluster.redis.restart();
    let rest = cluster.ask_until_free(1, &fragment(id, 5..10, 10), b"fghij");
    assert_eq!((rest.status, rest.received()), (200, Some(10)));
    assert_eq!(cluster.ask_until_free(0, &close(id), b"").status, 200);
    assert_eq!(fs::read(cluster.path("e")).expect("the entity"), b"abcdefghij");
    let action = "upload during which Redis is killed and restarted";
    record(action, "503; upload continues after the restart");
}
