//! Downloads: responses of a server, a step of a client, and reading of several ranges.

use std::hint::black_box;
use std::io::Write as _;
use std::time::Duration;

use bits_proto::download::field::{Boundary, ContentType, EntityTag, MultipartType};
use bits_proto::download::{
    ByteRange, Download, Entity, HeaderSlots, MultipartEvent, MultipartReader, Options, Piece,
    Plan, PlanLimits, Request, RequestHead, Response,
};
use bits_proto::field::HttpDate;
use bits_proto::http1::{RequestTarget, StatusCode, StatusLine, Version};
use bits_proto::message::{Extras, NO_EXTRAS};

use super::{Group, MaxRatios, Pair, baseline};

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const TOTAL: u64 = 1 << 30;
const BOUNDARY: Boundary = Boundary::from_random(7);
const NOW: Duration = Duration::from_secs(1_700_000_000);

/// The number of parts in a body, the length of a part, and that of a piece of input.
pub const PARTS: usize = 64;
pub const PART: usize = 64 << 10;
const INPUT: usize = 16 << 10;

/// The response of a server, from the bytes of the request to those of the head.
pub fn plans() -> Group {
    let (one, entity) = (request_head(1), entity());
    let floor = one.clone();
    let pair = Pair::new(
        "plan-of-one-range",
        move || plan(&one, &entity),
        move || baseline::httparse_alone(&floor),
    );
    Group {
        name: "download",
        pairs: vec![pair],
        each: MaxRatios { instructions: 1.5, time: 2.0 },
        mean: None,
    }
}

/// A request of a client with its response, without parsing.
pub fn exchanges() -> Group {
    let head = response_head();
    let floor = move || baseline::httparse_alone(&head);
    Group {
        name: "download-client",
        pairs: vec![Pair::new("exchange", client_exchange(), floor)],
        each: MaxRatios { instructions: 1.5, time: 2.0 },
        mean: None,
    }
}

/// Writing the heads of parts, compared with `write!`.
pub fn parts() -> Group {
    let (many, entity) = (request_head(500), entity());
    Group {
        name: "download-parts",
        pairs: vec![Pair::new(
            "plan-of-500-ranges-beside-write",
            move || plan(&many, &entity),
            write_parts(500),
        )],
        each: MaxRatios { instructions: 1.0, time: 1.0 },
        mean: None,
    }
}

/// The cost of several ranges is at most linear.
pub fn linear() -> Group {
    let ([many, two], entity) = ([500, 2].map(request_head), entity());
    let pair = Pair::new(
        "plan-of-500-ranges-beside-250-of-2",
        move || plan(&many, &entity),
        move || plan(&two, &entity),
    );
    Group {
        name: "download-linear",
        pairs: vec![Pair { scale: 250.0, ..pair }],
        each: MaxRatios { instructions: 1.0, time: 1.0 },
        mean: None,
    }
}

/// Reading several ranges and copying their bytes, compared with copying the body.
pub fn multipart() -> Group {
    let (body, _) = multipart_body();
    let mut file = Vec::with_capacity(body.len());
    let copy = move || {
        file.clear();
        for input in black_box(&body).chunks(INPUT) {
            file.extend_from_slice(input);
        }
        black_box(&file);
    };
    Group {
        name: "download-multipart",
        pairs: vec![Pair::new("read-and-copy-beside-copy", read_multipart(), copy)],
        each: MaxRatios { instructions: 1.1, time: 1.2 },
        mean: None,
    }
}

/// Reads [`PARTS`] ranges of [`PART`] bytes and copies their bytes.
pub fn read_multipart() -> impl FnMut() {
    let (body, content_type) = multipart_body();
    let mut file = Vec::with_capacity(body.len());
    move || {
        file.clear();
        let content_type = MultipartType::try_from(&*content_type).expect("a media type");
        let mut reader = MultipartReader::new(content_type);
        for mut input in black_box(&body).chunks(INPUT) {
            while !input.is_empty() {
                let read = reader.read(input).expect("a valid body");
                if let Some(MultipartEvent::Data { bytes, .. }) = read.event {
                    file.extend_from_slice(bytes);
                }
                input = &input[read.consumed..];
            }
        }
        assert!(reader.is_complete());
        black_box(&file);
    }
}

/// The ranges of a request: 1000 bytes each, with gaps.
fn ranges(count: u64) -> impl Iterator<Item = ByteRange> {
    (0..count).map(|at| ByteRange::at(100_000 + at * 2000, 1000).expect("a range"))
}

/// Returns a request of Windows' client.
fn request_head(count: u64) -> Vec<u8> {
    let list: Vec<_> = ranges(count).map(|range| range.to_string()).collect();
    format!(
        "GET /files/report.bin HTTP/1.1\r\nConnection: Keep-Alive\r\nAccept: */*\r\n\
         Accept-Encoding: identity\r\nIf-Unmodified-Since: {DATE}\r\nUser-Agent: Microsoft BITS/7.8\r\n\
         Range: bytes={}\r\nHost: origin.example\r\n\r\n",
        list.join(",")
    )
    .into_bytes()
}

fn entity() -> Entity<'static> {
    Entity::new(TOTAL)
        .with_modified(DATE.parse::<HttpDate>().ok())
        .with_tag(EntityTag::try_from("\"fc01-2a-6745c1b1.0-40000000\"").ok())
        .with_content_type(ContentType::try_from("application/octet-stream").ok())
}

/// Parses a request, and writes the head and all framing of the response.
fn plan(request: &[u8], entity: &Entity<'_>) {
    let mut slots = HeaderSlots::<64>::with_capacity();
    let head = RequestHead::parse(black_box(request), &mut slots).expect("a valid head");
    let request = Request::from_head(&head.complete().expect("a head")).expect("a download");
    let plan = Plan::new(&request, black_box(entity), &PlanLimits::DEFAULT, BOUNDARY);
    let mut buffer = [0; 512];
    plan.encode(&NO_EXTRAS).expect("no extras").write(&mut buffer).expect("enough space");
    black_box(&buffer);
    for piece in plan.pieces() {
        if let Piece::Framing(head) = piece {
            head.write(&mut buffer).expect("enough space");
            black_box(&buffer);
        }
    }
}

/// Writes the framing of parts with `write!`, without parsing or checking a request.
fn write_parts(count: u64) -> impl FnMut() {
    let (ranges, boundary) = (ranges(count).collect::<Vec<_>>(), BOUNDARY.to_string());
    let mut buffer = Vec::with_capacity(512);
    move || {
        for range in black_box(&ranges) {
            buffer.clear();
            write!(
                buffer,
                "\r\n--{}\r\nContent-Type: application/octet-stream\r\n\
                 Content-Range: bytes {}-{}/{}\r\n\r\n",
                boundary,
                range.first(),
                range.last(),
                black_box(TOTAL)
            )
            .expect("enough space");
            black_box(&buffer);
        }
    }
}

fn response_fields() -> [(&'static str, &'static [u8]); 5] {
    [
        ("Content-Type", b"application/octet-stream"),
        ("Last-Modified", DATE.as_bytes()),
        ("ETag", b"\"fc01-2a-6745c1b1.0-40000000\""),
        ("Content-Range", b"bytes 100000-100999/1073741824"),
        ("Content-Length", b"1000"),
    ]
}

fn response_head() -> Vec<u8> {
    let mut head = b"HTTP/1.1 206 Partial Content\r\n".to_vec();
    for (name, value) in response_fields() {
        head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    [head, b"\r\n".to_vec()].concat()
}

/// Downloads one range: writes the request, and handles the response and its body.
fn client_exchange() -> impl FnMut() {
    let ranges = [ByteRange::at(100_000, 1000).expect("a range")];
    let start = Download::new(ranges, Options::DEFAULT.with_head_first(false), 7);
    let line =
        StatusLine { version: Version::Http11, status: StatusCode::PARTIAL_CONTENT, reason: "" };
    let response = Response::from_fields(line, response_fields()).expect("a response");
    let body = vec![7; 1000];
    let extras = Extras::from_fields([0; 32], [("Host", "origin.example")]).expect("a field");
    let mut buffer = [0; 512];
    move || {
        let mut download = black_box(start);
        let target = RequestTarget::try_from("/files/report.bin").expect("a target");
        let transmit = download.transmit().expect("a request");
        let head = transmit.encode(target, &extras).expect("extras of a request");
        head.write(&mut buffer).expect("enough space");
        download.handle_sending(NOW).expect("a request is due");
        download.handle_sent(NOW).expect("a request is being sent");
        download.handle_response(black_box(&response), NOW).expect("a response is due");
        let data = download.handle_data(black_box(&body), NOW).expect("a body is due");
        assert!(data.is_done);
        black_box((&download, &buffer));
    }
}

/// Returns a body with several ranges, and its Content-Type.
fn multipart_body() -> (Vec<u8>, String) {
    let length = PART as u64;
    let mut body = Vec::new();
    for at in 0..PARTS as u64 {
        let first = at * 2 * length;
        write!(
            body,
            "\r\n--b\r\nContent-Range: bytes {first}-{}/{TOTAL}\r\n\r\n",
            first + length - 1
        )
        .expect("a vector");
        body.extend(vec![7; PART]);
    }
    body.extend(b"\r\n--b--\r\n");
    (body, "multipart/byteranges; boundary=b".into())
}
