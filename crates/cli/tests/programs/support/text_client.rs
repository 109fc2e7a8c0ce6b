//! Requests to `serve` and responses as text.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::server::{IO_TIMEOUT, Server};

/// Starts a server on a root with a folder `dir`.
pub fn start(options: &[&str]) -> Server {
    Server::start_in(|root| fs::create_dir(root.join("dir")).expect("a folder"), options)
}

/// Sends requests on one connection, the last of which closes it, and reads all responses.
pub fn talk(server: &Server, requests: &[String]) -> String {
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    stream.set_read_timeout(Some(IO_TIMEOUT)).expect("a timeout");
    stream.write_all(requests.concat().as_bytes()).expect("sent");
    let mut answers = String::new();
    stream.read_to_string(&mut answers).expect("answers");
    answers
}

/// Creates a session for `/dir/e`. Returns the header field with its id.
pub fn create(server: &Server) -> String {
    let protocols = "BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}\r\n";
    let fields = format!("{protocols}Connection: close\r\n");
    let created = talk(server, &[packet("Create-Session", &fields, "")]);
    let id = created.split("Bits-Session-Id: ").nth(1);
    let id = id.and_then(|rest| rest.split("\r\n").next());
    format!("BITS-Session-Id: {}\r\n", id.unwrap_or_else(|| panic!("no session: {created}")))
}

/// Returns a packet for `/dir/e`.
pub fn packet(kind: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "BITS_POST /dir/e HTTP/1.1\r\nHost: origin.example\r\nBITS-Packet-Type: {kind}\r\n\
         Content-Length: {length}\r\n{fields}\r\n{body}"
    )
}

/// Returns a GET request that closes its connection.
pub fn fetch(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: origin.example\r\nConnection: close\r\n\r\n")
}
