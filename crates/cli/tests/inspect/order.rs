//! The order of events on the connections of a capture, including their ends, in which observers receive
//! them.

use crate::support::capture::Side::{Client, Server};
use crate::support::capture::{Dialogue, plain_pcap};
use bits_cli::inspect::packet::segment;
use bits_cli::inspect::source::{Body, Direction, Event, Source as _};
use bits_cli::inspect::traffic::Traffic;
use bits_cli::inspect::{capture, sniff, tcp};

const PING: &[u8] = b"BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Ping\r\n\r\n";
const ACK: &[u8] = b"HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\n\r\n";

/// Returns `>0` and `<0` for a request and a response of connection 0, `|0` for its end, and `-0` for
/// skipped bytes.
/// No message has a body.
fn order(file: &[u8]) -> String {
    let capture = capture::read(file);
    let packets = capture.packets.iter().enumerate();
    let segments = packets.filter_map(|(number, packet)| Some((number, segment(packet).ok()?)));
    let connections = tcp::connections(segments);
    let times = capture.packets.iter().map(|packet| packet.time).collect();
    let mut traffic = Traffic::new(&connections, times);
    let mut events = Vec::new();
    while let Some(event) = traffic.next_event() {
        events.push(match event {
            Event::Message(message) => {
                let length = sniff::head_end(message.bytes);
                traffic.consume(&message, length, Body::Length(0));
                let arrow = if message.direction == Direction::Request { '>' } else { '<' };
                format!("{arrow}{}", message.connection)
            }
            Event::Skipped(skipped) => format!("-{}", skipped.connection),
            Event::Ended(ended) => format!("|{}", ended.connection),
        });
    }
    events.join(" ")
}

fn with_request(port: u16) -> Dialogue {
    let mut dialogue = Dialogue::opened(port, [u32::from(port) << 16, 5]);
    dialogue.say(Client, PING).say(Server, ACK);
    dialogue
}

#[test]
fn a_connection_ends_when_both_sides_are_done_or_one_resets_it() {
    let mut dialogue = with_request(50000);
    assert_eq!(order(&plain_pcap(&dialogue.segments)), ">0 <0", "it may go on");
    dialogue.push(Client, "F.", b"");
    assert_eq!(order(&plain_pcap(&dialogue.segments)), ">0 <0", "the server may go on");
    dialogue.push(Server, "F.", b"");
    assert_eq!(order(&plain_pcap(&dialogue.segments)), ">0 <0 |0");
    let mut dialogue = with_request(50000);
    dialogue.push(Server, "R", b"");
    assert_eq!(order(&plain_pcap(&dialogue.segments)), ">0 <0 |0");
}

#[test]
fn a_connection_ends_before_the_next_one_on_its_ports() {
    let first = with_request(50000).segments;
    let mut again = Dialogue::opened(50000, [77, 88]);
    again.say(Client, PING).say(Server, ACK).close();
    let segments = [first, again.segments].concat();
    assert_eq!(order(&plain_pcap(&segments)), ">0 <0 |0 >1 <1 |1");
}

#[test]
fn an_end_is_ordered_among_other_connections() {
    let mut left = with_request(50000);
    left.close();
    let mut right = with_request(50001);
    right.say(Client, PING);
    let (l, r) = (left.segments, right.segments);
    let segments = [&l[..5], &r[..5], &l[5..], &r[5..]].concat();
    assert_eq!(order(&plain_pcap(&segments)), ">0 <0 >1 <1 |0 >1");
}

#[test]
fn an_end_that_was_captured_early_comes_after_the_messages() {
    let mut dialogue = with_request(50000);
    dialogue.close();
    let mut segments = dialogue.segments;
    segments[3..].reverse();
    assert_eq!(order(&plain_pcap(&segments)), ">0 <0 |0");
}
