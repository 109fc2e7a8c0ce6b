//! The program `serve` returns uploaded entities, completely and in ranges.

use std::io::Read as _;
use std::time::{Duration, Instant};

use crate::http_client::*;
use crate::server::Server;

#[test]
fn an_entity_is_fetched_whole_and_in_ranges() {
    let server = Server::start(&[]);
    let entity = entity(20, 100_000);
    upload(&server, "/e", &entity);
    let mut connection = Connection::open(&server);
    let whole = connection.fetch("GET", "/e", &[]);
    assert_eq!((whole.status, whole.closes()), (200, false));
    assert_eq!(whole.field("Accept-Ranges").as_deref(), Some("bytes"));
    assert_eq!(whole.field("Content-Length").as_deref(), Some("100000"));
    assert_eq!(whole.field("Content-Range"), None);
    assert!(whole.body == entity);
    for (range, expected) in [
        ("bytes=0-0", 0..1),
        ("bytes=0-99999", 0..100_000),
        ("bytes=10-19", 10..20),
        ("bytes=99999-", 99_999..100_000),
        ("bytes=50000-", 50_000..100_000),
        ("bytes=0-", 0..100_000),
        ("bytes=99990-200000", 99_990..100_000),
        ("bytes=5-18446744073709551615", 5..100_000),
        ("bytes=-1", 99_999..100_000),
        ("bytes=-1000", 99_000..100_000),
        ("bytes=-100000", 0..100_000),
        ("bytes=-200000", 0..100_000),
    ] {
        let answer = connection.fetch("GET", "/e", &[("Range", range)]);
        let content_range = format!("bytes {}-{}/100000", expected.start, expected.end - 1);
        assert_eq!(answer.status, 206, "{range}");
        assert_eq!(answer.field("Content-Range"), Some(content_range), "{range}");
        assert!(answer.body == entity[expected], "{range}");
    }
    for range in ["bytes=100000-", "bytes=100000-100001"] {
        let answer = connection.fetch("GET", "/e", &[("Range", range)]);
        assert_eq!(answer.status, 416, "{range}");
        assert_eq!(answer.field("Content-Range").as_deref(), Some("bytes */100000"), "{range}");
    }
    // A suffix of zero bytes is unsatisfiable or invalid.
    let none = connection.fetch("GET", "/e", &[("Range", "bytes=-0")]);
    assert!(none.status == 416 || none.status == 200 && none.body == entity, "{none:?}");
    // Other units and invalid ranges are ignored.
    for range in ["lines=1-2", "bytes=9-5", "bytes=", "bytes=a-b", "0-5", "bytes=--5"] {
        let answer = connection.fetch("GET", "/e", &[("Range", range)]);
        assert_eq!(answer.status, 200, "{range}");
        assert!(answer.body == entity, "{range}");
    }
    server.assert_clean();
}

#[test]
fn head_returns_the_fields_of_get() {
    let server = Server::start(&[]);
    upload(&server, "/e", b"0123456789");
    let id = create_session(&server, "/empty");
    ask(&server, "/empty", &close(id), b"").closed();
    let mut connection = Connection::open(&server);
    let answer = connection.fetch("HEAD", "/e", &[]);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.field("Content-Length").as_deref(), Some("10"));
    assert_eq!(answer.field("Accept-Ranges").as_deref(), Some("bytes"));
    // The response has no body, so the next response follows directly.
    let empty = connection.fetch("GET", "/empty", &[]);
    assert_eq!((empty.status, empty.body), (200, vec![]));
    let empty = connection.fetch("GET", "/empty", &[("Range", "bytes=0-")]);
    assert!([200, 416].contains(&empty.status), "{empty:?}");
    for method in ["GET", "HEAD"] {
        assert_eq!(connection.fetch(method, "/nothing", &[]).status, 404);
        assert_eq!(connection.fetch(method, "/e/below", &[]).status, 404);
        let folder = connection.fetch(method, "/", &[]);
        assert!([403, 404].contains(&folder.status), "{folder:?}");
        assert!(!String::from_utf8_lossy(&folder.body).contains("empty"), "the folder is listed");
    }
    server.assert_clean();
}

/// An entity that is not published cannot be fetched under any name.
#[test]
fn an_unpublished_entity_cannot_be_fetched() {
    let server = Server::start(&[]);
    let id = create_session(&server, "/e");
    assert_eq!(ask(&server, "/e", &fragment(id, 0..6, 9), b"secret").received(), 6);
    let mut targets = vec!["/e".to_string(), "/../sessions/".into(), "/%2e%2e/sessions/".into()];
    for path in server.session_files() {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        for folder in ["", "sessions/", "../sessions/", "BITS-Sessions/", "BITS-Sessions/Replies/"]
        {
            targets.push(format!("/{folder}{name}"));
        }
    }
    assert!(targets.len() > 3, "files of the session");
    targets.push(format!("/BITS-Sessions/Replies/{id}/response"));
    targets.push(format!("/BITS-Sessions/Replies/{}/response", id.guid().expect("a GUID")));
    for target in targets {
        let answer = Connection::open(&server).fetch("GET", &target, &[]);
        assert!([400, 403, 404].contains(&answer.status), "{target}: {answer:?}");
        assert!(!answer.body.windows(6).any(|it| it == b"secret"), "{target}");
    }
    ask(&server, "/e", &cancel(id), b"");
    server.assert_clean();
}

#[test]
fn a_large_entity_is_fetched_with_little_memory() {
    let server = Server::start(&[]);
    let length = 128 * 1024 * 1024;
    std::fs::File::create(server.path("large"))
        .and_then(|file| file.set_len(length))
        .expect("a sparse file");
    let answer = Connection::open(&server).fetch("GET", "/large", &[]);
    assert_eq!((answer.status, answer.body.len() as u64), (200, length));
    // Clients that disconnect before they read the response.
    for _ in 0..10 {
        let mut connection = Connection::open(&server);
        connection.raw("GET /large HTTP/1.1\r\nHost: origin.example\r\n\r\n");
        connection.cut();
    }
    assert_eq!(Connection::open(&server).fetch("HEAD", "/large", &[]).status, 200);
    server.assert_clean();
}

/// A resumed download never combines parts of two entities.
#[cfg(unix)]
#[test]
fn a_resumed_download_never_mixes_entities() {
    let server = Server::start(&["--allow-overwrite"]);
    let (old, new) = (entity(21, 50_000), entity(22, 50_000));
    upload(&server, "/e", &old);
    let mut connection = Connection::open(&server);
    let whole = connection.fetch("GET", "/e", &[]);
    let tag = whole.field("ETag").expect("a tag");
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2, "not a strong tag: {tag}");
    assert_eq!(connection.fetch("HEAD", "/e", &[]).field("ETag").as_ref(), Some(&tag));
    let rest = |connection: &mut Connection, tag: &str| {
        connection.fetch("GET", "/e", &[("If-Range", tag), ("Range", "bytes=40000-")])
    };
    let same = rest(&mut connection, &tag);
    assert_eq!((same.status, same.field("ETag").as_ref()), (206, Some(&tag)));
    assert!(same.body == old[40_000..]);
    // If-Range without Range has no effect.
    assert_eq!(connection.fetch("GET", "/e", &[("If-Range", "\"other\"")]).status, 200);
    let date = "Fri, 01 Jan 2038 00:00:00 GMT";
    for other in ["\"other\"", &format!("W/{tag}"), tag.trim_matches('"'), date, "*", ""] {
        let answer = rest(&mut connection, other);
        assert_eq!((answer.status, answer.field("Content-Range")), (200, None), "{other}");
        assert!(answer.body == old, "{other}");
    }
    upload(&server, "/e", &new);
    let answer = rest(&mut connection, &tag);
    assert_eq!(answer.status, 200);
    assert!(answer.body == new);
    let newer = answer.field("ETag").expect("a tag");
    assert_ne!(newer, tag);
    let answer = rest(&mut connection, &newer);
    assert!((answer.status, &*answer.body) == (206, &new[40_000..]));
    // Another upload of the same bytes has another ETag.
    upload(&server, "/e", &new);
    assert_eq!(rest(&mut connection, &newer).status, 200);
    server.assert_clean();
}

/// A client that receives nothing of a response is disconnected after the timeout. A client that
/// receives slowly is not.
#[test]
fn a_client_that_receives_nothing_is_disconnected() {
    const LENGTH: u64 = 128 * 1024 * 1024;
    // The timeout is much longer than the pauses of the slow client, even on a busy machine.
    let server = Server::start(&["--read-timeout", "3", "--max-connections", "1"]);
    std::fs::File::create(server.path("large"))
        .and_then(|file| file.set_len(LENGTH))
        .expect("a sparse file");
    let mut idle = Connection::open(&server);
    let start = Instant::now();
    idle.raw("GET /large HTTP/1.1\r\nHost: origin.example\r\n\r\n");
    // Waits until the first connection is closed.
    let mut slow = Connection::open(&server);
    slow.raw("GET /large HTTP/1.1\r\nHost: origin.example\r\nConnection: close\r\n\r\n");
    slow.stream.read_exact(&mut [0; 12]).expect("an answer");
    assert!(start.elapsed() > Duration::from_millis(2900), "{:?}", start.elapsed());
    let taken = std::io::copy(&mut idle.stream, &mut std::io::sink());
    let is_cut = match &taken {
        Ok(taken) => *taken < LENGTH,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    };
    assert!(is_cut, "{taken:?}");
    let (start, mut read, mut piece) = (Instant::now(), 12, vec![0; 4 * 1024 * 1024]);
    while read < LENGTH {
        std::thread::sleep(Duration::from_millis(150));
        let length = usize::try_from(LENGTH - read).map_or(piece.len(), |it| it.min(piece.len()));
        slow.stream.read_exact(&mut piece[..length]).expect("the next bytes");
        read += length as u64;
    }
    assert!(start.elapsed() > Duration::from_secs(4), "{:?}", start.elapsed());
    slow.stream.read_to_end(&mut piece).expect("the last bytes");
    server.assert_clean();
}
