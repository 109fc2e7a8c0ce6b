//! A Redis of a test's own.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::node::poll;

/// A Redis on a free port, which ends with its test.
pub struct RedisServer {
    process: Child,
    port: u16,
    /// Where it writes everything down, if it is to survive itself.
    folder: TempDir,
    survives: bool,
}

impl RedisServer {
    /// Starts one that forgets everything when it ends. `None` where it is not installed, unless
    /// everything is to be checked.
    pub fn start() -> Option<Self> {
        Self::new(false)
    }

    /// Starts one that survives its end.
    #[allow(dead_code, reason = "not every test ends it")]
    pub fn surviving() -> Option<Self> {
        Self::new(true)
    }

    fn new(survives: bool) -> Option<Self> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            assert!(std::env::var_os("CI").is_none(), "redis-server is missing");
            eprintln!("skipped: redis-server is missing");
            return None;
        }
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let folder = tempfile::tempdir().expect("a folder");
        Some(Self { process: run(port, &folder, survives), port, folder, survives })
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    #[allow(dead_code, reason = "not every test ends it")]
    pub fn start_again(&mut self) {
        self.process = run(self.port, &self.folder, self.survives);
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn run(port: u16, folder: &TempDir, survives: bool) -> Child {
    let appends = if survives { "yes" } else { "no" };
    let mut process = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
        .args(["--appendonly", appends, "--appendfsync", "always", "--dir"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("a Redis that starts");
    poll("Redis listens", || {
        let ended = process.try_wait().expect("its status");
        assert!(ended.is_none(), "Redis does not start: {ended:?}");
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()
    });
    process
}
