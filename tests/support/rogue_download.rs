//! Responses to downloads that violate rules, which an observer follows.

use bits_proto::download::field::ContentRange;
use bits_proto::download::{HeaderSlots, RequestHead, ResponseHead};
use bits_proto::http1::Progress;
use bits_proto::observer::{DownloadObserver, Violation};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use super::tally;

const RANGES: &[&str] = &["", "0-9", "20-29", "0-9,20-29", "20-29,0-9", "0-9,10-19", "95-104,0-9"];

const CONDITIONS: &[&str] = &[
    "",
    "",
    "If-Match: \"a\"\r\n",
    "If-None-Match: \"a\"\r\n",
    "If-Range: \"a\"\r\n",
    "If-Range: \"a\"\r\n",
    "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
    "If-Modified-Since: Mon, 07 Nov 1994 08:49:37 GMT\r\n",
];

const VALIDATORS: &[&str] = &[
    "",
    "ETag: \"a\"\r\n",
    "ETag: \"b\"\r\n",
    "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
    "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: \"a\"\r\n",
    "Last-Modified: Mon, 07 Nov 1994 08:49:37 GMT\r\nETag: \"a\"\r\n",
    "Last-Modified: Mon, 07 Nov 1994 08:49:37 GMT\r\n",
];

const CONTENT: &[&str] = &[
    "Content-Length: 100\r\n",
    "Content-Length: 100\r\n",
    "Content-Length: 50\r\n",
    "Content-Length: 100\r\nContent-Encoding: gzip\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Content-Length: 10\r\nContent-Range: bytes 0-9/100\r\n",
    "Content-Length: 10\r\nContent-Range: bytes 20-29/100\r\n",
    "Content-Length: 5\r\nContent-Range: bytes 0-4/100\r\n",
    "Content-Length: 20\r\nContent-Range: bytes 0-19/100\r\n",
    "Content-Length: 0\r\nContent-Range: bytes */100\r\n",
    "Content-Length: 300\r\nContent-Type: multipart/byteranges; boundary=bd\r\n",
    "Content-Length: 300\r\nContent-Type: multipart/byteranges; boundary=bd\r\n",
];

const PARTS: &[&str] = &[
    "bytes 0-9/100",
    "bytes 20-29/100",
    "bytes 10-19/100",
    "bytes 0-19/100",
    "bytes 0-4/100",
    "bytes 20-29/90",
];

fn choose(values: &[&'static str], random: &mut SmallRng) -> &'static str {
    values.choose(random).expect("values")
}

fn request(random: &mut SmallRng) -> String {
    let method = choose(&["GET", "GET", "GET", "HEAD"], random);
    let range = match choose(RANGES, random) {
        "" => String::new(),
        range => format!("Range: bytes={range}\r\n"),
    };
    let coding = choose(&["", "Accept-Encoding: identity\r\n"], random);
    format!("{method} /e HTTP/1.1\r\n{range}{coding}{}\r\n", choose(CONDITIONS, random))
}

fn response(random: &mut SmallRng) -> String {
    let status = choose(&["200", "200", "206", "206", "206", "304", "416"], random);
    let (content, validators) = (choose(CONTENT, random), choose(VALIDATORS, random));
    format!("HTTP/1.1 {status} X\r\n{content}{validators}\r\n")
}

/// Runs some exchanges about one entity.
pub fn run(seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut observer = DownloadObserver::new();
    for _ in 0..random.random_range(1..12) {
        let request = request(&mut random);
        let mut slots = HeaderSlots::new();
        let head = RequestHead::parse(request.as_bytes(), &mut slots).map(Progress::complete);
        observer.handle_request(1, &head.expect("a valid head").expect("a complete head"));
        let response = response(&mut random);
        let mut slots = HeaderSlots::new();
        let head = ResponseHead::parse(response.as_bytes(), &mut slots).map(Progress::complete);
        let head = head.expect("a valid head").expect("a complete head");
        observer.handle_response(1, &head, note);
        for _ in 0..random.random_range(0..4) {
            let part = ContentRange::try_from(choose(PARTS, &mut random).as_bytes());
            observer.handle_part(1, part.expect("a range"), note);
        }
        if random.random_bool(0.7) {
            observer.handle_body_end(1, note);
        } else {
            observer.handle_disconnected(1);
        }
    }
}

fn note(violation: Violation) {
    tally::note("violation", &violation);
    if let Violation::Download { rule, .. } = violation {
        tally::note("rule of downloads", &rule);
    }
}
