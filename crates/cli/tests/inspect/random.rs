//! The inspector reports the same for a capture as for a plain file, for every division of the conversation into
//! segments, and for every order and number of captured segments.

use crate::support::capture::Side::{Client, Server};
use crate::support::capture::{Dialogue, Segment, plain_pcap};
use crate::support::cases::config;
use crate::support::inspector::{inspect, json_lines, text, without_packets};
use crate::support::vectors;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

/// Returns the messages of a vector by connection. Notifications are sent by the server, on a connection of
/// their own.
fn connections(vector: &str) -> Vec<Vec<(usize, Vec<u8>)>> {
    let mut connections = vec![Vec::new(), Vec::new()];
    let mut notifications = 0;
    for (index, message) in vectors::conversation(vector).into_iter().enumerate() {
        let head = String::from_utf8_lossy(&message);
        let is_response = head.starts_with("HTTP/");
        let is_notification = if is_response {
            notifications > 0
        } else {
            head.contains("\r\nBITS-Original-Request-URL:")
        };
        notifications += usize::from(is_notification && !is_response);
        notifications -= usize::from(is_notification && is_response);
        connections[usize::from(is_notification)].push((index, message));
    }
    connections.retain(|messages| !messages.is_empty());
    connections
}

/// Returns segments for each message, with lengths in turn.
fn segments(
    port: u16,
    initial: [u32; 2],
    messages: &[(usize, Vec<u8>)],
    lengths: &[usize],
) -> Vec<(usize, Segment)> {
    let mut dialogue = Dialogue::opened(port, initial);
    let mut lengths = lengths.iter().copied().cycle();
    let mut of_message = vec![0; dialogue.segments.len()];
    for (index, message) in messages {
        let side = if message.starts_with(b"HTTP/") { Server } else { Client };
        let mut rest = &message[..];
        while !rest.is_empty() {
            let length = lengths.next().expect("a cycle").min(rest.len());
            let (data, behind) = rest.split_at(length);
            dialogue.say(side, data);
            of_message.push(*index);
            rest = behind;
        }
    }
    dialogue.close();
    of_message.resize(dialogue.segments.len(), usize::MAX);
    of_message.into_iter().zip(dialogue.segments).collect()
}

/// Returns a retransmitted segment, with bytes before or after it.
fn again(all: &[(usize, Segment)], index: &Index, cut: usize) -> Option<Segment> {
    let (message, segment) = index.get(all);
    let next = all.iter().find(|(other, next)| {
        other == message
            && next.sequence == segment.sequence.wrapping_add(segment.data.len() as u32)
    });
    let both = [&segment.data[..], next.map_or(&[], |(_, next)| &next.data)].concat();
    let cut = cut % both.len().max(1);
    let data = both.get(cut..).filter(|data| !data.is_empty())?.to_vec();
    Some(Segment { sequence: segment.sequence.wrapping_add(cut as u32), data, ..segment.clone() })
}

fn explain(segments: &[Segment]) -> Vec<Value> {
    let output = inspect("vectors", &["--json", "-"], &plain_pcap(segments));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    json_lines(&output)
}

fn plain(vector: &str) -> Vec<Value> {
    json_lines(&inspect("vectors", &["--json", vector], b"")).iter().map(without_packets).collect()
}

fn lengths() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![Just(vec![1]), prop::collection::vec(1_usize..400, 1..8), Just(vec![1460])]
}

fn numbers() -> impl Strategy<Value = [u32; 2]> {
    prop_oneof![any::<[u32; 2]>(), (0_u32..3000).prop_map(|it| [u32::MAX - it; 2])]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..config() })]

    /// Disorder within messages: the messages are those of the plain file, in the same order.
    #[test]
    fn segments_of_a_message_come_in_any_order(
        vector in prop::sample::select(&vectors::CONVERSATIONS[..]),
        lengths in lengths(),
        initial in numbers(),
        order in prop::collection::vec(any::<u32>(), 64),
        repeated in prop::collection::vec((any::<Index>(), 0_usize..500), 0..10),
    ) {
        let mut all: Vec<_> = connections(vector)
            .iter()
            .enumerate()
            .flat_map(|(index, it)| segments(50000 + index as u16, initial, it, &lengths))
            .collect();
        // Each connection is opened before its messages and closed after all of them.
        let opened = all.iter().filter(|it| it.1.data.is_empty()).cloned();
        let (mut opened, closed): (Vec<_>, Vec<_>) = opened.partition(|it| it.0 == 0);
        all.retain(|it| !it.1.data.is_empty());
        all.extend(
            repeated.iter().filter_map(|(it, cut)| Some((it.get(&all).0, again(&all, it, *cut)?)))
                .collect::<Vec<_>>(),
        );
        let key = |(at, it): (usize, (usize, Segment))| ((it.0, order[at % order.len()]), it);
        let mut keyed: Vec<_> = all.into_iter().enumerate().map(key).collect();
        keyed.sort_by_key(|it| it.0);
        opened.extend(keyed.into_iter().map(|it| it.1));
        let segments: Vec<_> = opened.into_iter().chain(closed).map(|it| it.1).collect();
        let found: Vec<_> = explain(&segments).iter().map(without_packets).collect();
        prop_assert_eq!(found, plain(vector));
    }

    /// Disorder of all segments: the messages of each connection are in order.
    #[test]
    fn segments_of_a_connection_come_in_any_order(
        vector in prop::sample::select(&vectors::CONVERSATIONS[..]),
        lengths in lengths(),
        initial in numbers(),
        repeated in prop::collection::vec((any::<Index>(), 0_usize..500), 0..10),
        order in prop::collection::vec(any::<u32>(), 64),
    ) {
        let connections = connections(vector);
        let mut all: Vec<_> = connections
            .iter()
            .enumerate()
            .flat_map(|(index, it)| segments(50000 + index as u16, initial, it, &lengths))
            .collect();
        all.extend(
            repeated.iter().filter_map(|(it, cut)| Some((0, again(&all, it, *cut)?)))
                .collect::<Vec<_>>(),
        );
        let mut keyed: Vec<_> = all.into_iter().enumerate()
            .map(|(at, it)| (order[at % order.len()], it.1))
            .collect();
        keyed.sort_by_key(|it| it.0);
        let segments: Vec<_> = keyed.into_iter().map(|it| it.1).collect();
        let reports = explain(&segments);
        let plain = plain(vector);
        for (index, messages) in connections.iter().enumerate() {
            let port = format!(":{} ", 50000 + index);
            let found: Vec<_> = reports
                .iter()
                .filter(|it| text(it, "connection").contains(&port))
                .map(without_packets)
                .collect();
            let expected: Vec<_> = messages.iter().map(|(at, _)| plain[*at].clone()).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
