//! Redis.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bits_proto_test_tools::installed;
use bits_proto_test_tools::interop::{self, Area};
use bits_proto_test_tools::wait::{IO_TIMEOUT, poll};
use tempfile::TempDir;

/// An address at which other processes rarely use a port while Redis is not running.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);

/// A Redis server on a free port, which is killed at the end of the test.
pub struct RedisServer {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl RedisServer {
    /// Starts a server whose data survives a restart. Returns `None` if Redis is not installed, except in CI.
    pub fn start() -> Option<Self> {
        installed::find("redis-server")?;
        let folder = tempfile::tempdir().expect("a folder");
        let running = (0..20).find_map(|_| {
            let port = free_port();
            Some((run(port, &folder)?, port))
        });
        let (process, port) = running.expect("a Redis that starts");
        Some(Self { process, port, folder })
    }

    pub fn url(&self) -> String {
        format!("redis://{}/", self.address())
    }

    pub fn address(&self) -> String {
        format!("{ADDRESS}:{}", self.port)
    }

    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    pub fn restart(&mut self) {
        self.process = poll("Redis", || run(self.port, &self.folder));
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

fn command(port: &str, folder: &Path) -> Command {
    let mut command = Command::new("redis-server");
    command
        .args(["--port", port, "--bind", &ADDRESS.to_string(), "--save", ""])
        // Without fsync, data survives a crash of the process. A busy disk might exceed the timeouts.
        .args(["--appendonly", "yes", "--appendfsync", "no", "--dir"])
        .arg(folder);
    command
}

/// Records what was tried with Redis, and with these further commands.
#[track_caller]
pub fn record(area: Area, action: &str, commands: &[&str], result: &str) {
    let redis = interop::command_line(&command("PORT", Path::new("FOLDER")));
    let commands = [&[&*redis], commands].concat();
    interop::record(area, "Redis", action, &commands, result);
}

/// Starts the process. Returns `None` if it ends, usually because another process uses the port.
fn run(port: u16, folder: &TempDir) -> Option<Child> {
    let mut process = command(&port.to_string(), folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("a Redis that starts");
    let runs = poll("Redis or its end", || {
        let has_ended = process.try_wait().expect("its status").is_some();
        (has_ended || is_ready(port, process.id())).then_some(!has_ended)
    });
    runs.then_some(process)
}

/// Returns `true` if this process listens on the port and has loaded its data.
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
