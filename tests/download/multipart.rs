//! Reading of responses with several ranges.

use bits_proto::Error;
use bits_proto::download::field::MultipartType;
use bits_proto::download::{MultipartEvent, MultipartReader};
use bits_proto::error::ErrorKind;

/// Everything that a body contains, and whether it is complete.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parts {
    parts: Vec<(String, Vec<u8>)>,
    ended: bool,
    error: Option<Error>,
    is_complete: bool,
}

fn reader() -> MultipartReader {
    MultipartReader::new(MultipartType::try_from("multipart/byteranges; boundary=bd").unwrap())
}

/// Reads a body in pieces of these lengths.
fn read_split(body: &[u8], lengths: impl IntoIterator<Item = usize>) -> Parts {
    let (mut reader, mut found, mut rest) = (reader(), Parts::default(), body);
    for length in lengths {
        let (mut piece, tail) = rest.split_at(length.min(rest.len()));
        rest = tail;
        loop {
            let read = match reader.read(piece) {
                Ok(read) => read,
                Err(error) => {
                    assert_eq!(reader.read(b"--bd"), Err(error), "the error is final");
                    found.error = Some(error);
                    return found;
                }
            };
            match read.event {
                Some(MultipartEvent::Part(it)) => found.parts.push((it.to_string(), Vec::new())),
                Some(MultipartEvent::Data { offset, bytes }) => {
                    assert!(!bytes.is_empty());
                    let (range, data) = found.parts.last_mut().expect("a part");
                    let first: u64 = range[6..].split('-').next().unwrap().parse().unwrap();
                    assert_eq!(offset, first + data.len() as u64);
                    data.extend_from_slice(bytes);
                }
                Some(MultipartEvent::End) => {
                    assert!(!std::mem::replace(&mut found.ended, true), "one end");
                }
                Some(other) => panic!("an unknown event: {other:?}"),
                None => {
                    assert_eq!(read.consumed, piece.len());
                    break;
                }
            }
            piece = &piece[read.consumed..];
        }
    }
    found.is_complete = reader.is_complete();
    found
}

/// Reads a body whole, in single bytes, and in every two pieces: the result is the same.
fn read(body: &[u8]) -> Parts {
    let whole = read_split(body, [body.len()]);
    assert_eq!(read_split(body, (0..body.len()).map(|_| 1)), whole);
    for at in 0..body.len() {
        assert_eq!(read_split(body, [at, body.len() - at]), whole, "split at {at}");
    }
    whole
}

fn part(range: &str, data: &str) -> (String, Vec<u8>) {
    (range.to_string(), data.as_bytes().to_vec())
}

fn error(body: &str) -> (ErrorKind, usize) {
    let error = read(body.as_bytes()).error.unwrap_or_else(|| panic!("no error: {body:?}"));
    (error.kind(), error.offset().expect("an offset"))
}

#[test]
fn parts_are_read_with_the_offsets_of_their_bytes() {
    let body = b"--bd\r\nContent-Type: text/plain\r\nContent-Range: bytes 5-7/10\r\n\r\nfgh\r\n\
        --bd\r\nContent-Range: bytes 0-1/10\r\n\r\nab\r\n--bd--\r\n";
    let found = read(body);
    assert_eq!(found.parts, [part("bytes 5-7/10", "fgh"), part("bytes 0-1/10", "ab")]);
    assert!(found.ended && found.is_complete);
}

#[test]
fn what_real_servers_send_is_accepted() {
    let parts = [part("bytes 0-1/*", "ab")];
    for body in [
        // nginx, Apache and Squid send CR LF first.
        "\r\n--bd\r\nContent-Range: bytes 0-1/*\r\n\r\nab\r\n--bd--\r\n",
        "\r\n\r\n--bd\r\nContent-Range: bytes 0-1/*\r\n\r\nab\r\n--bd--\r\n",
        "--bd\r\ncontent-range:Bytes 0-1/*\r\n\r\nab\r\n--bd--",
        "--bd\r\nContent-Range: bytes 0-1/*\r\nContent-Range: bytes 0-1/*\r\n\r\nab\r\n--bd--\r\n",
        "--bd\r\nX: y\r\nContent-Encoding: identity\r\nCONTENT-RANGE: bytes 0-1/*\r\n\r\nab\r\n--bd--",
    ] {
        let found = read(body.as_bytes());
        assert_eq!((&found.parts[..], found.is_complete), (&parts[..], true), "{body:?}");
    }
}

#[test]
fn the_length_of_a_part_comes_from_its_range() {
    let data = "\r\n--bd--\r\n--bd\r\nContent-Range: bytes 0-0/1\r\n\r\n";
    let range = format!("bytes 0-{}/99", data.len() - 1);
    let body = format!("--bd\r\nContent-Range: {range}\r\n\r\n{data}\r\n--bd--\r\n");
    assert_eq!(read(body.as_bytes()).parts, [part(&range, data)]);
}

#[test]
fn a_body_that_ends_early_is_not_complete() {
    let body = b"--bd\r\nContent-Range: bytes 0-1/2\r\n\r\nab\r\n--bd--\r\n";
    for length in 0..body.len() {
        let found = read_split(&body[..length], [length]);
        // The last CRLF is optional, and half of it is not the end.
        let is_complete = length == body.len() - 2;
        assert_eq!((found.is_complete, found.error), (is_complete, None), "{length}");
    }
}

#[test]
fn other_bytes_in_place_of_a_delimiter_are_an_error() {
    let not_delimiter = |offset| (ErrorKind::NotDelimiter, offset);
    assert_eq!(error("x--bd"), not_delimiter(0));
    assert_eq!(error("\n--bd"), not_delimiter(0));
    assert_eq!(error("\r\n\r\n\r\n--bd"), not_delimiter(4));
    assert_eq!(error("\r--bd"), not_delimiter(1));
    assert_eq!(error("--be\r\n"), not_delimiter(3));
    assert_eq!(error("--bd \r\n"), not_delimiter(4));
    assert_eq!(error("--bd-x"), not_delimiter(5));
    assert_eq!(error("--bd\rx"), not_delimiter(5));
    assert_eq!(error("--bd--x"), not_delimiter(6));
    assert_eq!(error("--bd--\r\nx"), not_delimiter(8));
    let part = "--bd\r\nContent-Range: bytes 0-1/2\r\n\r\nab";
    assert_eq!(error(&format!("{part}c\r\n--bd--")), not_delimiter(part.len()));
    assert_eq!(error(&format!("{part}--bd--")), not_delimiter(part.len()));
    assert_eq!(error(&format!("{part}\n--bd--")), not_delimiter(part.len()));
    assert_eq!(error(&format!("{part}\r\n--bx")), not_delimiter(part.len() + 5));
}

#[test]
fn a_part_without_a_valid_range_is_an_error() {
    let kind = |head: &str| error(&format!("--bd\r\n{head}\r\n\r\nab")).0;
    assert_eq!(error("--bd\r\n\r\nab").0, ErrorKind::MissingField);
    assert_eq!(kind("Content-Type: text/plain"), ErrorKind::MissingField);
    assert_eq!(kind("Content-Range: bytes 1-0/2"), ErrorKind::FirstBeyondLast);
    assert_eq!(kind("Content-Range: bytes 0-2/2"), ErrorKind::LastBeyondTotal);
    assert_eq!(kind("Content-Range: bytes */2"), ErrorKind::NotContentRange);
    assert_eq!(kind("Content-Range: 0-1/2"), ErrorKind::NotContentRange);
    let two = "Content-Range: bytes 0-1/2\r\nContent-Range: bytes 1-1/2";
    assert_eq!(kind(two), ErrorKind::ConflictingField);
    assert_eq!(kind("Content-Range : bytes 0-1/2"), ErrorKind::Syntax);
    assert_eq!(kind("Content-Range: bytes\r\n 0-1/2"), ErrorKind::Syntax);
    assert_eq!(kind("X: y\nContent-Range: bytes 0-1/2"), ErrorKind::BareLineFeed);
    let coded = "Content-Encoding: gzip\r\nContent-Range: bytes 0-1/2";
    assert_eq!(kind(coded), ErrorKind::UnsupportedEncoding);
}

#[test]
fn the_head_of_a_part_is_limited() {
    let body = |filler| {
        format!("--bd\r\nX: {}\r\nContent-Range: bytes 0-0/1\r\n\r\na", "x".repeat(filler))
    };
    let fields = "\nX: \r\nContent-Range: bytes 0-0/1\r\n\r\n".len();
    assert_eq!(read(body(512 - fields).as_bytes()).error, None);
    let found = read(body(513 - fields).as_bytes()).error.unwrap();
    assert_eq!((found.kind(), found.limit()), (ErrorKind::HeadTooLarge, Some(512)));
    let fields = |count: usize| {
        format!("--bd\r\n{}Content-Range: bytes 0-0/1\r\n\r\na", "a: b\r\n".repeat(count - 1))
    };
    assert_eq!(read(fields(16).as_bytes()).error, None);
    assert_eq!(error(&fields(17)).0, ErrorKind::TooManyFields);
}

#[test]
fn a_part_of_any_length_needs_no_memory() {
    let head = b"--bd\r\nContent-Range: bytes 1-18446744073709551614/*\r\n\r\n";
    let mut reader = reader();
    assert!(matches!(reader.read(head).unwrap().event, Some(MultipartEvent::Part(_))));
    let data = [7; 4096];
    let read = reader.read(&data).unwrap();
    assert_eq!(read.event, Some(MultipartEvent::Data { offset: 1, bytes: &data }));
    assert!(size_of::<MultipartReader>() <= 768);
}
