//! `upload` and `serve`: an incomplete reply.
#![cfg(unix)]

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::application::{Application, COPY, response};
use crate::server::Server;
use crate::uploader::{Folder, upload};

/// A proxy that cuts the connection in the middle of the response to the first GET.
struct Proxy {
    address: SocketAddr,
    /// The heads of GETs, and the beginnings of the responses.
    seen: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Starts a proxy that forwards `through` bytes of that response.
    fn start(server: SocketAddr, through: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("one");
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let proxy = Self { address, seen: Arc::clone(&seen) };
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.expect("a connection");
                let server = TcpStream::connect(server).expect("a server that listens");
                let is_get = Arc::new(AtomicBool::new(false));
                let [(from, to), (back, home)] = [(&client, &server), (&server, &client)]
                    .map(|(one, other)| (one.try_clone(), other.try_clone()))
                    .map(|(one, other)| (one.expect("a stream"), other.expect("a stream")));
                let (seen, responses) = (Arc::clone(&seen), Arc::clone(&seen));
                let was_get = Arc::clone(&is_get);
                thread::spawn(move || forward_requests(from, to, &seen, &is_get));
                thread::spawn(move || forward_responses(back, home, &responses, &was_get, through));
            }
        });
        proxy
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("what was seen").clone()
    }
}

fn forward_requests(
    mut from: TcpStream,
    mut to: TcpStream,
    seen: &Mutex<Vec<String>>,
    is_get: &AtomicBool,
) {
    let mut piece = vec![0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        if piece.starts_with(b"GET ") {
            let head = String::from_utf8_lossy(&piece[..read]).to_lowercase();
            seen.lock().expect("what was seen").push(head);
            is_get.store(true, Ordering::SeqCst);
        }
        if to.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

fn forward_responses(
    mut from: TcpStream,
    mut to: TcpStream,
    seen: &Mutex<Vec<String>>,
    is_get: &AtomicBool,
    through: usize,
) {
    let mut piece = vec![0; 65_536];
    let mut left = usize::MAX;
    while let Ok(read @ 1..) = from.read(&mut piece) {
        if is_get.swap(false, Ordering::SeqCst) {
            let mut seen = seen.lock().expect("what was seen");
            seen.push(String::from_utf8_lossy(&piece[..12]).into_owned());
            left = if seen.len() == 2 { through } else { usize::MAX };
        }
        let part = read.min(left);
        left -= part;
        if to.write_all(&piece[..part]).is_err() || left == 0 {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn an_incomplete_reply_is_resumed() {
    const THROUGH: usize = 100_000;
    let reply = (0..50_000).map(|number| format!("{number} ")).collect::<String>();
    let said = reply.clone();
    let application = Application::start(move |_, _| response("200 OK", COPY, &said));
    let server = Server::start(&["--notify", &application.url]);
    let proxy = Proxy::start(server.address, THROUGH);
    let folder = Folder::new(100_000);
    let out = folder.path("out");
    let url = format!("http://{}/e", proxy.address);
    let ended = upload(&folder.file(), &url, &[&"--reply", &out, &"--retries", &"3"]);
    ended.expect(0, &["body is incomplete"]);
    assert_eq!(fs::read(&out).expect("the reply"), reply.as_bytes());
    assert_eq!(server.entity("e"), folder.bytes);
    let seen = proxy.seen();
    let [first, whole, second, rest] = &seen[..] else { panic!("{seen:?}") };
    assert!(!first.contains("\r\nrange: "), "{first}");
    assert_eq!((&**whole, &**rest), ("HTTP/1.1 200", "HTTP/1.1 206"));
    let offset = second.split("\r\nrange: bytes=").nth(1).and_then(|it| it.split('-').next());
    let offset = offset.and_then(|it| it.parse::<usize>().ok()).expect("a range");
    assert!((THROUGH - 1000..THROUGH).contains(&offset), "{offset}");
    server.assert_clean();
}
