//! `serve`: limits of the system on files.
//!
//! A limit on the size of files simulates a full disk.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::http_client::*;
use crate::server::files;
use bits_proto::message::AckContext;

/// Maximum size of a file.
const MAX_FILE: u64 = 3_000_000;
const TOTAL: u64 = 4_000_000;

const DISK_FULL: Refused = (500, Some(0x8007_0070), Some(5), None);

/// A server with a limit of the system, and its folders.
struct LimitedServer {
    process: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl LimitedServer {
    /// Starts the server with a limit for `prlimit`. Returns `None` if the limit cannot be set.
    fn start(limit: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let (root, sessions) = (folder.path().join("root"), folder.path().join("sessions"));
        fs::create_dir(&root).expect("a root");
        let serve = crate::server::command(&root, Some(&sessions));
        let mut limited = Command::new("prlimit");
        limited.arg(limit).arg(serve.get_program()).args(serve.get_args());
        limited.args(["--listen", "127.0.0.1:0"]);
        limited.env("RUST_LOG", "warn").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = match limited.spawn() {
            Ok(process) => process,
            Err(error) if std::env::var_os("CI").is_none() => {
                println!("prlimit does not run: {error}; this test is skipped");
                return None;
            }
            Err(error) => panic!("prlimit: {error}"),
        };
        let mut line = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let address = line.trim_end().strip_prefix("listening on http://").map(str::parse);
        let address = address.expect("a server that starts").expect("an address");
        Some(Self { process, address, folder })
    }

    fn connect(&self) -> Connection {
        Connection::to(self.address).expect("a server that listens")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for LimitedServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_full_disk_is_reported_and_stored_bytes_are_kept() {
    let Some(server) = LimitedServer::start(&format!("--fsize={MAX_FILE}")) else { return };
    let entity = entity(60, TOTAL as usize);
    let mut connection = server.connect();
    let id = connection.ask("/e", &create(), b"").session();
    let full = connection.ask("/e", &fragment(id, 0..TOTAL, TOTAL), &entity);
    assert_eq!(full.refused(), DISK_FULL);
    // The server continues, and has stored all previous bytes except possibly the last piece.
    let mut connection = server.connect();
    let gap = connection.ask("/e", &fragment(id, TOTAL - 1..TOTAL, TOTAL), b"!");
    let received = gap.refused().3.expect("a gap");
    assert!((MAX_FILE - 1_000_000..=MAX_FILE).contains(&received), "{received}");
    let again = server.connect().ask(
        "/e",
        &fragment(id, received..TOTAL, TOTAL),
        &entity[received as usize..],
    );
    assert_eq!(again.refused(), DISK_FULL);
    assert!(!server.path("root/e").exists());
    // A smaller entity can still be uploaded.
    let mut connection = server.connect();
    let ack_context = AckContext::CancelSession { session_id: None };
    connection.ask("/e", &cancel(id), b"").granted(&ack_context);
    let id = connection.ask("/e", &create(), b"").session();
    let small = &entity[..MAX_FILE as usize];
    assert_eq!(
        connection.ask("/e", &fragment(id, 0..MAX_FILE, MAX_FILE), small).received(),
        MAX_FILE
    );
    connection.ask("/e", &close(id), b"").closed();
    assert!(fs::read(server.path("root/e")).expect("the entity") == small);
    let mut kept = files(&server.path("sessions"));
    kept.retain(|path| path.file_name().is_none_or(|name| name != "lock"));
    assert!(kept.is_empty(), "remaining files: {kept:?}");
}

/// The hard limit permits more files than the soft limit, which programs of the user inherit.
#[test]
fn uploads_beyond_the_soft_limit_of_open_files_succeed() {
    let Some(server) = LimitedServer::start("--nofile=64:2000") else { return };
    let uploads = (0..100).map(|number| {
        let (target, mut connection) = (format!("/e{number}"), server.connect());
        let id = connection.ask(&target, &create(), b"").session();
        // The file is open until the last byte.
        connection.send(&target, &fragment(id, 0..2, 2), b"a");
        connection
    });
    for mut connection in uploads.collect::<Vec<_>>() {
        connection.raw([b'b']);
        assert_eq!(connection.answer().received(), 2);
    }
}
