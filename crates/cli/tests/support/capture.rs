//! Builds capture files: TCP dialogues, their packets on several link types, and the files.

use etherparse::{
    EtherType, LinuxSllPacketType, PacketBuilder, PacketBuilderStep, TcpHeader, VlanId, ip_number,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

use Side::{Client, Server};

#[derive(Clone, Debug)]
pub struct Segment {
    /// Ports of the client and of the server.
    pub ports: [u16; 2],
    pub side: Side,
    pub sequence: u32,
    pub acknowledged: u32,
    /// Flags as tcpdump prints them: `S`, `.`, `F`, `R`.
    pub flags: &'static str,
    pub data: Vec<u8>,
}

/// The segments of a client and a server that send in turn.
pub struct Dialogue {
    ports: [u16; 2],
    next: [u32; 2],
    pub segments: Vec<Segment>,
}

impl Dialogue {
    /// Starts with the given initial sequence numbers.
    pub fn new(client: u16, initial: [u32; 2]) -> Self {
        Self { ports: [client, 80], next: initial, segments: Vec::new() }
    }

    pub fn opened(client: u16, initial: [u32; 2]) -> Self {
        let mut dialogue = Self::new(client, initial);
        dialogue.push(Client, "S", b"");
        dialogue.push(Server, "S.", b"");
        dialogue.push(Client, ".", b"");
        dialogue
    }

    /// Adds one segment of any length.
    pub fn say(&mut self, side: Side, data: &[u8]) -> &mut Self {
        self.push(side, ".", data);
        self
    }

    /// Adds segments of at most this length.
    pub fn say_in(&mut self, side: Side, data: &[u8], length: usize) -> &mut Self {
        data.chunks(length).for_each(|data| self.push(side, ".", data));
        self
    }

    pub fn close(&mut self) -> &mut Self {
        self.push(Client, "F.", b"");
        self.push(Server, "F.", b"");
        self.push(Client, ".", b"");
        self
    }

    /// Skips bytes that were sent but are in no packet.
    pub fn lose(&mut self, side: Side, length: u32) -> &mut Self {
        let next = &mut self.next[side as usize];
        *next = next.wrapping_add(length);
        self
    }

    pub fn push(&mut self, side: Side, flags: &'static str, data: &[u8]) {
        let sequence = self.next[side as usize];
        let acknowledged = if flags == "S" { 0 } else { self.next[1 - side as usize] };
        let takes_up = flags.contains(['S', 'F']);
        self.next[side as usize] = sequence.wrapping_add(data.len() as u32 + u32::from(takes_up));
        let data = data.to_vec();
        self.segments.push(Segment {
            ports: self.ports,
            side,
            sequence,
            acknowledged,
            flags,
            data,
        });
    }
}

/// Returns a dialogue of messages in turn. Those that start with `HTTP/` come from the server.
pub fn dialogue_of<'m>(
    port: u16,
    initial: [u32; 2],
    messages: impl IntoIterator<Item = &'m Vec<u8>>,
    length: usize,
) -> Vec<Segment> {
    let mut dialogue = Dialogue::opened(port, initial);
    for message in messages {
        let side = if message.starts_with(b"HTTP/") { Server } else { Client };
        dialogue.say_in(side, message, length);
    }
    dialogue.close();
    dialogue.segments
}

/// The link-layer header of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Ethernet,
    Vlan,
    DoubleVlan,
    EthernetIpv6,
    /// With hop-by-hop and destination options before the TCP header.
    Ipv6Extensions,
    Cooked,
    Cooked2,
    Raw,
    RawIpv6,
    Null,
    Loop,
    LoopIpv6,
}

impl Link {
    pub const ALL: [Self; 12] = [
        Self::Ethernet,
        Self::Vlan,
        Self::DoubleVlan,
        Self::EthernetIpv6,
        Self::Ipv6Extensions,
        Self::Cooked,
        Self::Cooked2,
        Self::Raw,
        Self::RawIpv6,
        Self::Null,
        Self::Loop,
        Self::LoopIpv6,
    ];

    pub fn is_ipv6(self) -> bool {
        use Link::{EthernetIpv6, Ipv6Extensions, LoopIpv6, RawIpv6};
        matches!(self, EthernetIpv6 | Ipv6Extensions | RawIpv6 | LoopIpv6)
    }
}

/// Returns the number of a link type in capture files.
impl From<Link> for u16 {
    fn from(link: Link) -> Self {
        match link {
            Link::Ethernet | Link::Vlan | Link::DoubleVlan => 1,
            Link::EthernetIpv6 | Link::Ipv6Extensions => 1,
            Link::Cooked => 113,
            Link::Cooked2 => 276,
            Link::Raw | Link::RawIpv6 => 101,
            Link::Null => 0,
            Link::Loop | Link::LoopIpv6 => 108,
        }
    }
}

const ADDRESSES: [[u8; 4]; 2] = [[10, 0, 0, 1], [10, 0, 0, 2]];
const MACS: [[u8; 6]; 2] = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]];

fn ipv6(side: usize) -> [u8; 16] {
    let mut address = [0; 16];
    address[0] = 0xFD;
    address[15] = side as u8 + 1;
    address
}

/// Returns the packet of a segment.
pub fn packet(segment: &Segment, link: Link) -> Vec<u8> {
    let (from, to) = match segment.side {
        Client => (0, 1),
        Server => (1, 0),
    };
    let ethernet = PacketBuilder::ethernet2(MACS[from], MACS[to]);
    let vlan = |id| VlanId::try_new(id).expect("an id");
    let (v4, v6) = ((ADDRESSES[from], ADDRESSES[to]), (ipv6(from), ipv6(to)));
    let write = |step: PacketBuilderStep<TcpHeader>| {
        let mut bytes = Vec::new();
        step.write(&mut bytes, &segment.data).expect("it fits");
        bytes
    };
    // An IP packet without a link-layer header.
    let raw = || write(tcp(segment, PacketBuilder::ipv4(v4.0, v4.1, 64)));
    let raw_ipv6 = || write(tcp(segment, PacketBuilder::ipv6(v6.0, v6.1, 64)));
    match link {
        Link::Ethernet => write(tcp(segment, ethernet.ipv4(v4.0, v4.1, 64))),
        Link::Vlan => write(tcp(segment, ethernet.single_vlan(vlan(7)).ipv4(v4.0, v4.1, 64))),
        Link::DoubleVlan => {
            write(tcp(segment, ethernet.double_vlan(vlan(7), vlan(9)).ipv4(v4.0, v4.1, 64)))
        }
        Link::EthernetIpv6 => write(tcp(segment, ethernet.ipv6(v6.0, v6.1, 64))),
        Link::Ipv6Extensions => {
            let mut bytes = write(tcp(segment, ethernet.ipv6(v6.0, v6.1, 64)));
            extend_ipv6(&mut bytes);
            bytes
        }
        Link::Cooked => {
            let sll = PacketBuilder::linux_sll(LinuxSllPacketType::OUTGOING, 6, [0; 8]);
            write(tcp(segment, sll.ipv4(v4.0, v4.1, 64)))
        }
        Link::Cooked2 => {
            let ether_type = EtherType::IPV4.0.to_be_bytes();
            [&ether_type[..], &[0, 0, 0, 0, 0, 1, 0, 1, 4, 6], &[0; 8], &raw()].concat()
        }
        Link::Raw => raw(),
        Link::RawIpv6 => raw_ipv6(),
        Link::Null => [&[2, 0, 0, 0][..], &raw()].concat(),
        Link::Loop => [&[0, 0, 0, 2][..], &raw()].concat(),
        Link::LoopIpv6 => [&[0, 0, 0, 30][..], &raw_ipv6()].concat(),
    }
}

/// Adds the TCP header to any lower layer.
fn tcp(
    segment: &Segment,
    step: PacketBuilderStep<etherparse::IpHeaders>,
) -> PacketBuilderStep<TcpHeader> {
    let [client, server] = segment.ports;
    let (from, to) = if segment.side == Client { (client, server) } else { (server, client) };
    let mut header = TcpHeader::new(from, to, segment.sequence, 65535);
    header.syn = segment.flags.contains('S');
    header.fin = segment.flags.contains('F');
    header.rst = segment.flags.contains('R');
    header.ack = segment.flags.contains('.');
    header.acknowledgment_number = segment.acknowledged;
    step.tcp_header(header)
}

/// Inserts hop-by-hop and destination options before the TCP header of an Ethernet frame.
fn extend_ipv6(frame: &mut Vec<u8>) {
    let options = |next: u8| [next, 0, 1, 4, 0, 0, 0, 0];
    let header = 14;
    frame[header + 6] = ip_number::IPV6_HEADER_HOP_BY_HOP.0;
    let length = u16::from_be_bytes([frame[header + 4], frame[header + 5]]) + 16;
    frame[header + 4..header + 6].copy_from_slice(&length.to_be_bytes());
    let destination = ip_number::IPV6_DESTINATION_OPTIONS.0;
    let both = [options(destination), options(ip_number::TCP.0)].concat();
    frame.splice(header + 40..header + 40, both);
}

/// A packet in a capture file.
#[derive(Clone, Debug)]
pub struct Captured {
    /// Nanoseconds since the epoch.
    pub time: u64,
    pub data: Vec<u8>,
    /// Original length of the packet.
    pub length: usize,
}

/// Time of the first packet. The others follow at intervals of about a millisecond.
pub const EPOCH: u64 = 1_700_000_000_000_000_000;

pub fn captured(segments: &[Segment], link: Link) -> Vec<Captured> {
    at_intervals(segments.iter().map(|segment| packet(segment, link)))
}

/// Returns packets that were captured at intervals of about a millisecond.
pub fn at_intervals(packets: impl IntoIterator<Item = Vec<u8>>) -> Vec<Captured> {
    let packets = packets.into_iter().enumerate();
    packets
        .map(|(index, data)| {
            let time = EPOCH + index as u64 * 1_001_001;
            Captured { time, length: data.len(), data }
        })
        .collect()
}

/// Byte order and resolution of times.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    pub is_big_endian: bool,
    pub is_nano: bool,
}

pub const FORMAT: Format = Format { is_big_endian: false, is_nano: false };

impl Format {
    pub fn u16(self, value: u16) -> [u8; 2] {
        if self.is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub fn u32(self, value: u32) -> [u8; 4] {
        if self.is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn u32s(self, values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|value| self.u32(*value)).collect()
    }
}

/// Returns a pcap file. The link type is a [`Link`] or a number.
pub fn pcap(format: Format, link: impl Into<u16>, packets: &[Captured]) -> Vec<u8> {
    let magic = if format.is_nano { 0xA1B2_3C4D } else { 0xA1B2_C3D4 };
    let mut file = format.u32s(&[magic]);
    file.extend([format.u16(2), format.u16(4)].concat());
    file.extend(format.u32s(&[0, 0, 65535, u32::from(link.into())]));
    let unit = if format.is_nano { 1 } else { 1000 };
    for packet in packets {
        let (seconds, rest) = (packet.time / 1_000_000_000, packet.time % 1_000_000_000);
        let lengths = [packet.data.len() as u32, packet.length as u32];
        file.extend(format.u32s(&[seconds as u32, (rest / unit) as u32, lengths[0], lengths[1]]));
        file.extend(&packet.data);
    }
    file
}

/// Returns a capture of one dialogue, as tcpdump writes it.
pub fn plain_pcap(segments: &[Segment]) -> Vec<u8> {
    pcap(FORMAT, Link::Ethernet, &captured(segments, Link::Ethernet))
}

/// Returns a pcapng block of this type.
pub fn block(format: Format, kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
    let length = format.u32(12 + (body.len() + padding.len()) as u32);
    [&format.u32(kind)[..], &length, body, &padding, &length].concat()
}

pub fn section(format: Format) -> Vec<u8> {
    let versions = [format.u16(1), format.u16(0)].concat();
    block(format, 0x0A0D_0D0A, &[&format.u32(0x1A2B_3C4D)[..], &versions, &[0xFF; 8]].concat())
}

/// Returns an interface whose times have a resolution (`if_tsresol`) and an offset in seconds.
pub fn interface(format: Format, link: impl Into<u16>, resolution: u8, offset: u64) -> Vec<u8> {
    let offset = if format.is_big_endian { offset.to_be_bytes() } else { offset.to_le_bytes() };
    let body = [
        &format.u16(link.into())[..],
        &format.u16(0),
        &format.u32(0),
        &format.u16(9),
        &format.u16(1),
        &[resolution, 0, 0, 0],
        &format.u16(14),
        &format.u16(8),
        &offset,
        &[0; 4],
    ];
    block(format, 1, &body.concat())
}

/// Returns an enhanced packet block. The time is in ticks of its interface.
pub fn enhanced(format: Format, interface: u32, ticks: u64, packet: &Captured) -> Vec<u8> {
    let numbers = [
        interface,
        (ticks >> 32) as u32,
        ticks as u32,
        packet.data.len() as u32,
        packet.length as u32,
    ];
    block(format, 6, &[format.u32s(&numbers), packet.data.clone()].concat())
}

/// Returns a simple packet block, which has neither a time nor an interface.
pub fn simple(format: Format, packet: &Captured) -> Vec<u8> {
    block(format, 3, &[&format.u32(packet.length as u32)[..], &packet.data].concat())
}
