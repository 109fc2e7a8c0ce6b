//! Downloads: the response of a server, reading of several ranges, and an exchange of a client.

use std::time::Duration;

use bits_proto::download::field::{Boundary, ContentType, EntityTag, MultipartType};
use bits_proto::download::{
    ByteRange, Download, Entity, HeaderSlots, MultipartEvent, MultipartReader, Options, Piece,
    Plan, PlanLimits, Request, RequestHead, Response, ResponseHead, State,
};
use bits_proto::field::HttpDate;
use bits_proto::http1::{Progress, RequestTarget};
use bits_proto::message::{Extras, NO_EXTRAS};

use crate::counted::allocations;

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const NOW: Duration = Duration::from_secs(1_700_000_000);

/// Bytes on the stack.
struct Output {
    bytes: [u8; 4096],
    length: usize,
}

impl Output {
    const EMPTY: Self = Self { bytes: [0; 4096], length: 0 };

    fn rest(&mut self) -> &mut [u8] {
        &mut self.bytes[self.length..]
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

fn entity() -> Entity<'static> {
    Entity::new(100)
        .with_modified(HttpDate::try_from(DATE.as_bytes()).ok())
        .with_tag(EntityTag::try_from("\"tag\"").ok())
        .with_content_type(ContentType::try_from("text/plain").ok())
}

/// Answers a request: parses it, plans the response, and writes its head and body.
fn answer(request: &[u8]) -> (u16, Output) {
    let mut slots = HeaderSlots::new();
    let head = RequestHead::parse(request, &mut slots).expect("a valid head");
    let request = Request::from_head(&head.complete().expect("a head")).expect("a download");
    let boundary = Boundary::from_random(7);
    let plan = Plan::new(&request, &entity(), &PlanLimits::DEFAULT, boundary);
    let mut output = Output::EMPTY;
    let extras = Extras::from_fields([0; 64], [("Server", "example")]).expect("a field");
    let encoder = plan.encode(&extras).expect("valid extras");
    encoder.for_each_field(|name, value| assert!(!name.is_empty() && !value.is_empty()));
    assert!(encoder.write(&mut [0; 8]).is_err());
    output.length += encoder.write(output.rest()).expect("enough space");
    for piece in plan.pieces() {
        output.length += match piece {
            Piece::Framing(head) => head.write(output.rest()).expect("enough space"),
            Piece::Entity(range) => range.len() as usize,
            _ => 0,
        };
    }
    (plan.status().get(), output)
}

#[test]
fn answering_a_download_allocates_nothing() {
    for (fields, expected) in [
        ("", 200),
        ("Range: bytes=0-4\r\n", 206),
        ("Range: bytes=0-4,6-9,-1\r\nIf-Range: \"tag\"\r\n", 206),
        ("Range: bytes=0-4\r\nIf-Range: \"other\"\r\n", 200),
        ("Range: bytes=4-0\r\n", 200),
        ("Range: bytes=100-\r\n", 416),
        ("If-Match: \"a\", W/\"b\"\r\nIf-Match: \"c\"\r\n", 412),
        ("If-Unmodified-Since: Sun Nov  6 08:49:36 1994\r\n", 412),
        ("If-None-Match: \"a\", \"tag\"\r\n", 304),
        ("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n", 304),
    ] {
        for method in ["GET", "HEAD"] {
            let request = format!("{method} /file HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
            let (count, (status, output)) = allocations(|| answer(request.as_bytes()));
            assert_eq!((count, status), (0, expected), "{request}");
            assert!(output.as_bytes().starts_with(format!("HTTP/1.1 {status} ").as_bytes()));
        }
    }
}

/// Reads a response with several ranges, and returns the number of parts and of bytes.
fn read_parts(response: &[u8], split: usize) -> (usize, usize) {
    let mut slots = HeaderSlots::new();
    let head = ResponseHead::parse(response, &mut slots).expect("a valid head");
    let head = head.complete().expect("a head");
    let content_type = Response::from_head(&head).expect("a response").multipart;
    let content_type: MultipartType<'_> = content_type.expect("several ranges");
    let mut reader = MultipartReader::new(content_type);
    let (mut parts, mut length) = (0, 0);
    for mut input in response[head.len()..].chunks(split) {
        while !input.is_empty() {
            let read = reader.read(input).expect("a valid body");
            match read.event {
                Some(MultipartEvent::Part(_)) => parts += 1,
                Some(MultipartEvent::Data { bytes, .. }) => length += bytes.len(),
                _ => {}
            }
            input = &input[read.consumed..];
        }
    }
    assert!(reader.is_complete());
    (parts, length)
}

#[test]
fn reading_several_ranges_allocates_nothing() {
    let (_, output) = answer(b"GET /file HTTP/1.1\r\nRange: bytes=0-4,6-9,-1\r\n\r\n");
    for split in [1, 7, 4096] {
        let (count, read) = allocations(|| read_parts(output.as_bytes(), split));
        assert_eq!((count, read), (0, (3, 10)), "pieces of {split}");
    }
    let (count, result) = allocations(|| {
        let content_type = MultipartType::try_from("multipart/byteranges; boundary=b");
        MultipartReader::new(content_type.expect("a boundary")).read(b"nonsense").map(|_| ())
    });
    assert_eq!((count, result.is_err()), (0, true));
}

/// Downloads an entity of 100 bytes: HEAD, then GET, each with its response.
fn download() -> State {
    let ranges = [ByteRange::whole(100).expect("a range")];
    let mut download = Download::new(ranges, Options::DEFAULT.with_head_first(true), 7);
    for _ in 0..2 {
        let mut request = Output::EMPTY;
        let target = RequestTarget::try_from("/file").expect("a target");
        let transmit = download.transmit().expect("a request");
        let encoder = transmit.encode(target, &NO_EXTRAS).expect("no extras");
        request.length = encoder.write(request.rest()).expect("enough space");
        let is_get = transmit.method().as_str() == "GET";
        download.handle_sending(NOW).expect("a request is due");
        download.handle_sent(NOW).expect("a request is being sent");
        let (status, output) = answer(request.as_bytes());
        assert_eq!(status, 200);
        let mut slots = HeaderSlots::new();
        let head = ResponseHead::parse(output.as_bytes(), &mut slots).expect("a valid head");
        let head = head.complete().expect("a head");
        let response = Response::from_head(&head).expect("a response");
        download.handle_response(&response, NOW).expect("a response is due");
        if is_get {
            let body = &output.as_bytes()[head.len()..];
            let data = download.handle_data(body, NOW).expect("a body is due");
            assert!(data.is_done);
        }
    }
    download.state()
}

#[test]
fn an_exchange_of_a_client_allocates_nothing() {
    let (count, state) = allocations(download);
    assert_eq!((count, state), (0, State::Commit));
}

/// An incomplete head, and heads that are rejected.
#[test]
fn rejecting_a_head_allocates_nothing() {
    let (count, rejected) = allocations(|| {
        let heads = ["GET /file HTTP/1.1\r\nRan", "GET /file\r\n\r\n", "POST / HTTP/1.1\r\n\r\n"];
        heads.map(|head| {
            let mut slots = HeaderSlots::new();
            match RequestHead::parse(head.as_bytes(), &mut slots) {
                Ok(Progress::Complete(head)) => Request::from_head(&head).is_err(),
                Ok(Progress::Partial) => false,
                Err(_) => true,
            }
        })
    });
    assert_eq!((count, rejected), (0, [false, true, true]));
}
