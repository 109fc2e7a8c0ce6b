//! The program `serve` does not notify an application again once it has accepted the entity, whatever
//! fails afterwards.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::application::{Application, COPY, response};
use crate::http_client::*;
use crate::server::{IO_TIMEOUT, Server};
use bits_proto::field::SessionId;
use bits_proto::message::AckContext;

/// Uploads 10 bytes in one fragment. Returns the session and the answer.
#[track_caller]
fn send_entity(server: &Server, target: &str) -> (SessionId<'static>, Answer) {
    let id = create_session(server, target);
    (id, send_again(server, target, id))
}

fn send_again(server: &Server, target: &str, id: SessionId<'_>) -> Answer {
    ask(server, target, &fragment(id, 0..10, 10), b"0123456789")
}

#[track_caller]
fn close_session(server: &Server, target: &str, id: SessionId<'_>) {
    ask(server, target, &close(id), b"").closed();
    server.assert_clean();
}

/// Repeats the fragment and closes the session. The server publishes the entity without another notification.
#[track_caller]
fn finish(server: &Server, id: SessionId<'_>, received_nothing_else: impl FnOnce()) {
    assert_eq!(send_again(server, "/e", id).received(), 10);
    received_nothing_else();
    close_session(server, "/e", id);
    assert_eq!(server.entity("e"), b"0123456789");
}

/// An application that is driven by the test, connection by connection.
struct RawApplication {
    url: String,
    listener: TcpListener,
}

impl RawApplication {
    fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("its address"));
        Self { url, listener }
    }

    fn accept(&self) -> TcpStream {
        let (stream, _) = self.listener.accept().expect("a connection");
        stream.set_read_timeout(Some(IO_TIMEOUT)).expect("a time limit");
        stream
    }

    #[track_caller]
    fn received_nothing_else(&self) {
        self.listener.set_nonblocking(true).expect("a listener");
        let other = self.listener.accept();
        assert!(other.is_err(), "another notification: {other:?}");
    }
}

/// Reads a notification up to these bytes.
fn read_until(stream: &mut TcpStream, end: &[u8]) {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end) {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a notification");
        bytes.push(byte[0]);
    }
}

#[test]
fn every_2xx_accepts_the_entity() {
    let statuses = ["201 Created", "202 Accepted", "204 No Content", "205 Reset Content", "299 x"];
    let application = Application::start(move |number, _| match statuses[number % 5] {
        status @ "204 No Content" => format!("HTTP/1.1 {status}\r\n{COPY}\r\n"),
        status @ "205 Reset Content" => response(status, COPY, ""),
        status => response(status, COPY, "reply"),
    });
    for kind in [&[][..], &["--by-reference"]] {
        let options = [&["--notify", &*application.url][..], kind].concat();
        let server = Server::start(&options);
        for status in statuses {
            let (id, answer) = send_entity(&server, "/e");
            assert_eq!(answer.received(), 10, "{status}");
            let has_reply =
                kind.is_empty() && !status.starts_with("204") && !status.starts_with("205");
            assert_eq!(answer.field("BITS-Reply-URL").is_some(), has_reply, "{status}");
            application.notification();
            finish(&server, id, || application.received_nothing_else());
            fs::remove_file(server.path("e")).expect("published");
        }
    }
}

#[test]
fn by_option_only_200_accepts_the_entity() {
    let application = Application::start(|number, _| match number {
        0 => "HTTP/1.1 204 No Content\r\n\r\n".into(),
        1 => response("201 Created", "", ""),
        _ => response("200 OK", COPY, ""),
    });
    let server = Server::start(&["--notify", &application.url, "--require-200"]);
    let (id, answer) = send_entity(&server, "/e");
    let refused = (500, Some(0x8019_01F4), Some(7), None);
    assert_eq!(answer.refused(), refused);
    assert_eq!(send_again(&server, "/e", id).refused(), refused);
    assert_eq!(send_again(&server, "/e", id).received(), 10);
    close_session(&server, "/e", id);
}

/// The reply breaks off, or cannot be received any more. The client gets its Ack without a reply.
#[test]
fn a_reply_that_is_cut_off_does_not_cause_another_notification() {
    let application = Application::start(|_, _| {
        format!("HTTP/1.1 200 OK\r\n{COPY}Content-Length: 1000\r\n\r\nhalf of it")
    });
    let mut server = Server::start(&["--notify", &application.url]);
    let (id, answer) = send_entity(&server, "/e");
    assert_eq!((answer.received(), answer.field("BITS-Reply-URL")), (10, None));
    application.notification();
    server.restart();
    finish(&server, id, || application.received_nothing_else());
}

#[test]
fn a_server_that_is_killed_during_the_reply_does_not_notify_again() {
    let application = RawApplication::bind();
    let mut server = Server::start(&["--notify", &application.url]);
    let id = create_session(&server, "/e");
    let mut connection = Connection::open(&server);
    connection.send("/e", &fragment(id, 0..10, 10), b"0123456789");
    let mut stream = application.accept();
    read_until(&mut stream, b"0123456789");
    let head = format!("HTTP/1.1 200 OK\r\n{COPY}Content-Length: 1000\r\n\r\nhalf of it");
    stream.write_all(head.as_bytes()).expect("a server that reads");
    // The acceptance is recorded as soon as the head has arrived.
    let is_recorded = || {
        let files = server.session_files();
        let record = files.iter().find(|path| path.extension().is_some_and(|it| it == "json"));
        fs::read_to_string(record?).ok()?.contains(r#""state":"replying""#).then_some(())
    };
    crate::server::poll("the record of the acceptance", is_recorded);
    server.restart();
    drop(stream);
    // Close-Session alone continues as well.
    let answer = ask(&server, "/e", &close(id), b"");
    answer.closed();
    assert_eq!(server.entity("e"), b"0123456789");
    application.received_nothing_else();
    server.assert_clean();
}

/// Receivers of web hooks may respond and close the connection without reading the entity.
#[test]
fn an_application_that_accepts_without_reading_is_notified_once() {
    // More than the sockets can buffer.
    const LENGTH: u64 = 32 * 1024 * 1024;
    let application = RawApplication::bind();
    let server = Server::start(&["--notify", &application.url]);
    let id = create_session(&server, "/e");
    let mut connection = Connection::open(&server);
    connection.send("/e", &fragment(id, 0..LENGTH, LENGTH), &vec![b'x'; LENGTH as usize]);
    let mut stream = application.accept();
    read_until(&mut stream, b"\r\n\r\n");
    let head = "HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(head.as_bytes()).expect("a server that reads");
    stream.shutdown(std::net::Shutdown::Write).expect("a connection");
    // Unread input resets a connection that is closed.
    thread::sleep(Duration::from_millis(200));
    drop(stream);
    assert_eq!(connection.answer().received(), LENGTH);
    application.received_nothing_else();
    close_session(&server, "/e", id);
}

/// The record of the session cannot be stored when the application accepts the entity.
#[test]
fn an_acceptance_is_recorded_once_the_store_works_again() {
    let application = RawApplication::bind();
    let mut server = Server::start(&["--notify", &application.url]);
    let id = create_session(&server, "/e");
    let mut connection = Connection::open(&server);
    connection.send("/e", &fragment(id, 0..10, 10), b"0123456789");
    let mut stream = application.accept();
    read_until(&mut stream, b"0123456789");
    let files = server.session_files();
    let record = files.iter().find(|path| path.extension().is_some_and(|it| it == "json"));
    let obstacle: PathBuf = record.expect("a record").with_extension("new");
    fs::create_dir(&obstacle).expect("an obstacle");
    stream.write_all(response("200 OK", COPY, "").as_bytes()).expect("a server that reads");
    crate::server::poll("a failure", || {
        server.log().contains("cannot record the acceptance").then_some(())
    });
    assert_eq!(send_again(&server, "/e", id).refused(), UNAVAILABLE, "it stays busy");
    fs::remove_dir(&obstacle).expect("no obstacle");
    assert_eq!(connection.answer().received(), 10);
    server.restart();
    finish(&server, id, || application.received_nothing_else());
}

/// By reference, the reply is a file that can be looked up again.
#[test]
fn a_reply_by_reference_is_found_after_a_failure() {
    let (sender, paths) = mpsc::channel();
    let application = Application::start(move |_, notification| {
        let (_, reply) = notification.paths.as_ref().expect("paths");
        // A folder is not a reply.
        fs::create_dir(reply).expect("a folder");
        sender.send(reply.clone()).expect("a running test");
        response("200 OK", COPY, "")
    });
    let server = Server::start(&["--notify", &application.url, "--by-reference"]);
    let (id, answer) = send_entity(&server, "/e");
    assert_eq!((answer.received(), answer.field("BITS-Reply-URL")), (10, None));
    let reply = paths.recv_timeout(IO_TIMEOUT).expect("the path of the reply");
    fs::remove_dir(&reply).expect("a folder");
    application.notification();
    finish(&server, id, || application.received_nothing_else());
}

/// The client has no credentials for the application.
#[test]
fn only_the_server_itself_asks_for_credentials() {
    let challenge = "WWW-Authenticate: Basic realm=\"application\"\r\n";
    let application = Application::start(move |_, _| response("401 Unauthorized", challenge, ""));
    let server = Server::start(&["--notify", &application.url]);
    let (id, answer) = send_entity(&server, "/e");
    assert_eq!(answer.refused(), (401, Some(0x8019_0191), Some(7), None));
    assert_eq!(answer.field("WWW-Authenticate"), None);
    ask(&server, "/e", &cancel(id), b"").granted(&AckContext::CancelSession { session_id: None });
    let closed = Server::start(&["--notify", &application.url, "--basic", "alice:secret"]);
    let answer = ask(&closed, "/e", &create(), b"");
    assert_eq!(answer.refused(), UNAUTHENTICATED);
    assert!(answer.field("WWW-Authenticate").is_some_and(|it| it.contains("BITS")));
}

/// The file that the application refused too large is never sent again in smaller fragments.
#[test]
fn a_413_of_the_application_is_the_applications() {
    let application = Application::start(|_, _| response("413 Payload Too Large", "", ""));
    let server = Server::start(&["--notify", &application.url]);
    let (id, answer) = send_entity(&server, "/e");
    assert_eq!(answer.refused(), (413, Some(0x8019_019D), Some(7), None));
    application.notification();
    ask(&server, "/e", &cancel(id), b"").granted(&AckContext::CancelSession { session_id: None });
    application.received_nothing_else();
}
