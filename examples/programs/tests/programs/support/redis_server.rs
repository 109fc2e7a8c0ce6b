//! A Redis of a test's own.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::node::{PATIENCE, poll};

/// Where hardly anybody else takes a port, before Redis has it or while Redis is away.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);

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
        let folder = tempfile::tempdir().expect("a folder");
        let running = (0..20).find_map(|_| {
            let port = free_port();
            Some((run(port, &folder, survives)?, port))
        });
        let (process, port) = running.expect("a Redis that starts");
        Some(Self { process, port, folder, survives })
    }

    pub fn url(&self) -> String {
        format!("redis://{ADDRESS}:{}/", self.port)
    }

    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    #[allow(dead_code, reason = "not every test ends it")]
    pub fn start_again(&mut self) {
        self.process = poll("Redis listens again", || run(self.port, &self.folder, self.survives));
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One that was free a moment ago.
fn free_port() -> u16 {
    let free = TcpListener::bind((ADDRESS, 0)).expect("a free port");
    free.local_addr().expect("an address").port()
}

/// `None` if it does not run, most likely because somebody else has got the port.
fn run(port: u16, folder: &TempDir, survives: bool) -> Option<Child> {
    let appends = if survives { "yes" } else { "no" };
    let mut process = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", &ADDRESS.to_string(), "--save", ""])
        // What is written survives the process, though not the machine; a disk that is busy may
        // take longer than clients wait.
        .args(["--appendonly", appends, "--appendfsync", "no", "--dir"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("a Redis that starts");
    let runs = poll("Redis listens or ends", || {
        let has_ended = process.try_wait().expect("its status").is_some();
        (has_ended || is_ready(port, process.id())).then_some(!has_ended)
    });
    runs.then_some(process)
}

/// Whether this process answers there, and not another that was faster, and has all its data.
fn is_ready(port: u16, process: u32) -> bool {
    let Ok(mut stream) = TcpStream::connect((ADDRESS, port)) else { return false };
    let mut told = String::new();
    let asked = stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.write_all(b"INFO\r\nQUIT\r\n"))
        .and_then(|()| stream.read_to_string(&mut told));
    asked.is_ok()
        && told.contains(&format!("\r\nprocess_id:{process}\r\n"))
        && told.contains("\r\nloading:0\r\n")
}
