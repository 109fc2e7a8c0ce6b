//! Growing heads: with many unknown fields, and received byte by byte.

use std::hint::black_box;

use bits_proto::http1::{HeadScanner, Progress};
use bits_proto::limits::Limits;
use bits_proto::message::{HeaderSlots, ParseOptions, Request, RequestHead};

use super::{Group, MaxRatios, Pair, UNLIMITED};

const ROOM: usize = 2048;

/// Returns a valid Ping of `length` bytes, almost all of them in unknown fields.
fn foreign(length: usize) -> Vec<u8> {
    let mut head =
        b"BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Ping\r\nContent-Length: 0\r\n".to_vec();
    let mut index = 0;
    while head.len() + 2 < length {
        let line = format!("X-Foreign-{index:04}: {:032}\r\n", index * 7919);
        // The last field has the remaining length.
        let left = length - 2 - head.len();
        let fits = if left < 2 * line.len() { left - 2 } else { line.len() - 2 };
        head.extend(line.trim_end().bytes().chain(std::iter::repeat(b'x')).take(fits));
        head.extend(b"\r\n");
        index += 1;
    }
    head.extend(b"\r\n");
    assert_eq!(head.len(), length);
    head
}

fn read(bytes: &[u8], limits: &Limits) -> bool {
    let mut slots = HeaderSlots::<ROOM>::with_capacity();
    match RequestHead::parse_with_limits(black_box(bytes), &mut slots, limits).expect("valid") {
        Progress::Partial => false,
        Progress::Complete(head) => {
            black_box(&Request::from_head(&head, &ParseOptions::DEFAULT)).as_ref().expect("valid");
            true
        }
    }
}

/// Parses like a server whose peer sends single bytes.
fn grow(bytes: &[u8], limits: &Limits) {
    let mut end = HeadScanner::with_limits(limits);
    let arrived = (1..=bytes.len()).map(|length| &bytes[..length]);
    let attempts = arrived.filter(|received| end.should_parse(received));
    assert_eq!(attempts.filter(|received| read(received, limits)).count(), 1);
}

const SIZES: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

/// Compares longer heads with one of 1 KiB.
pub fn head_sizes() -> Group {
    of_sizes("head-size", |head, limits| assert!(read(head, limits)))
}

/// Compares httparse alone on longer heads with this crate on one of 1 KiB.
pub fn head_sizes_of_httparse() -> Group {
    of_sizes("head-size-httparse", |head, _| {
        let mut slots = [httparse::EMPTY_HEADER; ROOM];
        let mut request = httparse::Request::new(&mut slots);
        let status = request.parse(black_box(head)).expect("valid");
        assert!(black_box(&request).method.is_some() && status.is_complete());
    })
}

fn of_sizes(name: &'static str, parse: fn(&[u8], &Limits)) -> Group {
    let limits = Limits::DEFAULT.with_head_bytes(64 << 10).with_fields(ROOM);
    let pair = |kibibytes: usize| {
        let (head, short) = (foreign(kibibytes << 10), foreign(1 << 10));
        Pair::new(
            format!("{kibibytes}-KiB"),
            move || parse(&head, &limits),
            move || assert!(read(&short, &limits)),
        )
    };
    Group { name, pairs: SIZES.map(pair).into(), each: UNLIMITED, mean: None }
}

pub fn group() -> Group {
    let limits = Limits::DEFAULT.with_head_bytes(64 << 10).with_fields(ROOM);
    // From one size to the other, the head exceeds the limit of a value.
    let linear = [(1, 8), (8, 64)].map(|(short, long)| {
        let name = format!("foreign-{long}-KiB-beside-8-of-{short}");
        let (short, long) = (foreign(short << 10), foreign(long << 10));
        let parse_long = move || assert!(read(&long, &limits));
        Pair { scale: 8.0, ..Pair::new(name, parse_long, move || assert!(read(&short, &limits))) }
    });
    let (short, long) = (foreign(1 << 10), foreign(16 << 10));
    let a_byte_at_a_time = Pair {
        scale: 16.0,
        ..Pair::new(
            "byte-by-byte-16-KiB-beside-16-of-1",
            move || grow(&long, &limits),
            move || grow(&short, &limits),
        )
    };
    Group {
        name: "growing",
        pairs: linear.into_iter().chain([a_byte_at_a_time]).collect(),
        each: MaxRatios { instructions: 1.1, time: 1.5 },
        mean: None,
    }
}
