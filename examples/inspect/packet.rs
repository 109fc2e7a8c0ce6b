//! Extracts TCP segments from packets.

use std::net::SocketAddr;

use etherparse::{
    EtherType, IpNumber, LaxNetSlice, LaxSlicedPacket, LenSource, TcpSlice, TransportSlice,
};

use crate::capture::Packet;

/// A TCP segment.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'b> {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub sequence: u32,
    pub acknowledged: Option<u32>,
    pub is_syn: bool,
    pub is_fin: bool,
    pub is_reset: bool,
    pub data: &'b [u8],
    /// Number of bytes after `data` that were sent and not captured.
    pub cut: usize,
}

/// The content of a packet.
#[derive(Debug)]
pub enum Content<'b> {
    Segment(Segment<'b>),
    /// A fragment of an IP packet with a segment.
    Fragment,
    /// A segment whose header was not completely captured.
    TooShort,
    /// A packet with an unsupported link type.
    UnknownLink,
    Other,
}

/// Numbers of link types.
mod link {
    pub const NULL: i32 = 0;
    pub const ETHERNET: i32 = 1;
    pub const RAW: [i32; 5] = [101, 12, 14, 228, 229];
    pub const LOOP: i32 = 108;
    pub const LINUX_COOKED: i32 = 113;
    pub const LINUX_COOKED_2: i32 = 276;
}

pub fn content<'b>(packet: &Packet<'b>) -> Content<'b> {
    let data = packet.data;
    let sliced = match packet.link {
        link::ETHERNET => LaxSlicedPacket::from_ethernet(data).ok(),
        link::LINUX_COOKED => cooked(data, 14, 16),
        link::LINUX_COOKED_2 => cooked(data, 0, 20),
        // The first four bytes, the address family, differ between systems. The version in the IP
        // header has the same information.
        link::NULL | link::LOOP => data.get(4..).and_then(|ip| LaxSlicedPacket::from_ip(ip).ok()),
        raw if link::RAW.contains(&raw) => LaxSlicedPacket::from_ip(data).ok(),
        _ => return Content::UnknownLink,
    };
    sliced.map_or(Content::Other, |sliced| content_of_ip(&sliced, packet.cut))
}

/// Parses a packet with a cooked header of this length, which has an `EtherType` at `at`.
fn cooked(data: &[u8], at: usize, length: usize) -> Option<LaxSlicedPacket<'_>> {
    let ether_type = data.get(at..at + 2)?.try_into().map(u16::from_be_bytes).ok()?;
    Some(LaxSlicedPacket::from_ether_type(EtherType(ether_type), data.get(length..)?))
}

fn content_of_ip<'b>(sliced: &LaxSlicedPacket<'b>, cut: usize) -> Content<'b> {
    let Some((payload, net)) = sliced.ip_payload().zip(sliced.net.as_ref()) else {
        return Content::Other;
    };
    if payload.ip_number != IpNumber::TCP {
        return Content::Other;
    }
    if payload.fragmented {
        return Content::Fragment;
    }
    let Some(TransportSlice::Tcp(tcp)) = &sliced.transport else { return Content::TooShort };
    let cut = match declared_length(net) {
        Some(length) if payload.incomplete => length.saturating_sub(payload.payload.len()),
        _ if payload.len_source == LenSource::Slice => cut,
        _ => 0,
    };
    match addresses(net, tcp) {
        Some((from, to)) => Content::Segment(segment(tcp, from, to, cut)),
        None => Content::Other,
    }
}

/// Returns the length of the payload according to the IP header.
fn declared_length(net: &LaxNetSlice<'_>) -> Option<usize> {
    match net {
        LaxNetSlice::Ipv4(ip) => {
            let extensions = ip.extensions().auth.map_or(0, |auth| auth.slice().len());
            let headers = ip.header().slice().len() + extensions;
            Some(usize::from(ip.header().total_len()).saturating_sub(headers))
        }
        LaxNetSlice::Ipv6(ip) => {
            let extensions = ip.extensions().slice().len();
            Some(usize::from(ip.header().payload_length()).saturating_sub(extensions))
        }
        LaxNetSlice::Arp(_) => None,
    }
}

fn addresses(net: &LaxNetSlice<'_>, tcp: &TcpSlice<'_>) -> Option<(SocketAddr, SocketAddr)> {
    let (from, to) = (tcp.source_port(), tcp.destination_port());
    match net {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            Some(((header.source_addr(), from).into(), (header.destination_addr(), to).into()))
        }
        LaxNetSlice::Ipv6(ip) => {
            let header = ip.header();
            Some(((header.source_addr(), from).into(), (header.destination_addr(), to).into()))
        }
        LaxNetSlice::Arp(_) => None,
    }
}

fn segment<'b>(tcp: &TcpSlice<'b>, from: SocketAddr, to: SocketAddr, cut: usize) -> Segment<'b> {
    Segment {
        from,
        to,
        sequence: tcp.sequence_number(),
        acknowledged: tcp.ack().then(|| tcp.acknowledgment_number()),
        is_syn: tcp.syn(),
        is_fin: tcp.fin(),
        is_reset: tcp.rst(),
        data: tcp.payload(),
        cut,
    }
}
