//! The inspector finds an upload in every encapsulation, and in combinations of them.

use super::captures::{assert_is_upload, explain};
use crate::support::capture::{
    self, Dialogue, FORMAT, Format, Link, Side, at_intervals, dialogue_of, enhanced, interface,
    section,
};
use crate::support::cases::config;
use crate::support::encapsulation::*;
use crate::support::vectors;
use bits_cli::inspect::capture::Packet;
use bits_cli::inspect::packet::segment;
use proptest::prelude::*;
use proptest::sample::Index;

type Wrap = fn(&[u8]) -> Vec<u8>;

/// An encapsulation: the number of its link type, and a function that puts headers around an IP packet.
struct Encapsulation {
    name: &'static str,
    link: u16,
    wrap: Wrap,
}

/// Defines the encapsulations, and a test for each of them.
macro_rules! encapsulations {
    ($($test:ident: $link:literal, $wrap:expr;)*) => {
        const ENCAPSULATIONS: &[Encapsulation] =
            &[$(Encapsulation { name: stringify!($test), link: $link, wrap: $wrap }),*];
        $(
            #[test]
            fn $test() {
                assert_is_read(stringify!($test));
            }
        )*
    };
}

encapsulations! {
    one_vlan_tag: 1, |ip| ethernet(VLAN, &vlan(version(ip), ip));
    two_vlan_tags_of_providers: 1, |ip| ethernet(0x88A8, &vlan(VLAN, &vlan(version(ip), ip)));
    vlan_tags_of_an_old_type: 1, |ip| ethernet(0x9100, &vlan(0x9100, &vlan(version(ip), ip)));
    five_vlan_tags: 1, |ip| {
        let tagged = (0..4).fold(vlan(version(ip), ip), |frame, _| vlan(VLAN, &frame));
        ethernet(VLAN, &tagged)
    };
    ethernet_with_a_length_field: 1, frame_with_length;
    pppoe_session: 1, |ip| ethernet(PPPOE, &pppoe(&ppp(ip)));
    pppoe_session_with_a_vlan_tag: 1, |ip| ethernet(VLAN, &vlan(PPPOE, &pppoe(&ppp(ip))));
    pppoe_without_ethernet: 51, |ip| pppoe(&ppp(ip));
    ppp_link: 9, ppp;
    ppp_with_a_compressed_protocol: 9, |ip| ppp(ip)[1..].to_vec();
    ppp_with_hdlc_framing: 50, |ip| [&[0xFF, 3], &ppp(ip)[..]].concat();
    ppp_with_cisco_framing: 50, |ip| [&[0x0F, 0, 8, 0], ip].concat();
    cisco_hdlc_link: 104, |ip| [&[0x8F, 0, 8, 0], ip].concat();
    one_mpls_label: 1, |ip| ethernet(MPLS, &mpls(&[16], ip));
    mpls_label_stack: 1, |ip| ethernet(0x8848, &mpls(&[100, 200, 300], ip));
    mpls_link: 219, |ip| mpls(&[16, 17], ip);
    mpls_in_ppp: 9, |ip| [&[2, 0x81], &mpls(&[16], ip)[..]].concat();
    mpls_in_ip: 101, |ip| ipv4(137, &mpls(&[16], ip));
    mpls_in_udp: 101, |ip| udp(6635, &mpls(&[16], ip));
    mpls_pseudowire: 1, |ip| ethernet(MPLS, &mpls(&[16], &frame(ip)));
    mpls_pseudowire_with_control_word: 1, |ip| {
        ethernet(MPLS, &mpls(&[16], &[&[0, 0, 0, 1], &frame(ip)[..]].concat()))
    };
    mpls_pseudowire_with_an_address_like_a_control_word: 1, |ip| {
        let mut frame = frame(ip);
        frame[..6].copy_from_slice(&[0, 0x50, 0x56, 0, 0, 1]);
        ethernet(MPLS, &mpls(&[16], &frame))
    };
    mpls_pseudowire_with_an_address_like_an_ip_version: 1, |ip| {
        let mut frame = frame(ip);
        frame[..6].copy_from_slice(&[0x42, 0x50, 0x56, 0, 0, 1]);
        ethernet(MPLS, &mpls(&[16], &frame))
    };
    gre_tunnel: 1, |ip| frame(&gre(0, version(ip), &[], ip));
    gre_with_all_fields: 101, |ip| {
        gre(0xB000, version(ip), &[0xAB, 0xCD, 0, 0, 0, 0, 0, 7, 0, 0, 0, 9], ip)
    };
    gre_with_a_key: 101, |ip| gre(0x2000, version(ip), &[0, 0, 0, 7], ip);
    gre_with_a_bridged_frame: 101, |ip| gre(0x2000, BRIDGING, &[0, 0, 0, 7], &frame(ip));
    gre_of_pptp: 101, |ip| {
        let ppp = ppp(ip);
        let length = (ppp.len() as u16).to_be_bytes();
        let fields = [length[0], length[1], 0, 1, 0, 0, 0, 1, 0, 0, 0, 1];
        gre(0x3081, 0x880B, &fields, &ppp)
    };
    gre_in_ipv6: 101, |ip| ipv6(47, &[&[0, 0, 8, 0], ip].concat());
    erspan_of_type_1: 1, |ip| frame(&erspan_1(&frame(ip)));
    erspan_of_type_2: 1, |ip| frame(&erspan_2(&frame(ip)));
    erspan_of_type_3: 1, |ip| frame(&erspan_3(0, false, &frame(ip)));
    erspan_of_type_3_with_a_subheader: 1, |ip| frame(&erspan_3(0, true, &frame(ip)));
    erspan_of_type_3_with_an_ip_packet: 1, |ip| frame(&erspan_3(2, false, ip));
    ethernet_in_ip: 101, |ip| ipv4(97, &[&[0x30, 0], &frame(ip)[..]].concat());
    vxlan_at_its_assigned_port: 1, |ip| frame(&vxlan(4789, &frame(ip)));
    vxlan_at_the_old_port_of_linux: 1, |ip| frame(&vxlan(8472, &frame(ip)));
    geneve_with_a_frame: 1, |ip| frame(&geneve(&[], BRIDGING, &frame(ip)));
    geneve_with_options_and_an_ip_packet: 1, |ip| {
        frame(&geneve(&[1, 2, 0x80, 1, 9, 9, 9, 9, 1, 2, 3, 0], version(ip), ip))
    };
    ip_in_ip: 1, |ip| frame(&ipv4(4, ip));
    ipv4_in_ipv6: 1, |ip| frame(&ipv6(4, ip));
    nflog_of_a_little_endian_machine: 239, |ip| nflog(u16::to_le_bytes, ip);
    nflog_of_a_big_endian_machine: 239, |ip| nflog(u16::to_be_bytes, ip);
    wlan_data: 105, |ip| wlan(Wlan { flags: TO_DISTRIBUTION, ..Wlan::default() }, ip);
    wlan_data_with_quality_of_service: 105, |ip| {
        wlan(Wlan { flags: TO_DISTRIBUTION, is_qos: true, ..Wlan::default() }, ip)
    };
    wlan_data_with_four_addresses: 105, |ip| {
        wlan(Wlan { flags: FOUR_ADDRESSES, ..Wlan::default() }, ip)
    };
    wlan_data_with_all_parts: 105, |ip| {
        wlan(Wlan { flags: FOUR_ADDRESSES | HT_CONTROL, is_qos: true, ..Wlan::default() }, ip)
    };
    radiotap_with_wlan_data: 127, |ip| radiotap(0, &wlan(Wlan::default(), ip));
    radiotap_with_padding_after_the_header: 127, |ip| {
        radiotap(0x20, &wlan(Wlan { is_qos: true, padding: 2, ..Wlan::default() }, ip))
    };
    radiotap_without_fields: 127, |ip| {
        [&[0, 0, 8, 0, 0, 0, 0, 0], &wlan(Wlan::default(), ip)[..]].concat()
    };
    cooked_with_a_vlan_tag: 113, |ip| cooked(VLAN, &vlan(version(ip), ip));
    cooked_with_llc: 113, |ip| cooked(4, &snap(version(ip), ip));
    raw_ipv4_link: 228, <[u8]>::to_vec;
    raw_ip_link_of_most_systems: 12, <[u8]>::to_vec;
    raw_ip_link_of_openbsd: 14, <[u8]>::to_vec;
}

/// Returns the packets of an upload, in an encapsulation.
fn upload(inner: Link, wrap: impl Fn(&[u8]) -> Vec<u8>) -> Vec<capture::Captured> {
    let messages = vectors::conversation("upload.http");
    let segments = dialogue_of(50000, [1000, 2000], &messages, 1400);
    at_intervals(segments.iter().map(|it| wrap(&capture::packet(it, inner))))
}

#[track_caller]
fn assert_is_read(name: &str) {
    let of_name = ENCAPSULATIONS.iter().find(|it| it.name == name);
    let Encapsulation { link, wrap, .. } = of_name.expect("an encapsulation");
    let packets = upload(Link::Raw, wrap);
    assert_is_upload(&explain(&capture::pcap(FORMAT, *link, &packets)));
}

#[test]
fn ipv6_in_ipv4() {
    let packets = upload(Link::RawIpv6, |ip| frame(&ipv4(41, ip)));
    assert_is_upload(&explain(&capture::pcap(FORMAT, 1u16, &packets)));
}

#[test]
fn raw_ipv6_link() {
    let packets = upload(Link::RawIpv6, <[u8]>::to_vec);
    assert_is_upload(&explain(&capture::pcap(FORMAT, 229u16, &packets)));
}

#[test]
fn interfaces_of_different_link_types_in_one_file() {
    let count = ENCAPSULATIONS.len();
    for is_big_endian in [false, true] {
        let format = Format { is_big_endian, is_nano: false };
        let mut file = section(format);
        ENCAPSULATIONS.iter().for_each(|it| file.extend(interface(format, it.link, 9, 0)));
        // Each packet comes from the next interface.
        let packets = upload(Link::Raw, <[u8]>::to_vec);
        for (index, packet) in packets.iter().enumerate() {
            let data = (ENCAPSULATIONS[index % count].wrap)(&packet.data);
            let packet = capture::Captured { time: packet.time, length: data.len(), data };
            file.extend(enhanced(format, (index % count) as u32, packet.time, &packet));
        }
        assert_is_upload(&explain(&file));
    }
}

/// A TCP segment with a few bytes, without a link.
fn ip_packet() -> Vec<u8> {
    let mut dialogue = Dialogue::new(50000, [1000, 2000]);
    dialogue.say(Side::Client, b"0123456789");
    capture::packet(&dialogue.segments[0], Link::Raw)
}

fn packet(link: u16, data: &[u8], cut: usize) -> Packet<'_> {
    Packet { time: None, link: link.into(), data, cut }
}

#[test]
fn lengths_count_the_bytes_that_were_not_captured() {
    let ip = ip_packet();
    for Encapsulation { name, link, wrap } in ENCAPSULATIONS {
        let data = wrap(&ip);
        let whole = segment(&packet(*link, &data, 0)).expect(name);
        assert_eq!((whole.data, whole.cut), (&b"0123456789"[..], 0), "{name}");
        let part = segment(&packet(*link, &data[..data.len() - 4], 4)).expect(name);
        assert_eq!((part.data, part.cut), (&b"012345"[..], 4), "{name}");
        // Padding that was not captured does not count.
        let part = segment(&packet(*link, &data[..data.len() - 4], 4 + 9)).expect(name);
        assert_eq!((part.data, part.cut), (&b"012345"[..], 4), "{name}");
        // Padding after the packet is not data.
        let padded = [&data[..], &[0; 9]].concat();
        let padded = segment(&packet(*link, &padded, 0)).expect(name);
        assert_eq!((padded.data, padded.cut), (&b"0123456789"[..], 0), "{name}");
    }
}

#[test]
fn extension_headers_do_not_count_as_data() {
    let mut dialogue = Dialogue::new(50000, [1000, 2000]);
    dialogue.say(Side::Client, b"0123456789");
    let options = capture::packet(&dialogue.segments[0], Link::Ipv6Extensions);
    let authentication = [&[6, 4][..], &[0; 22], &ip_packet()[20..]].concat();
    for data in [options, frame(&ipv4(51, &authentication))] {
        let part = segment(&packet(1, &data[..data.len() - 4], 4 + 9)).expect("a segment");
        assert_eq!((part.data, part.cut), (&b"012345"[..], 4));
    }
}

#[test]
fn a_length_in_a_pseudowire_is_not_taken_for_a_type() {
    // If there were a control word, the length 0x0800 of the IP packet would be the type of IPv4.
    let mut dialogue = Dialogue::new(50000, [1000, 2000]);
    dialogue.say(Side::Client, &[b'0'; 0x0800 - 40]);
    let mut inner = frame(&capture::packet(&dialogue.segments[0], Link::Raw));
    inner[0] = 0;
    let data = ethernet(MPLS, &mpls(&[16], &inner));
    assert_eq!(segment(&packet(1, &data, 0)).expect("a segment").data.len(), 0x0800 - 40);
}

#[test]
fn packets_without_an_ip_length_extend_to_the_end() {
    // As captured before segmentation by the network card.
    let mut ip = ip_packet();
    ip[2..4].fill(0);
    let data = frame(&vxlan(4789, &frame(&ip)));
    let whole = segment(&packet(1, &data, 0)).expect("a segment");
    assert_eq!((whole.data, whole.cut), (&b"0123456789"[..], 0));
    let part = segment(&packet(1, &data[..data.len() - 4], 4 + 9)).expect("a segment");
    assert_eq!((part.data, part.cut), (&b"012345"[..], 4));
    let data = frame(&ip);
    let part = segment(&packet(1, &data[..data.len() - 4], 4)).expect("a segment");
    assert_eq!((part.data, part.cut), (&b"012345"[..], 4));
}

/// From an IP packet to a frame.
const FRAMES: [Wrap; 7] = [
    frame,
    frame_with_length,
    |ip| ethernet(VLAN, &vlan(version(ip), ip)),
    |ip| ethernet(PPPOE, &pppoe(&ppp(ip))),
    |ip| ethernet(MPLS, &mpls(&[16, 17], ip)),
    |ip| ethernet(MPLS, &mpls(&[16], &[&[0, 0, 0, 1], &frame(ip)[..]].concat())),
    |ip| ethernet(MPLS, &mpls(&[16], &frame(ip))),
];

/// From a frame to an IP packet.
const PACKETS: [Wrap; 8] = [
    |frame| vxlan(4789, frame),
    |frame| geneve(&[1, 2, 3, 0], BRIDGING, frame),
    |frame| gre(0, BRIDGING, &[], frame),
    erspan_1,
    erspan_2,
    |frame| erspan_3(0, true, frame),
    |frame| ipv4(97, &[&[0x30, 0], frame].concat()),
    |frame| ipv4(137, &mpls(&[16], &[&[0, 0, 0, 1], frame].concat())),
];

/// From an IP packet to an IP packet.
const TUNNELS: [Wrap; 4] = [
    |ip| ipv4(if version(ip) == IPV4 { 4 } else { 41 }, ip),
    |ip| ipv6(if version(ip) == IPV4 { 4 } else { 41 }, ip),
    |ip| gre(0x2000, version(ip), &[0, 0, 0, 7], ip),
    |ip| geneve(&[], version(ip), ip),
];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn encapsulations_can_be_nested(
        tunnels in prop::collection::vec((any::<Index>(), any::<Index>(), any::<bool>()), 0..3),
        outer in any::<Index>(),
    ) {
        let mut ip = ip_packet();
        for (first, second, is_frame) in tunnels {
            ip = match is_frame {
                true => second.get(&PACKETS)(&first.get(&FRAMES)(&ip)),
                false => first.get(&TUNNELS)(&ip),
            };
        }
        let data = outer.get(&FRAMES)(&ip);
        let found = segment(&packet(1, &data, 0)).expect("a segment");
        prop_assert_eq!(found.data, b"0123456789");
        prop_assert_eq!(found.from.to_string(), "10.0.0.1:50000");
    }

    #[test]
    fn damaged_packets_are_no_reason_to_panic(
        which in any::<Index>(),
        length in any::<Index>(),
        flips in prop::collection::vec((any::<Index>(), 0u8..8), 0..4),
        link in prop_oneof![4 => Just(None), 1 => prop::sample::select(&[0u16, 9, 105, 113, 127, 239, 276][..]).prop_map(Some)],
    ) {
        let Encapsulation { link: number, wrap, .. } = which.get(ENCAPSULATIONS);
        let mut data = wrap(&ip_packet());
        let length = length.index(data.len() + 1);
        data.truncate(length);
        for (at, bit) in flips {
            if !data.is_empty() {
                *at.get_mut(&mut data) ^= 1 << bit;
            }
        }
        if let Ok(segment) = segment(&packet(link.unwrap_or(*number), &data, 0)) {
            prop_assert!(segment.data.len() <= data.len());
        }
    }
}

#[test]
fn every_truncation_is_a_truncated_header_or_segment() {
    let ip = ip_packet();
    for Encapsulation { name, link, wrap } in ENCAPSULATIONS {
        let data = wrap(&ip);
        for length in 0..data.len() {
            match segment(&packet(*link, &data[..length], data.len() - length)) {
                Ok(found) => assert_eq!(found.data.len() + found.cut, 10, "{name} at {length}"),
                Err(why) => {
                    let why = why.describe(1);
                    // A truncated payload of MPLS cannot be distinguished from others.
                    let is_expected = why.ends_with("header was not completely captured")
                        || name.starts_with("mpls_pseudowire")
                            && why == "1 MPLS with unknown payload";
                    assert!(is_expected, "{name} at {length}: {why}");
                }
            }
        }
    }
}

#[test]
fn nesting_is_limited() {
    let nested = |count: usize| (0..count).fold(ip_packet(), |ip, _| ipv4(4, &ip));
    assert!(segment(&packet(101, &nested(15), 0)).is_ok());
    let why = segment(&packet(101, &nested(16), 0)).expect_err("too many headers");
    assert_eq!(why.describe(2), "2 packets with more than 16 nested headers");
}
