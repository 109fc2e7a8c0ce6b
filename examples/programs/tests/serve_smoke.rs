//! `serve`: one upload through the program itself.

#[path = "../../../tests/common/program.rs"]
mod program;
#[path = "common/selection.rs"]
mod selection;
#[path = "common/serve.rs"]
mod serve;

use std::fs;

use serve::{Serve, fetch, packet};

#[test]
fn an_upload_from_the_first_packet_to_the_end_of_the_server() {
    let mut server = Serve::start(&[]);
    let session = server.create();
    let fragment = |range, body| {
        packet("Fragment", &format!("{session}Content-Range: bytes {range}/10\r\n"), body)
    };
    let answers = server.talk(&[
        fragment("0-3", "0123"),
        fragment("4-9", "456789"),
        packet("Close-Session", &session, ""),
        fetch("/dir/e"),
    ]);
    assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 4, "{answers}");
    assert!(answers.contains("Bits-Received-Content-Range: 4\r\n"), "{answers}");
    assert!(answers.contains("Bits-Received-Content-Range: 10\r\n"), "{answers}");
    assert!(answers.ends_with("\r\n\r\n0123456789"), "{answers}");
    assert_eq!(fs::read(server.path("dir/e")).expect("the entity"), b"0123456789");
    assert_eq!(server.kept(), [""; 0]);
    ends(&mut server);
}

/// What cannot be written down is not answered for, and the client may try again at once.
#[test]
fn a_folder_of_sessions_that_fails_is_503() {
    let server = Serve::start(&[]);
    let session = server.create();
    let record = server.sessions().join(&server.kept()[0]);
    let in_the_way = record.with_extension("new");
    fs::create_dir(&in_the_way).expect("something in the way");
    let fields = format!("{session}Content-Range: bytes 0-5/12\r\nConnection: close\r\n");
    let fragment = [packet("Fragment", &fields, "entity")];
    let before = fs::read(&record).expect("the record");
    let answer = server.talk(&fragment);
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("Bits-Packet-Type: Ack\r\n"), "{answer}");
    assert_eq!(fs::read(&record).expect("the record"), before);
    fs::remove_dir(&in_the_way).expect("out of the way");
    let answer = server.talk(&fragment);
    assert!(answer.contains("Bits-Received-Content-Range: 6\r\n"), "{answer}");
}

#[cfg(unix)]
fn ends(server: &mut Serve) {
    use std::process::Command;
    use std::time::{Duration, Instant};

    let id = server.child.id().to_string();
    let asked = Command::new("kill").args(["-TERM", &id]).status();
    assert!(asked.is_ok_and(|status| status.success()), "it cannot be asked to end");
    let start = Instant::now();
    loop {
        if let Some(status) = server.child.try_wait().expect("its status") {
            assert_eq!(status.code(), Some(0));
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// There is no signal that asks for it.
#[cfg(not(unix))]
fn ends(_: &mut Serve) {}
