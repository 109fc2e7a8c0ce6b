//! `upload` and `serve`: recovery after either of them is killed.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::uploader::{Folder, Running, bits, state, states, wait_until};
use serde_json::Value;

const LENGTH: u64 = 2_000_000;

/// Length of a fragment, in bytes.
const FRAGMENT: u64 = 100_000;

/// Slow enough for the program to be killed during the upload.
const SLOWLY: [&dyn AsRef<OsStr>; 2] = [&"--limit", &"200K"];

/// The program `serve`, which is killed at the end of the test.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(root: &Path, listen: &str, log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log).expect("a log");
        let mut serve = bits("serve", Path::new("/nonexistent"));
        serve.args(["--log-format", "json", "--listen", listen, "--root"]).arg(root);
        let child = serve
            .env("RUST_LOG", "info,bits_server=debug")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn();
        let mut child = child.expect("the server runs");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let address = line.trim_end().strip_prefix("listening on http://");
        Self { child, address: address.expect("an address").to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Job {
    folder: Folder,
    server: Option<Server>,
    url: String,
}

/// A packet that the server has answered, from its log.
struct Answered {
    packet: String,
    status: u64,
    /// The client's end of the connection.
    peer: String,
}

impl Answered {
    /// Parses a line of the log.
    fn parse(line: &str) -> Option<Self> {
        let line = serde_json::from_str::<Value>(line).ok()?;
        let spans = line["spans"].as_array()?;
        let find = |field: &str| spans.iter().find_map(|span| span[field].as_str());
        let (packet, peer) = (find("packet")?.to_owned(), find("peer")?.to_owned());
        Some(Self { packet, status: line["fields"]["status"].as_u64()?, peer })
    }
}

impl Job {
    fn new() -> Self {
        let folder = Folder::new(LENGTH as usize);
        fs::create_dir(folder.path("root")).expect("the root");
        let mut job = Self { folder, server: None, url: String::new() };
        // An address at which other processes rarely use a port while the server is down.
        let address = job.serve("127.0.0.3:0");
        job.url = format!("http://{address}/uploaded");
        job
    }

    /// Starts the server. Returns its address.
    fn serve(&mut self, listen: &str) -> String {
        let server = Server::start(&self.folder.path("root"), listen, &self.folder.path("log"));
        let address = server.address.clone();
        self.server = Some(server);
        address
    }

    fn answered(&self) -> Vec<Answered> {
        let log = fs::read_to_string(self.folder.path("log")).expect("the log");
        log.lines().filter_map(Answered::parse).collect()
    }

    fn start(&self, more: &[&dyn AsRef<OsStr>]) -> Running {
        let state = self.folder.path("state");
        let fragment = FRAGMENT.to_string();
        let mut all: Vec<&dyn AsRef<OsStr>> =
            vec![&"--fragment-size", &fragment, &"--resume", &state];
        all.extend(more);
        Running::start(&self.folder.file(), &self.url, &all)
    }

    /// Returns the number of acknowledged bytes in the state file.
    fn received(&self) -> u64 {
        state(&self.folder.path("state"))["machine"]["next"].as_u64().unwrap_or(0)
    }

    fn uploaded(&self) -> PathBuf {
        self.folder.path("root").join("uploaded")
    }
}

#[test]
fn a_killed_client_continues() {
    let job = Job::new();
    for received in [300_000, 900_000] {
        let mut running = job.start(&SLOWLY);
        wait_until("an acknowledged part", || job.received() >= received);
        running.kill();
        assert_eq!(running.end().status, None);
        assert!(!job.uploaded().exists());
    }
    let received = job.received();
    let before = job.answered().into_iter().map(|it| it.peer).collect::<BTreeSet<_>>();
    job.start(&[]).end().expect(0, &[]);
    assert_eq!(fs::read(job.uploaded()).expect("the entity"), job.folder.bytes);
    assert_eq!(states(&job.folder.path("state")).len(), 0);
    let answered = job.answered();
    assert_eq!(answered.iter().filter(|it| it.packet == "Create-Session").count(), 1);
    // More fragments would mean that received bytes were sent again.
    let max = (LENGTH - received).div_ceil(FRAGMENT);
    let last = answered.iter().filter(|it| !before.contains(&it.peer));
    let sent = last.filter(|it| it.packet == "Fragment" && it.status == 200).count() as u64;
    assert!((1..=max).contains(&sent), "{sent} fragments after {received} received bytes");
}

#[test]
fn the_client_waits_for_a_killed_server() {
    let mut job = Job::new();
    let running = job.start(&[SLOWLY[0], SLOWLY[1], &"--retries", &"12"]);
    wait_until("an acknowledged part", || job.received() >= 500_000);
    let address = job.server.take().map(|server| server.address.clone()).expect("it ran");
    assert!(!job.uploaded().exists());
    job.serve(&address);
    running.end().expect(0, &["retrying in"]);
    assert_eq!(fs::read(job.uploaded()).expect("the entity"), job.folder.bytes);
}

#[test]
fn a_file_of_many_fragments_arrives() {
    let job = Job::new();
    let length = 96 << 20;
    let large = job.folder.path("large");
    File::create(&large).and_then(|file| file.set_len(length)).expect("a file");
    Running::start(&large, &job.url, &[]).end().expect(0, &["96.00 MiB"]);
    let mut uploaded = File::open(job.uploaded()).expect("the entity");
    assert_eq!(uploaded.metadata().map(|it| it.len()).ok(), Some(length));
    let mut piece = vec![0; 1 << 20];
    while let 1.. = uploaded.read(&mut piece).expect("its bytes") {
        assert!(piece.iter().all(|byte| *byte == 0));
    }
}
