//! Heads that do not have the form of the captures: of other methods and forms, invalid, and incomplete.
//! The ratios are relative to what the same heads cost when httparse parsed all heads.

use std::hint::black_box;

use bits_proto::download;
use bits_proto::http1::HeadScanner;
use bits_proto::message::{HeaderSlots, RequestHead, ResponseHead};

use super::heads::SLOTS;
use super::{Group, MaxRatios, Pair, baseline};

/// The fields of a Fragment, in the usual form.
const FIELDS: &str = "Accept: */*\r\n\
    BITS-Packet-Type: Fragment\r\n\
    BITS-Session-Id: {3F9C1A52-7E64-4B0D-8A2F-6D15C0E4B793}\r\n\
    Content-Name: report.bin\r\n\
    Content-Range: bytes 0-255/502\r\n\
    User-Agent: Microsoft BITS/7.8\r\n\
    Host: origin.example\r\n\
    Content-Length: 256\r\n\
    Connection: Keep-Alive\r\n";

const BROWSER: &str = "Host: origin.example\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-GB,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate, br\r\n\
    DNT: 1\r\n\
    Connection: keep-alive\r\n\
    Cookie: theme=dark; session=0123456789abcdef\r\n\
    Upgrade-Insecure-Requests: 1\r\n\
    Sec-Fetch-Dest: document\r\n";

fn head(line: &str, fields: &str) -> Vec<u8> {
    format!("{line}\r\n{fields}\r\n").into_bytes()
}

fn fragment() -> Vec<u8> {
    head("BITS_POST /inbox/report.bin HTTP/1.1", FIELDS)
}

/// Parses the HTTP part of a request, or of a response.
fn parse(bytes: &[u8]) {
    let mut slots = HeaderSlots::<SLOTS>::with_capacity();
    if bytes.starts_with(b"HTTP/") {
        let _ = black_box(&ResponseHead::parse(black_box(bytes), &mut slots));
    } else {
        let _ = black_box(&RequestHead::parse(black_box(bytes), &mut slots));
    }
}

/// Compares parsing with what it cost when httparse parsed all heads: `before` times httparse alone.
fn pair(name: &str, before: f64, bytes: Vec<u8>) -> Pair {
    let floor = bytes.clone();
    let pair = Pair::new(name, move || parse(&bytes), move || baseline::httparse_alone(&floor));
    Pair { scale: before, ..pair }
}

fn group(name: &'static str, limit: f64, pairs: Vec<Pair>) -> Group {
    let each = MaxRatios { instructions: limit, time: f64::INFINITY };
    Group { name, pairs, each, mean: None }
}

/// Valid heads in another form.
pub fn complete() -> Group {
    let replaced =
        |old, new| head("BITS_POST /inbox/report.bin HTTP/1.1", &FIELDS.replace(old, new));
    let download = head("GET /files/report.bin HTTP/1.1", BROWSER);
    let floor = download.clone();
    let download = Pair {
        scale: 1.157,
        ..Pair::new(
            "download-of-a-browser",
            move || {
                let mut slots = download::HeaderSlots::<SLOTS>::with_capacity();
                let _ = black_box(&download::RequestHead::parse(black_box(&download), &mut slots));
            },
            move || baseline::httparse_alone(&floor),
        )
    };
    let pairs = vec![
        pair("get", 1.174, head("GET /index.html HTTP/1.1", BROWSER)),
        pair("put", 1.169, head("PUT /inbox/report.bin HTTP/1.1", BROWSER)),
        pair(
            "bits-post-of-a-browser",
            1.165,
            head("BITS_POST /inbox/report.bin HTTP/1.1", BROWSER),
        ),
        download,
        pair("http-1.0-response", 1.263, head("HTTP/1.0 200 OK", FIELDS)),
        pair("no-reason", 1.273, head("HTTP/1.1 200", FIELDS)),
        pair("empty-line-before", 1.242, [b"\r\n", &*fragment()].concat()),
        pair("no-space-after-colons", 1.248, replaced(": ", ":")),
        pair("space-before-line-ends", 1.230, replaced("\r\n", " \r\n")),
        pair("tab-in-last-value", 1.236, replaced("Keep-Alive", "Keep-\tAlive")),
        pair("obs-text-in-first-value", 1.239, replaced("*/*", "*/*;p=\u{e9}")),
        pair("odd-name", 1.242, replaced("Host", "X-Odd!Name")),
    ];
    group("unusual", 1.1, pairs)
}

/// Invalid heads.
pub fn invalid() -> Group {
    let with =
        |fields: &str| head("BITS_POST /inbox/report.bin HTTP/1.1", &[FIELDS, fields].concat());
    let pairs = vec![
        pair("version", 8.336, head("BITS_POST /inbox/report.bin HTTP/2.0", FIELDS)),
        pair("folded-line", 9.215, with(" folded: yes\r\n")),
        pair("space-before-colon", 9.218, with("Name : value\r\n")),
        pair("nul-in-value", 9.087, with("Name: a\0b\r\n")),
        pair("bare-line-feed", 1.227, with("Name: value\n")),
        pair("two-lengths", 1.512, with("Content-Length: 7\r\n")),
        pair("too-many-fields", 9.354, with(&"Name: value\r\n".repeat(SLOTS))),
    ];
    group("invalid", 1.1, pairs)
}

/// Incomplete heads.
pub fn partial() -> Group {
    let bytes = fragment();
    let parts = [(1, 1.163), (4, 1.064), (8, 1.034)];
    let parts = parts.map(|(part, before)| {
        let length = bytes.len() * part / 8 - 1;
        pair(&format!("{part}-of-8"), before, bytes[..length].to_vec())
    });
    let long_line =
        [&bytes[..bytes.len() - 2], b"Authorization: Negotiate ", &[b'A'; 2000]].concat();
    let (every, floor) = (bytes.clone(), bytes.clone());
    let every_prefix = Pair {
        scale: 1.062,
        ..Pair::new(
            "every-prefix",
            move || (0..every.len()).for_each(|length| parse(&every[..length])),
            move || (0..floor.len()).for_each(|length| baseline::httparse_alone(&floor[..length])),
        )
    };
    let floor = bytes.clone();
    let byte_by_byte = Pair {
        scale: 12.450,
        ..Pair::new(
            "byte-by-byte",
            move || {
                let mut scanner = HeadScanner::new();
                let received = (1..=bytes.len()).map(|length| &bytes[..length]);
                received.filter(|received| scanner.should_parse(received)).for_each(parse);
            },
            move || baseline::httparse_alone(&floor),
        )
    };
    let long_target = [b"BITS_POST /", &[b'a'; 2000][..]].concat();
    let mut pairs = Vec::from(parts);
    pairs.extend([
        pair("long-target", 1.020, long_target),
        pair("long-line", 1.011, long_line),
        every_prefix,
        byte_by_byte,
    ]);
    group("partial", 1.25, pairs)
}
