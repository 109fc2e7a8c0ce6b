//! Headers of links and tunnels, to be put around packets.
//!
//! Each function returns a header followed by `payload`. Those of tunnels in IP include the IP header.

use etherparse::{EtherType, Ethernet2Header, IpNumber, Ipv4Header, Ipv6Header, UdpHeader};

const TUNNEL: [[u8; 4]; 2] = [[192, 0, 2, 1], [192, 0, 2, 2]];
const MACS: [[u8; 6]; 2] = [[2, 0, 0, 0, 1, 1], [2, 0, 0, 0, 1, 2]];

pub const IPV4: u16 = 0x0800;
pub const IPV6: u16 = 0x86DD;
pub const VLAN: u16 = 0x8100;
pub const PPPOE: u16 = 0x8864;
pub const MPLS: u16 = 0x8847;
pub const BRIDGING: u16 = 0x6558;

/// Returns the EtherType of an IP packet.
pub fn version(ip: &[u8]) -> u16 {
    if ip[0] >> 4 == 4 { IPV4 } else { IPV6 }
}

fn header(bytes: &[u8], payload: &[u8]) -> Vec<u8> {
    [bytes, payload].concat()
}

pub fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let [source, destination] = MACS;
    let ether_type = EtherType(ether_type);
    header(&Ethernet2Header { source, destination, ether_type }.to_bytes(), payload)
}

/// Returns an Ethernet frame with an IP packet.
pub fn frame(ip: &[u8]) -> Vec<u8> {
    ethernet(version(ip), ip)
}

/// Returns the part of a tagged frame after the EtherType of the tag.
pub fn vlan(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let [high, low] = ether_type.to_be_bytes();
    header(&[0x20, 7, high, low], payload)
}

pub fn snap(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let [high, low] = ether_type.to_be_bytes();
    header(&[0xAA, 0xAA, 3, 0, 0, 0, high, low], payload)
}

/// Returns a frame of 802.3, which has a length in place of the EtherType.
pub fn frame_with_length(ip: &[u8]) -> Vec<u8> {
    let payload = snap(version(ip), ip);
    ethernet(payload.len() as u16, &payload)
}

pub fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [source, destination] = TUNNEL;
    let length = payload.len() as u16;
    let mut ip = Ipv4Header::new(length, 64, IpNumber(protocol), source, destination)
        .expect("it fits into a packet");
    ip.header_checksum = ip.calc_header_checksum();
    header(&ip.to_bytes(), payload)
}

pub fn ipv6(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let ip = Ipv6Header {
        payload_length: payload.len() as u16,
        next_header: IpNumber(protocol),
        hop_limit: 64,
        source: [0x20; 16],
        destination: [0x21; 16],
        ..Ipv6Header::default()
    };
    header(&ip.to_bytes(), payload)
}

pub fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let udp = UdpHeader::without_ipv4_checksum(40000, port, payload.len()).expect("it fits");
    ipv4(17, &header(&udp.to_bytes(), payload))
}

pub fn vxlan(port: u16, frame: &[u8]) -> Vec<u8> {
    udp(port, &header(&[8, 0, 0, 0, 0, 0, 42, 0], frame))
}

/// Returns a GENEVE packet. The options consist of words of four bytes.
pub fn geneve(options: &[u8], ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let [high, low] = ether_type.to_be_bytes();
    let words = (options.len() / 4) as u8;
    let header = [&[words, 0, high, low, 0, 0, 42, 0], options].concat();
    udp(6081, &[header, payload.to_vec()].concat())
}

/// Returns a GRE packet with flags and the fields that they announce.
pub fn gre(flags: u16, protocol: u16, fields: &[u8], payload: &[u8]) -> Vec<u8> {
    let start = [flags.to_be_bytes(), protocol.to_be_bytes()].concat();
    ipv4(47, &[&start, fields, payload].concat())
}

pub fn erspan_1(frame: &[u8]) -> Vec<u8> {
    gre(0, 0x88BE, &[], frame)
}

pub fn erspan_2(frame: &[u8]) -> Vec<u8> {
    gre(0x1000, 0x88BE, &[0, 0, 0, 1, 0x10, 7, 0, 1, 0, 0, 0, 0], frame)
}

/// Returns a packet of ERSPAN type III. The platform-specific header is optional.
pub fn erspan_3(frame_type: u16, has_subheader: bool, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (frame_type << 10 | u16::from(has_subheader)).to_be_bytes();
    let fields = [0, 0, 0, 1, 0x20, 7, 0, 1, 0, 0, 0, 9, 0, 0, high, low];
    let subheader: &[u8] = if has_subheader { &[4, 0, 0, 0, 0, 0, 0, 1] } else { &[] };
    gre(0x1000, 0x22EB, &[&fields, subheader].concat(), payload)
}

/// Returns a stack of labels, the last of which is marked as such.
pub fn mpls(labels: &[u32], payload: &[u8]) -> Vec<u8> {
    let entry = |(index, label): (usize, &u32)| {
        let is_last = index + 1 == labels.len();
        (label << 12 | u32::from(is_last) << 8 | 64).to_be_bytes()
    };
    let labels: Vec<_> = labels.iter().enumerate().flat_map(entry).collect();
    header(&labels, payload)
}

pub fn pppoe(ppp: &[u8]) -> Vec<u8> {
    let [high, low] = (ppp.len() as u16).to_be_bytes();
    header(&[0x11, 0, 0, 1, high, low], ppp)
}

/// Returns a PPP packet with an IP packet.
pub fn ppp(ip: &[u8]) -> Vec<u8> {
    header(if version(ip) == IPV4 { &[0, 0x21] } else { &[0, 0x57] }, ip)
}

/// Returns an NFLOG message with a prefix, padding and an IP packet.
pub fn nflog(order: fn(u16) -> [u8; 2], ip: &[u8]) -> Vec<u8> {
    let attribute = |number: u16, value: &[u8]| {
        [&order(4 + value.len() as u16)[..], &order(number), value].concat()
    };
    let family = if version(ip) == IPV4 { 2 } else { 10 };
    let padding = [0; 3];
    [&[family, 0, 0, 0][..], &attribute(10, b"drop\0"), &padding, &attribute(9, ip)].concat()
}

/// Parts of an 802.11 frame.
#[derive(Clone, Copy, Default)]
pub struct Wlan {
    /// Bits of the frame control field after the type.
    pub flags: u8,
    pub is_qos: bool,
    pub qos: u8,
    pub fragment: u8,
    /// Length of padding after the header.
    pub padding: usize,
}

pub const TO_DISTRIBUTION: u8 = 1;
pub const FOUR_ADDRESSES: u8 = 3;
pub const MORE_FRAGMENTS: u8 = 4;
pub const PROTECTED: u8 = 0x40;
pub const HT_CONTROL: u8 = 0x80;

/// Returns a data frame with an IP packet.
pub fn wlan(parts: Wlan, ip: &[u8]) -> Vec<u8> {
    let mut frame = vec![if parts.is_qos { 0x88 } else { 0x08 }, parts.flags, 0, 0];
    frame.extend([MACS[0], MACS[1], MACS[0]].concat());
    frame.extend([0x10 | parts.fragment, 0]);
    if parts.flags & FOUR_ADDRESSES == FOUR_ADDRESSES {
        frame.extend(MACS[1]);
    }
    if parts.is_qos {
        frame.extend([parts.qos, 0]);
        if parts.flags & HT_CONTROL != 0 {
            frame.extend([0; 4]);
        }
    }
    frame.resize(frame.len() + parts.padding, 0);
    frame.extend(snap(version(ip), ip));
    frame
}

/// Returns a radiotap header with a time, flags and a rate, followed by a frame. The word that announces
/// fields is continued, and the time is aligned.
pub fn radiotap(flags: u8, frame: &[u8]) -> Vec<u8> {
    let words = [0x8000_0007_u32, 0].map(u32::to_le_bytes).concat();
    let padding = [0; 4];
    [&[0, 0, 26, 0], &words[..], &padding, &[1; 8], &[flags, 4], frame].concat()
}

/// Returns a packet of Linux "cooked" captures, version 1.
pub fn cooked(protocol: u16, payload: &[u8]) -> Vec<u8> {
    let start = [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 1, 1, 0, 0];
    [&start, &protocol.to_be_bytes()[..], payload].concat()
}
