//! A process of a server, which is killed at the end of the test.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

pub use crate::wait::*;

/// A running server.
pub struct Node {
    process: Child,
    pub address: SocketAddr,
}

impl Node {
    /// Starts a program on a free port, and reads its address.
    pub fn start(mut command: Command) -> Self {
        let mut process = command
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a program that starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("listening on http://").expect("an address");
        let address = address.parse().expect("an address");
        Self { process, address }
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Sends a POSIX signal.
    pub fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.process.id());
        let sent = Command::new("sh").args(["-c", &command]).status();
        assert!(sent.is_ok_and(|status| status.success()), "{command}");
    }

    /// Kills the process (`kill -9`).
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}
