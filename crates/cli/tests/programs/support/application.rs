//! A server application, which `serve` notifies.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use bits_proto::message::{HeaderSlots, NotificationRequest, NotifiedEntity, RequestHead};

use crate::server::IO_TIMEOUT;

/// A notification that the application received.
#[derive(Debug, PartialEq, Eq)]
pub struct Notification {
    /// The destination URL.
    pub url: String,
    /// By reference: the paths of the entity and of the reply.
    pub paths: Option<(PathBuf, PathBuf)>,
    /// By value: the entity.
    pub entity: Vec<u8>,
}

/// An application that listens until the test ends.
pub struct Application {
    pub url: String,
    notification: Receiver<Notification>,
}

impl Application {
    /// Starts an application. `answer` returns its response to each notification, by number. An
    /// empty response closes the connection.
    pub fn start(mut answer: impl FnMut(usize, &Notification) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/application?from=bits", listener.local_addr().expect("one"));
        let (sender, notification) = mpsc::channel();
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.expect("a connection");
                let received = read_notification(&mut stream).expect("a notification");
                let answer = answer(number, &received);
                sender.send(received).expect("a running test");
                stream.write_all(answer.as_bytes()).expect("a server that reads");
            }
        });
        Self { url, notification }
    }

    /// Waits for the next notification.
    #[track_caller]
    pub fn notification(&self) -> Notification {
        self.notification.recv_timeout(IO_TIMEOUT).expect("a notification")
    }

    /// Asserts that there was no other notification.
    #[track_caller]
    pub fn received_nothing_else(&self) {
        let notification = self.notification.try_recv().ok();
        assert!(notification.is_none(), "{notification:?}");
    }
}

fn read_notification(stream: &mut TcpStream) -> io::Result<Notification> {
    stream.set_read_timeout(Some(IO_TIMEOUT))?;
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
            return Ok(Notification { url, paths, entity });
        }
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn path(bytes: &[u8]) -> PathBuf {
    String::from_utf8(bytes.to_vec()).expect("text").into()
}

/// Returns a response with these fields and this body.
pub fn response(status: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\n\r\n{body}")
}

/// Requests publication of the entity.
pub const COPY: &str = "BITS-Copy-File-To-Destination: 1\r\n";
