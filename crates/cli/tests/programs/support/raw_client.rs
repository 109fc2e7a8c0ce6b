//! A client that sends complete or incomplete requests over a socket, and reads Acks.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use bits_proto::field::SessionId;
use bits_proto::http1::RequestTarget;
use bits_proto::message::{Extras, HeaderSlots, Request, ResponseHead};

use crate::wait::IO_TIMEOUT;

pub use crate::packets::*;

/// A connection to a server.
pub struct Wire {
    pub stream: TcpStream,
    buffer: Vec<u8>,
}

/// A response without a body, such as an Ack.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    fields: Vec<(String, String)>,
}

impl Answer {
    pub fn field(&self, name: &str) -> Option<&str> {
        let is_it = |field: &&(String, String)| field.0.eq_ignore_ascii_case(name);
        self.fields.iter().find(is_it).map(|field| &*field.1)
    }

    /// Returns the received offset.
    pub fn received(&self) -> Option<u64> {
        self.field("BITS-Received-Content-Range").map(|value| value.parse().expect("a number"))
    }

    pub fn code(&self) -> Option<&str> {
        self.field("BITS-Error-Code")
    }

    /// Returns whether the response is an Ack without a body.
    pub fn is_ack(&self) -> bool {
        self.field("BITS-Packet-Type") == Some("Ack") && self.field("Content-Length") == Some("0")
    }

    pub fn closes(&self) -> bool {
        self.field("Connection") == Some("close")
    }
}

/// Sends a request on its own connection and returns the response.
pub fn ask(server: SocketAddr, target: &str, request: &Request<'_>, body: &[u8]) -> Answer {
    let mut wire = Wire::connect(server);
    wire.send(target, request, body);
    wire.answer().expect("an answer")
}

impl Wire {
    pub fn connect(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).expect("a server that listens");
        stream.set_read_timeout(Some(IO_TIMEOUT)).expect("a timeout");
        stream.set_write_timeout(Some(IO_TIMEOUT)).expect("a timeout");
        Self { stream, buffer: Vec::new() }
    }

    /// Sends a request with a complete or incomplete body.
    pub fn send(&mut self, target: &str, request: &Request<'_>, body: &[u8]) {
        let target = RequestTarget::try_from(target).expect("a target");
        let extras = Extras::from_fields(Vec::new(), [("Host", "origin.example")]);
        let extras = extras.expect("a valid field");
        let head = request.encode(target, &extras).expect("extras of a request");
        self.raw(&[&*head.to_vec(), body].concat());
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("a server that reads");
    }

    /// Reads the next response. Fails if the connection ends before it.
    pub fn answer(&mut self) -> io::Result<Answer> {
        loop {
            if let Some(answer) = self.take_answer() {
                return Ok(answer);
            }
            let mut chunk = [0; 1024];
            match self.stream.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => self.buffer.extend_from_slice(&chunk[..read]),
            }
        }
    }

    fn take_answer(&mut self) -> Option<Answer> {
        let mut slots = HeaderSlots::new();
        let head = ResponseHead::parse(&self.buffer, &mut slots).expect("HTTP").complete()?;
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).expect("text");
        let fields = head.fields().map(|(name, value)| (name.into(), text(value))).collect();
        let answer = Answer { status: head.line().status.get(), fields };
        let length = head.len();
        self.buffer.drain(..length);
        Some(answer)
    }
}

/// Creates a session.
#[track_caller]
pub fn create_session(server: SocketAddr, target: &str) -> SessionId<'static> {
    let answer = ask(server, target, &create(), b"");
    assert_eq!(answer.status, 200, "{answer:?}");
    let id = SessionId::try_from(answer.field("BITS-Session-Id").expect("an id")).expect("an id");
    id.guid().expect("a GUID").into()
}

/// Returns pseudo-random bytes.
pub fn entity(length: usize) -> Vec<u8> {
    let mut word: u64 = 7;
    let mut next = || {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (word >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}
