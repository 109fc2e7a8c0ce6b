//! The program `serve` tells a server application of every entity, and keeps its replies. The
//! application is the test.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use crate::application::{Application, COPY, response};
use crate::server::{PATIENCE, Server};
use crate::talk::*;
use bits_proto::field::SessionId;
use bits_proto::message::{Ack, AckContext};

/// Sends the last fragment of 10 bytes, and gives back where the reply is, if there is one.
#[track_caller]
fn last_fragment(server: &Server, target: &str, id: SessionId<'_>) -> Option<String> {
    let answer = ask(server, target, &fragment(id, 5..10, 10), b"56789");
    assert_eq!(answer.received(), 10);
    let ack_context =
        AckContext::Fragment { session_id: None, content_range: None, sent_up_to: None };
    let Ack::Fragment(ack) = answer.ack(&ack_context) else { panic!("{answer:?}") };
    ack.reply_url.map(|url| String::from_utf8_lossy(url.as_bytes()).into_owned())
}

/// Uploads all of 10 bytes but the last fragment.
#[track_caller]
fn first_fragment(server: &Server, target: &str) -> SessionId<'static> {
    let id = begin(server, target);
    let answer = ask(server, target, &fragment(id, 0..5, 10), b"01234");
    assert_eq!((answer.received(), answer.field("BITS-Reply-URL")), (5, None));
    id
}

#[track_caller]
fn fetch(server: &Server, url: &str) -> (u16, Vec<u8>) {
    let answer = Connection::open(server).fetch("GET", url, &[]);
    (answer.status, answer.body)
}

#[track_caller]
fn cancels(server: &Server, target: &str, id: SessionId<'_>) {
    let ack_context = AckContext::CancelSession { session_id: None };
    ask(server, target, &cancel(id), b"").granted(&ack_context);
}

#[test]
fn by_value_the_entity_is_sent_and_the_reply_is_kept() {
    let application = Application::start(|number, told| {
        let fields = if number == 0 { COPY } else { "" };
        response("200 OK", fields, &format!("received {} bytes", told.entity.len()))
    });
    let mut server = Server::start(&["--notify", &application.url]);
    let id = first_fragment(&server, "/e");
    application.was_told_nothing_else();
    let url = last_fragment(&server, "/e", id).expect("a reply");
    let told = application.told();
    assert_eq!((&*told.entity, told.paths), (&b"0123456789"[..], None));
    assert_eq!(told.url, "http://origin.example/e");
    assert_eq!(fetch(&server, &url), (200, b"received 10 bytes".to_vec()));
    assert!(!server.path("e").exists(), "it goes there with Close-Session");
    // [A3] Asked again, it has the same reply, and the application hears nothing.
    assert_eq!(last_fragment(&server, "/e", id).as_ref(), Some(&url));
    // So has another process.
    server.start_again();
    assert_eq!(last_fragment(&server, "/e", id).as_ref(), Some(&url));
    application.was_told_nothing_else();
    let answer = Connection::open(&server).fetch("GET", &url, &[("Range", "bytes=-5")]);
    assert_eq!((answer.status, &*answer.body), (206, &b"bytes"[..]));
    let answer = Connection::open(&server).fetch("HEAD", &url, &[]);
    assert_eq!((answer.status, answer.field("Content-Length").as_deref()), (200, Some("17")));
    // Nobody uploads to where replies are.
    let answer = ask(&server, &url, &create(), b"");
    assert!([403, 501].contains(&answer.refused().0), "{answer:?}");
    ask(&server, "/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), b"0123456789");
    assert_eq!(fetch(&server, &url).0, 404, "it ends with its session");
    server.assert_clean();
    // Where the application does not ask for it, the entity goes nowhere.
    let id = first_fragment(&server, "/f");
    let url = last_fragment(&server, "/f", id).expect("a reply");
    assert_eq!(application.told().entity, b"0123456789");
    ask(&server, "/f", &close(id), b"").closed();
    assert!(!server.path("f").exists());
    assert_eq!(fetch(&server, &url).0, 404);
    server.assert_clean();
}

#[test]
fn by_reference_files_are_named() {
    let application = Application::start(|number, told| {
        let (request, reply) = told.paths.as_ref().expect("paths");
        assert!(request.is_absolute() && reply.is_absolute(), "{told:?}");
        let entity = fs::read(request).expect("the entity");
        if number == 0 {
            fs::write(reply, [b"reply to ", &*entity].concat()).expect("the reply");
        }
        response("200 OK", COPY, "")
    });
    let server = Server::start(&["--notify", &application.url, "--by-reference"]);
    let id = first_fragment(&server, "/e");
    let url = last_fragment(&server, "/e", id).expect("a reply");
    assert_eq!(fetch(&server, &url), (200, b"reply to 0123456789".to_vec()));
    assert_eq!(application.told().url, "http://origin.example/e");
    ask(&server, "/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), b"0123456789");
    assert_eq!(fetch(&server, &url).0, 404);
    server.assert_clean();
    // No file, no reply.
    let id = first_fragment(&server, "/f");
    assert_eq!(last_fragment(&server, "/f", id), None);
    ask(&server, "/f", &close(id), b"").closed();
    assert_eq!(server.entity("f"), b"0123456789");
    // [A1] Of an empty entity it is told with Close-Session.
    let id = begin(&server, "/empty");
    ask(&server, "/empty", &close(id), b"").closed();
    assert_eq!(server.entity("empty"), b"");
    for target in ["/f", "/empty"] {
        assert_eq!(application.told().url, format!("http://origin.example{target}"));
    }
    application.was_told_nothing_else();
    server.assert_clean();
}

#[test]
fn a_reply_of_the_applications_own_is_passed_on() {
    const URL: &str = "http://app.example/reply?for=10";
    let application = Application::start(|_, _| {
        response("200 OK", &format!("BITS-Static-Response-URL: {URL}\r\n"), "")
    });
    let server = Server::start(&["--notify", &application.url]);
    let id = first_fragment(&server, "/e");
    assert_eq!(last_fragment(&server, "/e", id).as_deref(), Some(URL));
    assert_eq!(application.told().entity, b"0123456789");
    ask(&server, "/e", &close(id), b"").closed();
    server.assert_clean();
}

/// What the application refuses, the server refuses in its name: with the context that says so.
#[test]
fn what_the_application_says_is_passed_on() {
    let application = Application::start(|number, _| match number {
        0 => response("503 Service Unavailable", "", ""),
        1 => String::new(),
        2 => "no HTTP\r\n\r\n".into(),
        3 => response("200 OK", COPY, ""),
        _ => response("403 Forbidden", "", "go away"),
    });
    let server = Server::start(&["--notify", &application.url]);
    let id = first_fragment(&server, "/e");
    let say = |target: &str, id| {
        let answer = ask(&server, target, &fragment(id, 5..10, 10), b"56789");
        (answer.status != 200).then(|| answer.refused())
    };
    // [A3] Each time it is told again, as it has not taken the entity.
    for expected in [
        (503, Some(0x8019_01F7), Some(7), None),
        (502, Some(0x8019_01F6), Some(7), None),
        (411, Some(0x8007_0057), Some(7), None),
    ] {
        assert_eq!(say("/e", id), Some(expected));
    }
    assert_eq!(say("/e", id), None, "now it takes it");
    assert_eq!((0..4).map(|_| application.told().entity.len()).sum::<usize>(), 40);
    ask(&server, "/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), b"0123456789");
    server.assert_clean();
    // 403 is for good: it is not told again, and nothing is placed.
    let id = first_fragment(&server, "/f");
    let forbidden = (403, Some(0x8019_0193), Some(7), None);
    assert_eq!(say("/f", id), Some(forbidden));
    assert_eq!(say("/f", id), Some(forbidden));
    assert_eq!(ask(&server, "/f", &close(id), b"").refused(), forbidden);
    assert_eq!(application.told().entity, b"0123456789");
    application.was_told_nothing_else();
    cancels(&server, "/f", id);
    assert!(!server.path("f").exists());
    server.assert_clean();
}

#[test]
fn an_application_that_is_not_there_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    // Nobody listens at this end of a connection, and while it stands nobody else can.
    let taken = TcpStream::connect(listener.local_addr().expect("an address"));
    let taken = taken.expect("a connection");
    let url = format!("http://{}/", taken.local_addr().expect("an address"));
    let mut server = Server::start(&["--notify", &url]);
    let id = first_fragment(&server, "/e");
    let answer = ask(&server, "/e", &fragment(id, 5..10, 10), b"56789");
    let (status, _, context, _) = answer.refused();
    assert!((500..600).contains(&status) && context == Some(7), "{answer:?}");
    let application = Application::start(|_, _| response("200 OK", COPY, "here"));
    server.start_again_with(&["--notify", &application.url]);
    let url = last_fragment(&server, "/e", id).expect("a reply");
    assert_eq!(application.told().entity, b"0123456789");
    assert_eq!(fetch(&server, &url), (200, b"here".to_vec()));
    cancels(&server, "/e", id);
    assert_eq!(fetch(&server, &url).0, 404);
    assert!(!server.path("e").exists());
    server.assert_clean();
}

/// A client that does not wait for the application keeps nobody from going on.
#[test]
fn a_client_that_leaves_meanwhile_comes_back_to_the_reply() {
    let (has_heard, heard) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    let application = Application::start(move |number, _| {
        if number == 0 {
            has_heard.send(()).expect("a test that waits");
            let _ = wait.recv();
        }
        response("200 OK", COPY, "reply")
    });
    let server = Server::start(&["--notify", &application.url]);
    let id = first_fragment(&server, "/e");
    let mut connection = Connection::open(&server);
    connection.send("/e", &fragment(id, 5..10, 10), b"56789");
    heard.recv_timeout(PATIENCE).expect("a notification");
    connection.cut();
    go_on.send(()).expect("an application");
    let answer = insist(&server, "/e", &fragment(id, 5..10, 10), b"56789");
    let url = answer.field("BITS-Reply-URL").expect("a reply");
    assert_eq!(fetch(&server, &url), (200, b"reply".to_vec()));
    ask(&server, "/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), b"0123456789");
    server.assert_clean();
}

/// Replies whose length only their end tells.
#[test]
fn a_reply_of_unknown_length_is_kept() {
    let application = Application::start(|number, _| {
        let head = "HTTP/1.1 200 OK\r\n";
        match number {
            0 => {
                format!("{head}Transfer-Encoding: chunked\r\n\r\n3\r\nchu\r\n2\r\nnk\r\n0\r\n\r\n")
            }
            1 => format!("{head}\r\nuntil the end"),
            // This one is not all there.
            _ => format!("{head}Content-Length: 10\r\n\r\nhalf"),
        }
    });
    let server = Server::start(&["--notify", &application.url]);
    for reply in ["chunk", "until the end"] {
        let id = first_fragment(&server, "/e");
        let url = last_fragment(&server, "/e", id).expect("a reply");
        assert_eq!(fetch(&server, &url), (200, reply.into()));
        cancels(&server, "/e", id);
    }
    let id = first_fragment(&server, "/e");
    let answer = ask(&server, "/e", &fragment(id, 5..10, 10), b"56789");
    assert_eq!(answer.refused().2, Some(7), "{answer:?}");
    cancels(&server, "/e", id);
    server.assert_clean();
}

/// The server is killed while the application thinks: it is told again.
#[test]
fn a_server_that_was_killed_tells_again() {
    let (has_heard, heard) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    let application = Application::start(move |number, told| {
        if number == 0 {
            has_heard.send(()).expect("a test that waits");
            // The first one is never answered: by then the server is another.
            let _ = wait.recv();
            return String::new();
        }
        response("200 OK", COPY, &format!("the second time {}", told.entity.len()))
    });
    let mut server = Server::start(&["--notify", &application.url]);
    let id = first_fragment(&server, "/e");
    let mut connection = Connection::open(&server);
    connection.send("/e", &fragment(id, 5..10, 10), b"56789");
    heard.recv_timeout(PATIENCE).expect("a notification");
    // Others are served meanwhile, and this session is at work.
    ask(&server, "/e", &ping(), b"").granted(&AckContext::Ping);
    assert_eq!(ask(&server, "/e", &close(id), b"").refused(), UNAVAILABLE);
    server.start_again();
    go_on.send(()).expect("an application");
    let url = last_fragment(&server, "/e", id).expect("a reply");
    assert_eq!(fetch(&server, &url), (200, b"the second time 10".to_vec()));
    ask(&server, "/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), b"0123456789");
    server.assert_clean();
}

/// The entity goes to the application and the reply comes back, and neither is in memory.
#[test]
fn a_large_entity_is_told_with_little_memory() {
    const LENGTH: u64 = 72 * 1024 * 1024;
    let application =
        Application::start(|_, told| response("200 OK", "", &"r".repeat(told.entity.len())));
    let server = Server::start(&["--notify", &application.url]);
    let id = begin(&server, "/large");
    let body = vec![b'x'; LENGTH as usize];
    let answer = ask(&server, "/large", &fragment(id, 0..LENGTH, LENGTH), &body);
    assert_eq!(answer.received(), LENGTH);
    assert!(application.told().entity == body);
    let url = answer.field("BITS-Reply-URL").expect("a reply");
    let (status, reply) = fetch(&server, &url);
    assert!(status == 200 && reply.len() as u64 == LENGTH && reply.iter().all(|it| *it == b'r'));
    ask(&server, "/large", &close(id), b"").closed();
    server.assert_clean();
}
