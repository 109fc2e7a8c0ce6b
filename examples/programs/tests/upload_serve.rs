//! `upload` and `serve`: what either lives through when it is killed.

#[allow(clippy::duplicate_mod)]
#[path = "../../../tests/common/program.rs"]
mod program;
#[path = "common/selection.rs"]
mod selection;
// It remembers one program.
#[allow(clippy::duplicate_mod)]
#[path = "../../../tests/common/program.rs"]
mod server_program;
#[path = "common/uploader.rs"]
#[allow(dead_code)]
mod uploader;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use uploader::{Folder, Running, wait_until};

/// The program `serve`, which does not outlive the test.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(root: &Path, listen: &str) -> Self {
        let mut serve = Command::new(server_program::program("serve", selection::selection()));
        serve.args(["--listen", listen, "--root"]).arg(root);
        let child = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.expect("the server runs");
        let mut said = String::new();
        let output = child.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut said).expect("what it says");
        let address = said.trim_end().strip_prefix("listening on http://");
        Self { child, address: address.expect("where it listens").to_owned() }
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

impl Job {
    fn new() -> Self {
        let folder = Folder::new(2_000_000);
        fs::create_dir(folder.path("root")).expect("the root");
        let server = Server::start(&folder.path("root"), "127.0.0.1:0");
        let url = format!("http://{}/uploaded", server.address);
        Self { folder, server: Some(server), url }
    }

    /// Slow enough for somebody to come between.
    fn start(&self, more: &[&dyn AsRef<OsStr>]) -> Running {
        let state = self.folder.path("state");
        let mut all: Vec<&dyn AsRef<OsStr>> =
            vec![&"--fragment-size", &"100K", &"--limit", &"1M", &"--resume", &state];
        all.extend(more);
        Running::start(&self.folder.file(), &self.url, &all)
    }

    /// How many bytes the server has acknowledged, as far as is written down.
    fn received(&self) -> u64 {
        let state = fs::read(self.folder.path("state")).unwrap_or_default();
        let state = serde_json::from_slice::<serde_json::Value>(&state).unwrap_or_default();
        state["upload"]["next"].as_u64().unwrap_or(0)
    }

    fn uploaded(&self) -> PathBuf {
        self.folder.path("root").join("uploaded")
    }
}

#[test]
fn a_client_that_is_killed_goes_on() {
    let job = Job::new();
    for received in [300_000, 900_000] {
        let mut running = job.start(&[]);
        wait_until("some of it is there", || job.received() >= received);
        running.kill();
        assert_eq!(running.end().status, None);
        assert!(!job.uploaded().exists());
    }
    let running = job.start(&[]);
    let ended = running.end();
    ended.expect(0, &[]);
    assert!(ended.took.as_secs_f64() < 1.5, "not all of it again: {:?}", ended.took);
    assert_eq!(fs::read(job.uploaded()).expect("the entity"), job.folder.bytes);
    assert!(!job.folder.path("state").exists());
}

#[test]
fn a_server_that_is_killed_is_waited_for() {
    let mut job = Job::new();
    let running = job.start(&[&"--retries", &"10"]);
    wait_until("some of it is there", || job.received() >= 500_000);
    let address = job.server.take().map(|server| server.address.clone()).expect("it ran");
    assert!(!job.uploaded().exists());
    job.server = Some(Server::start(&job.folder.path("root"), &address));
    running.end().expect(0, &["trying again in"]);
    assert_eq!(fs::read(job.uploaded()).expect("the entity"), job.folder.bytes);
}

#[test]
#[ignore = "a GiB takes its time in a build that is not optimized"]
fn a_gibibyte_arrives() {
    let job = Job::new();
    let length = 1 << 30;
    let large = job.folder.path("large");
    File::create(&large).and_then(|file| file.set_len(length)).expect("a file");
    Running::start(&large, &job.url, &[]).end().expect(0, &["1.00 GiB"]);
    let mut uploaded = File::open(job.uploaded()).expect("the entity");
    assert_eq!(uploaded.metadata().map(|it| it.len()).ok(), Some(length));
    let mut piece = vec![0; 1 << 20];
    while let 1.. = uploaded.read(&mut piece).expect("its bytes") {
        assert!(piece.iter().all(|byte| *byte == 0));
    }
}
