//! The program `serve` answers downloads with ranges and conditions, and never mixes two versions.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::time::{Duration, SystemTime};

use bits_proto::download::field::MultipartType;
use bits_proto::download::{MultipartEvent, MultipartReader};

use crate::http_client::*;
use crate::server::{Server, poll};

const LARGE: u64 = 128 * 1024 * 1024;

/// Returns offset and bytes of each part of a response with several ranges of an entity.
fn parts(answer: &Answer, length: u64) -> Vec<(u64, Vec<u8>)> {
    assert_eq!((answer.status, answer.field("Content-Range")), (206, None), "{answer:?}");
    let content_type = answer.field("Content-Type").expect("a content type");
    let content_type = MultipartType::try_from(&*content_type).expect("multipart/byteranges");
    let (mut reader, mut input) = (MultipartReader::new(content_type), &*answer.body);
    let mut parts: Vec<(u64, Vec<u8>)> = Vec::new();
    while !input.is_empty() {
        let read = reader.read(input).expect("a valid part");
        match read.event {
            Some(MultipartEvent::Part(range)) => {
                assert_eq!(range.total(), Some(length));
                parts.push((range.range().expect("a range").first(), Vec::new()));
            }
            Some(MultipartEvent::Data { bytes, .. }) => {
                parts.last_mut().expect("a part").1.extend_from_slice(bytes);
            }
            _ => {}
        }
        input = &input[read.consumed..];
    }
    assert!(reader.is_complete(), "{answer:?}");
    parts
}

/// Returns the head without the fields that differ between two responses.
fn stable_head(answer: &Answer) -> String {
    let head = String::from_utf8_lossy(answer.head()).into_owned();
    let stable = head.lines().filter(|line| !line.starts_with("Date: ")).map(|line| {
        line.split_once("boundary=").map_or_else(|| line.into(), |(before, _)| before.to_string())
    });
    stable.collect::<Vec<_>>().join("\n")
}

/// Sends the head of a GET request without reading the response, and waits for its first bytes.
fn start(connection: &mut Connection, target: &str) {
    connection.raw(format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    connection.stream.read_exact(&mut [0; 12]).expect("a response");
}

/// Reads the rest of a response; returns the bytes received before the end or an error.
fn rest(mut connection: Connection) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = connection.stream.read_to_end(&mut bytes);
    bytes
}

#[test]
fn several_ranges_are_sent_in_the_order_of_the_request() {
    let server = Server::start(&[]);
    let entity = entity(50, 700_000);
    upload(&server, "/e", &entity);
    let mut connection = Connection::open(&server);
    let in_reverse: Vec<_> = (0..500).rev().map(|at| (at * 1400, 1399)).collect();
    for ranges in [
        &[(5000, 100), (0, 9), (50, 99)][..],
        // Overlapping, and longer than the memory of the server for a response.
        &[(0, 399_999), (300_000, 299_999)],
        &in_reverse,
    ] {
        let list: Vec<_> = ranges.iter().map(|(at, more)| format!("{at}-{}", at + more)).collect();
        let range = format!("bytes={}", list.join(","));
        let answer = connection.fetch("GET", "/e", &[("Range", &range)]);
        let expected = |&(at, more): &(usize, usize)| (at as u64, entity[at..=at + more].to_vec());
        assert!(parts(&answer, 700_000) == ranges.iter().map(expected).collect::<Vec<_>>());
        assert!(!answer.closes());
    }
    // Boundaries are random.
    let range = [("Range", "bytes=0-0,5-5")];
    let [one, other] = [(); 2].map(|()| connection.fetch("GET", "/e", &range));
    assert_ne!(one.field("Content-Type"), other.field("Content-Type"));
    server.assert_clean();
}

#[test]
fn conditions_decide_the_response() {
    let server = Server::start(&[]);
    upload(&server, "/e", b"0123456789");
    let mut connection = Connection::open(&server);
    let whole = connection.fetch("GET", "/e", &[]);
    let (tag, date) = (whole.field("ETag").expect("a tag"), whole.field("Last-Modified"));
    let (tag, date) = (&*tag, &*date.expect("a date"));
    let (earlier, later) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Fri, 01 Jan 2100 00:00:00 GMT");
    let range = ("Range", "bytes=2-4");
    for (fields, status) in [
        (&[range, ("If-Unmodified-Since", date)][..], 206),
        (&[range, ("If-Unmodified-Since", earlier)], 412),
        (&[range, ("If-Match", tag)], 206),
        (&[range, ("If-Match", "\"other\"")], 412),
        (&[range, ("If-Match", "\"other\""), ("If-Unmodified-Since", later)], 412),
        (&[range, ("If-Range", tag)], 206),
        (&[range, ("If-Range", date)], 206),
        (&[range, ("If-Range", later)], 200),
        (&[("If-None-Match", tag)], 304),
        (&[("If-None-Match", "\"other\"")], 200),
        (&[("If-Modified-Since", date)], 304),
        (&[("If-Modified-Since", earlier)], 200),
    ] {
        let answer = connection.fetch("GET", "/e", fields);
        assert_eq!((answer.status, answer.closes()), (status, false), "{fields:?}");
        let body: &[u8] = match status {
            200 => b"0123456789",
            206 => b"234",
            _ => b"",
        };
        assert_eq!(answer.body, body, "{fields:?}");
        assert_eq!(answer.field("ETag").as_deref(), Some(tag), "{fields:?}");
        assert_eq!(answer.field("Last-Modified").as_deref(), Some(date), "{fields:?}");
        assert!(answer.field("Date").is_some(), "{fields:?}");
        let has_length = answer.field("Content-Length").is_some();
        assert_eq!(has_length, status != 304, "{fields:?}");
    }
    server.assert_clean();
}

#[test]
fn head_has_the_fields_of_get_for_every_response() {
    let server = Server::start(&[]);
    upload(&server, "/e", b"0123456789");
    let mut connection = Connection::open(&server);
    for (fields, status) in [
        (&[][..], 200),
        (&[("Range", "bytes=2-4")], 206),
        (&[("Range", "bytes=7-8,0-1")], 206),
        (&[("Range", "bytes=10-")], 416),
        (&[("If-Match", "\"other\"")], 412),
        (&[("If-None-Match", "*")], 304),
    ] {
        let get = connection.fetch("GET", "/e", fields);
        let head = connection.fetch("HEAD", "/e", fields);
        assert_eq!((get.status, head.body.len()), (status, 0), "{fields:?}");
        assert_eq!(stable_head(&head), stable_head(&get), "{fields:?}");
    }
    server.assert_clean();
}

#[test]
fn an_empty_entity_has_no_ranges() {
    let server = Server::start(&[]);
    upload(&server, "/empty", b"");
    let mut connection = Connection::open(&server);
    for (range, status, content_range) in [
        (&[][..], 200, None),
        (&[("Range", "bytes=0-")], 416, Some("bytes */0")),
        (&[("Range", "bytes=0-0,5-9")], 416, Some("bytes */0")),
        (&[("Range", "bytes=-5")], 200, None),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = connection.fetch(method, "/empty", range);
            assert_eq!((answer.status, answer.body.len()), (status, 0), "{range:?}");
            assert_eq!(answer.field("Content-Range").as_deref(), content_range, "{range:?}");
            assert_eq!(answer.field("Content-Length").as_deref(), Some("0"), "{range:?}");
        }
    }
    server.assert_clean();
}

#[test]
fn ranges_beyond_4_gib_are_sent() {
    const OFFSET: u64 = 5 << 30;
    let server = Server::start(&[]);
    let mut file = File::create(server.path("large")).expect("a file");
    file.seek(SeekFrom::Start(OFFSET)).expect("a seekable file");
    file.write_all(b"0123456789").expect("enough space");
    let mut connection = Connection::open(&server);
    let head = connection.fetch("HEAD", "/large", &[]);
    assert_eq!(head.field("Content-Length"), Some((OFFSET + 10).to_string()));
    let range = format!("bytes={}-", OFFSET + 3);
    let one = connection.fetch("GET", "/large", &[("Range", &range)]);
    assert_eq!((one.status, &*one.body), (206, &b"3456789"[..]));
    let content_range = format!("bytes {}-{}/{}", OFFSET + 3, OFFSET + 9, OFFSET + 10);
    assert_eq!(one.field("Content-Range"), Some(content_range));
    let range = format!("bytes=-3,{}-{}", OFFSET - 2, OFFSET + 1);
    let two = connection.fetch("GET", "/large", &[("Range", &range)]);
    let expected = [(OFFSET + 7, b"789".to_vec()), (OFFSET - 2, b"\0\x0001".to_vec())];
    assert_eq!(parts(&two, OFFSET + 10), expected);
    server.assert_clean();
}

#[test]
fn an_entity_that_is_replaced_while_it_is_sent_is_sent_to_its_end() {
    const LENGTH: usize = 64 * 1024 * 1024;
    let server = Server::start(&["--allow-overwrite"]);
    std::fs::write(server.path("e"), vec![b'A'; LENGTH]).expect("a file");
    let mut connection = Connection::open(&server);
    start(&mut connection, "/e");
    upload(&server, "/e", b"BBB");
    let bytes = rest(connection);
    assert!(bytes[bytes.len() - LENGTH..].iter().all(|byte| *byte == b'A'));
    assert_eq!(Connection::open(&server).fetch("GET", "/e", &[]).body, b"BBB");
    server.assert_clean();
}

#[test]
fn a_file_that_is_changed_in_place_while_it_is_sent_ends_the_response() {
    let server = Server::start(&[]);
    let file = File::create(server.path("e")).expect("a file");
    file.set_len(LARGE).expect("a sparse file");
    let mut connection = Connection::open(&server);
    start(&mut connection, "/e");
    (&file).write_all(b"changed").expect("a file");
    let received = rest(connection).len() as u64;
    assert!(received < LARGE, "{received}");
    let log = server.log();
    let line = log.lines().find(|line| line.contains("response ends early bytes="));
    assert!(line.is_some_and(|it| it.contains("the file was changed")), "{log}");
    server.assert_clean();
}

/// Windows detects a changed entity by its date only, which has a resolution of one second.
#[test]
fn an_entity_is_dated_after_the_one_that_it_replaces() {
    let server = Server::start(&["--allow-overwrite"]);
    let mut connection = Connection::open(&server);
    let mut dates = Vec::new();
    for version in 0..4_u8 {
        upload(&server, "/e", &[version; 10]);
        let answer = connection.fetch("GET", "/e", &[]);
        assert_eq!(answer.body, [version; 10]);
        // A date in the future is not sent.
        let date = || connection.fetch("GET", "/e", &[]).field("Last-Modified");
        dates.push(poll("the date of the entity", date));
    }
    for date in &dates {
        let fields = [("If-Unmodified-Since", &**date), ("Range", "bytes=5-9")];
        let answer = connection.fetch("GET", "/e", &fields);
        assert_eq!(answer.status, if Some(date) == dates.last() { 206 } else { 412 }, "{date}");
    }
    server.assert_clean();
}

/// A strong tag promises that the file cannot change without a change of its tag.
#[cfg(unix)]
#[test]
fn there_is_no_tag_while_the_file_could_change_unnoticed() {
    let server = Server::start(&[]);
    let file = File::create(server.path("e")).expect("a file");
    (&file).write_all(b"0123456789").expect("a file");
    let mut connection = Connection::open(&server);
    let mut tag = |seconds_ago: u64| {
        // Whole seconds, as some file systems store.
        let now = SystemTime::UNIX_EPOCH.elapsed().expect("a time after 1970").as_secs();
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(now - seconds_ago);
        file.set_modified(date).expect("a date");
        let tag = connection.fetch("GET", "/e", &[]).field("ETag");
        assert!(tag.as_ref().is_none_or(|tag| tag.starts_with('"')), "{tag:?}");
        let condition = tag.as_ref().map(|tag| ("If-Range", &**tag));
        let range = [condition.unwrap_or(("If-Range", "W/\"1\"")), ("Range", "bytes=0-4")];
        (tag.is_some(), connection.fetch("GET", "/e", &range).status)
    };
    assert_eq!(tag(0), (false, 200));
    assert_eq!(tag(10), (true, 206));
    server.assert_clean();
}
