//! Limits of the program `serve`: slow clients, the numbers of connections and sessions, expiry;
//! and its start and shutdown.

use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::http_client::*;
use crate::server::{Server, command, files, poll};
use bits_proto::field::SessionId;
use bits_proto::message::{Ack, AckContext};

/// A client that sends nothing, or an incomplete head, is disconnected after the timeout.
#[test]
fn an_idle_client_is_disconnected() {
    let server = Server::start(&["--read-timeout", "5"]);
    // An older connection to a server with a long timeout stays open.
    let untimed = Server::start(&["--read-timeout", "3600"]);
    let mut kept = Connection::open(&untimed);
    let mut idle = Connection::open(&server);
    let mut used = Connection::open(&server);
    used.ask("/e", &ping(), b"").granted(&AckContext::Ping);
    let mut slow = Connection::open(&server);
    slow.raw("BITS_POST /e HTTP/1.1\r\nHost: origin");
    idle.ends();
    used.ends();
    // hyper may respond to the incomplete head with a status.
    match slow.try_answer() {
        Ok(answer) => assert_eq!(answer.status, 408),
        Err(error) => assert_ne!(error.kind(), ErrorKind::WouldBlock, "no timeout"),
    }
    assert!(kept.is_open());
    server.assert_clean();
}

/// Creates a session with an incomplete fragment. Returns it and the connection of the fragment.
fn stall(server: &Server) -> (SessionId<'static>, Connection) {
    let id = create_session(server, "/e");
    let mut slow = Connection::open(server);
    slow.send("/e", &fragment(id, 0..100, 100), b"0123456789");
    (id, slow)
}

/// After the timeout, an incomplete fragment ends, and its received bytes are kept.
#[test]
fn an_incomplete_body_times_out() {
    let untimed = Server::start(&["--read-timeout", "3600"]);
    let (older, _waiting) = stall(&untimed);
    let is_busy = || {
        let answer = ask(&untimed, "/e", &fragment(older, 50..100, 100), &[b'!'; 50]);
        answer.refused() == UNAVAILABLE
    };
    poll("a busy session", || is_busy().then_some(()));
    let server = Server::start(&["--read-timeout", "5"]);
    let (id, mut slow) = stall(&server);
    // The session accepts requests again, although the connection is still open.
    poll("the received bytes", || {
        let refused = ask(&server, "/e", &fragment(id, 50..100, 100), &[b'!'; 50]).refused();
        (refused == out_of_sync(10)).then_some(())
    });
    // The session on the server with the long timeout is still busy.
    assert!(is_busy());
    let _ = slow.try_answer();
    let answer = ask(&server, "/e", &fragment(id, 10..100, 100), &[b'x'; 90]);
    assert_eq!(answer.received(), 100);
    ask(&server, "/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), [&b"0123456789"[..], &[b'x'; 90]].concat());
    server.assert_clean();
}

/// A slow client that sends single bytes is not disconnected.
#[test]
fn a_slow_client_is_not_disconnected() {
    let server = Server::start(&["--read-timeout", "5"]);
    let id = create_session(&server, "/e");
    let mut connection = Connection::open(&server);
    connection.send("/e", &fragment(id, 0..8, 8), b"");
    for byte in b"abcdefgh" {
        thread::sleep(Duration::from_millis(700));
        connection.raw([*byte]);
    }
    assert_eq!(connection.answer().received(), 8);
    connection.ask("/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), b"abcdefgh");
    server.assert_clean();
}

#[test]
fn sessions_beyond_the_limit_are_refused() {
    let server = Server::start(&["--max-sessions", "3"]);
    let ids = [0, 1, 2].map(|number| create_session(&server, &format!("/e{number}")));
    assert_eq!(ask(&server, "/e3", &create(), b"").refused(), UNAVAILABLE);
    let ack_context = AckContext::CancelSession { session_id: None };
    ask(&server, "/e1", &cancel(ids[1]), b"").granted(&ack_context);
    let id = create_session(&server, "/e3");
    for (target, id) in [("/e0", ids[0]), ("/e2", ids[2]), ("/e3", id)] {
        ask(&server, target, &cancel(id), b"").granted(&ack_context);
    }
    server.assert_clean();
}

#[test]
fn connections_beyond_the_limit_wait() {
    let server = Server::start(&["--max-connections", "2"]);
    let mut open = [(); 2].map(|()| Connection::open(&server));
    for connection in &mut open {
        connection.ask("/e", &ping(), b"").granted(&AckContext::Ping);
    }
    let mut third = Connection::open(&server);
    third.send("/e", &ping(), b"");
    third.stream.set_read_timeout(Some(Duration::from_millis(300))).expect("a timeout");
    match third.try_answer() {
        // The connection is refused with a response, or not accepted yet.
        Ok(answer) => assert_eq!(answer.status, 503),
        Err(_) => {
            let [first, _second] = open;
            first.cut();
            third.stream.set_read_timeout(Some(crate::server::IO_TIMEOUT)).expect("a timeout");
            third.answer().granted(&AckContext::Ping);
        }
    }
    server.assert_clean();
}

/// [A40] Each stored byte extends the life of a session, which finally expires.
#[test]
fn idle_sessions_expire() {
    const TOTAL: u64 = 10_000;
    let mut server = Server::start(&["--session-timeout", "5"]);
    let (kept, left) = (create_session(&server, "/kept"), create_session(&server, "/left"));
    assert_eq!(ask(&server, "/left", &fragment(left, 0..5, 50), b"01234").received(), 5);
    // This is the older session, which is kept alive by its bytes.
    let mut bytes = 0;
    poll("the end of the session", || {
        let answer = ask(&server, "/kept", &fragment(kept, bytes..bytes + 1, TOTAL), b"k");
        bytes += 1;
        assert_eq!(answer.received(), bytes);
        thread::sleep(Duration::from_millis(100));
        let answer = ask(&server, "/left", &fragment(left, 9..10, 50), b"!");
        (answer.refused() == NOT_FOUND).then_some(())
    });
    let rest = vec![b'k'; (TOTAL - bytes) as usize];
    let answer = ask(&server, "/kept", &fragment(kept, bytes..TOTAL, TOTAL), &rest);
    assert_eq!(answer.received(), TOTAL);
    ask(&server, "/kept", &close(kept), b"").closed();
    assert_eq!(server.entity("kept"), [b'k'; TOTAL as usize]);
    poll("the deletion of its files", || server.session_files().is_empty().then_some(()));
    assert!(!server.path("left").exists());
    // A session that expires while no server is running.
    let late = create_session(&server, "/late");
    assert_eq!(ask(&server, "/late", &fragment(late, 0..5, 50), b"01234").received(), 5);
    server.kill();
    thread::sleep(Duration::from_millis(5100));
    server.restart();
    // The session may be busy while the server deletes it.
    let rest = ask_until_free(&server, "/late", &fragment(late, 5..50, 50), &[0; 45]);
    assert_eq!(rest.refused(), NOT_FOUND);
    poll("the deletion of its files", || server.session_files().is_empty().then_some(()));
    server.assert_clean();
}

/// At shutdown, requests in progress are completed and new connections are refused.
#[test]
fn shutdown_completes_requests_in_progress() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&[]);
        let id = create_session(&server, "/e");
        let mut at_work = Connection::open(&server);
        at_work.send("/e", &fragment(id, 0..10, 20), b"01234");
        poll("a busy session", || {
            let answer = ask(&server, "/e", &fragment(id, 15..20, 20), b"!!!!!");
            (answer.refused() == UNAVAILABLE).then_some(())
        });
        let mut idle = Connection::open(&server);
        idle.ask("/e", &ping(), b"").granted(&AckContext::Ping);
        server.signal(signal);
        poll("refused connections", || Connection::to(server.address).is_err().then_some(()));
        idle.ends();
        at_work.raw("56789");
        assert_eq!(at_work.answer().received(), 10, "the request is completed");
        at_work.ends();
        drop((idle, at_work));
        let ended = server.wait();
        assert_eq!(ended.code(), Some(0), "{signal}: {}", server.log());
        // The next process continues the session.
        server.restart();
        let rest = ask(&server, "/e", &fragment(id, 10..20, 20), b"abcdefghij");
        assert_eq!(rest.received(), 20);
        ask(&server, "/e", &close(id), b"").closed();
        assert_eq!(server.entity("e"), b"0123456789abcdefghij");
        server.assert_clean();
    }
}

/// A client that stops sending does not prevent the shutdown. Its bytes are kept.
#[test]
fn shutdown_does_not_wait_for_stalled_clients() {
    let mut server = Server::start(&[]);
    let id = create_session(&server, "/e");
    let mut slow = Connection::open(&server);
    slow.send("/e", &fragment(id, 0..20, 40), b"01234");
    poll("a busy session", || {
        let answer = ask(&server, "/e", &fragment(id, 15..20, 40), b"!!!!!");
        (answer.refused() == UNAVAILABLE).then_some(())
    });
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    server.restart();
    assert_eq!(received_offset(&server, "/e", id, 40), 5);
    ask(&server, "/e", &cancel(id), b"");
    server.assert_clean();
}

#[test]
fn startup_errors_are_explained() {
    let folder = tempfile::tempdir().expect("a folder");
    let (root, sessions) = (folder.path().join("root"), folder.path().join("sessions"));
    let listen = ["--listen", "127.0.0.1:0"];
    does_not_start(&root.join("missing"), &sessions, &listen, 1, "missing");
    fs::create_dir(&root).expect("a folder");
    does_not_start(&root, &sessions, &["--listen", "nowhere"], 2, "'nowhere' for '--listen");
    for (option, value) in [("--basic", "no-colon"), ("--overlap", "perhaps")] {
        let wrong = format!("'{value}' for '{option}");
        does_not_start(&root, &sessions, &[listen[0], listen[1], option, value], 2, &wrong);
    }
    let negative = [listen[0], listen[1], "--max-upload=-1"];
    does_not_start(&root, &sessions, &negative, 2, "'-1' for '--max-upload");
    // An entity could not be published in one step from another file system.
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else {
        return println!("skipped: there is no /dev/shm");
    };
    let device = |path: &Path| path.metadata().expect("the folder").dev();
    if device(&root) == device(elsewhere.path()) {
        return println!("skipped: temporary files are in /dev/shm");
    }
    does_not_start(&root, elsewhere.path(), &listen, 1, "file system");
}

/// Asserts that the program ends with this status and this text in its error message.
#[track_caller]
fn does_not_start(root: &Path, sessions: &Path, options: &[&str], status: i32, why: &str) {
    let mut command = command(root, Some(sessions));
    command.args(options).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("a program");
    let mut line = String::new();
    let output = process.stdout.take().expect("its output");
    BufReader::new(output).read_line(&mut line).expect("a line");
    // If it prints its address, it has started and would not end.
    if !line.is_empty() {
        let _ = process.kill();
    }
    let output = process.wait_with_output().expect("its end");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*line), (Some(status), ""), "{text}");
    assert!(text.contains(why) && !text.contains("panicked"), "no {why:?} in {text}");
}

/// By default, sessions are in a hidden folder beside the root.
#[test]
fn by_default_sessions_are_beside_the_root() {
    let server = Server::start_with_default_sessions();
    let id = create_session(&server, "/e");
    let parent = server.root().parent().expect("a parent").to_path_buf();
    let names = fs::read_dir(parent).expect("a folder");
    let names = names.map(|it| it.expect("an entry").file_name()).collect::<Vec<_>>();
    assert_eq!(names.len(), 2, "{names:?}");
    let hidden = names.iter().find(|it| *it != "root").expect("another").to_string_lossy();
    assert!(hidden.starts_with('.') && hidden.contains("root"), "{hidden}");
    assert!(files(&server.root()).is_empty());
    ask(&server, "/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), b"");
}

/// If sessions cannot be stored, clients are asked to retry later.
#[test]
fn sessions_that_cannot_be_stored_are_refused_with_503() {
    let server = Server::start(&[]);
    let id = create_session(&server, "/e");
    assert_eq!(ask(&server, "/e", &fragment(id, 0..5, 10), b"01234").received(), 5);
    fs::remove_dir_all(server.sessions().join("sessions")).expect("a folder");
    assert_eq!(ask(&server, "/f", &create(), b"").refused(), UNAVAILABLE);
    fs::remove_dir_all(server.sessions()).expect("the folder of staged data too");
    let refused = ask(&server, "/f", &create(), b"");
    assert_eq!(refused.refused(), UNAVAILABLE);
    assert_eq!(refused.field("Retry-After").as_deref(), Some("10"));
    let answer = ask(&server, "/e", &fragment(id, 5..10, 10), b"56789");
    assert!((500..600).contains(&answer.refused().0), "{answer:?}");
    ask(&server, "/e", &ping(), b"").granted(&AckContext::Ping);
    assert!(!server.path("e").exists() && !server.path("f").exists());
}

/// [2.2.3.2] The host at which clients continue.
#[test]
fn the_host_id_is_sent() {
    for (options, timeout) in [
        (&["--host-id", "node-7.example"][..], None),
        (&["--host-id", "node-7.example", "--fallback", "60"], Some(60)),
    ] {
        let server = Server::start(options);
        let answer = ask(&server, "/e", &create(), b"");
        let Ack::CreateSession(ack) = answer.ack(&AckContext::CreateSession { offered: None })
        else {
            panic!("{answer:?}")
        };
        assert_eq!(ack.host_id.map(|it| it.to_string()).as_deref(), Some("node-7.example"));
        let fallback = ack.host_id_fallback_timeout.expect("one with a host").0;
        assert_eq!(fallback, timeout.unwrap_or(u32::MAX));
        ask(&server, "/e", &cancel(ack.session_id), b"");
        server.assert_clean();
    }
}

/// In JSON format, each line of the log is an object, and requests are logged with their status.
#[test]
fn the_log_can_be_json() {
    let server = Server::start(&["--log-format", "json"]);
    upload(&server, "/e", b"bytes");
    let is_about = |line: &&str| line.contains("Close-Session") && line.contains("200");
    poll("a line about Close-Session", || server.log().lines().find(is_about).map(drop));
    for line in server.log().lines() {
        let parsed: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(parsed["level"].is_string() && parsed["timestamp"].is_string(), "{line}");
    }
}
