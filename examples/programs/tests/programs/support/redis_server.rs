//! A Redis server for one test.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::installed::find;
use crate::node::{IO_TIMEOUT, poll};

/// An address at which other processes rarely use a port while Redis is not running.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);

/// A Redis server on a free port, which is killed at the end of the test.
pub struct RedisServer {
    process: Child,
    port: u16,
    /// Folder for persistent data.
    folder: TempDir,
    is_persistent: bool,
}

impl RedisServer {
    /// Starts a server without persistent data. Returns `None` if Redis is not installed, except in
    /// CI.
    pub fn start() -> Option<Self> {
        Self::new(false)
    }

    /// Starts a server whose data is_persistent a restart.
    #[allow(dead_code, reason = "not every test needs it")]
    pub fn persistent() -> Option<Self> {
        Self::new(true)
    }

    fn new(is_persistent: bool) -> Option<Self> {
        find("redis-server")?;
        let folder = tempfile::tempdir().expect("a folder");
        let running = (0..20).find_map(|_| {
            let port = free_port();
            Some((run(port, &folder, is_persistent)?, port))
        });
        let (process, port) = running.expect("a Redis that starts");
        Some(Self { process, port, folder, is_persistent })
    }

    pub fn url(&self) -> String {
        format!("redis://{ADDRESS}:{}/", self.port)
    }

    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    #[allow(dead_code, reason = "not every test needs it")]
    pub fn restart(&mut self) {
        self.process = poll("Redis", || run(self.port, &self.folder, self.is_persistent));
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns a port that was free just now.
fn free_port() -> u16 {
    let free = TcpListener::bind((ADDRESS, 0)).expect("a free port");
    free.local_addr().expect("an address").port()
}

/// Starts the process. Returns `None` if it ends, usually because another process uses the port.
fn run(port: u16, folder: &TempDir, is_persistent: bool) -> Option<Child> {
    let appends = if is_persistent { "yes" } else { "no" };
    let mut process = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", &ADDRESS.to_string(), "--save", ""])
        // Without fsync, data is_persistent a crash of the process. A busy disk might exceed the
        // timeouts.
        .args(["--appendonly", appends, "--appendfsync", "no", "--dir"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("a Redis that starts");
    let runs = poll("Redis or its end", || {
        let has_ended = process.try_wait().expect("its status").is_some();
        (has_ended || is_ready(port, process.id())).then_some(!has_ended)
    });
    runs.then_some(process)
}

/// Returns whether this process listens on the port and has loaded its data.
fn is_ready(port: u16, process: u32) -> bool {
    let Ok(mut stream) = TcpStream::connect((ADDRESS, port)) else { return false };
    let mut info = String::new();
    let queried = stream
        .set_read_timeout(Some(IO_TIMEOUT))
        .and_then(|()| stream.write_all(b"INFO\r\nQUIT\r\n"))
        .and_then(|()| stream.read_to_string(&mut info));
    queried.is_ok()
        && info.contains(&format!("\r\nprocess_id:{process}\r\n"))
        && info.contains("\r\nloading:0\r\n")
}
