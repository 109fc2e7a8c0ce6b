//! Unusual spellings of heads. A receiver accepts them and records a deviation, and the transfer goes on.

use bits_proto::deviation::Deviations;
use rand::Rng as _;

use super::rng::ScriptedRng;
use crate::support::tally;

/// A text of a head, and the one that replaces it.
type Change = (&'static str, &'static str);

const REQUESTS: &[Change] = &[
    ("Content-Length: 0\r\n", "Content-Length: 0\r\nContent-Length: 00\r\n"),
    ("Content-Length: 0\r\n", ""),
    ("Content-Range: bytes ", "Content-Range: bytes\t "),
    ("BITS-Packet-Type: Ping\r\n", "BITS-Packet-Type: Ping\r\nBITS-Error: 0x80070057\r\n"),
];

const RESPONSES: &[Change] = &[
    ("HTTP/1.1 200 OK\r\n", "HTTP/1.0 200 OK\r\n"),
    ("HTTP/1.1 200 OK\r\n", "HTTP/1.1 201 Created\r\n"),
    ("HTTP/1.1 200 OK\r\n", "HTTP/1.1 202 Accepted\r\n"),
    ("HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nBITS-Error: 0x80070057\r\n"),
    ("BITS-Received-Content-Range: ", "BITS-Recieved-Content-Range: "),
    ("BITS-Protocol: {7df0354d-249b-430f-820d-3d2a9bef4931}\r\n", ""),
    ("Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n"),
    ("HTTP/1.1 503 Service Unavailable\r\n", "HTTP/1.1 503 X\r\nBITS-Error-Context: 0x9\r\n"),
];

/// Spells a request in another way, once in five times.
pub fn request(head: Vec<u8>, random: &mut ScriptedRng) -> Vec<u8> {
    change(head, REQUESTS, random)
}

/// Spells a response in another way, once in five times.
pub fn response(head: Vec<u8>, random: &mut ScriptedRng) -> Vec<u8> {
    change(head, RESPONSES, random)
}

fn change(head: Vec<u8>, changes: &[Change], random: &mut ScriptedRng) -> Vec<u8> {
    let (from, to) = changes[random.random_range(0..changes.len())];
    if random.random_bool(0.8) {
        return head;
    }
    let text = String::from_utf8(head).expect("a head in ASCII");
    text.replacen(from, to, 1).into_bytes()
}

/// Counts the deviations that a receiver recorded.
pub fn note(deviations: Deviations) {
    deviations.iter().for_each(|deviation| tally::note("deviation", &deviation));
}
