//! The program `serve` on a root of its own, talked to by hand.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::{program, selection};

/// The program, which does not outlive the test.
pub struct Serve {
    pub child: Child,
    address: String,
    folder: TempDir,
}

impl Serve {
    /// Starts it on a root with a folder `dir`.
    pub fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("dir")).expect("the root");
        let mut serve = Command::new(program::program("serve", selection::selection()));
        serve.args(["--listen", "127.0.0.1:0", "--root"]).arg(root).args(options);
        let child = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut serve = Self { child: child.expect("the program"), address: String::new(), folder };
        let stdout = serve.child.stdout.take().expect("its output");
        let mut said = String::new();
        BufReader::new(stdout).read_line(&mut said).expect("what it says");
        let address = said.strip_prefix("listening on http://").expect("where it listens");
        serve.address = address.trim_end().to_owned();
        serve
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("root").join(name)
    }

    pub fn sessions(&self) -> PathBuf {
        self.folder.path().join(".root.bits-sessions")
    }

    /// The names of what it keeps for sessions.
    pub fn kept(&self) -> Vec<String> {
        let entries = fs::read_dir(self.sessions());
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        let names = entries.expect("the sessions").map(name);
        names.map(|name| name.into_string().expect("a name")).collect()
    }

    /// Sends requests over one connection, the last of which closes it, and reads all answers.
    pub fn talk(&self, requests: &[String]) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        stream.write_all(requests.concat().as_bytes()).expect("sent");
        let mut answers = String::new();
        stream.read_to_string(&mut answers).expect("answers");
        answers
    }

    /// Creates a session for `/dir/e`: the field that its other packets carry.
    pub fn create(&self) -> String {
        let protocols = "BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}\r\n";
        let fields = format!("{protocols}Connection: close\r\n");
        let created = self.talk(&[packet("Create-Session", &fields, "")]);
        let id = created.split("Bits-Session-Id: ").nth(1);
        let id = id.and_then(|rest| rest.split("\r\n").next());
        format!("BITS-Session-Id: {}\r\n", id.unwrap_or_else(|| panic!("no session: {created}")))
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A packet for `/dir/e`.
pub fn packet(kind: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "BITS_POST /dir/e HTTP/1.1\r\nHost: origin.example\r\nBITS-Packet-Type: {kind}\r\n\
         Content-Length: {length}\r\n{fields}\r\n{body}"
    )
}

/// A request for what is at a path, the last of its connection.
pub fn fetch(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: origin.example\r\nConnection: close\r\n\r\n")
}
