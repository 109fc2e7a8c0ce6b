//! The program `serve` notifies a server application of every entity, and keeps its replies. The
//! tests simulate the application.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use crate::application::{Application, COPY, response};
use crate::http_client::*;
use crate::server::{IO_TIMEOUT, Server};
use bits_proto::field::SessionId;
use bits_proto::message::{Ack, AckContext};

/// Sends the last fragment of 10 bytes. Returns the URL of the reply, if there is one.
#[track_caller]
fn last_fragment(server: &Server, target: &str, id: SessionId<'_>) -> Option<String> {
    let answer = ask(server, target, &fragment(id, 5..10, 10), b"56789");
    assert_eq!(answer.received(), 10);
    let ack_context =
        AckContext::Fragment { session_id: None, content_range: None, sent_up_to: None };
    let Ack::Fragment(ack) = answer.ack(&ack_context) else { panic!("{answer:?}") };
    ack.reply_url.map(|url| reply_target(url.as_bytes(), target))
}

/// Creates a session and sends the first fragment of 10 bytes.
#[track_caller]
fn first_fragment(server: &Server, target: &str) -> SessionId<'static> {
    let id = create_session(server, target);
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
fn cancel_session(server: &Server, target: &str, id: SessionId<'_>) {
    let ack_context = AckContext::CancelSession { session_id: None };
    ask(server, target, &cancel(id), b"").granted(&ack_context);
}

#[test]
fn by_value_the_entity_is_sent_and_the_reply_is_kept() {
    let application = Application::start(|number, notification| {
        let fields = if number == 0 { COPY } else { "" };
        response("200 OK", fields, &format!("received {} bytes", notification.entity.len()))
    });
    let mut server = Server::start(&["--notify", &application.url]);
    let id = first_fragment(&server, "/e");
    application.received_nothing_else();
    let url = last_fragment(&server, "/e", id).expect("a reply");
    let notification = application.notification();
    assert_eq!((&*notification.entity, notification.paths), (&b"0123456789"[..], None));
    assert_eq!(notification.url, "http://origin.example/e");
    assert_eq!(fetch(&server, &url), (200, b"received 10 bytes".to_vec()));
    assert!(!server.path("e").exists(), "it is published by Close-Session");
    // [A3] A repeated fragment gets the same reply without another notification.
    assert_eq!(last_fragment(&server, "/e", id).as_ref(), Some(&url));
    // This also holds after a restart.
    server.restart();
    assert_eq!(last_fragment(&server, "/e", id).as_ref(), Some(&url));
    application.received_nothing_else();
    let answer = Connection::open(&server).fetch("GET", &url, &[("Range", "bytes=-5")]);
    assert_eq!((answer.status, &*answer.body), (206, &b"bytes"[..]));
    let answer = Connection::open(&server).fetch("HEAD", &url, &[]);
    assert_eq!((answer.status, answer.field("Content-Length").as_deref()), (200, Some("17")));
    // The path of replies is not a valid destination.
    let answer = ask(&server, &url, &create(), b"");
    assert!([403, 501].contains(&answer.refused().0), "{answer:?}");
    ask(&server, "/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), b"0123456789");
    assert_eq!(fetch(&server, &url).0, 404, "the reply is deleted with its session");
    server.assert_clean();
    // The entity is not published unless the application requests it.
    let id = first_fragment(&server, "/f");
    let url = last_fragment(&server, "/f", id).expect("a reply");
    assert_eq!(application.notification().entity, b"0123456789");
    ask(&server, "/f", &close(id), b"").closed();
    assert!(!server.path("f").exists());
    assert_eq!(fetch(&server, &url).0, 404);
    server.assert_clean();
}

#[test]
fn by_reference_paths_are_sent() {
    let application = Application::start(|number, notification| {
        let (request, reply) = notification.paths.as_ref().expect("paths");
        assert!(request.is_absolute() && reply.is_absolute(), "{notification:?}");
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
    assert_eq!(application.notification().url, "http://origin.example/e");
    ask(&server, "/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), b"0123456789");
    assert_eq!(fetch(&server, &url).0, 404);
    server.assert_clean();
    // If the application creates no file, there is no reply.
    let id = first_fragment(&server, "/f");
    assert_eq!(last_fragment(&server, "/f", id), None);
    ask(&server, "/f", &close(id), b"").closed();
    assert_eq!(server.entity("f"), b"0123456789");
    // [A1] For an empty entity, the notification is sent with Close-Session.
    let id = create_session(&server, "/empty");
    ask(&server, "/empty", &close(id), b"").closed();
    assert_eq!(server.entity("empty"), b"");
    for target in ["/f", "/empty"] {
        assert_eq!(application.notification().url, format!("http://origin.example{target}"));
    }
    application.received_nothing_else();
    server.assert_clean();
}

#[test]
fn a_static_response_url_is_passed_on() {
    const URL: &str = "http://app.example/reply?for=10";
    let application = Application::start(|_, _| {
        response("200 OK", &format!("BITS-Static-Response-URL: {URL}\r\n"), "")
    });
    let server = Server::start(&["--notify", &application.url]);
    let id = first_fragment(&server, "/e");
    assert_eq!(last_fragment(&server, "/e", id).as_deref(), Some(URL));
    assert_eq!(application.notification().entity, b"0123456789");
    ask(&server, "/e", &close(id), b"").closed();
    server.assert_clean();
}

/// A refusal of the application is passed on to the client with the context of the application.
#[test]
fn refusals_of_the_application_are_passed_on() {
    let application = Application::start(|number, _| match number {
        0 => response("503 Service Unavailable", "", ""),
        1 => String::new(),
        2 => "no HTTP\r\n\r\n".into(),
        3 => response("200 OK", COPY, ""),
        _ => response("403 Forbidden", "", "go away"),
    });
    let server = Server::start(&["--notify", &application.url]);
    let id = first_fragment(&server, "/e");
    let send = |target: &str, id| {
        let answer = ask(&server, target, &fragment(id, 5..10, 10), b"56789");
        (answer.status != 200).then(|| answer.refused())
    };
    // [A3] The notification is repeated until the application accepts the entity.
    for expected in [
        (503, Some(0x8019_01F7), Some(7), None),
        (502, Some(0x8019_01F6), Some(7), None),
        (411, Some(0x8007_0057), Some(7), None),
    ] {
        assert_eq!(send("/e", id), Some(expected));
    }
    assert_eq!(send("/e", id), None, "the application accepts it");
    assert_eq!((0..4).map(|_| application.notification().entity.len()).sum::<usize>(), 40);
    ask(&server, "/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), b"0123456789");
    server.assert_clean();
    // 403 is permanent: the notification is not repeated, and the entity is not published.
    let id = first_fragment(&server, "/f");
    let forbidden = (403, Some(0x8019_0193), Some(7), None);
    assert_eq!(send("/f", id), Some(forbidden));
    assert_eq!(send("/f", id), Some(forbidden));
    assert_eq!(ask(&server, "/f", &close(id), b"").refused(), forbidden);
    assert_eq!(application.notification().entity, b"0123456789");
    application.received_nothing_else();
    cancel_session(&server, "/f", id);
    assert!(!server.path("f").exists());
    server.assert_clean();
}

#[test]
fn an_unreachable_application_is_notified_later() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    // While the connection exists, no other socket can listen on the port of its client end.
    let taken = TcpStream::connect(listener.local_addr().expect("an address"));
    let taken = taken.expect("a connection");
    let url = format!("http://{}/", taken.local_addr().expect("an address"));
    let mut server = Server::start(&["--notify", &url]);
    let id = first_fragment(&server, "/e");
    let answer = ask(&server, "/e", &fragment(id, 5..10, 10), b"56789");
    let (status, _, context, _) = answer.refused();
    assert!((500..600).contains(&status) && context == Some(7), "{answer:?}");
    let application = Application::start(|_, _| response("200 OK", COPY, "here"));
    server.restart_with(&["--notify", &application.url]);
    let url = last_fragment(&server, "/e", id).expect("a reply");
    assert_eq!(application.notification().entity, b"0123456789");
    assert_eq!(fetch(&server, &url), (200, b"here".to_vec()));
    cancel_session(&server, "/e", id);
    assert_eq!(fetch(&server, &url).0, 404);
    assert!(!server.path("e").exists());
    server.assert_clean();
}

#[test]
fn the_application_gets_the_url_of_the_request() {
    let application = Application::start(|_, _| response("200 OK", "", ""));
    let server = Server::start(&["--notify", &application.url]);
    for (target, host, expected) in [
        ("/e?a=%7B1%7D", "origin.example:81", Some("http://origin.example:81/e?a=%7B1%7D")),
        // An absolute request target replaces the host.
        ("http://other.example/e", "origin.example", Some("http://other.example/e")),
        ("/e", "two words", None),
    ] {
        let id = create_session(&server, "/e");
        let head = format!(
            "BITS_POST {target} HTTP/1.1\r\nHost: {host}\r\nBITS-Packet-Type: Fragment\r\n\
             BITS-Session-Id: {id}\r\nContent-Range: bytes 0-0/1\r\nContent-Length: 1\r\n\r\n"
        );
        let mut connection = Connection::open(&server);
        connection.raw(head + "x");
        let answer = connection.answer();
        match expected {
            Some(expected) => {
                assert_eq!(answer.received(), 1, "{target}");
                assert_eq!(application.notification().url, expected);
            }
            // The URL is unknown, so the application is not notified. Retries would not help.
            None => assert_eq!(answer.refused().0, 403, "{target}"),
        }
        cancel_session(&server, "/e", id);
    }
    application.received_nothing_else();
}

/// On a loopback address only a proxy on the same machine is expected, so its fields are trusted.
#[test]
fn the_application_gets_the_public_url_that_a_local_proxy_names() {
    for (option, expected) in [
        (None, "https://public.example/e"),
        (Some("--trust-forwarded=0"), "http://internal:8080/e"),
        (Some("--public-url=https://other.example/up"), "https://other.example/up/e"),
    ] {
        let application = Application::start(|_, _| response("200 OK", "", ""));
        let options = ["--notify", &application.url].into_iter().chain(option);
        let server = Server::start(&options.collect::<Vec<_>>());
        let id = create_session(&server, "/e");
        let mut connection = Connection::open(&server);
        connection.raw(format!(
            "BITS_POST /e HTTP/1.1\r\nHost: internal:8080\r\nX-Forwarded-Proto: https\r\n\
             X-Forwarded-Host: public.example\r\nBITS-Packet-Type: Fragment\r\n\
             BITS-Session-Id: {id}\r\nContent-Range: bytes 0-0/1\r\nContent-Length: 1\r\n\r\nx"
        ));
        assert_eq!(connection.answer().received(), 1, "{option:?}");
        assert_eq!(application.notification().url, expected, "{option:?}");
    }
}

/// A client that disconnects during the notification does not block the session.
#[test]
fn a_client_that_disconnects_during_notification_gets_the_reply_later() {
    let (arrived, arrival) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let application = Application::start(move |number, _| {
        if number == 0 {
            arrived.send(()).expect("a running test");
            let _ = released.recv();
        }
        response("200 OK", COPY, "reply")
    });
    let server = Server::start(&["--notify", &application.url]);
    let id = first_fragment(&server, "/e");
    let mut connection = Connection::open(&server);
    connection.send("/e", &fragment(id, 5..10, 10), b"56789");
    arrival.recv_timeout(IO_TIMEOUT).expect("a notification");
    connection.cut();
    release.send(()).expect("an application");
    let answer = ask_until_free(&server, "/e", &fragment(id, 5..10, 10), b"56789");
    let url = reply_target(answer.field("BITS-Reply-URL").expect("a reply").as_bytes(), "/e");
    assert_eq!(fetch(&server, &url), (200, b"reply".to_vec()));
    ask(&server, "/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), b"0123456789");
    server.assert_clean();
}

/// Replies without Content-Length.
#[test]
fn a_reply_of_unknown_length_is_kept() {
    let application = Application::start(|number, _| {
        let head = "HTTP/1.1 200 OK\r\n";
        match number {
            0 => {
                format!("{head}Transfer-Encoding: chunked\r\n\r\n3\r\nchu\r\n2\r\nnk\r\n0\r\n\r\n")
            }
            1 => format!("{head}\r\nuntil the end"),
            // An incomplete reply.
            _ => format!("{head}Content-Length: 10\r\n\r\nhalf"),
        }
    });
    let server = Server::start(&["--notify", &application.url]);
    for reply in ["chunk", "until the end"] {
        let id = first_fragment(&server, "/e");
        let url = last_fragment(&server, "/e", id).expect("a reply");
        assert_eq!(fetch(&server, &url), (200, reply.into()));
        cancel_session(&server, "/e", id);
    }
    let id = first_fragment(&server, "/e");
    assert_eq!(last_fragment(&server, "/e", id), None, "an incomplete reply is not a reply");
    cancel_session(&server, "/e", id);
    server.assert_clean();
}

/// If the server is killed during the notification, it repeats the notification after its restart.
#[test]
fn a_killed_server_repeats_the_notification() {
    let (arrived, arrival) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let application = Application::start(move |number, notification| {
        if number == 0 {
            arrived.send(()).expect("a running test");
            // The first notification gets no response: the server is killed meanwhile.
            let _ = released.recv();
            return String::new();
        }
        response("200 OK", COPY, &format!("the second time {}", notification.entity.len()))
    });
    let mut server = Server::start(&["--notify", &application.url]);
    let id = first_fragment(&server, "/e");
    let mut connection = Connection::open(&server);
    connection.send("/e", &fragment(id, 5..10, 10), b"56789");
    arrival.recv_timeout(IO_TIMEOUT).expect("a notification");
    // During the notification, other requests are served, and this session is busy.
    ask(&server, "/e", &ping(), b"").granted(&AckContext::Ping);
    assert_eq!(ask(&server, "/e", &close(id), b"").refused(), UNAVAILABLE);
    server.restart();
    release.send(()).expect("an application");
    let url = last_fragment(&server, "/e", id).expect("a reply");
    assert_eq!(fetch(&server, &url), (200, b"the second time 10".to_vec()));
    ask(&server, "/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), b"0123456789");
    server.assert_clean();
}

/// Neither the entity nor the reply is held in memory.
#[test]
fn a_large_entity_is_notified_with_little_memory() {
    const LENGTH: u64 = 72 * 1024 * 1024;
    let application = Application::start(|_, notification| {
        response("200 OK", "", &"r".repeat(notification.entity.len()))
    });
    let server = Server::start(&["--notify", &application.url]);
    let id = create_session(&server, "/large");
    let body = vec![b'x'; LENGTH as usize];
    let answer = ask(&server, "/large", &fragment(id, 0..LENGTH, LENGTH), &body);
    assert_eq!(answer.received(), LENGTH);
    assert!(application.notification().entity == body);
    let url = answer.field("BITS-Reply-URL").expect("a reply");
    let url = reply_target(url.as_bytes(), "/large");
    let (status, reply) = fetch(&server, &url);
    assert!(status == 200 && reply.len() as u64 == LENGTH && reply.iter().all(|it| *it == b'r'));
    ask(&server, "/large", &close(id), b"").closed();
    server.assert_clean();
}
