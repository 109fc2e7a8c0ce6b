//! The inspector with TCP faults: segments that are lost, repeated, late or cut, and captures that begin in the
//! middle.

use crate::support::capture::Side::{Client, Server};
use crate::support::capture::{Dialogue, FORMAT, Link, Segment, captured, pcap, plain_pcap};
use crate::support::dialogues::{
    INITIAL, assert_is_upload, assert_says, close, close_ack, explain, fragment, fragment_ack,
    ping, ping_ack, upload, words,
};
use crate::support::inspector::text;

#[test]
fn segments_out_of_order() {
    let mut segments = upload(50000, INITIAL);
    segments[3..].reverse();
    assert_is_upload(&segments);
    // The SYN after everything else.
    let mut segments = upload(50000, INITIAL);
    segments.reverse();
    assert_is_upload(&segments);
    let mut segments = upload(50000, INITIAL);
    segments.chunks_mut(2).for_each(|pair| pair.reverse());
    assert_is_upload(&segments);
}

#[test]
fn segments_sent_again() {
    let segments = upload(50000, INITIAL);
    let twice: Vec<_> = segments.iter().flat_map(|it| [it.clone(), it.clone()]).collect();
    assert_is_upload(&twice);
    let again: Vec<_> = segments.iter().chain(&segments[3..]).cloned().collect();
    assert_is_upload(&again);
    let syn_again = [&segments[..8], &segments[..2], &segments[8..]].concat();
    assert_is_upload(&syn_again);
}

#[test]
fn segments_that_overlap() {
    let segments = upload(50000, INITIAL);
    // Each segment with the end of the previous one, or with the start of the next one.
    let (mut longer_before, mut longer_behind) = (segments.clone(), segments.clone());
    for at in 1..segments.len() {
        let (one, next) = (&segments[at - 1], &segments[at]);
        if one.side == next.side && one.data.len() > 30 && !next.data.is_empty() {
            longer_before[at].sequence = next.sequence.wrapping_sub(30);
            longer_before[at].data = [&one.data[one.data.len() - 30..], &next.data].concat();
            longer_behind[at - 1].data = [&one.data[..], &next.data[..1]].concat();
        }
    }
    assert_is_upload(&longer_before);
    assert_is_upload(&longer_behind);
    longer_behind.reverse();
    assert_is_upload(&longer_behind);
    // Each segment again with the end of the previous one, late and early.
    let mut overlapping = segments.clone();
    for pair in segments.windows(2) {
        if pair[0].side == pair[1].side && !pair[0].data.is_empty() {
            let half = pair[0].data.len() / 2;
            let mut both = pair[1].clone();
            both.sequence = pair[0].sequence.wrapping_add(half as u32);
            both.data = [&pair[0].data[half..], &pair[1].data].concat();
            overlapping.push(both.clone());
            overlapping.insert(3, both);
        }
    }
    assert!(overlapping.len() > segments.len() + 10);
    assert_is_upload(&overlapping);
}

#[test]
fn of_overlapping_segments_the_first_wins() {
    let mut segments = upload(50000, INITIAL);
    let mut other = segments[3].clone();
    other.data.fill(b'x');
    other.sequence = other.sequence.wrapping_add(3);
    other.data.truncate(40);
    segments.insert(4, other);
    assert_is_upload(&segments);
}

#[test]
fn numbers_that_wrap() {
    for client in [u32::MAX, u32::MAX - 1, u32::MAX - 150, u32::MAX - 1000] {
        for server in [u32::MAX, u32::MAX - 77] {
            let mut segments = upload(50000, [client, server]);
            assert_is_upload(&segments);
            segments.reverse();
            assert_is_upload(&segments);
        }
    }
}

#[test]
fn a_gap_in_a_body_leaves_what_is_around_it() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &fragment(0, 3000, 6000)).say(Client, &[b'a'; 1000]);
    dialogue.lose(Client, 700).say(Client, &[b'a'; 1300]).say(Server, &fragment_ack(3000));
    dialogue.say(Client, &fragment(3000, 3000, 6000)).say(Client, &[b'b'; 3000]);
    dialogue.say(Server, &fragment_ack(6000)).close();
    let says = ["fragment partial -700", "ack ok", "fragment ok", "ack ok"];
    assert_says(&dialogue.segments, &says);
}

#[test]
fn a_gap_over_the_end_of_a_body_and_the_next_head() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &fragment(0, 3000, 6000)).say(Client, &[b'a'; 2900]);
    dialogue.lose(Client, 100).say(Server, &fragment_ack(3000));
    dialogue.lose(Client, 400).say(Client, &[b'b'; 1000]).say(Server, &fragment_ack(4000));
    dialogue.say(Client, &close()).say(Server, &close_ack()).close();
    // 100 bytes of the fragment; the rest of the gap belongs to a message whose start is missing.
    let lost = ["fragment partial -100", "ack ok", "other partial -400", "ack ok"];
    let says = [&lost[..], &["close-session ok", "ack ok"]].concat();
    assert_says(&dialogue.segments, &says);
}

#[test]
fn a_gap_in_a_head_ends_with_the_next_start() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    let head = fragment(0, 300, 300);
    dialogue.say(Client, &head[..50]).lose(Client, 30).say(Client, &head[80..]);
    dialogue.say(Client, &[b'a'; 300]).say(Server, &fragment_ack(300));
    dialogue.say(Client, &close()).say(Server, &close_ack()).close();
    let says = ["other partial -30", "ack ok", "close-session ok", "ack ok"];
    assert_says(&dialogue.segments, &says);
}

#[test]
fn a_response_that_is_lost_leaves_the_next_one_its_request() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    let lost = fragment_ack(300);
    dialogue.say(Client, &fragment(0, 300, 300)).say(Client, &[b'a'; 300]);
    dialogue.lose(Server, lost.len() as u32);
    dialogue.say(Client, &ping()).say(Server, &ping_ack());
    dialogue.say(Client, &close()).say(Server, &close_ack()).close();
    let reports = explain(&plain_pcap(&dialogue.segments));
    let lost = format!("other partial -{}", lost.len());
    let says = ["fragment ok", &lost, "ping ok", "ack ok", "close-session ok", "ack ok"];
    assert_eq!(words(&reports), says);
    let requests: Vec<_> = reports.iter().filter_map(|it| it["ack_for"].as_str()).collect();
    assert_eq!(requests, ["ping", "close-session"]);
    // The start of the lost response is captured.
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    let ack = fragment_ack(300);
    dialogue.say(Client, &fragment(0, 300, 300)).say(Client, &[b'a'; 300]);
    dialogue.say(Server, &ack[..30]).lose(Server, ack.len() as u32 - 30);
    dialogue.say(Client, &close()).say(Server, &close_ack()).close();
    let reports = explain(&plain_pcap(&dialogue.segments));
    assert_eq!(text(&reports[1], "verdict"), "partial");
    assert_eq!(text(&reports[3], "ack_for"), "close-session");
    assert_eq!(text(&reports[3], "verdict"), "ok");
}

#[test]
fn a_request_that_is_lost_leaves_the_others_their_responses() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &ping()).say(Server, &ping_ack());
    dialogue.lose(Client, 500).say(Server, &fragment_ack(300));
    dialogue.say(Client, &close()).say(Server, &close_ack()).close();
    // The server had received the bytes that the capture lacks.
    let says = ["ping ok", "ack ok", "other partial -500", "ack ok", "close-session ok", "ack ok"];
    assert_says(&dialogue.segments, &says);
}

#[test]
fn bytes_lost_at_the_end() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &ping()).say(Server, &ping_ack());
    dialogue.lose(Client, 70).close();
    let reports = explain(&plain_pcap(&dialogue.segments));
    assert_eq!(words(&reports), ["ping ok", "ack ok", "other partial -70"]);
    // Its FIN, the sixth packet, shows that bytes are missing.
    assert_eq!(text(&reports[2], "time"), "1700000000.005005000");
}

#[test]
fn packets_cut_by_the_snap_length() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &[fragment(0, 1000, 2000), vec![b'a'; 1000]].concat());
    dialogue.say(Server, &fragment_ack(1000));
    dialogue.say(Client, &[fragment(1000, 1000, 2000), vec![b'a'; 1000]].concat());
    dialogue.say(Server, &fragment_ack(2000)).close();
    for link in [Link::Ethernet, Link::EthernetIpv6, Link::Ipv6Extensions, Link::Cooked2] {
        let mut packets = captured(&dialogue.segments, link);
        packets.iter_mut().for_each(|packet| packet.data.truncate(400));
        let reports = explain(&pcap(FORMAT, link, &packets));
        let cut = |packet: usize| format!("fragment partial -{}", packets[packet].length - 400);
        assert_eq!(words(&reports), [&*cut(3), "ack ok", &*cut(5), "ack ok"]);
    }
}

#[test]
fn packets_longer_than_their_header_can_say() {
    // A network card splits them into packets later; the IP header has no length yet.
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, &[fragment(0, 2000, 2000), vec![b'a'; 2000]].concat());
    dialogue.say(Server, &fragment_ack(2000));
    let mut packets = captured(&dialogue.segments, Link::Raw);
    packets[3].data[2..4].fill(0);
    assert_eq!(words(&explain(&pcap(FORMAT, Link::Raw, &packets))), ["fragment ok", "ack ok"]);
    packets[3].data.truncate(500);
    let reports = explain(&pcap(FORMAT, Link::Raw, &packets));
    let missing = packets[3].length - 500;
    assert_eq!(words(&reports), [format!("fragment partial -{missing}"), "ack ok".into()]);
}

#[test]
fn frame_padding_is_not_data() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say(Client, b"BITS").say(Client, &ping()[4..]).say(Server, &ping_ack());
    let mut packets = captured(&dialogue.segments, Link::Ethernet);
    for packet in &mut packets {
        packet.data.resize(packet.data.len().max(60), 0);
        packet.length = packet.data.len();
    }
    let reports = explain(&pcap(FORMAT, Link::Ethernet, &packets));
    assert_eq!(words(&reports), ["ping ok", "ack ok"]);
}

#[test]
fn more_than_four_gibibytes_in_one_direction() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    let length = 9 << 30;
    dialogue.say(Client, &fragment(0, length, length + 10));
    let mut lost = 0;
    while lost + 100 < length {
        let step = (length - lost - 100).min(1 << 30);
        dialogue.lose(Client, step as u32).say(Client, b"a");
        lost += step + 1;
    }
    let rest = length - lost;
    dialogue.say(Client, &vec![b'a'; rest as usize]).say(Server, &fragment_ack(length));
    dialogue.say(Client, &fragment(length, 10, length + 10)).say(Client, b"0123456789");
    dialogue.say(Server, &fragment_ack(length + 10)).close();
    let missing = format!("fragment partial -{}", length - rest - 9);
    assert_says(&dialogue.segments, &[&missing, "ack ok", "fragment ok", "ack ok"]);
}

#[test]
fn a_capture_that_begins_between_two_messages() {
    let segments = upload(50000, INITIAL);
    let second = segments.iter().position(|it| it.data.starts_with(b"HTTP/1.1")).expect("an Ack");
    // Without the SYN, and then without the first request.
    assert_is_upload(&segments[3..]);
    let whole = explain(&plain_pcap(&segments));
    let rest = explain(&plain_pcap(&segments[second..]));
    assert_eq!(words(&rest), words(&whole)[1..]);
    assert_eq!(rest[0]["connection"], whole[0]["connection"], "the client is the same");
}

#[test]
fn a_capture_that_begins_inside_a_message() {
    let mut dialogue = Dialogue::new(50000, INITIAL);
    dialogue.say(Client, &[b'a'; 1000]).say(Server, &fragment_ack(3000));
    dialogue.say(Client, &close()).say(Server, &close_ack());
    assert_says(&dialogue.segments, &["other partial", "ack ok", "close-session ok", "ack ok"]);
}

#[test]
fn keep_alive_probes_are_ignored() {
    let probe = |segments: &mut Vec<Segment>, data: &[u8]| {
        let next = segments.iter().position(|it| it.data.starts_with(b"BITS")).expect("a start");
        let mut probe = segments[next].clone();
        probe.sequence = probe.sequence.wrapping_sub(1);
        probe.data = data.to_vec();
        segments.insert(next, probe);
    };
    for data in [&b""[..], b"\0"] {
        let mut segments = upload(50000, INITIAL);
        let at = segments.iter().position(|it| it.side == Server && !it.data.is_empty());
        let mut rest = segments.split_off(at.expect("an Ack"));
        probe(&mut rest, data);
        segments.extend(rest.clone());
        assert_is_upload(&segments);
        // As the first segments of the capture.
        let mut segments = upload(50000, INITIAL).split_off(3);
        probe(&mut segments, data);
        assert_is_upload(&segments);
    }
}

#[test]
fn the_time_is_that_of_the_packet_that_completed_the_head() {
    let mut dialogue = Dialogue::opened(50000, INITIAL);
    dialogue.say_in(Client, &ping(), 20).say(Server, &ping_ack());
    let segments = dialogue.segments;
    let last = segments.len() - 2;
    let time = |segments: &[Segment]| {
        let reports = explain(&plain_pcap(segments));
        text(&reports[0], "time").to_string()
    };
    let at = |packet: usize| format!("1700000000.{:09}", packet * 1_001_001 / 1000 * 1000);
    assert_eq!(time(&segments), at(last));
    // The first segment is captured after the second, and after all of them.
    let mut late = segments.clone();
    late.swap(3, 4);
    assert_eq!(time(&late), at(last));
    late = segments.clone();
    late.swap(3, last);
    assert_eq!(time(&late), at(last));
    late = [&segments[..3], &segments[4..=last], &segments[3..4], &segments[last + 1..]].concat();
    assert_eq!(time(&late), at(last));
}

#[test]
fn bytes_before_the_start_are_not_data() {
    let mut segments = upload(50000, INITIAL);
    let mut probe = segments[3].clone();
    probe.sequence = probe.sequence.wrapping_sub(1);
    probe.data = b"x".to_vec();
    segments.insert(3, probe);
    assert_is_upload(&segments);
}
