//! A client that sends requests through a proxy as text.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::wait::IO_TIMEOUT;

/// The fields of Create-Session without Content-Length.
pub const CREATE: &str = "BITS-Packet-Type: Create-Session\r\n\
    BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}\r\n";

/// A response.
#[derive(Debug)]
pub struct Response {
    text: String,
}

impl Response {
    pub fn status(&self) -> &str {
        self.text.split(' ').nth(1).expect("a status")
    }

    /// Returns the value of a field with a name in any case.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.text.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.find(|field| field.0.eq_ignore_ascii_case(name)).map(|field| field.1)
    }

    /// Returns the value of a field whose name is spelled in this way.
    pub fn exact_field(&self, name: &str) -> Option<&str> {
        exact_field(&self.text, name)
    }
}

/// Returns the value of a field whose name is spelled in this way.
pub fn exact_field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().skip(1).find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// Returns the head of a request that closes its connection.
pub fn head(target: &str, fields: &str) -> String {
    let host = "Host: uploads.example\r\nConnection: close\r\n";
    format!("BITS_POST {target} HTTP/1.1\r\n{host}{fields}\r\n")
}

/// Returns the head of a GET request that closes its connection.
pub fn get(target: &str, fields: &str) -> String {
    head(target, fields).replace("BITS_POST ", "GET ")
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a proxy that listens");
    stream.set_read_timeout(Some(IO_TIMEOUT)).expect("a timeout");
    stream.set_write_timeout(Some(IO_TIMEOUT)).expect("a timeout");
    stream
}

/// Sends a request and returns the response. Ignores errors, since a proxy may respond and close the
/// connection before it has read everything.
pub fn talk(address: SocketAddr, head: &str, body: &[u8]) -> Response {
    let mut stream = connect(address);
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    Response { text: String::from_utf8_lossy(&text).into_owned() }
}
