//! A server application, as `serve` notifies it: what it is told, and what it says to that.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use bits_proto::message::{HeaderSlots, NotificationRequest, NotifiedEntity, RequestHead};

use crate::server::PATIENCE;

/// What an application was told.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    /// The destination URL.
    pub url: String,
    /// By reference: where the entity is, and where the reply belongs.
    pub paths: Option<(PathBuf, PathBuf)>,
    /// By value: the entity.
    pub entity: Vec<u8>,
}

/// An application that listens until the test ends.
pub struct Application {
    pub url: String,
    told: Receiver<Told>,
}

impl Application {
    /// An application that says `answer` to the first notification, the second, and so on; nothing
    /// where that is empty, and it closes the connection.
    pub fn start(mut answer: impl FnMut(usize, &Told) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/application?from=bits", listener.local_addr().expect("one"));
        let (sender, told) = mpsc::channel();
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.expect("a connection");
                let heard = hear(&mut stream).expect("a notification");
                let answer = answer(number, &heard);
                sender.send(heard).expect("a test that goes on");
                stream.write_all(answer.as_bytes()).expect("a server that reads");
            }
        });
        Self { url, told }
    }

    /// The next notification, which has come or is on its way.
    #[track_caller]
    pub fn told(&self) -> Told {
        self.told.recv_timeout(PATIENCE).expect("a notification")
    }

    /// Asserts that there was no other.
    #[track_caller]
    pub fn was_told_nothing_else(&self) {
        let told = self.told.try_recv().ok();
        assert!(told.is_none(), "{told:?}");
    }
}

fn hear(stream: &mut TcpStream) -> io::Result<Told> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 65_536];
        let read = stream.read(&mut chunk)?;
        bytes.extend_from_slice(&chunk[..read]);
        let mut slots = HeaderSlots::new();
        let head = RequestHead::parse(&bytes, &mut slots).map_err(io::Error::other)?;
        if let Some(head) = head.complete() {
            assert_eq!(head.line().target, "/application?from=bits");
            let length = head.len();
            let decoded = NotificationRequest::from_head(&head).map_err(io::Error::other)?;
            assert!(decoded.deviations.is_empty(), "{:?}", decoded.deviations);
            let (body, paths) = match decoded.message.entity {
                NotifiedEntity::ByValue { content_length } => (content_length, None),
                NotifiedEntity::ByReference { request, response } => {
                    (0, Some((path(request.as_bytes()), path(response.as_bytes()))))
                }
                _ => panic!("a variant that this code does not know"),
            };
            let url = decoded.message.original_request_url.as_bytes();
            let url = String::from_utf8_lossy(url).into_owned();
            let mut entity = bytes.split_off(length);
            let left = body - entity.len() as u64;
            stream.take(left).read_to_end(&mut entity)?;
            return Ok(Told { url, paths, entity });
        }
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn path(bytes: &[u8]) -> PathBuf {
    String::from_utf8(bytes.to_vec()).expect("text").into()
}

/// A response with these fields and this body.
pub fn response(status: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\n\r\n{body}")
}

/// Asks for the entity to be put at its destination.
pub const COPY: &str = "BITS-Copy-File-To-Destination: 1\r\n";
