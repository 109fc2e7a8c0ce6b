//! Captured packets that are not explained are counted by reason.

use crate::support::capture::{
    Captured, Dialogue, EPOCH, FORMAT, Link, Side, captured, pcap, plain_pcap,
};
use crate::support::encapsulation::*;
use crate::support::inspector::inspect;
use bits_cli::inspect::capture::Packet;
use bits_cli::inspect::packet::segment;

/// Returns the exit status and what the inspector writes to standard error.
fn errors(file: &[u8]) -> (Option<i32>, String) {
    let output = inspect("vectors", &["--json", "-"], file);
    let errors = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.stdout.is_empty(), "no message");
    (output.status.code(), errors)
}

fn packet(data: &[u8]) -> Captured {
    Captured { time: EPOCH, data: data.to_vec(), length: data.len() }
}

#[test]
fn a_capture_with_an_unsupported_link_type_fails_and_names_it() {
    let segments = Dialogue::opened(50000, [1, 2]).segments;
    let names = [
        (147, "147 (user0)"),
        (162, "162 (user15)"),
        (163, "163 (802.11 with AVS header)"),
        (290, "290 (Windows event trace)"),
        (300, "300"),
    ];
    for (number, name) in names {
        let mut file = plain_pcap(&segments);
        file[20..22].copy_from_slice(&u16::to_le_bytes(number));
        let expected = format!(
            "inspect: -: no TCP segment: 3 packets of link type {name}, which is not supported\n"
        );
        assert_eq!(errors(&file), (Some(1), expected));
    }
}

#[test]
fn a_capture_without_a_message_fails_and_says_why() {
    let of = |file: &[u8], why: &str| {
        assert_eq!(errors(file), (Some(1), format!("inspect: -: {why}\n")));
    };
    of(&pcap(FORMAT, Link::Ethernet, &[]), "no TCP segment: the capture has no packet");
    let mut dialogue = Dialogue::opened(50000, [1, 2]);
    of(&plain_pcap(&dialogue.segments), "no HTTP message: 3 TCP segments without data");
    dialogue.say(Side::Client, b"SSH-2.0-OpenSSH_9.2\r\n");
    let mut packets = captured(&dialogue.segments, Link::Ethernet);
    packets.push(packet(&[0; 13]));
    let why = "no HTTP message: 1 connection without HTTP; \
        1 packet whose Ethernet header was not completely captured";
    of(&pcap(FORMAT, Link::Ethernet, &packets), why);
}

/// Returns the reason for packets without TCP.
#[track_caller]
fn assert_reason(link: u16, data: &[u8], reason: &str) {
    let packet = Packet { time: None, link: link.into(), data, cut: 0 };
    let found = segment(&packet).expect_err(reason).describe(1);
    assert_eq!(found, reason);
}

#[test]
fn protocols_are_named() {
    let of_frame = |ether_type: u16, name: &str| {
        assert_reason(1, &ethernet(ether_type, &[0; 50]), &format!("1 {name}"));
    };
    of_frame(0x0806, "ARP");
    of_frame(0x88CC, "LLDP");
    of_frame(0x888E, "EAPOL");
    of_frame(0x8863, "PPPoE discovery");
    of_frame(0x1234, "EtherType 0x1234");
    of_frame(40, "LLC");
    for (number, name) in
        [(1, "ICMP"), (2, "IGMP"), (58, "ICMPv6"), (132, "SCTP"), (145, "IP protocol 145")]
    {
        assert_reason(101, &ipv4(number, &[0; 50]), &format!("1 {name}"));
    }
    assert_reason(101, &udp(53, &[0; 50]), "1 UDP");
    // Packets at the ports of tunnels that are none.
    assert_reason(101, &udp(4789, &[0; 50]), "1 UDP");
    assert_reason(101, &udp(6081, &[0xC0; 50]), "1 UDP");
    assert_reason(9, &[0xC0, 0x21, 1, 1], "1 LCP");
    assert_reason(9, &[0x80, 0xFD, 1, 1], "1 PPP protocol 0x80fd");
    assert_reason(1, &ethernet(PPPOE, &[0x11, 0xA7, 0, 1, 0, 0]), "1 PPPoE discovery");
    assert_reason(1, &ethernet(MPLS, &mpls(&[13], &[0x10; 50])), "1 MPLS associated channel");
    assert_reason(1, &ethernet(MPLS, &mpls(&[16], &[0xEE; 50])), "1 MPLS with unknown payload");
    assert_reason(1, &ethernet(4, &[0x42, 0x42, 3, 0]), "1 STP");
    assert_reason(1, &ethernet(8, &[0xAA, 0xAA, 3, 0, 0, 0x0C, 0x20, 0]), "1 SNAP");
    for (control, name) in [(0x80, "management"), (0xB4, "control"), (0x0C, "extension")] {
        assert_reason(105, &[control; 30], &format!("1 802.11 {name}"));
    }
    assert_reason(105, &[0x48, 1, 0, 0], "1 802.11 without data");
}

#[test]
fn layers_that_cannot_be_read_are_reported_with_the_reason() {
    let of_wlan = |parts: Wlan, reason: &str| {
        let frame = wlan(parts, &ipv4(6, &[0; 20]));
        assert_reason(105, &frame, &format!("1 packet {reason}"));
    };
    of_wlan(Wlan { flags: PROTECTED, ..Wlan::default() }, "encrypted with 802.11");
    let fragment = "with an 802.11 fragment, which is not reassembled";
    of_wlan(Wlan { flags: MORE_FRAGMENTS, ..Wlan::default() }, fragment);
    of_wlan(Wlan { fragment: 1, ..Wlan::default() }, fragment);
    let aggregate = "with aggregated 802.11 data, which is not supported";
    of_wlan(Wlan { is_qos: true, qos: 0x80, ..Wlan::default() }, aggregate);
    let packet = |link, data: &[u8], reason: &str| {
        assert_reason(link, data, &format!("1 packet {reason}"));
    };
    packet(105, &[0x09; 30], "with an invalid 802.11 header");
    packet(127, &radiotap(0x40, &[8; 40]), "with a wrong 802.11 checksum");
    packet(127, &[1, 0, 8, 0, 0, 0, 0, 0], "with an invalid radiotap header");
    packet(101, &ipv4(50, &[0; 50]), "encrypted with ESP");
    packet(1, &ethernet(0x88E5, &[0x2C; 50]), "encrypted with MACsec");
    packet(1, &ethernet(0x88E5, &[0xFF; 50]), "with an invalid MACsec header");
    packet(101, &[0x54; 40], "with an invalid IP header");
    packet(101, &[0x44; 40], "with an invalid IP header");
    packet(101, &ipv4(6, &[0; 40]), "with an invalid TCP header");
    // Extension headers: destination options before hop-by-hop options, and too few bytes.
    let options = [0, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0];
    packet(101, &ipv6(60, &options), "with an invalid IP header");
    packet(101, &ipv6(0, &[6, 1, 1, 4]), "whose IP header was not completely captured");
    packet(1, &ethernet(PPPOE, &[0x12, 0, 0, 1, 0, 0]), "with an invalid PPPoE header");
    let routing = "with GRE source routing, which is not supported";
    packet(101, &gre(0x4000, 0x0800, &[0; 12], &[]), routing);
    packet(101, &gre(2, 0x0800, &[], &[0; 40]), "with an invalid GRE header");
    let frame_type = "with an ERSPAN frame type that is not supported";
    packet(101, &erspan_3(1, false, &[0; 40]), frame_type);
}

#[test]
fn counts_are_listed_in_descending_order() {
    let mut dialogue = Dialogue::opened(50000, [1, 2]);
    dialogue.say(Side::Client, b"GET / HTTP/1.1\r\n\r\n");
    dialogue.say(Side::Server, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let mut packets = captured(&dialogue.segments, Link::Ethernet);
    let others = [(3, ethernet(0x0806, &[0; 28])), (7, frame(&udp(53, &[0; 20])))];
    for (count, data) in others {
        packets.extend((0..count).map(|_| packet(&data)));
    }
    packets.push(packet(&frame(&ipv6(58, &[0; 8]))));
    packets.extend([packet(&frame(&ipv4(50, &[0; 8]))), packet(&frame(&ipv4(50, &[0; 8])))]);
    let mut fragment = frame(&ipv4(17, &[0; 8]));
    fragment[14 + 7] = 1;
    packets.extend([packet(&fragment), packet(&fragment)]);
    let output = inspect("vectors", &["--json", "-"], &pcap(FORMAT, Link::Ethernet, &packets));
    let notes = "inspect: -: 11 packets without TCP: 7 UDP, 3 ARP, 1 ICMPv6\n\
        inspect: -: skipped 2 IP fragments, which are not reassembled\n\
        inspect: -: skipped 2 packets encrypted with ESP\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), notes);
    assert_eq!(output.status.code(), Some(0));
    // Without the dialogue, they are the reason why there is no message.
    let rest = &packets[dialogue.segments.len()..];
    let why = "inspect: -: no TCP segment: 7 UDP, 3 ARP, 1 ICMPv6; 2 IP fragments, which are not \
        reassembled; 2 packets encrypted with ESP\n";
    assert_eq!(errors(&pcap(FORMAT, Link::Ethernet, rest)), (Some(1), why.to_owned()));
}

#[test]
fn packets_of_a_damaged_capture_are_counted_too() {
    let mut file = plain_pcap(&Dialogue::opened(50000, [1, 2]).segments);
    file[20] = 147;
    file.pop();
    let (status, errors) = errors(&file);
    let skipped = "inspect: -: skipped 2 packets of link type 147 (user0), which is not supported\n\
        inspect: -: the capture is truncated at byte ";
    assert!(status == Some(2) && errors.starts_with(skipped), "{errors}");
}
